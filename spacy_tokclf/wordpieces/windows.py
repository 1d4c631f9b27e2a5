"""Sliding windows: long texts are split into overlapping windows of whole words, each within the encoder's limit."""

from typing import NamedTuple

import numpy as np

from ..errors import Errors
from ..types import Ints


class Window(NamedTuple):
    """A run of tokens that the encoder sees at once, and the part of it whose vectors are kept.

    start (int): First token seen.
    end (int): One past the last token seen.
    own_start (int): First token whose vector is taken from this window.
    own_end (int): One past the last token whose vector is taken from this window.
    """

    start: int
    end: int
    own_start: int
    own_end: int


def check_window(size: int, overlap: int) -> None:
    """Refuse windows that cannot advance.

    size (int): Word pieces in a window, special pieces included; 0 stands for the encoder's own limit.
    overlap (int): Word pieces that neighbouring windows share.
    RAISES (ValueError): TC002.
    """
    if size < 0 or overlap < 0 or (size and overlap >= size):
        raise ValueError(Errors.TC002.format(window=size, overlap=overlap))


def split_windows(n_pieces: Ints, *, size: int, overlap: int) -> list[Window]:
    """Cover the tokens of one text with windows of at most `size` pieces; a word is never cut between two.

    Each token belongs to exactly one window: in the overlap of two windows the border runs through the middle, so that
    every token keeps about half an overlap of context on the side of the cut. A word longer than a whole window counts
    as `size` pieces (its first pieces are used).

    n_pieces (Ints): Word pieces per token. Shape: (n_tokens,).
    size (int): Pieces in a window, without special pieces.
    overlap (int): Pieces shared by neighbouring windows.
    RETURNS (list[Window]): The windows, in order; none for a text without tokens.
    """
    n_tokens = len(n_pieces)
    if not n_tokens:
        return []
    ends = np.cumsum(np.minimum(n_pieces, size))  # (n_tokens,): pieces up to and with each token
    if ends[-1] <= size:
        return [Window(0, n_tokens, 0, n_tokens)]
    overlap = min(overlap, size - 1)
    bounds = []
    start = 0
    while True:
        # As many tokens as fit from `start`.
        before = int(ends[start - 1]) if start else 0
        end = int(np.searchsorted(ends, before + size, side="right"))
        bounds.append((start, end))
        if end == n_tokens:
            break
        # The next window begins with the first token whose pieces all lie within the overlap.
        shared = int(ends[end - 1]) - overlap
        needed = int(ends[end]) - size  # the next word must fit as well
        start = min(int(np.searchsorted(ends, max(shared, needed), side="left")) + 1, end)
    windows = []
    own_start = 0
    for i, (start, end) in enumerate(bounds):
        # In the middle of what this window and the next one share.
        own_end = n_tokens if i + 1 == len(bounds) else (bounds[i + 1][0] + end + 1) // 2
        windows.append(Window(start, end, own_start, own_end))
        own_start = own_end
    return windows


def spread(starts: Ints, counts: Ints) -> Ints:
    """Concatenate ranges of integers: `np.arange(start, start + count)` for each start.

    starts (Ints): First number of each range. Shape: (n,).
    counts (Ints): Length of each range. Shape: (n,).
    RETURNS (Ints): The ranges, one after another. Shape: (sum of counts,).
    """
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    # One range over all, shifted within each part by what its start differs from its place.
    return np.arange(total) + np.repeat(starts - ends + counts, counts)
