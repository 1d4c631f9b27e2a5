"""Digests of data: the same for the same texts."""

import pytest
import spacy
from spacy.tokens import Doc

from spacy_tokclf.corpus.digest import digest_texts


def text(*words: str, ents: list[str] | None = None, spaces: bool = True) -> Doc:
    return Doc(
        spacy.blank("en").vocab, words=list(words), spaces=[spaces] * len(words), ents=ents or ["O"] * len(words)
    )


def test_the_same_texts_in_any_order_and_spacing() -> None:
    one, other = text("a", "b"), text("c")
    assert digest_texts([one, other]) == digest_texts([other, text("a", "b", spaces=False)])
    assert len({digest_texts(docs) for docs in ([one], [other], [one, one], [text("a b")])}) == 4


@pytest.mark.parametrize("gold", [False, True])
def test_gold_counts_if_asked_for(gold: bool) -> None:
    assert (digest_texts([text("a")], gold=gold) != digest_texts([text("a", ents=["B-x"])], gold=gold)) == gold


def test_without_annotation_there_is_nothing() -> None:
    blank = spacy.blank("en")("a b")
    assert digest_texts([]) == digest_texts([blank]) == ""
    assert digest_texts([text("a"), blank]) == digest_texts([text("a")])
