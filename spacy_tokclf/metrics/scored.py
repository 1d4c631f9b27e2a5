"""Predicted entities with their scores, and whether they are right."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..types import SCORES, Bools, Floats64
from .examples import annotated

if TYPE_CHECKING:
    from spacy.tokens import Doc
    from spacy.training import Example


class Scored(NamedTuple):
    """Predicted entities that have a score.

    scores (NDArray): Their scores, (n,).
    correct (Bools): Which of them are right, (n,).
    n_gold (int): Number of gold entities.
    """

    scores: Floats64
    correct: Bools
    n_gold: int


def scored_entities(examples: Iterable["Example"], spans_keys: Sequence[str] = ("entities",)) -> Scored:
    """Collect the entities in `doc.ents` that some component scored. They are compared as character spans, and those
    that touch a token without gold annotation are left out.

    examples (Iterable[Example]): The examples; prediction and gold have the same text.
    spans_keys (Sequence[str]): Keys of the span groups that hold scores.
    RETURNS (Scored): The entities, in order.
    """
    rows: list[tuple[float, bool]] = []
    n_gold = 0
    for eg in annotated(examples):
        gold = {(ent.start_char, ent.end_char, ent.label_) for ent in eg.reference.ents}
        n_gold += len(gold)
        known = ~_unknown_characters(eg.reference)
        scores = _scores(eg.predicted, spans_keys)
        for ent in eg.predicted.ents:
            score = scores.get((ent.start, ent.end, ent.label_))
            if score is not None and known[ent.start_char : ent.end_char].all():
                rows.append((score, (ent.start_char, ent.end_char, ent.label_) in gold))
    columns = np.array(rows, dtype="float64").reshape(-1, 2).T
    return Scored(columns[0], columns[1] > 0, n_gold)


def _scores(doc: "Doc", spans_keys: Sequence[str]) -> dict[tuple[int, int, str], float]:
    found = {}
    for key in spans_keys:
        group = doc.spans.get(key)
        for span, score in zip(group or (), (group.attrs.get(SCORES) or ()) if group else (), strict=True):
            found[span.start, span.end, span.label_] = float(score)
    return found


def _unknown_characters(doc: "Doc") -> Bools:
    """Mark the characters of tokens without gold annotation."""
    unknown = np.zeros(len(doc.text), dtype=bool)
    for token in doc:
        if not token.ent_iob:
            unknown[token.idx : token.idx + len(token)] = True
    return unknown
