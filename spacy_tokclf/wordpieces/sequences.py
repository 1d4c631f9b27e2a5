"""Word-piece sequences: the tokenized texts of a batch, and the windows over them that an encoder sees at once."""

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from spacy.tokens import Doc

from ..errors import Errors
from ..types import Ints
from .tokenizer import PieceTokenizer
from .windows import Window, split_windows, spread
from .words import distinct_words, normal_form, token_casings


class Sequences(NamedTuple):
    """Windows of word pieces over a list of texts.

    ids (Ints): Pieces of all tokens of all texts, without special pieces. Shape: (n_pieces,).
    counts (Ints): Pieces of each token. Shape: (n_tokens,).
    offsets (Ints): Where each token's pieces begin in `ids`. Shape: (n_tokens,).
    windows (list[Window]): The windows, in tokens of the whole list.
    lengths (Ints): Pieces of each window, without special pieces. Shape: (n_windows,).
    casings (Ints | None): The casing of each piece's word, if asked for. Shape: (n_pieces,).
    """

    ids: Ints
    counts: Ints
    offsets: Ints
    windows: list[Window]
    lengths: Ints
    casings: Ints | None = None


def make_sequences(
    docs: Sequence[Doc],
    tokenizer: PieceTokenizer,
    *,
    size: int,
    overlap: int,
    normalize: bool = False,
    casing: bool = False,
    casing_dropout: float = 0.0,
) -> Sequences:
    """Tokenize texts into word pieces and split long texts into overlapping windows.

    docs (Sequence[Doc]): The texts.
    tokenizer (PieceTokenizer): The tokenizer.
    size (int): Pieces in a window at most, special pieces included.
    overlap (int): Pieces shared by neighbouring windows of a text.
    normalize (bool): Whether to read links and user names as one word each.
    casing (bool): Whether to note how each word is cased.
    casing_dropout (float): Share of the texts, drawn at random, whose words are noted as if lower-cased.
    RETURNS (Sequences): The windows of all texts, in order.
    RAISES (ValueError): TC004, if only special pieces fit in a window.
    """
    if size <= tokenizer.n_special:
        raise ValueError(Errors.TC004.format(size=size, special=tokenizer.n_special))
    size -= tokenizer.n_special
    # Each distinct word is tokenized once; `tokens` (n_tokens,) says which word each token is.
    words, tokens = distinct_words(docs)
    words = [normal_form(word) for word in words] if normalize else words
    pieces = tokenizer.encode_words(words)
    # (n_words,) pieces of each word, and all pieces of all words in a row: each token takes its word's part of it.
    sizes = np.fromiter(map(len, pieces), dtype="int64", count=len(pieces))
    known = np.fromiter(chain.from_iterable(pieces), dtype="int64", count=int(sizes.sum()))
    counts = sizes[tokens]
    ids = known[spread((np.cumsum(sizes) - sizes)[tokens], counts)]
    offsets = np.cumsum(counts) - counts
    # A word longer than a window has as many pieces as fit; the sums give the pieces of every window at once.
    clipped = np.minimum(counts, size)
    sums = np.concatenate([[0], np.cumsum(clipped)])
    windows = _split_texts(docs, counts, sums, size=size, overlap=overlap)
    bounds = np.array([window[:2] for window in windows], dtype="int64").reshape(-1, 2)
    lengths = sums[bounds[:, 1]] - sums[bounds[:, 0]]
    casings = None
    if casing:
        own = token_casings(words, tokens, [len(doc) for doc in docs], dropout=casing_dropout)
        casings = np.repeat(own, counts)
    return Sequences(ids, clipped, offsets, windows, lengths, casings)


def _split_texts(docs: Sequence[Doc], counts: Ints, sums: Ints, *, size: int, overlap: int) -> list[Window]:
    """Split texts into windows, in tokens of the whole list. `sums`: pieces before each token, (n_tokens + 1,)."""
    n_tokens = np.fromiter(map(len, docs), dtype="int64", count=len(docs))
    ends = np.cumsum(n_tokens)
    starts = ends - n_tokens
    fits = sums[ends] - sums[starts] <= size  # most texts are one window
    windows: list[Window] = []
    for start, end, whole in zip(starts.tolist(), ends.tolist(), fits.tolist(), strict=True):
        if not whole:
            own = split_windows(counts[start:end], size=size, overlap=overlap)
            windows.extend(Window(*(start + bound for bound in window)) for window in own)
        elif end > start:
            windows.append(Window(start, end, start, end))
    return windows
