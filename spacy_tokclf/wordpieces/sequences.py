"""Texts as one row of word pieces, and the windows over it that an encoder sees at once."""

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from spacy.attrs import ORTH
from spacy.tokens import Doc

from ..errors import Errors
from ..types import Ints
from .casing import token_casings
from .normalize import normal_form
from .tokenizer import PieceTokenizer
from .windows import Window, split_windows, spread


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
    """Split texts into word pieces and long texts into windows.

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
    words, tokens = different_words(docs)
    words = [normal_form(word) for word in words] if normalize else words
    pieces = tokenizer.encode_words(words)
    sizes = np.fromiter(map(len, pieces), dtype="int64", count=len(pieces))
    known = np.fromiter(chain.from_iterable(pieces), dtype="int64", count=int(sizes.sum()))
    counts = sizes[tokens]
    ids = known[spread((np.cumsum(sizes) - sizes)[tokens], counts)]
    offsets = np.cumsum(counts) - counts
    windows: list[Window] = []
    start = 0
    for doc in docs:
        own = counts[start : start + len(doc)]
        windows.extend(
            Window(*(start + bound for bound in window)) for window in split_windows(own, size=size, overlap=overlap)
        )
        start += len(doc)
    clipped = np.minimum(counts, size)
    sums = np.concatenate([[0], np.cumsum(clipped)])
    lengths = np.array([sums[w.end] - sums[w.start] for w in windows], dtype="int64")
    casings = None
    if casing:
        own = token_casings(words, tokens, [len(doc) for doc in docs], dropout=casing_dropout)
        casings = np.repeat(own, counts)
    return Sequences(ids, clipped, offsets, windows, lengths, casings)


def different_words(docs: Sequence[Doc]) -> tuple[list[str], Ints]:
    """List the words of some texts, each once. A text that is read token by token takes several times as long.

    docs (Sequence[Doc]): The texts.
    RETURNS (tuple[list[str], Ints]): The words, and for each token which of them it is. Shape: (n_tokens,).
    """
    if not any(map(len, docs)):
        return [], np.zeros(0, dtype="int64")
    hashes = np.concatenate([doc.to_array([ORTH]).reshape(len(doc)) for doc in docs])
    found, first, tokens = np.unique(hashes, return_index=True, return_inverse=True)
    ends = np.cumsum([len(doc) for doc in docs])
    texts = np.searchsorted(ends, first, side="right")
    words = [docs[i].vocab.strings[orth] for i, orth in zip(texts.tolist(), found.tolist(), strict=True)]
    return words, tokens.reshape(-1)
