"""A study of its own for each test: a repository of a few posts, two configs, and a tiny encoder."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import spacy
from pipeline_posts import read_posts

from spacy_tokclf.corpus import doc_to_record, write_conll

ROOT = Path(__file__).resolve().parents[2]
for folder in (ROOT, ROOT / "scripts"):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))

from bench.accuracy.study import Study  # noqa: E402

CONFIGS = """
configs:
  default:
    title: the best
    config: tiny.cfg
    set: {training.optimizer.use_averages: true}
  plain:
    title: the plain one
    config: tiny.cfg
  trainer:
    system: hf_trainer
    title: the Trainer
    set: {epochs: 2, learn_rate: 1.0e-4}
    grid: {learn_rate: [1.0e-4, 3.0e-3], epochs: [1, 2]}
levers:
  averages:
    title: averaged weights
    with: {training.optimizer.use_averages: true}
    without: {training.optimizer.use_averages: false}
"""


def git(folder: Path, *arguments: str) -> None:
    """Run git as nobody in particular."""
    who = ("-c", "user.name=nobody", "-c", "user.email=nobody@localhost")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def commit() -> Callable[[Study], None]:
    """Give a function that commits all that is in a study."""

    def all_of(study: Study) -> None:
        git(study.root, "add", "--all")
        git(study.root, "commit", "--quiet", "--allow-empty", "--message", "all")

    return all_of


@pytest.fixture
def study(tmp_path: Path, commit: Callable[[Study], None]) -> Study:
    """A committed study of sixteen posts, which pass for WNUT-17."""
    made = Study(tmp_path / "main")
    for folder in (made.here, made.root / "sample", made.root / "assets" / "data"):
        folder.mkdir(parents=True)
    made.configs.write_text(CONFIGS)
    (made.root / "tiny.cfg").write_text((ROOT / "bench" / "accuracy" / "plain.cfg").read_text())
    (made.root / ".gitignore").write_text("/assets/\n/training/\n")
    records = [doc_to_record(eg.reference) for eg in read_posts(spacy.blank("en"))]
    for split, each in {"train": records, "dev": records[:8], "test": records[8:]}.items():
        write_conll(each, made.root / "assets" / "data" / f"{split}.conll")
        write_conll(each[:4], made.root / "sample" / f"{split}.conll")
    (made.root / "assets" / "data.json").write_text(json.dumps({"source": "wnut17"}))
    files = {"model.safetensors": "0123456789abcdef"}
    (made.root / "assets" / "encoder.json").write_text(json.dumps({"encoder": "assets/encoder", "files": files}))
    git(made.root, "init", "--quiet")
    commit(made)
    return made


@pytest.fixture
def write_line() -> Callable[..., dict[str, Any]]:
    """Give a function that makes a line of `runs.jsonl`."""

    def make(config: str, seed: int, dev: float | None, test: float | None, **more: Any) -> dict[str, Any]:
        return {"config": config, "seed": seed, "dev_f1": dev, "test_f1": test, **more}

    return make
