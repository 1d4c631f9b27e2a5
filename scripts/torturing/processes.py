"""Kill one of the processes of a torchrun training at random moments: the others end within 30 seconds and name it, and
in the end, after going on each time, the pipelines are those of a training that nobody disturbed, bit by bit.

    python scripts/torture.py processes --times 10 --steps 200 --texts 1000
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from trainings import differences

from . import train

#: Seconds in which all have to be at their end.
LIMIT = 30
#: What of the environment torchrun itself does without.
LAUNCH = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command line."""
    train.add_options(parser)
    parser.add_argument("--workers", type=int, default=2, help="Processes of the training")


def run(options: argparse.Namespace) -> Counter[str]:
    """RETURNS (Counter[str]): How often there was what."""
    draws = random.Random(options.seed)
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="torture-") as name:
        folder = Path(name)
        command = _command(options, folder)
        start = time.monotonic()
        _end(_begin(command, folder / "whole", folder / "log.txt"), folder / "log.txt")
        seconds = time.monotonic() - start
        number = 0
        while (left := options.times - outcomes.total()) > 0:
            out = folder / f"killed-{number}"
            outcomes += _torment(command, out, left, seconds, draws)
            found = differences(folder / "whole", out)
            if found:
                print(f"FINDING: training {number}: {'; '.join(found[:5])}", flush=True)
                outcomes["FINDING: another training"] += 1
            number += 1
    print(f"{number} training(s) went to their end")
    return outcomes


def _command(options: argparse.Namespace, folder: Path) -> list[str]:
    """Write the data. RETURNS (list[str]): The command, without the folder of the training."""
    config, values = train._prepare(options, folder)
    overrides = [part for key, value in values.items() for part in (f"--{key}", _as_word(value))]
    own = ["spacy", "tokclf", "train", str(config), "OUT", "--resume"]
    own += ["--checkpoint-steps", str(options.checkpoint_steps), *overrides]
    return [sys.executable, *LAUNCH, str(options.workers), "-m", *own]


def _as_word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _begin(command: list[str], out: Path, log: Path) -> "subprocess.Popen[bytes]":
    words = [str(out) if word == "OUT" else word for word in command]
    with log.open("wb") as file:
        return subprocess.Popen(words, stdout=file, stderr=file, start_new_session=True)


def _end(process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait for a training that nobody disturbs. RAISES (RuntimeError): If it failed."""
    if process.wait():
        raise RuntimeError(f"A training failed:\n{log.read_text(encoding='utf-8')[-3000:]}")


def _torment(command: list[str], out: Path, times: int, seconds: float, draws: random.Random) -> Counter[str]:
    """Kill a process up to so many times, going on each time. RETURNS (Counter[str]): What became of the others."""
    outcomes: Counter[str] = Counter()
    log = out.with_suffix(".txt")
    for _ in range(times):
        process = _begin(command, out, log)
        try:
            process.wait(draws.uniform(0.2, 0.9) * seconds)
            break  # it was at its end before
        except subprocess.TimeoutExpired:
            pass
        workers = _children(process.pid)
        if not workers:
            _end(process, log)
            break
        victim = draws.choice(workers)
        os.kill(victim, signal.SIGKILL)
        outcomes[_judge(process, victim, log)] += 1
    else:
        _end(_begin(command, out, log), log)
    return outcomes


def _judge(process: "subprocess.Popen[bytes]", victim: int, log: Path) -> str:
    """RETURNS (str): What became of the processes that were left."""
    start = time.monotonic()
    try:
        code = process.wait(LIMIT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        print(f"FINDING: still there after {LIMIT} s\n{log.read_text(encoding='utf-8')[-2000:]}", flush=True)
        return "FINDING: they did not end"
    took = time.monotonic() - start
    text = log.read_text(encoding="utf-8")
    print(f"killed {victim}, all at their end after {took:.1f} s", flush=True)
    if not code:
        print("FINDING: exit code 0", flush=True)
        return "FINDING: exit code 0"
    if "[TC542]" in text and f"(pid {victim} on " in " ".join(text.split()):
        return "ended by themselves, and named the process"
    if f"(pid: {victim})" in text:
        return "ended before they were connected; torchrun named the process"
    print(f"FINDING: no name\n{text[-2000:]}", flush=True)
    return "FINDING: the process is not named"


def _children(pid: int) -> list[int]:
    """RETURNS (list[int]): The processes that torchrun has started."""
    found = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        found += [int(word) for word in path.read_text().split()]
    return [child for child in found if b"tokclf" in Path(f"/proc/{child}/cmdline").read_bytes()]
