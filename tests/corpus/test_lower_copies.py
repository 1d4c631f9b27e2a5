"""The augmenter spacy-tokclf.lower_copies.v1: a post, and a copy of it that differs in case alone."""

import random
from pathlib import Path

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from pipeline_posts import read_posts
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Corpus, Example
from spacy.util import registry

from spacy_tokclf.corpus import doc_to_record

NLP = spacy.blank("en")


def augmenter(level: float):
    return registry.augmenters.get("spacy-tokclf.lower_copies.v1")(level)


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(min_size=1), st.sampled_from("O-BI")), min_size=1, max_size=8))
def test_words_are_lowered_and_all_else_stays(tokens):
    words, tags = [word for word, _ in tokens], [tag for _, tag in tokens]
    doc = Doc(NLP.vocab, words=words, ents=["B-x" if tag in "BI" else "O" for tag in tags])
    doc.set_ents(list(doc.ents), missing=[doc[i : i + 1] for i, tag in enumerate(tags) if tag == "-"])
    given_ = Example(Doc(NLP.vocab, words=words), doc)
    posts = list(augmenter(1.0)(NLP, given_))
    assert posts[0] is given_ and len(posts) == 1 + (words != [word.lower() for word in words])
    for copy in posts[1:]:
        for side in (copy.predicted, copy.reference):
            assert [token.text for token in side] == [word.lower() for word in words] and side.has_unknown_spaces
        assert doc_to_record(copy.reference).tags == doc_to_record(doc).tags
        assert not copy.predicted.has_annotation("ENT_IOB")


def test_annotation_of_other_components_stays():
    words = ["Ada", "Met", "Bob", "."]
    doc = Doc(
        NLP.vocab,
        words=words,
        spaces=[True, True, False, False],
        tags=["NNP", "VBD", "NNP", "."],
        heads=[1, 1, 1, 1],
        deps=["nsubj", "ROOT", "dobj", "punct"],
        lemmas=["Ada", "meet", "Bob", "."],
        ents=["B-person", "O", "B-person", "O"],
    )
    doc.spans["group"] = [Span(doc, 0, 2, label="a"), Span(doc, 1, 3, label="b")]
    doc.cats = {"news": 1.0}
    _, copy = augmenter(1.0)(NLP, Example(NLP(doc.text), doc))
    assert copy.reference.text == copy.predicted.text == doc.text.lower() == "ada met bob."
    assert not copy.reference.has_unknown_spaces
    for attr in ("tag_", "dep_", "lemma_", "ent_type_", "ent_iob_"):
        assert [getattr(token, attr) for token in copy.reference] == [getattr(token, attr) for token in doc]
    assert [token.head.i for token in copy.reference] == [1, 1, 1, 1]
    assert [(s.start, s.end, s.label_) for s in copy.reference.spans["group"]] == [(0, 2, "a"), (1, 3, "b")]
    assert copy.reference.cats == {"news": 1.0}


def test_sentences_stay_without_a_parse():
    doc = Doc(NLP.vocab, words=["Hi", "Ada", "Bye"], sent_starts=[True, False, True])
    _, copy = augmenter(1.0)(NLP, Example(Doc(NLP.vocab, words=["Hi", "Ada", "Bye"]), doc))
    assert [token.is_sent_start for token in copy.reference] == [True, False, True]


def test_the_share_is_drawn_from_the_seed(tmp_path: Path):
    DocBin(docs=[eg.reference for eg in read_posts(NLP)] * 50).to_disk(tmp_path / "posts.spacy")

    def read(level: float, seed: int) -> list[str]:
        random.seed(seed)
        corpus = Corpus(tmp_path / "posts.spacy", augmenter=augmenter(level))
        return [" ".join(token.text for token in eg.predicted) for eg in corpus(NLP)]

    plain = read(0.0, 0)
    assert plain == read(0.0, 1) and len(plain) == 800
    assert read(0.5, 1) == read(0.5, 1) != read(0.5, 2)
    cased = sum(text != text.lower() for text in plain)
    assert len(read(1.0, 0)) == 800 + cased
    assert 0.4 * cased < len(read(0.5, 0)) - 800 < 0.6 * cased


@pytest.mark.parametrize("level", [-0.1, 1.1])
def test_no_share(level: float):
    with pytest.raises(ValueError, match="TC031"):
        augmenter(level)
