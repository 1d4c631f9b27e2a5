"""Rounds of measurement, from the parent process: every system in its own worker process, one after the other in each
round."""

import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

from wasabi import msg

from .system import ROOT, Setting, System

LAST_LINES = 30
ASK = """
import json, sys
from importlib.metadata import PackageNotFoundError, version
def has(name):
    try: return bool(version(name))
    except PackageNotFoundError: return False
print(json.dumps([name for name in sys.argv[1:] if not has(name)]))
"""


class Worker:
    """The worker process of a system."""

    def __init__(self, system: System, setting: Setting) -> None:
        self.system = system
        self.until = setting.until
        letters = "".join(letter if letter.isalnum() else "_" for letter in system.key)
        self.log = setting.work / "logs" / f"{letters}.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        command = [
            str(setting.python(system.environment)),
            "-m",
            "bench.serve",
            system.target,
            json.dumps(system.options),
        ]
        with self.log.open("w", encoding="utf8") as log:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=variables(setting),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def hear(self) -> dict[str, Any]:
        """Wait for the next answer.

        RETURNS (dict[str, Any]): The answer.
        RAISES (RuntimeError): If the process has ended instead, or its time is over.
        """
        with ending(self.process, self.until):
            line = self.process.stdout.readline()
        if not line:
            said = self.log.read_text(encoding="utf8").splitlines()[-LAST_LINES:]
            raise RuntimeError("\n".join([f"{self.system.key} failed; the end of {self.log}:", *said]))
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, number: int) -> None:
        """Ask for a round, and do not wait for it.

        number (int): Of the round, from 0.
        """
        self.process.stdin.write(json.dumps({"round": number}) + "\n")
        self.process.stdin.flush()

    def round(self, number: int) -> dict[str, Any]:
        """Ask for a round.

        number (int): Of the round, from 0.
        RETURNS (dict[str, Any]): What it measured.
        """
        self.ask(number)
        return self.hear()


@contextmanager
def ending(process: subprocess.Popen[str], until: float | None) -> Iterator[None]:
    """End a process if it takes too long.

    process (Popen): The process.
    until (float | None): When, by `time.monotonic`; None: never.
    """
    timer = threading.Timer(max(0.0, (until or 0.0) - time.monotonic()), process.kill)
    if until is not None:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


def variables(setting: Setting) -> dict[str, str]:
    """RETURNS (dict[str, str]): The environment variables of every system: no hub, and as many threads for all."""
    given = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "true"}
    if setting.threads:
        given |= {name: str(setting.threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")}
    return {**os.environ, **given}


@cache
def missing(python: Path, needs: tuple[str, ...]) -> str:
    """Say what an environment lacks.

    python (Path): Its Python.
    needs (tuple[str, ...]): Distributions.
    RETURNS (str): What is missing; empty if nothing is.
    """
    if not python.is_file():
        return f"{python} is not there"
    done = subprocess.run([str(python), "-c", ASK, *needs], capture_output=True, text=True, check=True)
    absent = json.loads(done.stdout)
    return f"{', '.join(absent)} not installed for {python}" if absent else ""


def wanted(systems: Sequence[System], setting: Setting) -> list[System]:
    """Leave out what is not asked for, and, with a word about it, what cannot run here.

    systems (Sequence[System]): All systems of a work.
    setting (Setting): The setting.
    RETURNS (list[System]): Those to measure.
    """
    kept = []
    for system in systems:
        if not setting.wants(system):
            continue
        lack = missing(setting.python(system.environment), ("spacy-tokclf", *system.needs))
        if lack:
            msg.warn(f"Skipped: {system.key}", f"{lack}. `make bench-env` makes the environments.")
        else:
            kept.append(system)
    return kept


def run_rounds(
    systems: Sequence[System],
    setting: Setting,
    *,
    note: Callable[[dict[str, Any]], str],
    failed: dict[str, str] | None = None,
) -> dict[str, list[dict[str, Any]]]:
    """Measure systems in interleaved rounds: all warm up first, then each does one piece of work a round, and every
    round begins with another system.

    systems (Sequence[System]): The systems.
    setting (Setting): The setting.
    note (Callable[[dict[str, Any]], str]): What to print of an answer.
    failed (dict[str, str] | None): If given, all systems warm up at the same time; one that fails or takes too long is
        noted here, with the reason, and does no more rounds; and no round begins that would take too long.
    RETURNS (dict[str, list[dict[str, Any]]]): By the system's key: what it said of itself, then a result a round.
    """
    answers: dict[str, list[dict[str, Any]]] = {}

    def heard(worker: Worker, answer: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
        try:
            return answer()
        except (RuntimeError, OSError) as error:  # it has ended, or its pipe has
            if failed is None:
                raise
            failed[worker.system.key] = str(error)
            msg.warn(f"Failed: {worker.system.key}", str(error))
            return None

    with ExitStack() as stack:
        workers = []
        begun = (stack.enter_context(Worker(system, setting)) for system in systems)
        for worker in begun if failed is None else list(begun):
            about = heard(worker, worker.hear)
            if about is not None:
                answers[worker.system.key] = [about]
                workers.append(worker)
                msg.text(f"ready: {worker.system.key}")
        taken = 0.0
        for number in range(setting.rounds):
            start = time.monotonic()
            if failed is not None and number and setting.until is not None and start + taken > setting.until:
                msg.warn(f"There is no time for round {number + 1} of {setting.rounds}")
                break
            turn = number % max(len(workers), 1)
            for worker in [*workers[turn:], *workers[:turn]]:
                result = heard(worker, partial(worker.round, number))
                if result is None:
                    workers.remove(worker)
                    continue
                answers[worker.system.key].append(result)
                msg.text(f"round {number + 1} of {setting.rounds}: {worker.system.key}: {note(result)}")
            taken = time.monotonic() - start
    return {key: said for key, said in answers.items() if failed is None or len(said) > 1}
