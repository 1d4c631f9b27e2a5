"""Gold entities of a batch as tag indices, one per predicted token; what is not known is -1."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from spacy.attrs import ENT_IOB, ENT_TYPE, IS_SPACE, ORTH
from spacy.tokens import Doc, Span, SpanGroup
from spacy.training import Example

from ..errors import Errors
from ..metrics.gold_groups import gold_entities, gold_group
from ..tags import spans_to_tags
from ..types import Bools, Ints

UNKNOWN = -1


def gold_tags(
    examples: Sequence[Example],
    known: Sequence[Bools],
    tag_ids: Mapping[str, int],
    scheme: str,
    *,
    spans_key: str | None = None,
    annotate_ents: bool = True,
) -> Ints:
    """Give the gold tag of each predicted token that can be learned from.

    Gold is the component's span group where a text has it, as `gold_group` says, else `doc.ents`. A token is unknown
    (-1) if its gold is missing or does not align with the predicted tokens, if it is white space, or if the model sees
    nothing of it. An entity that begins with such a token begins at its next one.

    examples (Sequence[Example]): The batch.
    known (Sequence[NDArray]): Per text, which tokens the model sees. Shape: (n_tokens,) each.
    tag_ids (Mapping[str, int]): Index of each tag.
    scheme (str): The scheme of the tags.
    spans_key (str | None): Key of the component's span group.
    annotate_ents (bool): Whether the component sets `doc.ents`.
    RETURNS (NDArray): One index per token, text after text. Shape: (n_tokens,).
    RAISES (ValueError): TC020, for an entity type that has no tags; TC051, for spans of a group that overlap.
    """
    rows = []
    for index, (eg, seen) in enumerate(zip(examples, known, strict=True)):
        labels, span_of = _entity_of_token(eg, gold_group(eg.reference, spans_key, annotate_ents=annotate_ents))
        usable = seen & ~is_space(eg.predicted)
        try:
            rows.append(_text_tags(labels, span_of, usable, tag_ids, scheme))
        except KeyError as error:
            facts = {"tag": error.args[0], "index": index, "text": eg.reference.text[:60], "tags": list(tag_ids)}
            raise ValueError(Errors.TC020.format(labels=sorted(set(labels)), key=spans_key, **facts)) from None
    return np.concatenate(rows) if rows else np.zeros(0, dtype="int64")


def is_space(doc: Doc) -> Bools:
    """RETURNS (NDArray): Which tokens of a text are white space. Shape: (n_tokens,)."""
    return doc.to_array([IS_SPACE]).reshape(len(doc)).astype(bool)


def _text_tags(labels: list[str], span_of: Ints, usable: Bools, tag_ids: Mapping[str, int], scheme: str) -> Ints:
    """Write the entities of a text as tags. RAISES (KeyError): For a tag without index."""
    rows = np.flatnonzero(usable & (span_of != UNKNOWN))
    tags = np.full(len(span_of), UNKNOWN, dtype="int64")
    span_of = span_of[rows]
    # Entities as spans over the usable tokens alone: what lies between them is transparent.
    heads = np.flatnonzero(np.diff(span_of, prepend=0))
    bounds = [*heads, len(rows)]
    spans = [
        (int(start), int(end), labels[span_of[start] - 1]) for start, end in pairwise(bounds) if span_of[start] > 0
    ]
    tags[rows] = [tag_ids[tag] for tag in spans_to_tags(spans, len(rows), scheme)]
    return tags


def _entity_of_token(eg: Example, group: SpanGroup | None) -> tuple[list[str], Ints]:
    """Give the entity labels of an example, and for each predicted token 1 + the index of its entity, 0 for none, -1 if
    that is not known."""
    predicted, reference = eg.predicted, eg.reference
    same = len(predicted) == len(reference) and np.array_equal(predicted.to_array([ORTH]), reference.to_array([ORTH]))
    if group is not None and not same:
        return _aligned_entities(Example(predicted, _as_entities(group)))
    if group is not None:
        return _group_entities(group)
    if not same:
        return _aligned_entities(eg)
    iob, types = reference.to_array([ENT_IOB, ENT_TYPE]).reshape(len(reference), 2).T
    starts = (iob == 3) & (types != 0)
    inside = np.isin(iob, (1, 3)) & (types != 0)
    span_of = np.where(inside, np.cumsum(starts), 0)
    span_of[iob == 0] = UNKNOWN
    strings = reference.vocab.strings
    return [strings[int(types[i])] for i in np.flatnonzero(starts)], span_of


def _group_entities(group: SpanGroup) -> tuple[list[str], Ints]:
    entities, unknown = gold_entities(group)
    span_of = np.zeros(len(group.doc), dtype="int64")
    for number, span in enumerate(entities, start=1):
        span_of[span.start : span.end] = number
    for span in unknown:
        span_of[span.start : span.end] = UNKNOWN
    return [span.label_ for span in entities], span_of


def _as_entities(group: SpanGroup) -> Doc:
    """Copy the text of a group, with its spans as entities, so that spaCy aligns them to other tokens."""
    doc = group.doc.copy()
    entities, unknown = gold_entities(group)
    doc.set_ents([_moved(span, doc) for span in entities], missing=[_moved(span, doc) for span in unknown])
    return doc


def _moved(span: Span, doc: Doc) -> Span:
    return Span(doc, span.start, span.end, label=span.label)


def _aligned_entities(eg: Example) -> tuple[list[str], Ints]:
    labels: list[str] = []
    span_of = np.zeros(len(eg.predicted), dtype="int64")
    cut = False  # an entity whose beginning is not known is not known either
    for i, tag in enumerate(eg.get_aligned_ner()):
        prefix, _, label = (tag or "-").partition("-")
        if prefix in ("B", "U"):
            labels.append(label)
            cut = False
        elif not prefix:
            cut = True
        if not prefix or (prefix in ("I", "L") and cut):
            span_of[i] = UNKNOWN
        elif prefix != "O":
            span_of[i] = len(labels)
        else:
            cut = False
    return labels, span_of
