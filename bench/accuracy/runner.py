"""Run configs over seeds. What has been run is not run again, and several workers share the work."""

import os
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import torch
from project_files import fail, read_json
from wasabi import msg

from spacy_tokclf.runtime.products import resolve_precision

from .configs import Definition, resolve
from .data import get_data
from .ledger import head, score_test, uncommitted
from .scoring import no_scores, score_dev
from .study import Line, Study, locked, put_line, read_lines
from .systems import PRECISION, SPLITS, THREADS, predict, train
from .tuning import tune

KEY = ("config", "seed")


def run(study: Study, names: Sequence[str], seeds: Sequence[int], *, test: bool = False) -> list[Line]:
    """Run every config with every seed, but for the runs that other workers have in hand.

    study (Study): The study.
    names (Sequence[str]): The configs.
    seeds (Sequence[int]): The seeds.
    test (bool): Whether to score on test as well, once for each config and seed.
    RETURNS (list[Line]): The lines of the runs that are finished.
    RAISES (SystemExit): At the end, if a run failed.
    """
    definitions = [resolve(study, name) for name in names]
    lines: list[Line] = []
    failed: list[str] = []
    for seed, definition in product(seeds, definitions):
        try:
            line = run_one(study, definition, seed, test=test)
        except SystemExit:
            failed.append(f"{definition.name}, seed {seed}")
        else:
            lines += [line] if line is not None else []
    if failed:
        raise SystemExit(f"Failed: {'; '.join(failed)}")
    return lines


def run_one(study: Study, definition: Definition, seed: int, *, test: bool = False, wait: bool = False) -> Line | None:
    """Run one config with one seed, unless that has been done.

    study (Study): The study.
    definition (Definition): The config.
    seed (int): The seed.
    test (bool): Whether to score on test as well.
    wait (bool): Whether to wait for a worker that has the same training in hand.
    RETURNS (Line | None): The line of the run; None if another worker has it in hand.
    """
    name = f"{definition.name}, seed {seed}"
    lock_file = study.work / "locks" / f"{definition.training_hash}-{seed}"
    with locked(lock_file, wait=wait) as lock:
        if lock is None:
            msg.info(f"{name}: another worker has it in hand")
            return None
        line = find_line(study, definition, seed)
        predictions = predictions_of(study, definition, seed)
        if line is None or (test and line["test_f1"] is None and not predictions.is_dir()):
            msg.text(f"{name}: training")
            line = train_and_score(study, definition, seed, predictions, lock=lock)
            put_line(study, study.runs, line, key=KEY)
        if test and line["test_f1"] is None:
            gold = get_data(study, definition.data, with_dev=definition.with_dev).test_gold
            line = {**line, **score_test(study, definition, line, predictions / "test.spacy", gold)}
            put_line(study, study.runs, line, key=KEY)
        shown = {split: line[f"{split}_f1"] for split in SPLITS if line[f"{split}_f1"] is not None}
        msg.good(f"{name}: " + ", ".join(f"{split} F1 {100 * value:.2f}" for split, value in shown.items()))
        return line


def train_and_score(study: Study, definition: Definition, seed: int, predictions: Path, *, lock: int) -> Line:
    """Train, tune, predict, and score on dev.

    study (Study): The study.
    definition (Definition): The config.
    seed (int): The seed.
    predictions (Path): The folder for what is predicted.
    lock (int): The descriptor of the lock of this training.
    RETURNS (Line): The line of the run, without scores on test.
    """
    data = get_data(study, definition.data, with_dev=definition.with_dev)
    facts: dict[str, Any] = {"commit": head(study), "uncommitted": uncommitted(study, definition.files)}
    folder = study.work / "models" / f"{definition.training_hash}-{seed}"
    training = train(study, definition, data, seed=seed, folder=folder, lock=lock)
    model = tune(study, definition, data, seed=seed, model=folder / "model", lock=lock)
    predict(study, definition, data, model=model, out=predictions, lock=lock)
    scores = score_dev(study, definition, seed=seed, gold=data.path("dev"), predictions=predictions / "dev.spacy")
    scores |= no_scores("test")
    first = {"config": definition.name, "seed": seed, "commit": facts.pop("commit"), "config_hash": definition.hash}
    return {
        **first,
        "dev_f1": scores.pop("dev_f1"),
        "test_f1": scores.pop("test_f1"),
        **training._asdict(),
        "system": definition.system,
        "data": definition.data,
        "encoder": encoder_of(study),
        "precision": resolve_precision(PRECISION, torch.device("cpu")),
        "threads": THREADS,
        **scores,
        **facts,
    }


def predictions_of(study: Study, definition: Definition, seed: int) -> Path:
    """Name the folder with the predictions of a run: dev.spacy and test.spacy.

    study (Study): The study.
    definition (Definition): The config.
    seed (int): The seed.
    RETURNS (Path): The folder.
    """
    return study.work / "predictions" / f"{definition.hash}-{seed}"


def find_line(study: Study, definition: Definition, seed: int) -> Line | None:
    """Find the line of a run of a config as it stands now.

    study (Study): The study.
    definition (Definition): The config.
    seed (int): The seed.
    RETURNS (Line | None): The line, if there is one.
    """
    wanted = (definition.name, definition.hash, seed)
    lines = read_lines(study.runs)
    return next((each for each in lines if (each["config"], each["config_hash"], each["seed"]) == wanted), None)


def encoder_of(study: Study) -> str:
    """RETURNS (str): The first digits of the sha256 of the encoder's weights."""
    found = read_json(study.root / "assets" / "encoder.json")
    return str((found["files"] or {}).get("model.safetensors", found["encoder"]))[:12]


def be_polite() -> None:
    """Compute only while nobody else wants to; what this process starts does the same."""
    if not hasattr(os, "SCHED_IDLE"):
        fail("There is no idle priority on this system", "Leave --idle out, and begin the command with `nice -n 19`.")
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
