"""Processes that work together, forked from a test."""

import multiprocessing
import os
import socket
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple

import torch

from spacy_tokclf.runtime.group import ADDRESS, LOCAL_RANK, RANK, SIZE


class Outcome(NamedTuple):
    """What became of a process.

    value (Any): What the function gave.
    error (str): What it raised; empty if nothing.
    exitcode (int): The exit code, negative after a signal.
    """

    value: Any
    error: str
    exitcode: int


def free_port() -> int:
    """Give a port that nobody listens to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(rank: int, size: int, port: int) -> dict[str, str]:
    """Give what torchrun sets for a process on the machine of the first one."""
    found = {RANK: rank, LOCAL_RANK: rank, SIZE: size, ADDRESS[0]: "127.0.0.1", ADDRESS[1]: port}
    return {name: str(value) for name, value in found.items()}


def run_together(function: Callable[[int], Any], *, size: int = 2) -> list[Outcome]:
    """Run a function in some processes at once, with the environment that torchrun gives them, and one thread each.

    function (Callable[[int], Any]): Gets the number of its process, and gives something that can be pickled.
    size (int): The number of processes.
    RETURNS (list[Outcome]): What became of each.
    """
    port = free_port()
    context = multiprocessing.get_context("fork")
    found = []
    for rank in range(size):
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(function, rank, size, port, sender), daemon=True)
        process.start()
        sender.close()
        found.append((process, receiver))
    outcomes = []
    for process, receiver in found:
        try:
            value, error = receiver.recv() if receiver.poll(120) else (None, "It hangs.")
        except EOFError:
            value, error = None, "It ended without a word."
        process.join(30)
        outcomes.append(Outcome(value, error, process.exitcode))
    return outcomes


def values_of(outcomes: list[Outcome]) -> list[Any]:
    """Give what processes gave, none of which may have failed."""
    assert not [each.error for each in outcomes if each.error], "\n".join(each.error for each in outcomes)
    return [each.value for each in outcomes]


def _work(function: Callable[[int], Any], rank: int, size: int, port: int, sender: Any) -> None:
    os.environ.update(environment(rank, size, port))
    torch.set_num_threads(1)
    value, error = None, ""
    try:
        value = function(rank)
    except BaseException as raised:  # noqa: BLE001 (it is told)
        error = f"{raised}" if str(raised).startswith("[TC") else traceback.format_exc()
    sender.send((value, error))
