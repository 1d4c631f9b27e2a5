"""Decode the tokens of which a model sees something; the others are transparent."""

from collections.abc import Sequence

import numpy
from numpy.typing import NDArray
from spacy.tokens import Doc

from ..tags.decode import Spans, TagTable, decode_spans
from .gold import is_space


def decode_visible(
    docs: Sequence[Doc],
    logits: Sequence[NDArray[numpy.float32]],
    table: TagTable,
    *,
    constrained: bool,
    threshold: float,
) -> Spans:
    """Decode entities over the tokens that are not white space and whose logits are not all zeros.

    A token that is left out lies in an entity if its neighbours on both sides do, and never begins or ends one.

    docs (Sequence[Doc]): The texts.
    logits (Sequence[NDArray]): Per text (n_tokens, n_tags).
    table (TagTable): The tags.
    constrained (bool): Whether the tag sequences must be valid.
    threshold (float): Entities with a lower score are left out.
    RETURNS (Spans): The entities, in tokens of each text.
    """
    known = [row.any(axis=1) & ~is_space(doc) for row, doc in zip(logits, docs, strict=True)]
    lengths = numpy.array([int(seen.sum()) for seen in known], dtype="int64")
    if not lengths.sum():
        return decode_spans(numpy.zeros((0, 1), "float32"), lengths, table, constrained=False)
    rows = numpy.concatenate([row[seen] for row, seen in zip(logits, known, strict=True)])
    spans = decode_spans(rows, lengths, table, constrained=constrained)
    spans = Spans(*(column[spans.score >= threshold] for column in spans))
    place = numpy.concatenate([numpy.flatnonzero(seen) for seen in known])
    base = (numpy.cumsum(lengths) - lengths)[spans.text]
    return spans._replace(start=place[base + spans.start], end=place[base + spans.end - 1] + 1)
