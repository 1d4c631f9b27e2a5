"""The only code of the study that reads the gold of a test set, and the ledger of every time that it did.

A config is scored once for each seed, and only after it was committed. So whoever doubts that nothing was selected on
test can read in `ledger.jsonl` what was scored, in which order, and at which commit its config stood already.
"""

import hashlib
import subprocess
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from project_files import fail

from spacy_tokclf.corpus import read_conll

from .configs import Config
from .data import gold_file
from .scoring import counts_of, keep_entity_scores, pair_up, scores_of
from .study import Line, Study, find_line, put_line

#: What decides about training and predictions. It is committed before a run is scored.
DECISIVE = ("spacy_tokclf", "scripts", "configs", "bench/peers")
DECISIVE += tuple(f"bench/accuracy/*.{suffix}" for suffix in ("py", "cfg", "yml"))


def git(study: Study, *arguments: str) -> str:
    """RETURNS (str): What git says to some arguments. SystemExit is raised if there is no repository."""
    done = subprocess.run(["git", *arguments], cwd=study.root, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        fail(f"git {arguments[0]} failed in {study.root}", f"The study needs a git repository. {done.stderr.strip()}")
    return done.stdout.rstrip()


def uncommitted(study: Study) -> list[str]:
    """RETURNS (list[str]): What of the code and the configs differs from the commit: lines of `git status`."""
    return git(study, "status", "--porcelain", "--", *DECISIVE).splitlines()


def code_digest(study: Study) -> str:
    """Tell by a digest what the code is, where there is no git to tell it: all that is decisive but `configs.yml`, of
    which a run has the hash of its own config.

    study (Study): The study.
    RETURNS (str): Twelve hexadecimal digits.
    """
    globs = [place if "*" in place else f"{place}/**/*" for place in DECISIVE]
    found = {path for each in globs for path in study.root.glob(each) if path.is_file()} - {study.configs}
    paths = sorted(str(path.relative_to(study.root)) for path in found if "__pycache__" not in path.parts)
    lines = [f"{path} {hashlib.sha256((study.root / path).read_bytes()).hexdigest()}" for path in paths]
    return hashlib.sha256("\n".join(lines).encode("utf8")).hexdigest()[:12]


def score_test(study: Study, config: Config, line: Line, predictions: Path) -> dict[str, Any]:
    """Score the predictions of a run on its test set, and write that down.

    A run that is in the ledger already is not scored again: its scores are read from there. Only the counts of its
    posts are made up for, should the run have been broken off before they were written.

    study (Study): The study.
    config (Config): The config as it stands now.
    line (dict[str, Any]): The run.
    predictions (Path): The .spacy file with its predictions.
    RETURNS (dict[str, Any]): As `scores_of`.
    RAISES (SystemExit): If code or configs are not committed, or were not when the run was trained, or if other
        predictions of the same run have been scored before.
    """
    name = f"{config.name} (config {config.hash}), seed {line['seed']}"
    if uncommitted(study):
        fail(f"{name} is not scored on test: commit first", "\n".join(uncommitted(study)))
    if line["uncommitted"]:
        changed = ", ".join(line["uncommitted"])
        fail(f"{name} was trained with code that is in no commit: {changed}", "Commit the code and run it again.")
    run = {"config_hash": config.hash, "seed": line["seed"]}
    sha256 = hashlib.sha256(predictions.read_bytes()).hexdigest()
    entry = find_line(study.file("ledger.jsonl"), **run)
    if entry and entry["predictions"] != sha256:
        fail(f"{name} has been scored on test already", "Its predictions were others. Nothing is rescored.")
    if not entry or not find_line(study.file("posts.jsonl"), **run):
        examples = pair_up(read_conll(gold_file(study, config.data, "test")), predictions)
        run = {"config": config.name, **run, "data": config.data}
        if not entry:
            now = datetime.now(timezone.utc).isoformat(timespec="seconds")
            entry = {"time": now, "commit": git(study, "rev-parse", "HEAD"), **run, "predictions": sha256}
            entry |= scores_of(examples, "test")
            put_line(study.file("ledger.jsonl"), entry, "config_hash", "seed")
        keep_entity_scores(study, {**run, "split": "test"}, examples)
        put_line(study.file("posts.jsonl"), {**run, **counts_of(examples)}, "config_hash", "seed")
    return {key: value for key, value in entry.items() if key.startswith("test_")}
