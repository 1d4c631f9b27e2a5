"""Work shared among the cores: whole parts of a batch each on their own, which wait for each other less often than the
threads of every single operation do."""

import functools
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, TypeVar

from ..device import share_memory

if TYPE_CHECKING:
    import torch

T = TypeVar("T")


def count_cores(device: "torch.device") -> int:
    """Say how many parts can be worked on at a time.

    device (torch.device): Where the work is done.
    RETURNS (int): On a CPU, as many as torch uses threads; 1 elsewhere.
    """
    import torch

    return torch.get_num_threads() if device.type == "cpu" else 1


def together(jobs: Sequence[Callable[[], T]], device: "torch.device") -> list[T]:
    """Do independent jobs: on a CPU at the same time, each with its share of torch's threads; elsewhere one after the
    other. Those of torch's modes that belong to a thread (whether gradients are recorded) are those of the calling
    thread.

    jobs (Sequence[Callable[[], T]]): The jobs. None of them calls `together`.
    device (torch.device): Where the work is done.
    RETURNS (List[T]): What they gave, in their order. An error of a job is raised once all have ended.
    """
    import torch

    threads = count_cores(device)
    workers = min(len(jobs), threads)
    if workers < 2:
        return [job() for job in jobs]
    inference, grad = torch.is_inference_mode_enabled(), torch.is_grad_enabled()

    def run(job: Callable[[], T]) -> T:
        with torch.inference_mode(inference), torch.set_grad_enabled(grad):
            return job()

    futures = [_pool(os.getpid(), workers, threads).submit(run, job) for job in jobs]
    for future in futures:
        future.exception()
    return [future.result() for future in futures]


@functools.lru_cache(maxsize=4)
def _pool(process: int, workers: int, threads: int) -> ThreadPoolExecutor:
    """Start workers with a share of the threads each. A forked process, which has none of its parent's, starts its own.

    Torch keeps the number of threads for each thread and, for threads to come, for the process: that is put back. A
    thread takes the process's number when it first asks, and after that its own.
    """
    import torch

    share_memory()
    ready = Barrier(workers + 1)

    def begin() -> None:
        torch.get_num_threads()
        torch.set_num_threads(threads // workers)
        ready.wait()

    pool = ThreadPoolExecutor(workers, thread_name_prefix="spacy-tokclf", initializer=begin)
    for _ in range(workers):
        pool.submit(bool)
    ready.wait()
    torch.set_num_threads(threads)
    return pool
