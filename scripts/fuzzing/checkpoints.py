"""Checkpoints of trainings: damaged files, and content that was changed by hand and sealed again. A damaged one is
passed over for the one before, and what is read is what was written; one that was changed is refused by a code, or
fits."""

import copy
import json
import random
import shutil
import tempfile
import warnings
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import torch
from spacy.training.initialize import init_nlp
from tiny_encoders import write_encoder

from fuzzing.drawing import any_text, coded, must
from fuzzing.mutations import BINARY, MUTATIONS, damage
from spacy_tokclf.corpus.options import ReadOptions
from spacy_tokclf.runtime.manifest import MANIFEST
from spacy_tokclf.start.project import prepare_project
from spacy_tokclf.training.checkpoint import (
    FOLDER,
    NUMBERS,
    TENSORS,
    Checkpoint,
    find_checkpoints,
    read_last,
    write_checkpoint,
)
from spacy_tokclf.training.config import read_training_config
from spacy_tokclf.training.loop import Training, make_training
from spacy_tokclf.training.resume import go_on_from, read_data
from spacy_tokclf.training.run import train_pipeline

NAMES = ("ada", "bo", "cy", "dora", "emil", "fay")
VALUES = (None, True, 0, -1, 10**6, 10**30, 0.5, float("nan"), "", "x", "AAAA", [], [0], [[]], {}, {"x": 1})
SHAPES = ((), (0,), (3,), (2, 2))


class Base(NamedTuple):
    """A training that is to go on: how it stands before, where it was, and of what it is."""

    training: Training
    found: Checkpoint
    fingerprint: dict[str, Any]


def prepare() -> None:
    """Train before the first input is drawn."""
    base()


@cache
def base() -> Base:
    """Train a little, once a process."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [
            {"text": f"{one} met {other} .", "spans": [{"start": 0, "end": len(one), "label": "PER"}]}
            for one in NAMES
            for other in NAMES
        ]
        (folder / "x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        encoder = write_encoder(folder / "encoder")
        project = prepare_project(
            str(folder / "x.jsonl"), dev="0.3", encoder=str(encoder), lang="en", epochs=2, options=ReadOptions()
        )
        config = project.write(folder / "project")
        train_pipeline(config, folder / "out", checkpoints="kept", silent=True)
        found = read_last(folder / "out")
        training = make_training(init_nlp(read_training_config(config, {}), use_gpu=-1))
        return Base(training, found or Checkpoint({}, {}), read_data(training, found))


def judge(rng: random.Random, folder: Path) -> str:
    """Draw one input and judge it.

    rng (random.Random): Draws it.
    folder (Path): Where checkpoints are written to.
    RETURNS (str): What became of it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return damaged(rng, folder) if rng.random() < 0.3 else changed(rng)
        except ValueError as error:
            return coded(error)
        finally:
            shutil.rmtree(folder / FOLDER, ignore_errors=True)


def damaged(rng: random.Random, folder: Path) -> str:
    """Damage a file of the last of two checkpoints, and read."""
    written = [Checkpoint({"step": step}, {"a": torch.arange(step + 1.0)}) for step in range(rng.randint(1, 2))]
    for step, checkpoint in enumerate(written):
        write_checkpoint(folder, step, checkpoint)
    last = find_checkpoints(folder)[0]
    file = last / rng.choice((NUMBERS, TENSORS, MANIFEST))
    if rng.random() < 0.1:
        file.unlink()
    else:
        data = file.read_bytes()
        file.write_bytes(damage(rng, data, rng.randint(1, 2), BINARY if file.name == TENSORS else MUTATIONS))
    found = read_last(folder)
    must(found is not None, lambda: "a checkpoint is not seen")
    step = found.numbers["step"]
    equal = found.numbers == {"format": 1, **written[step].numbers}
    must(equal and torch.equal(found.tensors["a"], written[step].tensors["a"]), lambda: f"{file.name}: read {found}")
    must(find_checkpoints(folder)[0].name == f"step-{step:06d}", lambda: "a broken checkpoint stays the last")
    return "the last" if step == len(written) - 1 else "the one before"


def changed(rng: random.Random) -> str:
    """Change what a checkpoint holds, and go on from it."""
    training, found, fingerprint = base()
    numbers, tensors = copy.deepcopy(found.numbers), dict(found.tensors)
    for _ in range(rng.choice((0, 1, 1, 2))):
        if rng.random() < 0.7:
            change_value(rng, numbers)
        else:
            change_tensor(rng, tensors)
    go_on_from(training, Checkpoint(numbers, tensors), fingerprint)
    return "gone on"


def change_value(rng: random.Random, value: Any) -> None:
    """Change one value, at any depth."""
    while True:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        if not keys:
            return
        key = rng.choice(keys)
        if isinstance(value[key], dict | list) and value[key] and rng.random() < 0.8:
            value = value[key]
            continue
        if rng.random() < 0.3:
            del value[key]
        else:
            value[key] = rng.choice((*VALUES, any_text(rng)))
        return


def change_tensor(rng: random.Random, tensors: dict[str, torch.Tensor]) -> None:
    """Change one tensor: its name, its shape, the type of its numbers."""
    name = rng.choice(sorted(tensors))
    kind = rng.random()
    if kind < 0.3:
        del tensors[name]
    elif kind < 0.5:
        tensors[rng.choice((name + "x", name.replace("weights", "mom1"), any_text(rng)))] = tensors.pop(name)
    elif kind < 0.75:
        tensors[name] = torch.zeros(rng.choice(SHAPES))
    else:
        tensors[name] = tensors[name].to(rng.choice((torch.int64, torch.float64, torch.bool, torch.bfloat16)))
