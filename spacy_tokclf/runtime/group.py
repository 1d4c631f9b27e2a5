"""The processes that do one work together: who they are, and what they tell each other. torchrun starts them, and
torch.distributed connects them: Gloo on CPUs, NCCL between GPUs."""

import contextlib
import os
import socket
import struct
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from ..errors import Errors
from .blame import short

if TYPE_CHECKING:
    import torch

#: What torchrun sets for each process that it starts.
RANK, SIZE, LOCAL_RANK = "RANK", "WORLD_SIZE", "LOCAL_RANK"
ADDRESS = ("MASTER_ADDR", "MASTER_PORT")
#: Seconds that are waited for a process whose connection was lost to be gone.
PATIENCE = 5.0


class Member(NamedTuple):
    """A process of a group.

    host (str): Its machine.
    pid (int): Its number there.
    """

    host: str
    pid: int


class Group:
    """Some processes that do the same work, each with a share of it. Each of them calls the same methods in the same
    order, and waits for the others in each.

    rank (int): This process, from 0.
    size (int): The number of processes.
    local_rank (int): This process among those of its machine, from 0.
    """

    def __init__(self, rank: int = 0, size: int = 1, local_rank: int = 0) -> None:
        """rank, size, local_rank: As above."""
        self.rank, self.size, self.local_rank = rank, size, local_rank
        self.members = [Member(socket.gethostname(), os.getpid())]

    @property
    def is_first(self) -> bool:
        """RETURNS (bool): Whether this process does what is done once: logging, saving."""
        return self.rank == 0

    @property
    def is_alone(self) -> bool:
        """RETURNS (bool): Whether there are no others."""
        return self.size == 1

    def meet(self) -> None:
        """Let the others know where each process is. RAISES (ConnectionError): TC542, if one is gone."""
        told = self.collect(f"{socket.gethostname()} {os.getpid()}".encode())
        self.members = [Member(host, int(pid)) for host, pid in (each.decode().split() for each in told)]

    def sum(self, tensor: "torch.Tensor") -> None:
        """Add up the tensors of all processes, in place: the same bits in each.

        tensor (torch.Tensor): Of the same shape everywhere.
        RAISES (ConnectionError): TC542, if a process is gone.
        """
        if not self.is_alone:
            import torch.distributed as dist

            with self._naming():
                dist.all_reduce(tensor)

    def start_sum(self, tensor: "torch.Tensor") -> "Pending":
        """Begin to add up, without waiting.

        tensor (torch.Tensor): As for `sum`; of no use until the sum is there.
        RETURNS (Pending): Waits for it.
        """
        import torch.distributed as dist

        with self._naming():
            return Pending(self, dist.all_reduce(tensor, async_op=True))

    def largest(self, number: int) -> int:
        """RETURNS (int): The largest of the numbers that the processes have. RAISES (ConnectionError): TC542."""
        if self.is_alone:
            return number
        import torch
        import torch.distributed as dist

        with self._naming():
            found = torch.tensor([number])
            dist.all_reduce(found, dist.ReduceOp.MAX)
        return int(found)

    def collect(self, data: bytes) -> list[bytes]:
        """Give every process what all of them have.

        data (bytes): What this process has.
        RETURNS (list[bytes]): What each has.
        RAISES (ConnectionError): TC542, if a process is gone.
        """
        if self.is_alone:
            return [data]
        import torch
        import torch.distributed as dist

        with self._naming():
            sizes = [torch.zeros(1, dtype=torch.int64) for _ in range(self.size)]
            dist.all_gather(sizes, torch.tensor([len(data)]))
            longest = max(int(size) for size in sizes)
            if not longest:
                return [b""] * self.size
            own = torch.zeros(longest, dtype=torch.uint8)
            own[: len(data)] = torch.frombuffer(bytearray(data), dtype=torch.uint8) if data else own[:0]
            found = [torch.zeros(longest, dtype=torch.uint8) for _ in range(self.size)]
            dist.all_gather(found, own)
        return [each.numpy().tobytes()[: int(size)] for each, size in zip(found, sizes, strict=True)]

    def of_first(self, data: bytes = b"") -> bytes:
        """Give every process what the first one has.

        data (bytes): What it has; of the others, nothing is asked.
        RETURNS (bytes): The same everywhere.
        RAISES (ConnectionError): TC542, if a process is gone.
        """
        return self.collect(data if self.is_first else b"")[0]

    def number_of_first(self, number: float) -> float:
        """RETURNS (float): The number that the first process has, in all. RAISES (ConnectionError): TC542."""
        return float(struct.unpack("<d", self.of_first(struct.pack("<d", number)))[0])

    def tensor_of_first(self, tensor: "torch.Tensor") -> "torch.Tensor":
        """Give every process a tensor of the first one, in place.

        tensor (torch.Tensor): Of the same shape and kind everywhere, in the memory of the CPU.
        RETURNS (torch.Tensor): The same tensor.
        RAISES (ConnectionError): TC542, if a process is gone.
        """
        if not self.is_alone:
            import torch.distributed as dist

            with self._naming():
                dist.broadcast(tensor, 0)
        return tensor

    def wait(self) -> None:
        """Wait for all processes. RAISES (ConnectionError): TC542, if one is gone."""
        self.largest(0)

    @contextlib.contextmanager
    def _naming(self) -> Iterator[None]:
        """Say which process is gone, where torch says that a connection is lost. RAISES (ConnectionError): TC542."""
        try:
            yield
        except RuntimeError as error:
            gone = self._find_gone()
            who = " and ".join(gone) or "One of the other processes, or the connection to it,"
            raise ConnectionError(
                Errors.TC542.format(who=who, rank=self.rank, detail=short(error, limit=200))
            ) from error

    def _find_gone(self) -> list[str]:
        """Find which processes of this machine have ended. Those of others cannot be seen from here."""
        end = time.monotonic() + PATIENCE
        own = socket.gethostname()
        others = [(rank, each) for rank, each in enumerate(self.members) if rank != self.rank and each.host == own]
        while others:
            gone = [f"Process {rank} (pid {each.pid} on {each.host})" for rank, each in others if _is_gone(each.pid)]
            if gone or time.monotonic() > end:
                return gone
            time.sleep(0.05)
        return []


class Pending:
    """A sum that is being made."""

    def __init__(self, group: Group, work: "torch.distributed.Work | None") -> None:
        """group (Group): The processes. work (Work | None): What torch gave."""
        self._group, self._work = group, work

    def wait(self) -> None:
        """Wait for the sum; on a GPU what comes next waits for it. RAISES (ConnectionError): TC542."""
        if self._work is not None:
            with self._group._naming():
                self._work.wait()


#: A process that works alone.
ALONE = Group()
_joined: Group | None = None
_count = 0


def is_one_of_several() -> bool:
    """RETURNS (bool): Whether torchrun has started this process beside others."""
    return os.environ.get(SIZE, "1") != "1" and RANK in os.environ


def local_rank() -> int:
    """RETURNS (int): This process among those that torchrun has started on this machine, from 0. It need not join."""
    told = os.environ.get(LOCAL_RANK, "")
    return int(told) if is_one_of_several() and told.isdecimal() else 0


@contextlib.contextmanager
def joined() -> Iterator[Group]:
    """Join the processes that torchrun has started, for as long as they work together. Without torchrun, a process
    works alone.

    YIELDS (Group): The processes; if this one has joined already, the same as before.
    RAISES (ValueError): TC540, if what torchrun tells is not complete; TC541, if the processes cannot be connected.
    """
    global _joined, _count
    if _joined is not None or not is_one_of_several():
        yield _joined or ALONE
        return
    import torch.distributed as dist

    group = _read_environment()
    if dist.is_initialized():
        raise ValueError(Errors.TC541.format(rank=group.rank, detail="this process is connected to others already."))
    _count += 1
    try:
        store, *_ = next(dist.rendezvous("env://"))
        own = dist.PrefixStore(f"{_count}", store)  # torchrun's store has the addresses of earlier groups, too
        backend = "cpu:gloo,cuda:nccl" if _has_nccl() else "gloo"
        dist.init_process_group(backend, store=own, rank=group.rank, world_size=group.size)
    except (RuntimeError, ValueError, OSError) as error:
        raise ValueError(Errors.TC541.format(rank=group.rank, detail=short(error, limit=300))) from error
    _joined = group
    try:
        group.meet()
        yield group
    finally:
        _joined = None
        dist.destroy_process_group()


def _read_environment() -> Group:
    """RETURNS (Group): What torchrun says. RAISES (ValueError): TC540."""
    missing = [name for name in (RANK, SIZE, *ADDRESS) if not os.environ.get(name)]
    if missing:
        raise ValueError(Errors.TC540.format(detail=f"{', '.join(missing)} is not set"))
    try:
        rank, size = int(os.environ[RANK]), int(os.environ[SIZE])
        local = int(os.environ.get(LOCAL_RANK, rank))
    except ValueError as error:
        raise ValueError(Errors.TC540.format(detail=error)) from error
    if not 0 <= rank < size or local < 0:
        raise ValueError(Errors.TC540.format(detail=f"process {rank} of {size}"))
    return Group(rank, size, local)


def _has_nccl() -> bool:
    import torch
    import torch.distributed as dist

    return torch.cuda.is_available() and dist.is_nccl_available()


def _is_gone(pid: int) -> bool:
    """Tell whether a process of this machine has ended; one that nobody has asked for its exit code is still listed."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] in (b"Z", b"X")
    except (OSError, IndexError):
        return False
