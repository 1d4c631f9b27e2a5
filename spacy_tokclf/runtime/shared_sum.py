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
    """A row of numbers for each process.

    capacity (int): The numbers of a row.
    """

    def __init__(self, group: Group, memory: mmap.mmap, capacity: int) -> None:
        """group (Group): The processes. memory (mmap): The rows, below each other. capacity (int): As above."""
        import torch

        self.capacity = capacity
        self._group = group
        self._sizes: list[int] = []
        self._rows = torch.from_numpy(np.frombuffer(memory, dtype="float32").reshape(group.size, capacity))

    def run(self, parts: "list[torch.Tensor]") -> None:
        """Add up what all processes have, in place, and in the order of their numbers: the same bits in each. Every
        tensor is added up by one process, which the others give theirs to, and get the sum from.

        parts (list[torch.Tensor]): Tensors of float32 in the memory of the CPU, of the same shapes everywhere.
        RAISES (ConnectionError): TC542, if a process is gone.
        """
        rank, sizes = self._group.rank, [part.numel() for part in parts]
        if sizes != self._sizes:
            self._group.wait()  # others may still read what lies elsewhere now
        self._sizes = sizes
        owners = share_out(sizes, self._group.size)
        pieces = [row[: sum(sizes)].split(sizes) for row in self._rows]
        rows = [[piece.view(part.shape) for piece, part in zip(row, parts, strict=True)] for row in pieces]
        for index, part in enumerate(parts):
            if owners[index] != rank:
                rows[rank][index].copy_(part)
        self._group.wait()
        for index, part in enumerate(parts):
            if owners[index] == rank:
                _add_in_order(part, [row[index] for row in rows], rank)
                rows[rank][index].copy_(part)
        self._group.wait()
        for index, part in enumerate(parts):
            if owners[index] != rank:
                part.copy_(rows[owners[index]][index])


def share_out(sizes: list[int], processes: int) -> list[int]:
    """Share tensors out, so that all processes have about as many numbers.

    sizes (list[int]): Numbers in each tensor.
    processes (int): The number of processes.
    RETURNS (list[int]): The process of each tensor.
    """
    owners, loads = [0] * len(sizes), [0] * processes
    for index in sorted(range(len(sizes)), key=lambda index: -sizes[index]):
        owners[index] = loads.index(min(loads))
        loads[owners[index]] += sizes[index]
    return owners


def _add_in_order(part: "torch.Tensor", rows: "list[torch.Tensor]", rank: int) -> None:
    """Add to a tensor those of the other processes, as if from the first to the last."""
    if rank:
        before = rows[0]
        for row in rows[1:rank]:
            before = before + row
        part += before
    for row in rows[rank + 1 :]:
        part += row


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
    size = _BYTES * capacity * group.size
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
