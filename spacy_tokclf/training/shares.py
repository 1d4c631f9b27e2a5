"""Which part of a batch each process learns from, and what it draws at random for it."""

import contextlib
import hashlib
from collections.abc import Sequence

from spacy.training import Example

from ..runtime.group import Group
from ..runtime.random_state import seeded


def share_of_batch(batch: Sequence[Example], group: Group) -> list[Example]:
    """Give a process its share of a batch: texts by length, the longest first, dealt out in turns, there and back, so
    that all shares take about as long.

    batch (Sequence[Example]): The batch, the same in all processes.
    group (Group): The processes.
    RETURNS (list[Example]): The share of this one, the longest text first; the batch as it is, for a process alone.
    """
    if group.is_alone:
        return list(batch)
    ordered = sorted(batch, key=len, reverse=True)
    turns = range(len(ordered))
    return [ordered[turn] for turn in turns if _who(turn, group.size) == group.rank]


def _who(turn: int, size: int) -> int:
    """RETURNS (int): The process whose turn it is."""
    round_, place = divmod(turn, size)
    return size - 1 - place if round_ % 2 else place


def drawn_apart(group: Group, *, seed: int, step: int) -> contextlib.AbstractContextManager[None]:
    """Draw at random what hangs on the seed, the step and the process (dropout, say), and leave the generators as they
    were: what all processes draw (the order of texts) stays the same in all of them, and in any that go on from a
    checkpoint.

    group (Group): The processes; one that is alone draws from the generators as they are.
    seed (int): That of the training.
    step (int): The step.
    RETURNS (ContextManager): To be entered where a share is learned from.
    """
    if group.is_alone:
        return contextlib.nullcontext()
    digest = hashlib.blake2b(f"{seed} {step} {group.rank}".encode(), digest_size=8).digest()
    return seeded(int.from_bytes(digest, "little") % 2**63)
