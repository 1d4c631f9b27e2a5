"""Packed (padding-free) batches: windows of word pieces in one row, with the positions of each token's pieces."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ..types import Ints
from .sequences import Sequences
from .tokenizer import PieceTokenizer
from .windows import spread
from .words import SPECIAL


class PackedBatch(NamedTuple):
    """Windows packed into one row without padding, longest first.

    ids (Ints): Pieces and special pieces. Shape: (n_pieces,).
    lengths (Ints): Pieces of each window, special pieces included. Shape: (n_windows,).
    tokens (Ints): The tokens that take their vectors here, counted over the whole list. Shape: (n_here,).
    first (Ints): Place of each such token's first piece in `ids`. Shape: (n_here,).
    counts (Ints): Pieces of each such token, at least 1. Shape: (n_here,).
    casings (Ints | None): The casing of each piece's word, if asked for. Shape: (n_pieces,).
    """

    ids: Ints
    lengths: Ints
    tokens: Ints
    first: Ints
    counts: Ints
    casings: Ints | None = None


def pack_windows(sequences: Sequences, tokenizer: PieceTokenizer, *, budget: int) -> Iterator[PackedBatch]:
    """Pack windows of similar length into batches of about equal size: a small last batch would be a matrix product of
    one more shape, each time another.

    sequences (Sequences): The windows.
    tokenizer (PieceTokenizer): Gives the special pieces.
    budget (int): Pieces in a batch at most, give or take half a window; a longer window is alone in its batch.
    YIELDS (PackedBatch): Batches, longest windows first; windows without pieces are in none.
    """
    order = longest_first(sequences)
    lengths = sequences.lengths[order] + tokenizer.n_special
    for start, end in split_evenly(lengths, -(-int(lengths.sum()) // budget)):
        yield pack(sequences, order[start:end], tokenizer)


def split_evenly(lengths: Ints, n: int) -> list[tuple[int, int]]:
    """Split windows in a row into parts with about equal numbers of pieces.

    lengths (Ints): Pieces of each window. Shape: (n_windows,).
    n (int): How many parts; there are fewer if some would be empty.
    RETURNS (list[tuple[int, int]]): First window and one past the last of each part.
    """
    ends = np.cumsum(lengths)
    # n - 1 equal shares of all pieces; each cut is at the end of a window, where it is nearest to its share.
    goals = ends[-1] * np.arange(1, n) / n if len(ends) else []
    cuts = {int(np.abs(ends - goal).argmin()) + 1 for goal in goals} | {0, len(ends)}
    return list(pairwise(sorted(cuts)))


def longest_first(sequences: Sequences) -> Ints:
    """Sort windows by length, so that those next to each other are of similar length.

    sequences (Sequences): The windows.
    RETURNS (Ints): Their indices, longest first; windows without pieces are left out.
    """
    order = np.argsort(-sequences.lengths, kind="stable")
    return order[sequences.lengths[order] > 0]


def pack(sequences: Sequences, chosen: Ints, tokenizer: PieceTokenizer) -> PackedBatch:
    """Pack some windows into one row, with their special pieces. The pieces of a window lie next to each other in
    `sequences.ids`, since a word that was clipped fills a window.

    sequences (Sequences): The windows.
    chosen (Ints): Which of them, in this order; at least one. Shape: (n_windows,).
    tokenizer (PieceTokenizer): Gives the special pieces.
    RETURNS (PackedBatch): The row.
    """
    windows = np.array([sequences.windows[index] for index in chosen], dtype="int64")  # (n_windows, 4)
    # (n_windows,) each: pieces without and with special ones, and where a window begins in the row and ends.
    inside = sequences.lengths[chosen]
    lengths = inside + tokenizer.n_special
    ends = np.cumsum(lengths)
    content = ends - lengths + len(tokenizer.prefix)  # its first piece that is not special, in the row
    source = sequences.offsets[windows[:, 0]]  # the same piece in `sequences.ids`
    ids = np.empty(int(ends[-1]), dtype="int64")
    # (n_pieces without special ones,): copied from `out_of` to `into`.
    into, out_of = spread(content, inside), spread(source, inside)
    ids[into] = sequences.ids[out_of]
    casings = None
    if sequences.casings is not None:
        casings = np.full_like(ids, SPECIAL)
        casings[into] = sequences.casings[out_of]
    _put(ids, content - len(tokenizer.prefix), tokenizer.prefix)
    _put(ids, ends - len(tokenizer.suffix), tokenizer.suffix)
    # The tokens that take their vectors here, window by window: a token in an overlap belongs to one of the two.
    n_own = windows[:, 3] - windows[:, 2]
    tokens = spread(windows[:, 2], n_own)
    first = sequences.offsets[tokens] + np.repeat(content - source, n_own)  # (n_here,), shifted from `ids` to the row
    counts = sequences.counts[tokens]
    seen = counts > 0
    return PackedBatch(ids, lengths, tokens[seen], first[seen], counts[seen], casings)


def _put(ids: Ints, places: Ints, pieces: Sequence[int]) -> None:
    """Write special pieces at every place, one after another."""
    for shift, piece in enumerate(pieces):
        ids[places + shift] = piece
