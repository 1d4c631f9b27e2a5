"""Kill a whole run of `annotate --engine` at random moments, and go on with it each time: in the end every byte is that
of a run that nobody disturbed, and what was done before a kill was not touched.

    python scripts/torture.py annotate --times 10
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import spacy
from tiny_encoders import write_encoder

from spacy_tokclf.annotation.shards.manifest import MANIFEST

WORDS = ["Ada", "Lovelace", "flew", "to", "New", "York", "with", "Bob", "and", "Zoë", "who", "is", "not", "so", "nice"]
#: Half of a character: a text that fails.
BROKEN = "\ud800"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command line."""
    parser.add_argument("--engine", default="local", help="local or ray")
    parser.add_argument("--workers", type=int, default=2, help="Processes of a run")
    parser.add_argument("--posts", type=int, default=4000, help="Rows of the corpus")
    parser.add_argument("--shard-rows", type=int, default=100, help="Rows of a shard")


def run(options: argparse.Namespace) -> Counter[str]:
    """RETURNS (Counter[str]): How often there was what."""
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="torture-") as name:
        folder = Path(name)
        command = prepare(folder, options, rng)
        start = time.monotonic()
        subprocess.run([*command, "-o", str(folder / "whole"), "--workers", "1"], check=True)
        seconds = time.monotonic() - start
        found: Counter[str] = Counter()
        before: dict[str, int] = {}
        for turn in range(options.times):
            # At any moment, the start included; and soon after some shards were done.
            shards, wait = (0, rng.uniform(0, seconds)) if turn % 2 else (rng.randint(1, 4), rng.uniform(0, 0.1))
            ended = kill_at_random([*command, "-o", str(folder / "out")], folder / "out", options.workers, shards, wait)
            found["killed" if ended else "done before it was killed"] += 1
            found += check_untouched(folder / "out", before)
            before = done(folder / "out")
        subprocess.run([*command, "-o", str(folder / "out"), "--workers", str(options.workers)], check=True)
        found += check_untouched(folder / "out", before)
        same = contents(folder / "out") == contents(folder / "whole")
        found["byte-identical in the end" if same else "FINDING: other bytes in the end"] += 1
        return found


def prepare(folder: Path, options: argparse.Namespace, rng: random.Random) -> list[str]:
    """Make a pipeline and a corpus.

    folder (Path): Where to.
    options (argparse.Namespace): What was asked for.
    rng (random.Random): Of the texts.
    RETURNS (list[str]): The command, without output and workers.
    """
    write_encoder(folder / "encoder", "distilbert")
    nlp = spacy.blank("en")
    nlp.add_pipe("token_classifier", name="ner")
    loader = {"@misc": "spacy-tokclf.PretrainedEncoder.v1", "name": str(folder / "encoder")}
    nlp.config["initialize"]["components"]["ner"] = {"encoder": loader, "labels": ["person", "location"]}
    nlp.initialize()
    nlp.to_disk(folder / "model")
    with (folder / "posts.jsonl").open("w") as file:
        for number in range(options.posts):
            text = " ".join(rng.choices(WORDS, k=rng.randint(1, 30))) + (BROKEN if number % 500 == 7 else "")
            file.write(json.dumps({"id": number, "text": text}) + "\n")
    command = [sys.executable, "-m", "spacy", "tokclf", "annotate", str(folder / "model"), str(folder / "posts.jsonl")]
    return [*command, "--engine", options.engine, "--shard-rows", str(options.shard_rows), "--resume"]


def kill_at_random(command: list[str], out: Path, workers: int, shards: int, seconds: float) -> bool:
    """Start a run, and kill it with all its processes after a while.

    command (list[str]): The command.
    out (Path): The folder of shards.
    workers (int): Processes of the run.
    shards (int): How many shards it is to have done.
    seconds (float): How long after that.
    RETURNS (bool): Whether it was still running.
    """
    wanted = len(done(out)) + shards
    process = subprocess.Popen(
        [*command, "--workers", str(workers)],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while process.poll() is None and len(done(out)) < wanted:
        time.sleep(0.01)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True
    return False


def done(out: Path) -> dict[str, int]:
    """RETURNS (dict[str, int]): The shards that the manifest names, and when each was written."""
    manifest = out / MANIFEST
    lines = manifest.read_bytes().split(b"\n")[1:-1] if manifest.is_file() else []
    names = [row["name"] for row in map(json.loads, lines) if "shard" in row]
    return {name: (out / name).stat().st_mtime_ns for name in names}


def check_untouched(out: Path, before: dict[str, int]) -> Counter[str]:
    """RETURNS (Counter[str]): Of the shards that were done before, how many were left alone."""
    now = done(out)
    touched = [name for name, when in before.items() if now.get(name) != when]
    for name in touched:
        print(f"FINDING: {name} was done, and was written again")
    return Counter({"shards left alone": len(before) - len(touched), "FINDING: shards written again": len(touched)})


def contents(out: Path) -> dict[str, bytes]:
    """RETURNS (dict[str, bytes]): All that is in the folder, but for files named manifest."""
    return {path.name: path.read_bytes() for path in out.iterdir() if not path.name.startswith("manifest")}
