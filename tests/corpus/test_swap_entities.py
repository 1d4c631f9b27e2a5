"""The augmenter spacy-tokclf.swap_entities.v1: other entities of the same type in the same contexts."""

import random
from pathlib import Path

import pytest
import spacy
from pipeline_posts import read_posts
from spacy.tokens import Doc, DocBin
from spacy.training import Corpus, Example
from spacy.util import registry

from spacy_tokclf.corpus import Record, doc_to_record, record_to_doc
from spacy_tokclf.corpus.swap_entities import in_style, read_mentions, swap_all

NLP = spacy.blank("en")


def context(record: Record) -> list[str]:
    """Give a post with the types of its entities in their places."""
    return [tag[2:] if tag[0] == "B" else word for word, tag in zip(record.words, record.tags, strict=True)
            if tag[0] != "I"]  # fmt: skip


def augmenter(level: float, path: Path):
    block = {"@augmenters": "spacy-tokclf.swap_entities.v1", "level": level}
    block["entities"] = {"@readers": "spacy.Corpus.v1", "path": str(path), "gold_preproc": False}
    return registry.resolve({"augmenter": block})["augmenter"]


@pytest.fixture
def posts(tmp_path: Path) -> Path:
    DocBin(docs=[eg.reference for eg in read_posts(NLP)]).to_disk(tmp_path / "posts.spacy")
    return tmp_path / "posts.spacy"


def test_contexts_and_types_stay(posts: Path):
    mentions = read_mentions(read_posts(NLP))
    known = {label: {" ".join(words) for words in each} for label, each in mentions.items()}
    assert known["person"] == {"Zorblax", "Mira Okafor"}
    seen = set()
    for seed in range(20):
        random.seed(seed)
        corpus = Corpus(posts, augmenter=augmenter(1.0, posts))
        for changed, plain in zip(corpus(NLP), read_posts(NLP), strict=True):
            record = doc_to_record(changed.reference)
            assert context(record) == context(doc_to_record(plain.reference))
            assert [token.text for token in changed.predicted] == record.words and changed.reference.has_unknown_spaces
            for start, end, label in record.spans:
                assert " ".join(record.words[start:end]) in known[label]
                seen.add(" ".join(record.words[start:end]))
    assert seen == set().union(*known.values())


def test_the_share_is_drawn_from_the_seed(posts: Path):
    def read(level: float, seed: int) -> list[list[str]]:
        random.seed(seed)
        return [doc_to_record(eg.reference).words for eg in Corpus(posts, augmenter=augmenter(level, posts))(NLP)]

    assert read(0.0, 0) == [[token.text for token in eg.reference] for eg in read_posts(NLP)]
    assert read(0.7, 1) == read(0.7, 1) != read(0.7, 2)


def test_missing_values_stay_and_an_unknown_type_keeps_its_own():
    record = Record(["a", "Ada", "b", "Rome"], ["-", "B-person", "O", "B-place"])
    changed = swap_all(record, {"person": [["Bob", "X"]]})
    assert changed == Record(["a", "Bob", "X", "b", "Rome"], ["-", "B-person", "I-person", "O", "B-place"])


@pytest.mark.parametrize(
    ("words", "model", "expected"),
    [
        (["New", "York"], ["paris"], ["new", "york"]),
        (["New", "York"], ["PARIS"], ["NEW", "YORK"]),
        (["new", "york"], ["Paris"], ["New", "York"]),
        (["new", "york"], ["The", "hague"], ["New", "York"]),
        (["iPhone"], ["Paris"], ["iPhone"]),
        (["York"], ["42"], ["York"]),
        (["york"], ["X"], ["York"]),
    ],
)
def test_the_style_of_the_old_entity_is_kept(words: list[str], model: list[str], expected: list[str]):
    assert in_style(words, model) == expected


def test_posts_with_more_than_entities_are_left_alone(posts: Path):
    plain = record_to_doc(Record(["Zorblax"], ["B-person"]), NLP.vocab)
    tagged = Doc(NLP.vocab, words=["Zorblax"], tags=["NNP"], ents=["B-person"])
    grouped = record_to_doc(Record(["Zorblax"], ["B-person"]), NLP.vocab)
    grouped.spans["skills"] = [grouped[0:1]]
    swap = augmenter(1.0, posts)
    for doc, changes in ((plain, True), (tagged, False), (grouped, False)):
        example = Example(Doc(NLP.vocab, words=["Zorblax"]), doc)
        (found,) = swap(NLP, example)
        assert (found is not example) == changes


@pytest.mark.parametrize("level", [-0.1, 1.1])
def test_no_share(level: float, posts: Path):
    with pytest.raises(ValueError, match="TC031"):
        augmenter(level, posts)
