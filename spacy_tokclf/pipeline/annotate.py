"""Predicted entities and their scores on a Doc: set by the component, looked up by `entity_score`."""

from collections.abc import Sequence

import numpy as np
from spacy.attrs import ENT_ID, ENT_IOB, ENT_TYPE
from spacy.tokens import Doc, Span

from ..types import SCORES
from .entity_group import EntityGroup, span_score, span_scores

#: What `token.ent_iob` is of the first token of an entity, and of a blocked one, which has no type.
BEGIN = 3


def set_entities(
    doc: Doc,
    entities: Sequence[tuple[int, int, str, float]],
    *,
    spans_key: str | None,
    annotate_ents: bool,
    overwrite_ents: bool,
) -> None:
    """Put entities on a text: as a span group with scores, and as `doc.ents`. Tokens that are blocked
    (`doc.set_ents(..., blocked=...)`) stay so: an entity that would touch one is left out of `doc.ents`.

    doc (Doc): The text.
    entities (Sequence[tuple[int, int, str, float]]): First token, one past the last, label and score; in order,
        without overlap.
    spans_key (str | None): Key of the span group; its `attrs["scores"]` holds the scores in the order of its spans.
        None for no group.
    annotate_ents (bool): Whether to set `doc.ents`.
    overwrite_ents (bool): Whether entities that are there go. If they stay, those that would overlap them are left
        out of `doc.ents`.
    """
    spans = [Span(doc, start, end, label=label) for start, end, label, _ in entities]
    annotated = annotate_ents and doc.has_annotation("ENT_IOB")
    stay = [] if overwrite_ents or not annotated else _entities_of_others(doc, spans_key)
    if spans_key is not None:
        scores = [score for _, _, _, score in entities]
        doc.spans[spans_key] = EntityGroup(doc, name=spans_key, attrs={SCORES: scores}, spans=spans)
    if not annotated:
        if annotate_ents:
            doc.set_ents(spans)
        return
    iob, types, ids = doc.to_array([ENT_IOB, ENT_TYPE, ENT_ID]).astype("int64").reshape(-1, 3).T  # (n_tokens,) each
    blocked = (iob == BEGIN) & (types == 0)
    taken = blocked.copy()
    for ent in stay:
        taken[ent.start : ent.end] = True
    for i in np.flatnonzero((ids != 0) & (types != 0) & ~taken).tolist():
        doc[i].ent_id = 0  # of an entity that goes; spaCy would leave it to the next one
    free = [span for span in spans if not taken[span.start : span.end].any()]
    doc.set_ents([*stay, *free], blocked=[doc[i : i + 1] for i in np.flatnonzero(blocked).tolist()])


def _entities_of_others(doc: Doc, spans_key: str | None) -> list[Span]:
    """Give the entities of a text but those that the component itself put there when it saw the text before."""
    own = span_scores(doc.spans.get(spans_key)) if spans_key is not None and doc.spans else {}
    return [ent for ent in doc.ents if (ent.start_char, ent.end_char, ent.label) not in own]


def has_foreign_group(doc: Doc, spans_key: str | None) -> bool:
    """Tell whether a text has spans under a component's key that no component of ours put there.

    doc (Doc): The text.
    spans_key (str | None): The key.
    RETURNS (bool): Whether it has: there are spans, and they have no scores.
    """
    group = doc.spans.get(spans_key) if spans_key is not None and doc.spans else None
    return group is not None and len(group) > 0 and SCORES not in group.attrs


def entity_score(span: Span, spans_key: str | None = "entities") -> float | None:
    """Look up the score of an entity.

    span (Span): An entity, from `doc.ents` or anywhere else.
    spans_key (str | None): Key of the span group of the component that scored it.
    RETURNS (float | None): Its score, or None if the component did not predict just this span with this label, or
        has no group.
    """
    if spans_key is None:
        return None
    return span_score(span.doc.spans.get(spans_key), span)
