"""Predicted entities and their scores on a Doc: set by the component, looked up by `entity_score`."""

from collections.abc import Sequence

from spacy.tokens import Doc, Span, SpanGroup

from ..types import SCORES


def set_entities(
    doc: Doc,
    entities: Sequence[tuple[int, int, str, float]],
    *,
    spans_key: str,
    annotate_ents: bool,
    overwrite_ents: bool,
) -> None:
    """Put entities on a text: as a span group with scores, and as `doc.ents`.

    doc (Doc): The text.
    entities (Sequence[tuple[int, int, str, float]]): First token, one past the last, label and score; in order,
        without overlap.
    spans_key (str): Key of the span group; its `attrs["scores"]` holds the scores in the order of its spans.
    annotate_ents (bool): Whether to set `doc.ents`.
    overwrite_ents (bool): Whether entities that are there go. If they stay, those that would overlap them are left
        out of `doc.ents`.
    """
    spans = [Span(doc, start, end, label=label) for start, end, label, _ in entities]
    scores = [score for _, _, _, score in entities]
    doc.spans[spans_key] = SpanGroup(doc, name=spans_key, attrs={SCORES: scores}, spans=spans)
    if not annotate_ents:
        return
    if overwrite_ents or not doc.ents:
        doc.set_ents(spans)
        return
    taken = {i for ent in doc.ents for i in range(ent.start, ent.end)}
    free = [span for span in spans if taken.isdisjoint(range(span.start, span.end))]
    doc.set_ents([*doc.ents, *free])


def entity_score(span: Span, spans_key: str = "entities") -> float | None:
    """Look up the score of an entity.

    span (Span): An entity, from `doc.ents` or anywhere else.
    spans_key (str): Key of the span group of the component that scored it.
    RETURNS (float | None): Its score, or None if the component did not predict just this span with this label.
    """
    group = span.doc.spans.get(spans_key)
    if group is None or not group.attrs.get(SCORES):
        return None
    for other, score in zip(group, group.attrs[SCORES], strict=True):
        if (other.start, other.end, other.label) == (span.start, span.end, span.label):
            return float(score)
    return None
