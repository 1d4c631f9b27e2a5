"""Trainings for tests of the loop: broken off, gone on with, and compared to the last bit."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import srsly
from safetensors.torch import load_file

from spacy_tokclf.runtime.files import MANIFEST
from spacy_tokclf.training import loop
from spacy_tokclf.training.checkpoint import NUMBERS, TENSORS, find_checkpoints
from spacy_tokclf.training.log import LOG_NAME

#: What differs between two trainings that are the same: time, and places.
TIMES = ("seconds", "speed")


class Broken(RuntimeError):
    """What a test breaks a training off with."""


def break_off(patch: pytest.MonkeyPatch, name: str, step: int) -> None:
    """Let a function of the loop fail.

    patch (MonkeyPatch): Puts the function back.
    name (str): The function: "take_step", "evaluate", "save" or "save_pipeline".
    step (int): The step in which it fails, counted from 0.
    """
    function: Callable[..., Any] = getattr(loop, name)

    def failing(training: Any, *args: Any, **kwargs: Any) -> Any:
        now = training.progress.step + (name == "take_step")
        if now == step:
            raise Broken(f"{name} in step {step}")
        return function(training, *args, **kwargs)

    patch.setattr(loop, name, failing)


def differences(one: Path, other: Path) -> list[str]:
    """Compare two trainings: the pipelines, the log, and the last checkpoints if both have any.

    one, other (Path): The folders of the trainings.
    RETURNS (list[str]): What differs.
    """
    found = [f"{LOG_NAME} differs"] if read_log(one) != read_log(other) else []
    for name in ("model-best", "model-last"):
        found += folder_differences(one / name, other / name)
    checkpoints = [find_checkpoints(folder) for folder in (one, other)]
    if all(checkpoints):
        found += checkpoint_differences(checkpoints[0][0], checkpoints[1][0])
    return found


def read_log(folder: Path) -> list[dict[str, Any]]:
    """Read the log of a training, without what is measured in seconds."""
    rows = [json.loads(line) for line in (folder / LOG_NAME).read_text(encoding="utf-8").splitlines()]
    return [_without_times(row) for row in rows]


def folder_differences(one: Path, other: Path) -> list[str]:
    """Compare two saved pipelines, file by file. spaCy's own loop writes no manifest of the whole."""
    names = [{str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} for folder in (one, other)]
    found = [f"{one.name}/{name} is in one of them" for name in sorted((names[0] ^ names[1]) - {MANIFEST})]
    for name in sorted(names[0] & names[1]):
        files = one / name, other / name
        if name == "meta.json":
            equal = _without_times(srsly.read_json(files[0])) == _without_times(srsly.read_json(files[1]))
        else:
            equal = files[0].read_bytes() == files[1].read_bytes()
        if not equal:
            found.append(f"{one.name}/{name} differs")
    return found


def checkpoint_differences(one: Path, other: Path) -> list[str]:
    """Compare two checkpoints, bit by bit."""
    if one.name != other.name:
        return [f"{one.name} and {other.name}"]
    numbers = [_without_times(json.loads((path / NUMBERS).read_text())) for path in (one, other)]
    for each in numbers:
        each["fingerprint"].pop("config")  # has paths in it
    found = [f"{one.name}: {key}" for key in numbers[0] if numbers[0][key] != numbers[1][key]]
    tensors = [load_file(str(path / TENSORS)) for path in (one, other)]
    found += [f"{one.name}: {name} is in one of them" for name in sorted(tensors[0].keys() ^ tensors[1].keys())]
    for name in sorted(tensors[0].keys() & tensors[1].keys()):
        bits = [np.asarray(each[name].numpy()).tobytes() for each in tensors]
        if bits[0] != bits[1]:
            found.append(f"{one.name}: {name}")
    return found


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_times(each) for key, each in value.items() if key not in TIMES}
    return [_without_times(each) for each in value] if isinstance(value, list) else value
