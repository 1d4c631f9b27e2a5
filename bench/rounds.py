"""Rounds of measurement, from the parent process: every system in its own worker process, one after the other in each
round."""

import json
import os
import subprocess
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import cache
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
        RAISES (RuntimeError): If the process has ended instead.
        """
        line = self.process.stdout.readline()
        if not line:
            said = self.log.read_text(encoding="utf8").splitlines()[-LAST_LINES:]
            raise RuntimeError("\n".join([f"{self.system.key} failed; the end of {self.log}:", *said]))
        answer: dict[str, Any] = json.loads(line)
        return answer

    def round(self, number: int) -> dict[str, Any]:
        """Ask for a round.

        number (int): Of the round, from 0.
        RETURNS (dict[str, Any]): What it measured.
        """
        self.process.stdin.write(json.dumps({"round": number}) + "\n")
        self.process.stdin.flush()
        return self.hear()


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
    systems: Sequence[System], setting: Setting, *, note: Callable[[dict[str, Any]], str]
) -> dict[str, list[dict[str, Any]]]:
    """Measure systems in interleaved rounds: all warm up first, then each does one piece of work a round, and every
    round begins with another system.

    systems (Sequence[System]): The systems.
    setting (Setting): The setting.
    note (Callable[[dict[str, Any]], str]): What to print of an answer.
    RETURNS (dict[str, list[dict[str, Any]]]): By the system's key: what it said of itself, then a result a round.
    """
    answers: dict[str, list[dict[str, Any]]] = {}
    with ExitStack() as stack:
        workers = []
        for system in systems:
            worker = stack.enter_context(Worker(system, setting))
            answers[system.key] = [worker.hear()]
            workers.append(worker)
            msg.text(f"ready: {system.key}")
        for number in range(setting.rounds):
            turn = number % max(len(workers), 1)
            for worker in [*workers[turn:], *workers[:turn]]:
                result = worker.round(number)
                answers[worker.system.key].append(result)
                msg.text(f"round {number + 1} of {setting.rounds}: {worker.system.key}: {note(result)}")
    return answers
