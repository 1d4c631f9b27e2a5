"""Make up inputs of every kind and judge what becomes of them: each is taken as it is meant, or refused by a code.
Prints how many there were of each kind and what became of them, and exits with 1 if there are findings, each of which
is printed with the command that shows it again.

    python scripts/fuzz.py --minutes 10 --processes 2
    python scripts/fuzz.py --kinds tags,windows --inputs 100000
"""

import argparse
import multiprocessing
import random
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent / "tests" / "helpers")]

#: The kinds, and how many of a thousand inputs are of each: of those that are judged in memory there are more.
KINDS = {
    "data": 50,
    "docbins": 60,
    "rows": 200,
    "tags": 250,
    "windows": 200,
    "decoding": 235,
    "checkpoints": 5,
}
#: Seconds that one input may take; most take less than a thousandth of one.
PATIENCE = 10
#: After so many findings it is clear that something is wrong.
ENOUGH = 50


class Finding(NamedTuple):
    """An input that went wrong: its kind, the number that it is drawn by, and the error."""

    kind: str
    number: int
    error: str


class Plan(NamedTuple):
    """What to do: the kinds, how many inputs in all from which number on, for how many seconds, and the seed."""

    kinds: Sequence[str]
    inputs: int
    seconds: float
    seed: int = 0
    first: int = 0


class Tally:
    """What became of the inputs, and those that went wrong."""

    def __init__(self) -> None:
        """Start at zero."""
        self.counts: Counter[tuple[str, str]] = Counter()
        self.findings: list[Finding] = []

    def judge(self, kind: str, number: int, seed: int, folder: Path) -> None:
        """Draw one input by its number, and judge it."""
        rng = random.Random(f"{seed} {kind} {number}")
        try:
            with at_most(PATIENCE):
                outcome = judge_of(kind)(rng, folder)
        except Exception:  # noqa: BLE001 anything is what is looked for
            outcome = "FINDING"
            self.findings.append(Finding(kind, number, traceback.format_exc(limit=-6)))
        self.counts[kind, outcome] += 1

    def add(self, other: "Tally") -> None:
        """Take over what another process found."""
        self.counts += other.counts
        self.findings += other.findings


def judge_of(kind: str) -> Callable[[random.Random, Path], str]:
    """Look up how inputs of a kind are drawn and judged."""
    return import_module(f"fuzzing.{kind}").judge  # type: ignore[no-any-return]


def prepare(kind: str) -> None:
    """Import a kind, and make what all its inputs need, which takes longer than an input may."""
    getattr(import_module(f"fuzzing.{kind}"), "prepare", lambda: None)()


@contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """Stop what takes too long: so many seconds of a processor, or, where it waits, ten times as many of the clock."""

    def late(*_: object) -> None:
        raise TimeoutError(f"not done in {seconds} seconds")

    timers = {signal.SIGPROF: (signal.ITIMER_PROF, seconds), signal.SIGALRM: (signal.ITIMER_REAL, 10 * seconds)}
    before = {number: signal.signal(number, late) for number in timers}
    for timer, limit in timers.values():
        signal.setitimer(timer, limit)
    try:
        yield
    finally:
        for timer, _ in timers.values():
            signal.setitimer(timer, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def work(plan: Plan, process: int = 0, processes: int = 1, now: Any = None) -> Tally:
    """Judge every n-th input of a plan: a few of each kind in turns, so that all had theirs whenever the time is up.
    Which kind and number it is at is noted in `now`."""
    now = [0, 0] if now is None else now
    tally, end = Tally(), time.monotonic() + plan.seconds
    total = sum(KINDS[kind] for kind in plan.kinds)
    done = dict.fromkeys(plan.kinds, 0)
    goals = {kind: -(-plan.inputs * KINDS[kind] // total) for kind in plan.kinds}
    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for kind in plan.kinds:
            prepare(kind)
        while any(done[kind] < goals[kind] for kind in plan.kinds):
            for kind in plan.kinds:
                for number in range(done[kind], min(done[kind] + KINDS[kind], goals[kind])):
                    if number % processes == process:
                        now[:] = [plan.kinds.index(kind), plan.first + number]
                        tally.judge(kind, plan.first + number, plan.seed, Path(name))
                done[kind] = min(done[kind] + KINDS[kind], goals[kind])
                if time.monotonic() > end or len(tally.findings) > ENOUGH:
                    return tally
    return tally


def work_together(plan: Plan, processes: int) -> Tally:
    """Share a plan between processes. Where one dies, what it was at is the finding."""
    tally, running = Tally(), []
    for process in range(processes):
        now = multiprocessing.Array("q", 2)
        ours, theirs = multiprocessing.Pipe(duplex=False)
        worker = multiprocessing.Process(target=send_work, args=(theirs, plan, process, processes, now))
        worker.start()
        theirs.close()
        running.append((worker, ours, now))
    for worker, ours, now in running:
        try:
            tally.add(ours.recv())
        except EOFError:
            worker.join()
            tally.findings.append(Finding(plan.kinds[now[0]], now[1], f"the process died: {worker.exitcode}\n"))
        worker.join()
    return tally


def send_work(to: Connection, plan: Plan, process: int, processes: int, now: Sequence[int]) -> None:
    """Do what a process does, and send what came out."""
    to.send(work(plan, process, processes, now))


def report(tally: Tally, seed: int) -> None:
    """Print what became of the inputs."""
    for kind in sorted({kind for kind, _ in tally.counts}):
        own = {outcome: n for (name, outcome), n in tally.counts.items() if name == kind}
        outcomes = ", ".join(f"{outcome} {n}" for outcome, n in sorted(own.items(), key=lambda item: -item[1]))
        print(f"{kind}: {sum(own.values())} inputs: {outcomes}")
    for kind, number, error in tally.findings:
        print(f"\n--- python scripts/fuzz.py --kinds {kind} --seed {seed} --first {number} --inputs 1\n{error}")
    print(f"{tally.counts.total()} inputs, {len(tally.findings)} findings")


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", default=",".join(KINDS), help="which kinds, of " + ", ".join(KINDS))
    parser.add_argument("--minutes", type=float, default=10.0, help="how long at most")
    parser.add_argument("--inputs", type=int, default=200_000, help="how many inputs at most")
    parser.add_argument("--processes", type=int, default=2, help="how many processes")
    parser.add_argument("--seed", type=int, default=0, help="another seed makes other inputs")
    parser.add_argument("--first", type=int, default=0, help="number of the first input of each kind")
    args = parser.parse_args()
    kinds = args.kinds.split(",")
    if unknown := set(kinds) - KINDS.keys():
        parser.error(f"no such kind: {', '.join(sorted(unknown))}")
    plan = Plan(kinds, args.inputs, args.minutes * 60, args.seed, args.first)
    tally = work_together(plan, max(1, min(args.processes, args.inputs)))
    report(tally, args.seed)
    return int(bool(tally.findings))


if __name__ == "__main__":
    sys.exit(main())
