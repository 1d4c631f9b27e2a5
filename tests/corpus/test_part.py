"""Parts of a corpus: nested, drawn by text, before any copies are made."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Corpus, Example

from spacy_tokclf.corpus.part import choose_texts, make_part_of_corpus_v1

TEXTS = [f"text {number % 15}" for number in range(20)]  # five of them twice


@pytest.fixture
def nlp() -> Language:
    return spacy.blank("en")


@pytest.fixture
def corpus(tmp_path: Path, nlp: Language) -> Corpus:
    docs = [Doc(nlp.vocab, words=text.split(), ents=["O", "O"]) for text in TEXTS]
    DocBin(docs=docs).to_disk(tmp_path / "a.spacy")
    return Corpus(tmp_path / "a.spacy")


def texts(corpus: Corpus, nlp: Language, **settings: object) -> list[str]:
    return [eg.text.strip() for eg in make_part_of_corpus_v1(corpus, **settings)(nlp)]


def test_smaller_parts_lie_in_larger_ones(corpus: Corpus, nlp: Language) -> None:
    parts = [texts(corpus, nlp, share=share, seed=3) for share in (0.01, 0.2, 0.5, 0.75, 1.0)]
    assert [len(set(part)) for part in parts] == [1, 3, 8, 12, 15]
    for small, large in pairwise(parts):
        assert set(small) < set(large)
    assert parts[-1] == TEXTS and parts[2] == [text for text in TEXTS if text in parts[2]]
    assert parts[2] == texts(corpus, nlp, share=0.5, seed=3) != texts(corpus, nlp, share=0.5, seed=4)


def test_copies_are_made_of_what_was_chosen(corpus: Corpus, nlp: Language) -> None:
    def shout(nlp: Language, example: Example) -> Iterator[Example]:
        yield example
        words = [token.text.upper() for token in example.reference]
        yield Example.from_dict(nlp.make_doc(" ".join(words)), {"words": words})

    plain = texts(corpus, nlp, share=0.4)
    copied = texts(corpus, nlp, share=0.4, augmenter=shout)
    assert copied == [text for each in plain for text in (each, each.upper())]


@pytest.mark.parametrize("share", [0, -0.5, 1.5])
def test_what_is_no_share(corpus: Corpus, share: float) -> None:
    with pytest.raises(ValueError, match="TC381"):
        make_part_of_corpus_v1(corpus, share=share)


def test_of_nothing_there_is_nothing() -> None:
    assert choose_texts([], 0.5, 0) == set()
