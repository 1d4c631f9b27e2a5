"""Texts as padded batches of word pieces, and the way back from pieces to tokens."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy
from spacy.tokens import Doc

from ..errors import Errors
from .tokenizer import PieceTokenizer
from .windows import Ints, Window, split_windows


class Sequences(NamedTuple):
    """Windows of word pieces over a list of texts.

    ids (Ints): Pieces of all tokens of all texts, without special pieces. Shape: (n_pieces,).
    counts (Ints): Pieces of each token. Shape: (n_tokens,).
    offsets (Ints): Where each token's pieces begin in `ids`. Shape: (n_tokens,).
    windows (List[Window]): The windows, in tokens of the whole list.
    lengths (Ints): Pieces of each window, without special pieces. Shape: (n_windows,).
    """

    ids: Ints
    counts: Ints
    offsets: Ints
    windows: list[Window]
    lengths: Ints


class PieceBatch(NamedTuple):
    """One padded batch for the encoder.

    ids (Ints): Pieces, special pieces and padding. Shape: (n_windows, longest).
    mask (Ints): 1 where `ids` holds no padding. Shape: (n_windows, longest).
    tokens (Ints): The tokens that take their vectors here, counted over the whole list. Shape: (n_here,).
    first (Ints): Flat position of each such token's first piece in `ids`. Shape: (n_here,).
    counts (Ints): Pieces of each such token, at least 1. Shape: (n_here,).
    """

    ids: Ints
    mask: Ints
    tokens: Ints
    first: Ints
    counts: Ints


def make_sequences(docs: Sequence[Doc], tokenizer: PieceTokenizer, *, size: int, overlap: int) -> Sequences:
    """Split texts into word pieces and long texts into windows.

    docs (Sequence[Doc]): The texts.
    tokenizer (PieceTokenizer): The tokenizer.
    size (int): Pieces in a window at most, special pieces included.
    overlap (int): Pieces shared by neighbouring windows of a text.
    RETURNS (Sequences): The windows of all texts, in order.
    RAISES (ValueError): TC004, if only special pieces fit in a window.
    """
    if size <= tokenizer.n_special:
        raise ValueError(Errors.TC004.format(size=size, special=tokenizer.n_special))
    size -= tokenizer.n_special
    pieces = tokenizer.encode_words([token.text for doc in docs for token in doc])
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
    return Sequences(ids, clipped, offsets, windows, lengths)


def batch_windows(sequences: Sequences, tokenizer: PieceTokenizer, *, pad: int, budget: int) -> Iterator[PieceBatch]:
    """Batch windows of like length, so that little is padded.

    sequences (Sequences): The windows.
    tokenizer (PieceTokenizer): Gives the special pieces.
    pad (int): The piece to pad with.
    budget (int): Pieces in a batch at most, padding included; a longer window is a batch of its own.
    YIELDS (PieceBatch): Batches, longest windows first; windows without pieces are in none.
    """
    order = numpy.argsort(-sequences.lengths, kind="stable")
    order = order[sequences.lengths[order] > 0]
    start = 0
    while start < len(order):
        longest = int(sequences.lengths[order[start]]) + tokenizer.n_special
        end = start + max(1, budget // longest)
        yield _pad(sequences, [int(i) for i in order[start:end]], tokenizer, longest, pad)
        start = end


def _pad(sequences: Sequences, chosen: list[int], tokenizer: PieceTokenizer, longest: int, pad: int) -> PieceBatch:
    ids = numpy.full((len(chosen), longest), pad, dtype="int64")
    mask = numpy.zeros((len(chosen), longest), dtype="int64")
    tokens, first = [], []
    for row, index in enumerate(chosen):
        window = sequences.windows[index]
        piece_ids, starts = _window_pieces(sequences, window)
        inside = [*tokenizer.prefix, *piece_ids, *tokenizer.suffix]
        ids[row, : len(inside)] = inside
        mask[row, : len(inside)] = 1
        own = numpy.arange(window.own_start, window.own_end)
        tokens.append(own)
        first.append(row * longest + len(tokenizer.prefix) + starts[own - window.start])
    all_tokens = numpy.concatenate(tokens)
    counts = sequences.counts[all_tokens]
    seen = counts > 0
    return PieceBatch(ids, mask, all_tokens[seen], numpy.concatenate(first)[seen], counts[seen])


def _window_pieces(sequences: Sequences, window: Window) -> tuple[Ints, Ints]:
    """Give a window's pieces and where each of its tokens begins among them. They lie next to each other, since a word
    that was clipped fills a window."""
    counts = sequences.counts[window.start : window.end]
    begin = sequences.offsets[window.start]
    return sequences.ids[begin : begin + counts.sum()], numpy.cumsum(counts) - counts
