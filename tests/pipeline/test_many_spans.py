"""Texts with tens of thousands of entities: the work grows with their number, not with its square."""

from collections.abc import Callable
from time import perf_counter
from typing import Any

import pytest
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example
from spacy.vocab import Vocab

from spacy_tokclf import entity_score
from spacy_tokclf.metrics.examples import aligned_entities
from spacy_tokclf.pipeline import entity_group
from spacy_tokclf.pipeline.annotate import set_entities
from spacy_tokclf.pipeline.entity_group import EntityGroup

VOCAB = Vocab()


def make_doc(n_entities: int, score: Callable[[int], float] = lambda i: (i + 1) / 65536) -> Doc:
    """Make a text of twice as many words, every second one of them an entity with a score of its own."""
    doc = Doc(VOCAB, words=["rain"] * (2 * n_entities))
    entities = [(2 * i, 2 * i + 1, "person", score(i)) for i in range(n_entities)]
    set_entities(doc, entities, spans_key="entities", annotate_ents=True, overwrite_ents=False)
    return doc


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count how often a span is looked at."""
    counted = [0]
    plain = entity_group._place

    def counting(span: Span) -> tuple[int, int, int]:
        counted[0] += 1
        return plain(span)

    monkeypatch.setattr(entity_group, "_place", counting)
    return counted


@pytest.mark.parametrize("kind", ["found", "of others", "stored"])
def test_a_score_takes_a_few_looks(looks: list[int], kind: str) -> None:
    doc = make_doc(1000)
    spans = [doc[2 * i + (kind == "of others") :][:1] for i in range(1000)]
    if kind == "stored":
        doc = next(iter(DocBin(docs=[doc]).get_docs(VOCAB)))
        spans = list(doc.ents)
        assert not isinstance(doc.spans["entities"], EntityGroup)
    named = [Span(doc, span.start, span.end, "person") for span in spans]
    found = [entity_score(span) for span in named]
    assert found == [None if kind == "of others" else (i + 1) / 65536 for i in range(1000)]
    assert looks[0] < 1000 * 16  # by halves: 10 of 1000


def test_a_score_after_the_group_was_changed() -> None:
    doc = make_doc(4)
    group = doc.spans["entities"]
    ents = list(doc.ents)
    assert entity_score(Span(doc, 1, 2, "person")) is None  # asked for what is not there: in order
    group[0] = Span(doc, 7, 8, "person")
    assert [entity_score(ent) for ent in ents] == [None, *(i / 65536 for i in (2, 3, 4))]
    group.attrs["scores"][0] = 0.5
    assert entity_score(Span(doc, 7, 8, "person")) == 0.5
    group.append(Span(doc, 3, 4, "place"))
    assert entity_score(Span(doc, 3, 4, "place")) is None
    group.from_bytes(make_doc(2).spans["entities"].to_bytes())
    assert [entity_score(ent) for ent in ents] == [1 / 65536, 2 / 65536, None, None]
    del group[1]
    assert [entity_score(ent) for ent in ents] == [1 / 65536, None, None, None]


def test_a_score_after_tokens_were_merged() -> None:
    doc = make_doc(4)
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[1:4])
    # rain (rain RAIN rain) RAIN rain RAIN rain: the second entity is gone.
    spans = [Span(doc, i, i + 1, "person") for i in (0, 1, 2, 4)]
    assert [entity_score(span) for span in spans] == [1 / 65536, None, 3 / 65536, 4 / 65536]


class Counted:
    """An example whose alignment counts how often it is asked for."""

    def __init__(self, eg: Example) -> None:
        self.eg, self.asked = eg, 0

    @property
    def alignment(self) -> Any:
        self.asked += 1
        return self.eg.alignment


def test_alignment_is_asked_for_once() -> None:
    doc = make_doc(200)
    eg: Any = Counted(Example(doc, doc.copy()))
    assert len(list(aligned_entities(eg, doc.ents))) == 200
    assert eg.asked == 1


@pytest.mark.slow
def test_forty_thousand_entities_take_four_times_as_long_as_ten(nlp: Language) -> None:
    """Annotated, annotated again, copied, stored, scored: all that is done with a text."""
    ner = nlp.get_pipe("ner")

    def work(n_entities: int) -> float:
        start = perf_counter()
        doc = make_doc(n_entities)
        entities = [(ent.start, ent.end, ent.label_, 0.5) for ent in doc.ents]
        set_entities(doc, entities, spans_key="entities", annotate_ents=True, overwrite_ents=False)
        assert sum(entity_score(ent) or 0.0 for ent in doc.ents) == n_entities / 2
        doc.to_bytes(), doc.to_json()
        assert ner.score([Example(doc, doc.copy())])["ents_f"] == 1.0
        return perf_counter() - start

    work(1000)
    small, large = work(10_000), work(40_000)
    assert large < 9 * small, (small, large)  # 16 times, if it were the square
    assert large < 30
