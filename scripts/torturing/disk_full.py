"""Let the disk be full while a command saves a pipeline over an older one: it ends in an error with a code, the old
pipeline loads, and no temporary file is left.

Every other time no file may be larger than so many bytes (`RLIMIT_FSIZE`, which holds for libraries in Rust as well),
else nothing can be made after so many files and folders (ENOSPC).

    python scripts/torture.py disk_full --times 20
"""

import argparse
import errno
import os
import random
import resource
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import spacy

from . import _folders, save
from ._folders import NEW, OLD, fingerprint, look

CODED, DONE, BARE = "an error with a code, and the old pipeline", "saved", "FINDING: an error without code"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command line."""
    _folders.add_options(parser)


def run(options: argparse.Namespace) -> Counter[str]:
    """RETURNS (Counter[str]): How often there was what."""
    rng = random.Random(options.seed)
    outcomes: Counter[str] = Counter()
    known: dict[str, dict[str, Any]] = {}
    with _folders.places(options) as (folder, pairs):
        for turn, pair in enumerate(pairs):
            way = rng.choice(sorted(save.WAYS))
            place = folder / "model"
            if pair.kind not in known:
                known[pair.kind] = {OLD: fingerprint(spacy.load(pair.old)), NEW: fingerprint(pair.new)}
            _folders.reset(pair.old, place)
            largest = max(path.stat().st_size for path in pair.old.rglob("*") if path.is_file())
            full = limit_size(rng.randrange(largest)) if turn % 2 else fill_after(rng.randrange(12))
            outcome, said = save_on_full(full, save.WAYS[way], pair.new, place)
            there, told = look(place, known[pair.kind])
            left = [path.name for path in folder.rglob(".tokclf-*")]
            if outcome == CODED and there != OLD:
                outcome, said = f"FINDING: after the error there is: {there}", f"{said} {told}"
            elif left:
                outcome, said = "FINDING: temporary files", str(left)
            outcomes[outcome] += 1
            if outcome.startswith("FINDING"):
                print(f"{outcome}: {pair.kind}, {way}, turn {turn}, seed {options.seed}: {said}")
    return outcomes


def limit_size(most: int) -> Callable[[], Any]:
    """RETURNS (Callable): What lets no file of this process grow over a number of bytes."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


def fill_after(times: int) -> Callable[[], Any]:
    """RETURNS (Callable): What lets this process make no file or folder any more, after some."""

    def full() -> None:
        left = [times]

        def refuse(event: str, arguments: Any) -> None:
            left[0] -= event == "os.mkdir" or (event == "open" and bool(arguments[2] & os.O_CREAT))
            if left[0] < 0 and event in {"open", "os.mkdir"} and (event == "os.mkdir" or arguments[2] & os.O_CREAT):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(arguments[0]))

        sys.addaudithook(refuse)

    return full


def save_on_full(full: Callable[[], Any], way: Callable[..., Any], nlp: Any, place: Path) -> tuple[str, str]:
    """Save in another process.

    full (Callable): What makes the disk full.
    way (Callable): How to save.
    nlp (Language): The pipeline.
    place (Path): Its folder.
    RETURNS (tuple[str, str]): What came of it, and what was said.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        said = DONE
        full()
        try:
            way(nlp, place)
        except BaseException as error:  # noqa: BLE001
            said = f"{CODED if str(error).startswith('[TC400]') else BARE}\0{traceback.format_exc()}"
        os.write(writer, said.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        outcome, _, said = file.read().decode().partition("\0")
    os.waitpid(child, 0)
    return outcome, said
