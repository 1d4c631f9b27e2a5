"""The dictionaries of `pipeline("ner")`: ours against the real ones, with the same checkpoint."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import transformers
from packaging.version import Version
from shared_pipelines import shared_pipeline
from spacy.language import Language
from spacy.tokens import Doc

from spacy_tokclf.corpus.forms.conll import read_conll
from spacy_tokclf.export import export_hf, import_hf, to_hf_entities
from spacy_tokclf.export.hf_entities import STRATEGIES

POSTS = [
    "Groenlinks praat over Schiphol.",
    "I don't go to New York !",
    "",
    " ",
    "\n",
    "London",
    "  the  tweet\n\nin\tParis ",
    "Straße ÉCOLE naïve 中文 the中",
    "@user #NowPlaying https://t.co/abc123?x=1 RT:",
    "Newyork/London-Paris...greenlinks\N{FACE WITH TEARS OF JOY}\N{FACE WITH TEARS OF JOY} yo",
    "5.975,74 18th \u2026 \u201cquoted\u201d it's we\u2019re",
    "zero\u200bwidth \ufe0f and \x10 control",
    "[SEP] and </s> as words <mask> [MASK]",
    "the links on the tweet in green and London and Paris at praat over to the new york you don t " * 8,
]
WORDS = [
    ["Groenlinks", "praat", "over", "Schiphol", "."],
    ["New York", "don't", "", "go", " ", "\n", "yo", "\ufe0f", "中文"],
    ["London"],
    ["@user", "#NowPlaying", "https://t.co/abc123?x=1", "5.975,74", "\N{FACE WITH TEARS OF JOY}", "naïve"],
    ["the", "links", "tweet", "London", "greenlinks"] * 12,
]
NO_WORDS = Version(transformers.__version__) < Version("5.0")


def open_pipeline(folder: Path) -> Any:
    return transformers.pipeline("ner", model=str(folder), device="cpu")


def assert_same(ours: Sequence[dict[str, Any]], theirs: Sequence[dict[str, Any]]) -> None:
    assert [list(entity) for entity in ours] == [list(entity) for entity in theirs]
    for one, other in zip(ours, theirs, strict=True):
        for key, value in other.items():
            expected = pytest.approx(float(value), abs=1e-5) if key == "score" else value
            assert one[key] == expected, (key, one, other)
    json.dumps(ours)


@pytest.mark.filterwarnings("ignore:Tokenizer does not support real words")
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("model_type", ["bert", "roberta", "xlm-roberta", "albert", "modernbert"])
class TestAgainstThePipeline:
    """Our dictionaries are those of the real pipeline."""

    def test_raw_texts(self, model_type: str, strategy: str, make_checkpoint_dir: Callable[..., Path]) -> None:
        folder = make_checkpoint_dir(model_type)
        nlp, pipe = import_hf(folder), open_pipeline(folder)
        seen = 0
        for text in POSTS:
            theirs = pipe(text, aggregation_strategy=strategy)
            assert_same(to_hf_entities(text, nlp, aggregation_strategy=strategy), theirs)
            seen += len(theirs)
        assert seen > 10

    @pytest.mark.skipif(NO_WORDS, reason="this transformers has no pipeline for words")
    def test_docs(self, model_type: str, strategy: str, make_checkpoint_dir: Callable[..., Path]) -> None:
        folder = make_checkpoint_dir(model_type)
        nlp, pipe = import_hf(folder), open_pipeline(folder)
        for words in WORDS:
            words = [word for word in words if word]
            (theirs,) = pipe(words, is_split_into_words=True, aggregation_strategy=strategy)
            assert_same(to_hf_entities(Doc(nlp.vocab, words=words), nlp, aggregation_strategy=strategy), theirs)


LONG = [POSTS[-1][:500], POSTS[0], "", "Newyork/London-Paris...greenlinks and the naïve tweet at Schiphol, yo! " * 4]


@pytest.mark.filterwarnings("ignore:Tokenizer does not support real words")
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("model_type", ["bert", "roberta"])
class TestOptionsOfThePipeline:
    """Lists, `ignore_labels` and `stride` do what they do there."""

    def test_lists(self, model_type: str, strategy: str, make_checkpoint_dir: Callable[..., Path]) -> None:
        folder = make_checkpoint_dir(model_type)
        nlp, pipe = import_hf(folder), open_pipeline(folder)
        for texts in (POSTS, POSTS[:1]):
            theirs = pipe(texts, aggregation_strategy=strategy)
            ours = to_hf_entities(texts, nlp, aggregation_strategy=strategy)
            assert len(ours) == len(theirs) == len(texts)
            for one, other in zip(ours, theirs, strict=True):
                assert_same(one, other)
        docs = [Doc(nlp.vocab, words=list(filter(None, words))) for words in WORDS]
        each = [to_hf_entities(doc, nlp, aggregation_strategy=strategy) for doc in docs]
        assert to_hf_entities(docs, nlp, aggregation_strategy=strategy) == each
        assert to_hf_entities([], nlp, aggregation_strategy=strategy) == []

    def test_ignored_labels(self, model_type: str, strategy: str, make_checkpoint_dir: Callable[..., Path]) -> None:
        folder = make_checkpoint_dir(model_type)
        nlp, pipe = import_hf(folder), open_pipeline(folder)
        key = "entity" if strategy == "none" else "entity_group"
        ranked = Counter(
            entity[key] for found in pipe(POSTS, aggregation_strategy=strategy) for entity in found
        ).most_common()
        numbers = []
        for ignored in (None, [], [ranked[0][0]], ["O", ranked[-1][0]]):
            theirs = pipe(POSTS, aggregation_strategy=strategy, ignore_labels=ignored)
            ours = to_hf_entities(POSTS, nlp, aggregation_strategy=strategy, ignore_labels=ignored)
            for one, other in zip(ours, theirs, strict=True):
                assert_same(one, other)
            numbers.append(sum(map(len, ours)))
        assert max(numbers[2:]) < numbers[0] <= numbers[1]

    def test_stride(self, model_type: str, strategy: str, make_checkpoint_dir: Callable[..., Path]) -> None:
        if strategy == "none":
            pytest.skip("not with single pieces")
        folder = make_checkpoint_dir(model_type)
        nlp, pipe = import_hf(folder), open_pipeline(folder)
        for stride in (0, 7, 45):
            for text in LONG:
                theirs = pipe(text, aggregation_strategy=strategy, stride=stride)
                assert_same(to_hf_entities(text, nlp, aggregation_strategy=strategy, stride=stride), theirs)
        cut = to_hf_entities(LONG[0], nlp, aggregation_strategy=strategy)
        whole = to_hf_entities(LONG[0], nlp, aggregation_strategy=strategy, stride=7)
        assert whole[-1]["end"] > 1.5 * cut[-1]["end"], "without a stride the text is cut off"

    @pytest.mark.skipif(NO_WORDS, reason="this transformers has no pipeline for words")
    def test_stride_of_docs(self, model_type: str, strategy: str, make_checkpoint_dir: Callable[..., Path]) -> None:
        if strategy == "none":
            pytest.skip("not with single pieces")
        folder = make_checkpoint_dir(model_type)
        nlp, pipe = import_hf(folder), open_pipeline(folder)
        words = WORDS[-1] * 3
        (theirs,) = pipe(words, is_split_into_words=True, aggregation_strategy=strategy, stride=9)
        doc = Doc(nlp.vocab, words=words)
        assert_same(to_hf_entities(doc, nlp, aggregation_strategy=strategy, stride=9), theirs)


@pytest.mark.filterwarnings("ignore:.*TW203")
class TestForms:
    """What the two forms are for."""

    @pytest.fixture
    def nlp(self, make_checkpoint_dir: Callable[..., Path]) -> Language:
        """An imported checkpoint without an O label, so that every piece is in the list."""
        return import_hf(make_checkpoint_dir(tags=("B-a", "I-a", "B-b")))

    def test_characters_are_those_of_the_doc(self, nlp: Language) -> None:
        doc = nlp.make_doc("the   tweet\nin London!")
        entities = to_hf_entities(doc, nlp)
        assert [entity["word"] for entity in entities] == ["the", "tweet", "in", "london", "!"]
        for entity in entities:
            assert doc.text[entity["start"] : entity["end"]].lower() == entity["word"]
        for group in to_hf_entities(doc, nlp, aggregation_strategy="simple"):
            assert doc.text[group["start"] : group["end"]].lower().split() == group["word"].replace(" !", "!").split()

    def test_a_text_is_split_as_hugging_face_splits_it_not_spacy(self, nlp: Language) -> None:
        whole = [entity["word"] for entity in to_hf_entities("don't", nlp)]
        tokens = [entity["word"] for entity in to_hf_entities(nlp.make_doc("don't"), nlp)]
        assert "'" in whole
        assert [token.text for token in nlp.make_doc("don't")] == ["do", "n't"]
        assert tokens[0] == "do" != whole[0]

    def test_a_component_that_listens(self, make_checkpoint_dir: Callable[..., Path], tmp_path: Path) -> None:
        nlp = shared_pipeline(make_checkpoint_dir())
        pipe = open_pipeline(export_hf(nlp, tmp_path / "hf", component="other"))
        for text in POSTS:
            assert_same(to_hf_entities(text, nlp, component="other"), pipe(text))

    def test_plain_values(self, nlp: Language) -> None:
        for strategy in STRATEGIES:
            for entity in to_hf_entities("London and Paris", nlp, aggregation_strategy=strategy):
                assert {type(value) for value in entity.values()} == {str, int, float}

    def test_refusals(self, nlp: Language, make_nlp: Callable[..., Language]) -> None:
        with pytest.raises(ValueError, match=r"TC261.*'firts'"):
            to_hf_entities("a", nlp, aggregation_strategy="firts")
        with pytest.raises(ValueError, match="TC255"):
            to_hf_entities("a", nlp, component="other")
        for stride, strategy in ((4, "none"), (-1, "simple"), (62, "simple"), (500, "first")):
            with pytest.raises(ValueError, match=rf"TC082.*stride = {stride}"):
                to_hf_entities("a", nlp, aggregation_strategy=strategy, stride=stride)
        with pytest.raises(ValueError, match="TC257"):
            to_hf_entities("a", make_nlp(config={"model": {"tok2vec": {"pooling": "mean"}}}))


@pytest.mark.slow
@pytest.mark.parametrize("words", [False, True])
def test_a_hundred_posts(words: bool, embedded_checkpoint: Path, wnut17_dir: Path) -> None:
    """Both forms on 100 posts of WNUT-17."""
    if words and NO_WORDS:
        pytest.skip("this transformers has no pipeline for words")
    nlp, pipe = import_hf(embedded_checkpoint), open_pipeline(embedded_checkpoint)
    records = list(read_conll(wnut17_dir / "emerging.test.annotated"))
    posts = [list(record.words) for record in records[:300:3]]
    found = np.zeros(len(STRATEGIES), dtype=int)
    for post in posts:
        for number, strategy in enumerate(STRATEGIES):
            if words:
                (theirs,) = pipe(post, is_split_into_words=True, aggregation_strategy=strategy)
                ours = to_hf_entities(Doc(nlp.vocab, words=post), nlp, aggregation_strategy=strategy)
            else:
                theirs = pipe(" ".join(post), aggregation_strategy=strategy)
                ours = to_hf_entities(" ".join(post), nlp, aggregation_strategy=strategy)
            assert_same(ours, theirs)
            found[number] += len(theirs)
    assert (found > 100).all()
