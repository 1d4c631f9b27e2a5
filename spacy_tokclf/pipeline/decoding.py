"""Decoding of Docs: entities over the visible tokens of each text; white space and unseen tokens are transparent."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from spacy.attrs import IS_SPACE
from spacy.tokens import Doc

from ..errors import Errors
from ..tags.decode import Decoder, Spans, decode_spans
from ..tags.tuning import UNTUNED, Tuning, bias_of_tags, calibrate
from ..types import Bools, Floats32, Ints


class VisibleTokens(NamedTuple):
    """The tokens of a batch that are not white space and whose logits are not all zeros, with their logits.

    logits (Floats32): Their raw logits, text after text. Shape: (n_visible, n_tags).
    lengths (Ints): How many there are in each text. Shape: (n_texts,).
    positions (Ints): Index of each in its text. Shape: (n_visible,).
    """

    logits: Floats32
    lengths: Ints
    positions: Ints


def visible_tokens(doc: Doc, seen: Bools) -> Bools:
    """Tell which tokens take part in training and decoding.

    doc (Doc): The text.
    seen (Bools): Which tokens the model sees something of: those whose logits are not all zeros. Shape: (n_tokens,).
    RETURNS (Bools): Which of them are no white space. Shape: (n_tokens,).
    """
    return seen & (doc.to_array([IS_SPACE]).reshape(len(doc)) == 0)


def find_visible(docs: Sequence[Doc], logits: Sequence[Floats32]) -> VisibleTokens:
    """Collect the visible tokens of a batch.

    docs (Sequence[Doc]): The texts.
    logits (Sequence[Floats32]): Raw logits of each text. Shape: (n_tokens, n_tags) each.
    RETURNS (VisibleTokens): The tokens.
    """
    lengths = np.fromiter(map(len, docs), dtype="int64", count=len(docs))
    if not lengths.sum():
        return VisibleTokens(np.zeros((0, 1), "float32"), lengths, np.zeros(0, dtype="int64"))
    # All texts at once: what numpy does for each of many short ones takes longer than the numbers in it.
    together = np.concatenate([rows for rows in logits if len(rows)])  # (n_tokens, n_tags)
    space = np.concatenate([doc.to_array([IS_SPACE]).reshape(len(doc)) for doc in docs])
    visible = np.flatnonzero(together.any(axis=1) & (space == 0))
    ends = np.cumsum(lengths)
    until = np.searchsorted(visible, ends)  # (n_texts,): visible tokens up to the end of each text
    own = np.diff(until, prepend=0)
    if len(visible) < len(together):
        together = together[visible]
    return VisibleTokens(together, own, visible - np.repeat(ends - lengths, own))


def decode_tokens(visible: VisibleTokens, decoder: Decoder, *, tuning: Tuning = UNTUNED) -> Spans:
    """Decode entities and score them.

    A token that is left out lies in an entity if its neighbours on both sides do, and never begins or ends one.

    visible (VisibleTokens): The tokens.
    decoder (Decoder): Tags, constraints and transitions.
    tuning (Tuning): What was fitted after training: bias, temperature, and slope and shift of scores.
    RETURNS (Spans): The entities, in tokens of each text.
    RAISES (ValueError): TC474, if scores are not finite.
    """
    logits, lengths, positions = visible
    if not len(logits):
        return decode_spans(logits, lengths, decoder)
    if any(tuning.bias.values()):
        logits = logits + bias_of_tags(tuning, decoder.table)
    spans = decode_spans(logits, lengths, decoder._replace(temperature=tuning.temperature))
    # From indices among the visible tokens of a text to indices among all its tokens.
    base = (np.cumsum(lengths) - lengths)[spans.text]
    start, end = positions[base + spans.start], positions[base + spans.end - 1] + 1
    score = calibrate(spans.score, tuning)
    bad = int((~np.isfinite(score)).sum())
    if bad:
        raise ValueError(Errors.TC474.format(count=bad, total=len(score), temperature=tuning.temperature))
    return spans._replace(start=start, end=end, score=score)


def decode_docs(
    docs: Sequence[Doc],
    logits: Sequence[Floats32],
    decoder: Decoder,
    *,
    tuning: Tuning = UNTUNED,
    threshold: float = 0.0,
) -> Spans:
    """Decode the entities of some texts.

    docs (Sequence[Doc]): The texts.
    logits (Sequence[Floats32]): Raw logits of each text. Shape: (n_tokens, n_tags) each.
    decoder (Decoder): Tags, constraints and transitions.
    tuning (Tuning): What was fitted after training.
    threshold (float): Entities with a lower score are left out.
    RETURNS (Spans): The entities, in tokens of each text.
    """
    spans = decode_tokens(find_visible(docs, logits), decoder, tuning=tuning)
    return spans.where(spans.score >= threshold)
