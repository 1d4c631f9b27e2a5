"""Gold tags of a training batch: the gold entities of each text as one tag index per predicted token."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from spacy.attrs import ORTH
from spacy.tokens import Doc, Span
from spacy.training import Example

from ..errors import Errors
from ..metrics.gold_groups import GoldEntities, gold_entities, gold_group
from ..tags import OUTSIDE, spans_to_tags
from ..types import Bools, Ints
from .decoding import visible_tokens

#: Of a visible token: its gold tag is not known. It has no loss, or, in a conditional random field, may have any tag.
UNKNOWN = -1
#: Of a token that is no part of the sequence: white space, or of which the model sees nothing.
INVISIBLE = -2


def gold_tags(
    examples: Sequence[Example],
    seen: Sequence[Bools],
    tag_ids: Mapping[str, int],
    scheme: str,
    *,
    spans_key: str | None = None,
    annotate_ents: bool = True,
) -> Ints:
    """Give the gold tag of each predicted token.

    Gold is what `gold_entities` reads: the component's span group where a text has it, else `doc.ents`. A token is
    UNKNOWN if its gold is missing or does not align with the predicted tokens, and INVISIBLE if decoding passes it. An
    entity that begins with such a token begins at its next one.

    examples (Sequence[Example]): The batch.
    seen (Sequence[Bools]): Per text, which tokens the model sees something of. Shape: (n_tokens,) each.
    tag_ids (Mapping[str, int]): Index of each tag.
    scheme (str): The scheme of the tags.
    spans_key (str | None): Key of the component's span group.
    annotate_ents (bool): Whether the component sets `doc.ents`.
    RETURNS (Ints): One index per token, text after text, UNKNOWN or INVISIBLE. Shape: (n_tokens,).
    RAISES (ValueError): TC020, for an entity type that has no tags; TC051, for spans of a group that overlap.
    """
    rows = []
    for index, (eg, seen_tokens) in enumerate(zip(examples, seen, strict=True)):
        labels, entity = _entity_of_token(eg, spans_key, annotate_ents=annotate_ents)
        try:
            rows.append(_text_tags(labels, entity, visible_tokens(eg.predicted, seen_tokens), tag_ids, scheme))
        except KeyError as error:
            facts = {"tag": error.args[0], "index": index, "text": eg.reference.text[:60], "tags": list(tag_ids)}
            raise ValueError(Errors.TC020.format(labels=sorted(set(labels)), key=spans_key, **facts)) from None
    return np.concatenate(rows) if rows else np.zeros(0, dtype="int64")


def _text_tags(labels: list[str], entity: Ints, visible: Bools, tag_ids: Mapping[str, int], scheme: str) -> Ints:
    """Write the entities of a text as tags. RAISES (KeyError): For a tag without index."""
    tags = np.where(visible, UNKNOWN, INVISIBLE)
    rows = np.flatnonzero(visible & (entity != UNKNOWN))
    if not labels:
        tags[rows] = tag_ids[OUTSIDE]
        return tags
    entity = entity[rows]
    # Entities as spans over these tokens alone: what lies between them is transparent.
    heads = np.flatnonzero(np.diff(entity, prepend=0))
    bounds = [*heads, len(rows)]
    spans = [(int(start), int(end), labels[entity[start] - 1]) for start, end in pairwise(bounds) if entity[start] > 0]
    tags[rows] = [tag_ids[tag] for tag in spans_to_tags(spans, len(rows), scheme)]
    return tags


def _entity_of_token(eg: Example, spans_key: str | None, *, annotate_ents: bool) -> tuple[list[str], Ints]:
    """Give the entity labels of an example, and for each predicted token 1 + the index of its entity, 0 for none, -1 if
    that is not known."""
    predicted, reference = eg.predicted, eg.reference
    gold = gold_entities(reference, spans_key, annotate_ents=annotate_ents)
    if len(predicted) == len(reference) and np.array_equal(predicted.to_array([ORTH]), reference.to_array([ORTH])):
        entity = np.where(gold.missing, UNKNOWN, 0)
        for number, span in enumerate(gold.spans, start=1):
            entity[span.start : span.end] = number
        return [span.label_ for span in gold.spans], entity
    if gold_group(reference, spans_key, annotate_ents=annotate_ents) is not None:
        eg = Example(predicted, _with_ents(reference, gold))
    return _aligned_entities(eg)


def _with_ents(doc: Doc, gold: GoldEntities) -> Doc:
    """Copy a text with the entities of a group as its `doc.ents`, so that spaCy aligns them to other tokens."""
    doc = doc.copy()
    missing = [doc[i : i + 1] for i in np.flatnonzero(gold.missing).tolist()]
    doc.set_ents([Span(doc, span.start, span.end, label=span.label) for span in gold.spans], missing=missing)
    return doc


def _aligned_entities(eg: Example) -> tuple[list[str], Ints]:
    labels: list[str] = []
    entity = np.zeros(len(eg.predicted), dtype="int64")
    cut = False  # an entity whose beginning is not known is not known either
    for i, tag in enumerate(eg.get_aligned_ner()):
        prefix, _, label = (tag or "-").partition("-")
        if prefix in ("B", "U"):
            labels.append(label)
            cut = False
        elif not prefix:
            cut = True
        if not prefix or (prefix in ("I", "L") and cut):
            entity[i] = UNKNOWN
        elif prefix != "O":
            entity[i] = len(labels)
        else:
            cut = False
    return labels, entity
