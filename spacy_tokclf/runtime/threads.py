"""Threads: whole shards of a batch on one thread each, which wait for each other less often than the threads of every
single operation do; and how many threads there may be."""

import contextlib
import functools
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, TypeVar

from ..errors import Errors

if TYPE_CHECKING:
    import torch

T = TypeVar("T")


def count_threads(device: "torch.device") -> int:
    """Say how many jobs `run_parallel` does at a time.

    device (torch.device): Where the work is done.
    RETURNS (int): On a CPU, as many as torch uses threads; 1 elsewhere.
    """
    import torch

    return torch.get_num_threads() if device.type == "cpu" else 1


def run_parallel(jobs: Sequence[Callable[[], T]], device: "torch.device") -> list[T]:
    """Do independent jobs: on a CPU at the same time, each with its share of torch's threads; elsewhere one after the
    other. They run in torch's modes of the calling thread (inference mode, whether gradients are recorded).

    jobs (Sequence[Callable[[], T]]): The jobs. None of them calls `run_parallel`.
    device (torch.device): Where the work is done.
    RETURNS (list[T]): What they gave, in their order. An error of a job is raised once all have ended.
    """
    import torch

    threads = count_threads(device)
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
    """Start workers with a share of the threads each. A forked process, which has none of its parent's, starts others.

    Torch keeps the number of threads for each thread and, for threads to come, for the process: that is put back. A
    thread takes the process's number when it first asks, and after that its own.
    """
    import torch

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


@contextlib.contextmanager
def one_thread_in_workers(device: "torch.device") -> Iterator[None]:
    """In a worker of `nlp.pipe(n_process=...)` use one thread for a while: workers share the cores, and OpenMP's
    threads do not survive a fork. The worker's own setting is put back afterwards.

    device (torch.device): Where the work is done.
    RAISES (ValueError): TC016, in a forked process if that is a GPU.
    """
    import torch

    worker = multiprocessing.parent_process() is not None
    if worker and device.type == "cuda" and multiprocessing.get_start_method() == "fork":
        raise ValueError(Errors.TC016.format(device=device))
    threads = torch.get_num_threads()
    if not worker or threads == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def cpu_threads() -> int:
    """Say how many threads another runtime (ONNX Runtime) may use: one in a worker of `nlp.pipe(n_process=...)`, else
    what OMP_NUM_THREADS says, else the cores that this process may run on.

    RETURNS (int): At least 1.
    """
    if multiprocessing.parent_process() is not None:
        return 1
    given = os.environ.get("OMP_NUM_THREADS", "")
    if given.isdigit():
        return max(1, int(given))
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
