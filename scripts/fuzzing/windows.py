"""Windows of word pieces: every piece of a word stands in one window where it counts, with the context that the window
is to give it, packed as padded; and pooling gives what it says."""

import random
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from spacy.tokens import Doc
from spacy.vocab import Vocab

from fuzzing.drawing import coded, must
from spacy_tokclf.wordpieces.batch import batch_windows
from spacy_tokclf.wordpieces.pack import PackedBatch, pack_windows
from spacy_tokclf.wordpieces.pool import POOLINGS, pool_arrays, pool_tokens
from spacy_tokclf.wordpieces.sequences import Sequences, make_sequences
from spacy_tokclf.wordpieces.windows import check_window, split_windows

VOCAB = Vocab()
PAD, PREFIX, SUFFIX = 7, (1, 2), (3, 4)


class Pieces(NamedTuple):
    """A tokenizer: a word is a letter and the number of its pieces, which no other word has."""

    prefix: Sequence[int]
    suffix: Sequence[int]

    @property
    def n_special(self) -> int:
        """How many pieces stand around a window."""
        return len(self.prefix) + len(self.suffix)

    def encode_words(self, words: Sequence[str]) -> list[tuple[int, ...]]:
        """Give the pieces of each word."""
        return [pieces_of(word) for word in words]


def pieces_of(word: str) -> tuple[int, ...]:
    """Give the pieces of a word: numbers that say which word and which place in it."""
    count = int(word[1:])
    first = 1000 * (1 + ord(word[0]) - ord("a")) + 100_000 * count
    return tuple(range(first, first + count))


def judge(rng: random.Random, folder: Path) -> str:
    """Draw one input and judge it.

    rng (random.Random): Draws it.
    folder (Path): Not needed.
    RETURNS (str): What became of it.
    """
    try:
        return rng.choice((split, split, batches, pooled))(rng)
    except ValueError as error:
        return coded(error)


def counts_of(rng: random.Random) -> list[int]:
    """Draw the pieces of the words of one text."""
    most = rng.choice((1, 3, 9, 40))
    return [rng.randint(0, most) for _ in range(rng.choice((0, 1, 2, 5, 20, 60)))]


def split(rng: random.Random) -> str:
    """Split one text, also by sizes that are to be refused."""
    size, overlap, counts = rng.randint(-1, 30), rng.randint(-1, 32), counts_of(rng)
    check_window(size, overlap)
    if not size:
        return "the encoder's own limit"
    windows = split_windows(np.array(counts, dtype="int64"), size=size, overlap=overlap)
    clipped = np.minimum(counts, size)
    owned = [i for window in windows for i in range(window.own_start, window.own_end)]
    must(owned == list(range(len(counts))), lambda: f"{counts} in {windows}")
    for window in windows:
        must(window.start <= window.own_start < window.own_end <= window.end, lambda: f"{window} of {counts}")
        must(clipped[window.start : window.end].sum() <= size, lambda: f"{window} of {counts} is too large")
    for one, other in pairwise(windows):
        must(one.start < other.start <= one.end < other.end, lambda: f"{one} and {other} of {counts}")
        must(clipped[other.start : one.end].sum() <= overlap, lambda: f"{one} and {other} share too much of {counts}")
        must(clipped[one.start : one.end + 1].sum() > size, lambda: f"{one} of {counts} has room for more")
    return "split"


def batches(rng: random.Random) -> str:
    """Make windows of several texts, and batches of both kinds."""
    tokenizer = Pieces(PREFIX[: rng.randint(0, 2)], SUFFIX[: rng.randint(0, 2)])
    texts = [[f"{rng.choice('abc')}{n}" for n in counts_of(rng)[:20]] for _ in range(rng.randint(0, 4))]
    size, overlap, budget = rng.randint(1, 40), rng.randint(0, 30), rng.choice((1, 20, 60, 10**6))
    docs = [Doc(VOCAB, words=words) for words in texts]
    sequences = make_sequences(docs, tokenizer, size=size, overlap=overlap)  # type: ignore[arg-type]
    words = [word for words in texts for word in words]
    expected = [pieces_of(word)[: size - tokenizer.n_special] for word in words]
    packed = list(pack_windows(sequences, tokenizer, budget=budget))  # type: ignore[arg-type]
    seen: dict[int, tuple[int, ...]] = {}
    rows: dict[tuple[int, ...], int] = defaultdict(int)
    for batch in packed:
        check_batch(batch, size, budget)
        take(batch.ids, batch.tokens, batch.first, batch.counts, seen)
        for end, length in zip(np.cumsum(batch.lengths).tolist(), batch.lengths.tolist(), strict=True):
            rows[tuple(batch.ids[end - length : end].tolist())] += 1
    must(seen == {i: pieces for i, pieces in enumerate(expected) if pieces}, lambda: f"{words}: {seen}")
    must(rows == windows_of(sequences, expected, tokenizer), lambda: f"{words}: {dict(rows)}")
    check_padded(sequences, tokenizer, budget, seen)
    return "batches"


def check_batch(batch: PackedBatch, size: int, budget: int) -> None:
    """Check sums and sizes of a row."""
    must(len(batch.ids) == batch.lengths.sum(), lambda: f"{batch.lengths} are not {len(batch.ids)}")
    must(batch.lengths.max() <= size, lambda: f"{batch.lengths} in windows of {size}")
    must((np.diff(batch.lengths) <= 0).all(), lambda: f"{batch.lengths} are not sorted")
    fits = len(batch.ids) <= budget + batch.lengths[0] or len(batch.lengths) == 1
    must(fits, lambda: f"{batch.lengths} with room for {budget}")


def take(ids: np.ndarray, tokens: np.ndarray, first: np.ndarray, counts: np.ndarray, seen: dict) -> None:
    """Collect the pieces of each token, none of which may come twice."""
    for token, start, count in zip(tokens.tolist(), first.tolist(), counts.tolist(), strict=True):
        must(token not in seen, lambda: f"token {token} is in two windows")
        seen[token] = tuple(ids[start : start + count].tolist())


def windows_of(sequences: Sequences, expected: list[tuple[int, ...]], tokenizer: Pieces) -> dict[tuple[int, ...], int]:
    """Say what the windows with pieces hold: all pieces of their tokens, between the special ones."""
    rows: dict[tuple[int, ...], int] = defaultdict(int)
    for window in sequences.windows:
        if inside := [piece for pieces in expected[window.start : window.end] for piece in pieces]:
            rows[(*tokenizer.prefix, *inside, *tokenizer.suffix)] += 1
    return rows


def check_padded(sequences: Sequences, tokenizer: Pieces, budget: int, packed: dict[int, tuple[int, ...]]) -> None:
    """Check that padded batches hold the same."""
    seen: dict[int, tuple[int, ...]] = {}
    for batch in batch_windows(sequences, tokenizer, pad=PAD, budget=budget):  # type: ignore[arg-type]
        must(((batch.ids == PAD) == (batch.mask == 0)).all(), lambda: f"{batch.ids} under {batch.mask}")
        must(batch.ids.size <= budget or len(batch.ids) == 1, lambda: f"{batch.ids.shape} with room for {budget}")
        take(batch.ids.ravel(), batch.tokens, batch.first, batch.counts, seen)
    must(seen == packed, lambda: f"padded {seen}, packed {packed}")


def pooled(rng: random.Random) -> str:
    """Pool the vectors of some tokens, in numpy and in torch."""
    counts = [rng.randint(1, 5) for _ in range(rng.randint(0, 6))]
    pooling, width = rng.choice(POOLINGS), rng.randint(1, 4)
    drawn = np.random.default_rng(rng.getrandbits(32)).normal(0, rng.choice((1e-3, 1, 1e4)), (sum(counts) + 3, width))
    vectors = drawn.astype("float32")
    # The tokens lie anywhere in the row, special pieces between them.
    starts = np.cumsum(counts, dtype="int64") - counts + rng.randint(0, 3)
    order = rng.sample(range(len(counts)), len(counts))
    first, sizes = starts[order], np.array(counts, dtype="int64")[order]
    parts = [vectors[start : start + count].astype("float64") for start, count in zip(first, sizes, strict=True)]
    naive = {"first": lambda part: part[0], "mean": lambda part: part.mean(0), "max": lambda part: part.max(0)}[pooling]
    expected = np.array([naive(part) for part in parts]).reshape(-1, width)
    rows = [part[:1] if pooling == "first" else part for part in parts]
    row = np.concatenate([*rows, np.zeros((0, width))]).astype("float32")
    found = pool_arrays(row, sizes, pooling=pooling)
    tensors = torch.from_numpy(vectors), torch.from_numpy(first), torch.from_numpy(sizes)
    other = pool_tokens(*tensors, pooling=pooling).numpy() if counts else found
    scale = np.abs(vectors).max() * 1e-6
    for each in (found, other):
        must(each.shape == expected.shape, lambda: f"{each.shape} for {counts}")
        must(np.abs(each - expected).max(initial=0) <= scale, lambda: f"{pooling} of {counts}: {each}, {expected}")
    return pooling
