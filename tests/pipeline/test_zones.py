"""Long-running services: nothing of a text outlives its memory zone, and what stays without one is known."""

from collections.abc import Callable

import pytest
from pipeline_posts import found
from spacy.language import Language

LoadT = Callable[..., Language]


def fresh_texts(number: int) -> list[str]:
    """Texts with words that no other number has."""
    return [f"just met Zorblax{number}x{i} in Quorn Falls{number} w{number}y{i}" for i in range(20)]


@pytest.mark.parametrize("shared", [False, True])
def test_nothing_stays_of_a_zone(load_trained: LoadT, shared: bool) -> None:
    nlp = load_trained(shared=shared)
    for number in range(3):
        before = len(nlp.vocab.strings)
        with nlp.memory_zone():
            docs = list(nlp.pipe([*fresh_texts(number), "Mira Okafor"], batch_size=8))
            assert any(found(doc) for doc in docs)
            assert len(nlp.vocab.strings) > before + 20
            for doc in docs:
                assert not doc.user_data and set(doc.spans["entities"].attrs) == {"scores"}
                assert not len(doc.tensor) or shared
        del docs, doc
        # (`len(nlp.vocab)` counts lexemes that were ever made, also those that are gone.)
        assert len(nlp.vocab.strings) == before
        assert sum(1 for _ in nlp.vocab) < 2 * before


def test_outside_of_zones_strings_stay(load_trained: LoadT) -> None:
    """As in all of spaCy; the page on services says so."""
    nlp = load_trained()
    sizes = []
    for number in range(2):
        list(nlp.pipe(fresh_texts(number)))
        sizes.append(len(nlp.vocab.strings))
    assert sizes[1] - sizes[0] >= 20
