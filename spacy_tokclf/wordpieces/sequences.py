"""Texts as one row of word pieces, and the windows over it that an encoder sees at once."""

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import numpy
from spacy.tokens import Doc

from ..errors import Errors
from .casing import casings_of, lower_some
from .tokenizer import PieceTokenizer
from .windows import Ints, Window, split_windows


class Sequences(NamedTuple):
    """Windows of word pieces over a list of texts.

    ids (Ints): Pieces of all tokens of all texts, without special pieces. Shape: (n_pieces,).
    counts (Ints): Pieces of each token. Shape: (n_tokens,).
    offsets (Ints): Where each token's pieces begin in `ids`. Shape: (n_tokens,).
    windows (List[Window]): The windows, in tokens of the whole list.
    lengths (Ints): Pieces of each window, without special pieces. Shape: (n_windows,).
    casings (Optional[Ints]): The casing of each piece's word, if asked for. Shape: (n_pieces,).
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
    casing: bool = False,
    casing_dropout: float = 0.0,
) -> Sequences:
    """Split texts into word pieces and long texts into windows.

    docs (Sequence[Doc]): The texts.
    tokenizer (PieceTokenizer): The tokenizer.
    size (int): Pieces in a window at most, special pieces included.
    overlap (int): Pieces shared by neighbouring windows of a text.
    casing (bool): Whether to note how each word is cased.
    casing_dropout (float): Share of the texts, drawn at random, whose words are noted as if lower-cased.
    RETURNS (Sequences): The windows of all texts, in order.
    RAISES (ValueError): TC004, if only special pieces fit in a window.
    """
    if size <= tokenizer.n_special:
        raise ValueError(Errors.TC004.format(size=size, special=tokenizer.n_special))
    size -= tokenizer.n_special
    words = [token.text for doc in docs for token in doc]
    pieces = tokenizer.encode_words(words)
    counts = numpy.fromiter(map(len, pieces), dtype="int64", count=len(pieces))
    ids = numpy.fromiter(chain.from_iterable(pieces), dtype="int64", count=int(counts.sum()))
    offsets = numpy.cumsum(counts) - counts
    windows: list[Window] = []
    start = 0
    for doc in docs:
        own = counts[start : start + len(doc)]
        windows.extend(
            Window(*(start + bound for bound in window)) for window in split_windows(own, size=size, overlap=overlap)
        )
        start += len(doc)
    clipped = numpy.minimum(counts, size)
    sums = numpy.concatenate([[0], numpy.cumsum(clipped)])
    lengths = numpy.array([sums[w.end] - sums[w.start] for w in windows], dtype="int64")
    if casing and casing_dropout:
        words = lower_some([[token.text for token in doc] for doc in docs], rate=casing_dropout)
    casings = numpy.repeat(casings_of(words), counts) if casing else None
    return Sequences(ids, clipped, offsets, windows, lengths, casings)
