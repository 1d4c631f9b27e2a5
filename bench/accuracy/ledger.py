"""The only code of the study that reads the gold of a test set, and the ledger of every time that it did.

A config is scored once for each seed, and only after it was committed. So whoever doubts that nothing was chosen on
test can read in `ledger.jsonl` what was scored, in which order, and at which commit its config stood already.
"""

import hashlib
import json
import subprocess
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
from project_files import fail
from spacy.training import Example

from spacy_tokclf.corpus import read_conll
from spacy_tokclf.metrics import compare_examples, count_by_sentence

from .configs import Definition
from .curves import DIGITS, put_curve
from .scoring import pair_up, scores_of
from .study import Line, Study, find_line, locked, put_line, read_lines

#: The fields of a line of `posts.jsonl`, which has a character for each number: those up to 35 are digits of base 36,
#: the others letters from this one on.
COUNTS = ("right", "predicted", "gold")
LARGE = 0x100
#: The code that decides what is trained and predicted. It is committed, too, before a run is scored.
CODE = ("spacy_tokclf", "scripts", "bench/accuracy/*.py", "bench/peers")


def git(study: Study, *arguments: str) -> str:
    """Ask git.

    study (Study): The study.
    arguments (str): What to ask.
    RETURNS (str): Its answer.
    RAISES (SystemExit): If there is no repository.
    """
    done = subprocess.run(["git", *arguments], cwd=study.root, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        fail(f"git {arguments[0]} failed in {study.root}", f"The study needs a git repository. {done.stderr.strip()}")
    return done.stdout.rstrip()


def head(study: Study) -> str:
    """RETURNS (str): The commit that is checked out."""
    return git(study, "rev-parse", "HEAD")


def uncommitted(study: Study, files: Iterable[Path] = ()) -> list[str]:
    """List what differs from the commit: code, and files that have to be in it.

    study (Study): The study.
    files (Iterable[Path]): The files.
    RETURNS (list[str]): Lines of `git status`; empty if all is committed.
    """
    names = [str(path.relative_to(study.root)) for path in files]
    changed = git(study, "status", "--porcelain", "--", *names, *CODE).splitlines()
    known = git(study, "ls-files", "--", *names).splitlines() if names else []
    return changed + [f"!! {name}" for name in names if name not in known and f"?? {name}" not in changed]


def score_test(study: Study, definition: Definition, line: Line, predictions: Path, gold: Path) -> dict[str, Any]:
    """Score the predictions of a run on a test set, and write that down.

    A run that is in the ledger already is not scored again: its scores are read from there. Only the counts of its
    posts and its curve are made up for, should the run have been broken off before they were written.

    study (Study): The study.
    definition (Definition): The config as it stands now.
    line (Line): The run.
    predictions (Path): The .spacy file with its predictions.
    gold (Path): The file with the gold.
    RETURNS (dict[str, Any]): As scores_of.
    RAISES (SystemExit): If the config or the code is not committed, if the config was changed since the run, or if
        other predictions of the same run have been scored before.
    """
    _check_committed(study, definition, line)
    run = {"config": definition.name, "config_hash": definition.hash, "seed": line["seed"]}
    name = f"{definition.name} (config {definition.hash}), seed {line['seed']}"
    with locked(study.work / "locks" / "test"):
        sha256 = hashlib.sha256(predictions.read_bytes()).hexdigest()
        same = ("config_hash", "seed")
        ledger = read_lines(study.ledger)
        place = find_line(ledger, run, key=same)
        entry = {} if place is None else ledger[place]
        if entry and entry["predictions"] != sha256:
            fail(f"{name} has been scored on test already", "Its predictions were others. Nothing is rescored.")
        if entry and find_line(read_lines(study.posts), run, key=same) is not None:
            return _scores_in(entry)
        examples = pair_up(read_conll(gold), predictions)
        if not entry:
            now = datetime.now(timezone.utc).isoformat(timespec="seconds")
            entry = {"time": now, "commit": head(study), **run, "data": definition.data, "predictions": sha256}
            entry |= scores_of(examples, "test")
            with study.ledger.open("a", encoding="utf8") as file:
                file.write(json.dumps(entry, ensure_ascii=False) + "\n")
        put_curve(study, definition, seed=line["seed"], split="test", examples=examples)
        put_line(study, study.posts, {**run, "data": definition.data, **posts_of(examples)}, key=same)
    return _scores_in(entry)


def _scores_in(entry: Line) -> dict[str, Any]:
    """List the scores of an entry of the ledger."""
    return {key: value for key, value in entry.items() if key.startswith("test_")}


def _check_committed(study: Study, definition: Definition, line: Line) -> None:
    """Refuse a config that could still be changed after its score is known."""
    name = f"{definition.name} (config {definition.hash}), seed {line['seed']}"
    changed = uncommitted(study, definition.files)
    if changed:
        fail(f"{name} is not scored on test: commit first", "\n".join(changed))
    if line["config_hash"] != definition.hash:
        fail(f"{name} is not scored on test", f"It was run as config {line['config_hash']}: run it again.")
    if line["uncommitted"]:
        fail(
            f"{name} is not scored on test: it was trained with code that is in no commit",
            f"Commit the code and run it again. {', '.join(line['uncommitted'])}",
        )


def posts_of(examples: Sequence[Example]) -> dict[str, str]:
    """Write down the counts of each post, one character a post.

    examples (Sequence[Example]): The posts: predictions beside gold.
    RETURNS (dict[str, str]): "right", "predicted" and "gold".
    """
    return write_counts(count_by_sentence(compare_examples(examples)))


def write_counts(counts: np.ndarray) -> dict[str, str]:
    """Write counts as characters.

    counts (np.ndarray): As count_by_sentence gives them, (n_posts, 3).
    RETURNS (dict[str, str]): A string for each of COUNTS, a character a post.
    """
    base = len(DIGITS)
    return {
        name: "".join(DIGITS[value] if value < base else chr(value - base + LARGE) for value in column)
        for name, column in zip(COUNTS, counts.T.tolist(), strict=True)
    }


def counts_of(line: Line) -> np.ndarray:
    """Read the counts of each post back.

    line (Line): A line of `posts.jsonl`.
    RETURNS (np.ndarray): As count_by_sentence gives them, (n_posts, 3).
    """
    base = len(DIGITS)
    values = [[int(c, base) if c in DIGITS else ord(c) + base - LARGE for c in line[name]] for name in COUNTS]
    return np.array(values, dtype=np.int64).T
