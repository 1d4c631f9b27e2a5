"""Padded batches of windows, with the positions of each token's pieces in them."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ..types import Ints
from .pack import PackedBatch, longest_first, pack
from .sequences import Sequences
from .tokenizer import PieceTokenizer
from .windows import spread
from .words import SPECIAL


class PieceBatch(NamedTuple):
    """One padded batch for the encoder.

    ids (Ints): Pieces, special pieces and padding. Shape: (n_windows, longest).
    mask (Ints): 1 where `ids` holds no padding. Shape: (n_windows, longest).
    tokens (Ints): The tokens that take their vectors here, counted over the whole list. Shape: (n_here,).
    first (Ints): Flat position of each such token's first piece in `ids`. Shape: (n_here,).
    counts (Ints): Pieces of each such token, at least 1. Shape: (n_here,).
    casings (Ints | None): The casing of each piece's word, if asked for. Shape: (n_windows, longest).
    """

    ids: Ints
    mask: Ints
    tokens: Ints
    first: Ints
    counts: Ints
    casings: Ints | None = None


def batch_windows(
    sequences: Sequences, tokenizer: PieceTokenizer, *, pad: int, budget: int, spare: int | None = None
) -> Iterator[PieceBatch]:
    """Batch windows of similar length, so that there is little padding.

    sequences (Sequences): The windows.
    tokenizer (PieceTokenizer): Gives the special pieces.
    pad (int): The piece to pad with.
    budget (int): Pieces in a batch at most, padding included; a longer window is alone in its batch.
    spare (int | None): Padding in a batch at most, in pieces; None if it does not matter.
    YIELDS (PieceBatch): Batches, longest windows first; windows without pieces are in none.
    """
    order = longest_first(sequences)
    start = 0
    while start < len(order):
        longest = int(sequences.lengths[order[start]]) + tokenizer.n_special
        end = min(start + max(1, budget // longest), len(order))
        if spare is not None:
            # (n_windows,): padding of the batch if it ended with each window.
            padding = np.cumsum(longest - tokenizer.n_special - sequences.lengths[order[start:end]])
            end = start + int(np.searchsorted(padding, spare, side="right"))
        yield _pad(pack(sequences, order[start:end], tokenizer), pad)
        start = end


def _pad(packed: PackedBatch, pad: int) -> PieceBatch:
    """Put the windows of a packed row below each other, padded to the longest."""
    shape = len(packed.lengths), int(packed.lengths[0])
    # (n_pieces,): flat position of each packed piece in the padded matrix.
    place = spread(np.arange(shape[0]) * shape[1], packed.lengths)

    def laid(values: Ints | int, empty: int) -> Ints:
        flat = np.full(shape[0] * shape[1], empty, dtype="int64")
        flat[place] = values
        return flat.reshape(shape)

    casings = None if packed.casings is None else laid(packed.casings, SPECIAL)
    return PieceBatch(laid(packed.ids, pad), laid(1, 0), packed.tokens, place[packed.first], packed.counts, casings)
