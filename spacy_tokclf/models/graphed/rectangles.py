"""Batches as rectangles of few shapes: what a recorded step reads, in one array that is sent to the device at once."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ...types import Ints
from ...wordpieces.batch import PieceBatch, batch_windows
from ...wordpieces.sequences import Sequences
from ...wordpieces.tokenizer import PieceTokenizer

#: Lengths that windows are padded to; above the last one, multiples of it.
LENGTHS = (16, 32, 48, 64, 96, 128, 192, 256)
#: Windows of a rectangle: one of these, or a multiple of the last one.
COUNTS = (1, 2, 4, 8)
#: Word pieces of a rectangle at most, and padding below its longest window.
PIECES, SPARE = 16384, 4096
#: Gold of a piece that there is nothing to learn from.
NO_GOLD = -1


class Rectangle(NamedTuple):
    """A batch of windows as a matrix of word pieces, filled up with padding and with windows of nothing else.

    values (Ints): int32, one after another: ids, positions, casings and gold of all pieces, row after row, then the
        pieces of each window. Shape: (4 * n_windows * length + n_windows,).
    n_windows, length (int): Its shape.
    """

    values: Ints
    n_windows: int
    length: int


def rectangles(
    sequences: Sequences, gold: Ints, tokenizer: PieceTokenizer, *, pad: int, pad_position: int | None
) -> Iterator[Rectangle]:
    """Lay out the windows of a batch, with the gold of each token at its first piece.

    sequences (Sequences): The windows.
    gold (Ints): Tag row of each token, negative where there is none to learn from. Shape: (n_tokens,).
    tokenizer (PieceTokenizer): Gives the special pieces.
    pad (int): The piece to pad with.
    pad_position (int | None): As `Modules.pad_position`.
    YIELDS (Rectangle): Those that have gold, longest windows first.
    """
    for batch in batch_windows(sequences, tokenizer, pad=pad, budget=PIECES, spare=SPARE):
        own = gold[batch.tokens]
        if (own >= 0).any():
            yield _lay_out(batch, own, pad=pad, pad_position=pad_position)


def _lay_out(batch: PieceBatch, gold: Ints, *, pad: int, pad_position: int | None) -> Rectangle:
    """Fill a padded batch up to one of few shapes; gold: (tokens that take their vectors here,)."""
    rows, columns = batch.ids.shape
    count, length = round_up(rows, COUNTS), round_up(columns, LENGTHS)
    values = np.zeros(4 * count * length + count, dtype="int32")
    ids, positions, casings, labels = values[: 4 * count * length].reshape(4, count, length)
    ids[...] = pad
    ids[:rows, :columns] = batch.ids
    positions[...] = count_positions(ids, pad_position)
    if batch.casings is not None:
        casings[:rows, :columns] = batch.casings
    labels[...] = NO_GOLD
    row, column = np.divmod(batch.first, columns)
    labels[row, column] = np.maximum(gold, NO_GOLD)
    lengths = values[4 * count * length :]
    lengths[...] = 1  # attention over nothing at all would be no number
    lengths[:rows] = batch.mask.sum(axis=1)
    return Rectangle(values, count, length)


def count_positions(ids: Ints, pad: int | None) -> Ints:
    """Count positions in each window, as Hugging Face's embeddings do with a padded batch.

    ids (Ints): The pieces. Shape: (n_windows, length).
    pad (int | None): As for `padding_free.embeddings.count_positions`.
    RETURNS (Ints): Shape: (n_windows, length), or (length,) where all windows have the same.
    """
    if pad is None:
        return np.arange(ids.shape[1])
    real = ids != pad
    return np.cumsum(real, axis=1) * real + pad


def round_up(number: int, steps: tuple[int, ...]) -> int:
    """RETURNS (int): The smallest of some steps, or of the multiples of the last one, that is not below a number."""
    return next((step for step in steps if step >= number), -(-number // steps[-1]) * steps[-1])
