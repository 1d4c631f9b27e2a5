"""A batcher that puts texts of like length together: less padding, or smaller and fewer groups in the attention."""

import random
from collections.abc import Callable, Iterable, Iterator, Sized
from functools import partial
from itertools import islice
from typing import TypeVar

from ..errors import Errors

ItemT = TypeVar("ItemT", bound=Sized)


def make_length_batcher_v1(
    size: int = 16, buffer: int = 64, max_tokens: int = 0
) -> Callable[[Iterable[ItemT]], Iterable[list[ItemT]]]:
    """Create the batcher `spacy-tokclf.LengthBatcher.v1`.

    size (int): Posts a batch.
    buffer (int): Batches that are read ahead and sorted together. More gives less padding and more memory.
    max_tokens (int): Limit of the padded size of a batch, its longest post times its posts, in spaCy tokens;
        a post that is longer by itself stands alone. 0 means no limit.
    RETURNS (Callable[[Iterable[ItemT]], Iterable[list[ItemT]]]): The batcher.
    RAISES (ValueError): TC119 if an argument is too small.
    """
    for name, value, least in (("size", size, 1), ("buffer", buffer, 1), ("max_tokens", max_tokens, 0)):
        if value < least:
            raise ValueError(Errors.TC119.format(name=name, value=value, least=least))
    return partial(batch_by_length, size=size, buffer=buffer, max_tokens=max_tokens)


def batch_by_length(items: Iterable[ItemT], *, size: int, buffer: int, max_tokens: int = 0) -> Iterator[list[ItemT]]:
    """Cut a stream into batches of like length, each item in exactly one batch.

    `size * buffer` items are read at a time, sorted by length (equal lengths in random order, so that the
    batches differ from epoch to epoch) and cut; their batches come in random order. The random numbers are
    Python's, which spaCy seeds.

    items (Iterable[ItemT]): Examples, Docs or anything else with a length.
    size (int): Items a batch.
    buffer (int): Batches read ahead.
    max_tokens (int): Limit of the padded size of a batch; 0 means none.
    YIELDS (list[ItemT]): The batches.
    """
    stream = iter(items)
    while ahead := list(islice(stream, size * buffer)):
        random.shuffle(ahead)
        ahead.sort(key=len)
        batches = list(_cut(ahead, size, max_tokens))
        random.shuffle(batches)
        yield from batches


def _cut(ordered: list[ItemT], size: int, max_tokens: int) -> Iterator[list[ItemT]]:
    """Cut items in ascending order of length."""
    batch: list[ItemT] = []
    for item in ordered:
        too_wide = max_tokens and len(item) * (len(batch) + 1) > max_tokens
        if batch and (len(batch) == size or too_wide):
            yield batch
            batch = []
        batch.append(item)
    if batch:
        yield batch
