"""Gold entities of a batch as tag indices, one per predicted token; what is not known is -1."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy
from numpy.typing import NDArray
from spacy.attrs import ENT_IOB, ENT_TYPE, IS_SPACE, ORTH
from spacy.tokens import Doc
from spacy.training import Example

from ..errors import Errors
from ..tags import spans_to_tags

Ints = NDArray[numpy.int64]
UNKNOWN = -1


def gold_tags(
    examples: Sequence[Example],
    known: Sequence[NDArray[numpy.bool_]],
    tag_ids: Mapping[str, int],
    scheme: str,
) -> Ints:
    """Give the gold tag of each predicted token that can be learned from.

    A token is unknown (-1) if its gold is missing or does not align with the predicted tokens, if it is white space, or
    if the model sees nothing of it. An entity that begins with such a token begins at its next one.

    examples (Sequence[Example]): The batch.
    known (Sequence[NDArray]): Per text, which tokens the model sees. Shape: (n_tokens,) each.
    tag_ids (Mapping[str, int]): Index of each tag.
    scheme (str): The scheme of the tags.
    RETURNS (NDArray): One index per token, text after text. Shape: (n_tokens,).
    RAISES (ValueError): TC020, for an entity type that has no tags.
    """
    rows = [
        _text_tags(eg, index, seen & ~is_space(eg.predicted), tag_ids, scheme)
        for index, (eg, seen) in enumerate(zip(examples, known, strict=True))
    ]
    return numpy.concatenate(rows) if rows else numpy.zeros(0, dtype="int64")


def is_space(doc: Doc) -> NDArray[numpy.bool_]:
    """RETURNS (NDArray): Which tokens of a text are white space. Shape: (n_tokens,)."""
    return doc.to_array([IS_SPACE]).reshape(len(doc)).astype(bool)


def _text_tags(eg: Example, index: int, usable: NDArray[numpy.bool_], tag_ids: Mapping[str, int], scheme: str) -> Ints:
    labels, span_of = _entity_of_token(eg)
    rows = numpy.flatnonzero(usable & (span_of != UNKNOWN))
    tags = numpy.full(len(span_of), UNKNOWN, dtype="int64")
    span_of = span_of[rows]
    # Entities as spans over the usable tokens alone: what lies between them is transparent.
    heads = numpy.flatnonzero(numpy.diff(span_of, prepend=0))
    bounds = [*heads, len(rows)]
    spans = [
        (int(start), int(end), labels[span_of[start] - 1]) for start, end in pairwise(bounds) if span_of[start] > 0
    ]
    try:
        tags[rows] = [tag_ids[tag] for tag in spans_to_tags(spans, len(rows), scheme)]
    except KeyError as error:
        labels_there = sorted({label for _, _, label in spans})
        raise ValueError(
            Errors.TC020.format(
                tag=error.args[0],
                index=index,
                text=eg.reference.text[:60],
                labels=labels_there,
                tags=list(tag_ids),
            )
        ) from None
    return tags


def _entity_of_token(eg: Example) -> tuple[list[str], Ints]:
    """Give the entity labels of an example, and for each predicted token 1 + the index of its entity, 0 for none, -1 if
    that is not known."""
    predicted, reference = eg.predicted, eg.reference
    same = len(predicted) == len(reference) and numpy.array_equal(
        predicted.to_array([ORTH]), reference.to_array([ORTH])
    )
    if not same:
        return _aligned_entities(eg)
    iob, types = reference.to_array([ENT_IOB, ENT_TYPE]).reshape(len(reference), 2).T
    starts = (iob == 3) & (types != 0)
    inside = numpy.isin(iob, (1, 3)) & (types != 0)
    span_of = numpy.where(inside, numpy.cumsum(starts), 0)
    span_of[iob == 0] = UNKNOWN
    strings = reference.vocab.strings
    return [strings[int(types[i])] for i in numpy.flatnonzero(starts)], span_of


def _aligned_entities(eg: Example) -> tuple[list[str], Ints]:
    labels: list[str] = []
    span_of = numpy.zeros(len(eg.predicted), dtype="int64")
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
