"""Decode the tokens of which a model sees something; the others are transparent."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from spacy.tokens import Doc

from ..tags.decode import Spans, TagTable, decode_spans
from ..tags.tuning import UNTUNED, Tuning, bias_of_tags, calibrate
from ..types import Bools, Floats32, Ints
from .gold import is_space


class Visible(NamedTuple):
    """The tokens of a batch that are not white space and whose logits are not all zeros.

    logits (Floats32): Their raw logits, text after text. Shape: (n_visible, n_tags).
    lengths (Ints): How many there are in each text. Shape: (n_texts,).
    place (Ints): Where each is in its text. Shape: (n_visible,).
    """

    logits: Floats32
    lengths: Ints
    place: Ints


def find_visible(docs: Sequence[Doc], logits: Sequence[Floats32]) -> Visible:
    """Find what is to be decoded.

    docs (Sequence[Doc]): The texts.
    logits (Sequence[NDArray]): Per text (n_tokens, n_tags).
    RETURNS (Visible): The tokens.
    """
    known = [is_visible(doc, row) for doc, row in zip(docs, logits, strict=True)]
    lengths = np.array([int(seen.sum()) for seen in known], dtype="int64")
    if not lengths.sum():
        return Visible(np.zeros((0, 1), "float32"), lengths, np.zeros(0, dtype="int64"))
    rows = np.concatenate([row[seen] for row, seen in zip(logits, known, strict=True)])
    return Visible(rows, lengths, np.concatenate([np.flatnonzero(seen) for seen in known]))


def is_visible(doc: Doc, logits: Floats32) -> Bools:
    """Find the tokens that take part.

    doc (Doc): The text.
    logits (NDArray): Shape: (n_tokens, n_tags).
    RETURNS (NDArray): Whether each is no white space and the model sees something of it. Shape: (n_tokens,).
    """
    return logits.any(axis=1) & ~is_space(doc)


def decode_tokens(
    visible: Visible,
    table: TagTable,
    *,
    constrained: bool,
    tuning: Tuning = UNTUNED,
    transitions: Floats32 | None = None,
) -> Spans:
    """Decode entities and score them.

    A token that is left out lies in an entity if its neighbours on both sides do, and never begins or ends one.

    visible (Visible): The tokens.
    table (TagTable): The tags.
    constrained (bool): Whether the tag sequences must be valid.
    tuning (Tuning): What was fitted after training.
    transitions (Floats32 | None): Score of a tag (column) after another (row). Shape: (n_tags, n_tags).
    RETURNS (Spans): The entities, in tokens of each text.
    """
    logits, lengths, place = visible
    if not len(logits):
        return decode_spans(logits, lengths, table, constrained=False)
    if any(tuning.bias.values()):
        logits = logits + bias_of_tags(tuning, table)
    options = {"temperature": tuning.temperature, "transitions": transitions}
    spans = decode_spans(logits, lengths, table, constrained=constrained, **options)
    base = (np.cumsum(lengths) - lengths)[spans.text]
    start, end = place[base + spans.start], place[base + spans.end - 1] + 1
    return spans._replace(start=start, end=end, score=calibrate(spans.score, tuning))


def decode_visible(
    docs: Sequence[Doc],
    logits: Sequence[Floats32],
    table: TagTable,
    *,
    constrained: bool,
    threshold: float,
    tuning: Tuning = UNTUNED,
    transitions: Floats32 | None = None,
) -> Spans:
    """Decode the entities of some texts.

    docs (Sequence[Doc]): The texts.
    logits (Sequence[NDArray]): Per text (n_tokens, n_tags), raw.
    table (TagTable): The tags.
    constrained (bool): Whether the tag sequences must be valid.
    threshold (float): Entities with a lower score are left out.
    tuning (Tuning): What was fitted after training.
    transitions (Floats32 | None): As for `decode_tokens`.
    RETURNS (Spans): The entities, in tokens of each text.
    """
    visible = find_visible(docs, logits)
    spans = decode_tokens(visible, table, constrained=constrained, tuning=tuning, transitions=transitions)
    return Spans(*(column[spans.score >= threshold] for column in spans))
