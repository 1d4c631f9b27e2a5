"""A study of its own for each test: a repository of a few posts, two configs, and a tiny encoder."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

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
    config: configs/tiny.cfg
    set: {training.optimizer.use_averages: true}
  default+dev: {like: default, with_dev: true, title: "the best, with dev"}
  default@sample: {like: default, data: sample, title: the best}
  large: {like: default, encoder: assets/encoder-large, title: "the best, large"}
  default-averages: {like: default, set: {training.optimizer.use_averages: false}}
  plain:
    title: the plain one
    config: configs/tiny.cfg
  plain+dev: {like: plain, with_dev: true}
  plain@resplit: {like: plain, data: resplit, title: the plain one}
  plain+averages: {like: plain, set: {training.optimizer.use_averages: true}}
  trainer:
    system: hf_trainer
    title: the Trainer
    set: {epochs: 2, learn_rate: 1.0e-4}
  trainer:few: {grid_of: trainer, set: {epochs: 1}}
  trainer:many: {grid_of: trainer, set: {epochs: 2}}
ablations:
  averages:
    title: averaged weights
    alone: [plain+averages, plain]
    in_best: [default, default-averages]
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
    for folder in ("bench/accuracy", "configs", "sample", "assets/data"):
        (made.root / folder).mkdir(parents=True)
    made.configs.write_text(CONFIGS)
    (made.root / "configs" / "tiny.cfg").write_text((ROOT / "bench" / "accuracy" / "plain.cfg").read_text())
    (made.root / ".gitignore").write_text("/assets/\n/training/\n")
    records = [doc_to_record(eg.reference) for eg in read_posts(spacy.blank("en"))]
    for split, each in {"train": records, "dev": records[:8], "test": records[8:]}.items():
        write_conll(each, made.root / "assets" / "data" / f"{split}.conll")
        write_conll(each[:4], made.root / "sample" / f"{split}.conll")
    (made.root / "assets" / "data.json").write_text(json.dumps({"source": "wnut17"}))
    for name in ("encoder", "encoder-large"):
        (made.root / "assets" / name).mkdir()
        (made.root / "assets" / name / "model.safetensors").write_text(name)
    git(made.root, "init", "--quiet")
    commit(made)
    return made
