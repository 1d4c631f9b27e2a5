"""Sums over the processes of one machine, in memory that they share: less work than sending the numbers around."""

import mmap
import os
from typing import TYPE_CHECKING

import numpy as np

from .group import Group

if TYPE_CHECKING:
    import torch

_BYTES = 4  # of a float32
_MARK = 8  # bytes that the memory begins with at first, drawn at random


class SharedSum:
    """A row of numbers for each process, and one for their sum.

    capacity (int): The numbers of a row.
    """

    def __init__(self, group: Group, memory: mmap.mmap, capacity: int) -> None:
        """group (Group): The processes. memory (mmap): The rows, below each other. capacity (int): As above."""
        import torch

        self.capacity = capacity
        self._group = group
        rows = torch.from_numpy(np.frombuffer(memory, dtype="float32").reshape(group.size + 1, capacity))
        self._given, self._total = rows[:-1], rows[-1]
        self._own = torch.empty(capacity)

    def run(self, parts: "list[torch.Tensor]") -> "torch.Tensor":
        """Add up what all processes have, in the order of their numbers: the same bits in each.

        parts (list[torch.Tensor]): Tensors of float32 in the memory of the CPU, together of the same shape everywhere.
        RETURNS (torch.Tensor): The sum of all of them, in one row, which the next call writes to, as soon as it has
            read its own parts. Shape: (numbers of all,).
        RAISES (ConnectionError): TC542, if a process is gone.
        """
        import torch

        size = sum(part.numel() for part in parts)
        given = self._given[:, :size]
        torch.cat([part.reshape(-1) for part in parts], out=given[self._group.rank])
        self._group.wait()
        first, end = (size * rank // self._group.size for rank in (self._group.rank, self._group.rank + 1))
        own = self._total[first:end]
        torch.add(given[0, first:end], given[1, first:end], out=own)
        for row in given[2:]:
            own += row[first:end]
        self._group.wait()
        return self._own[:size].copy_(self._total[:size])  # not shared: an optimizer scales gradients in place


def share_memory(group: Group, capacity: int) -> SharedSum | None:
    """Make memory that the processes share, and that goes with them.

    group (Group): The processes.
    capacity (int): Numbers of float32 in a row.
    RETURNS (SharedSum | None): The memory; None where there is none: on several machines, or where the system has no
        files in memory, or does not let a process open that of another.
    RAISES (ConnectionError): TC542, if a process is gone.
    """
    if group.is_alone or len({member.host for member in group.members}) > 1 or not hasattr(os, "memfd_create"):
        return None
    size = _BYTES * capacity * (group.size + 1)
    mark = os.urandom(_MARK)
    file = _make(size, mark) if group.is_first else None
    told = group.of_first(b"" if file is None else mark + str(file).encode())
    path = f"/proc/{group.members[0].pid}/fd/{told[_MARK:].decode()}"
    memory = _open(path, size, told[:_MARK]) if told else None
    is_missing = group.largest(memory is None)  # all of them have opened it, or nobody uses it
    if file is not None:
        os.close(file)
    return None if is_missing or memory is None else SharedSum(group, memory, capacity)


def _make(size: int, mark: bytes) -> int | None:
    """RETURNS (int | None): The number of a new file in memory, of a size, that begins with a mark; None where the
    system gives none."""
    try:
        file = os.memfd_create("spacy-tokclf")
    except OSError:
        return None
    os.ftruncate(file, size)
    os.pwrite(file, mark, 0)
    return file


def _open(path: str, size: int, mark: bytes) -> mmap.mmap | None:
    """RETURNS (mmap | None): A file as memory; None if this process may not, or if it is another file: machines may
    have the same name."""
    try:
        with open(path, "r+b") as file:
            return mmap.mmap(file.fileno(), size) if file.read(_MARK) == mark else None
    except (OSError, ValueError):
        return None
