"""Run configs over seeds. What has been run is not run again."""

import fcntl
import fnmatch
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import torch
from project_files import fail, read_json
from wasabi import msg

from spacy_tokclf.corpus import read_conll
from spacy_tokclf.runtime.products import resolve_precision

from .configs import Config, read_configs
from .data import gold_file
from .ledger import git, score_test, uncommitted
from .scoring import keep_entity_scores, pair_up, scores_of
from .study import Line, Study, find_line, put_line
from .systems import PRECISION, THREADS, train_and_predict


def run(study: Study, names: Sequence[str], seeds: Sequence[int], *, test: bool = False) -> list[Line]:
    """Run every config with every seed, and go on with the others if one fails.

    study (Study): The study.
    names (Sequence[str]): The configs: names, or patterns with *.
    seeds (Sequence[int]): The seeds.
    test (bool): Whether to score on test as well, once for each config and seed.
    RETURNS (list[dict[str, Any]]): The lines of the runs.
    RAISES (SystemExit): At the end, if a run failed; at once, if there is no such config, or if another process is
        running configs.
    """
    configs = read_configs(study)
    for each in names:
        if not fnmatch.filter(configs, each):
            fail(f"There is no config {each!r}", f"Expected a name in {study.configs}.")
    wanted = [name for name in configs if any(fnmatch.fnmatchcase(name, each) for each in names)]
    lines: list[Line] = []
    failed: list[str] = []
    study.work.mkdir(parents=True, exist_ok=True)
    with (study.work / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fail("Another process is running configs", "One at a time: wait for it to end.")
        for seed, name in product(seeds, wanted):
            try:
                lines.append(_run_one(study, configs[name], seed, test=test))
            except SystemExit:
                failed.append(f"{name}, seed {seed}")
    if failed:
        raise SystemExit(f"Failed: {'; '.join(failed)}")
    return lines


def _run_one(study: Study, config: Config, seed: int, *, test: bool) -> Line:
    """Run one config with one seed, or as much of that as has not been done."""
    runs, predictions = study.file("runs.jsonl"), study.work / "predictions" / f"{config.hash}-{seed}"
    line = find_line(runs, config=config.name, seed=seed, config_hash=config.hash)
    if line is None or (test and line["test_f1"] is None and not predictions.is_dir()):
        msg.text(f"{config.name}, seed {seed}: training")
        line = _train_and_score(study, config, seed, predictions)
        put_line(runs, line, "config", "seed")
    if test and line["test_f1"] is None:
        line = {**line, **score_test(study, config, line, predictions / "test.spacy")}
        put_line(runs, line, "config", "seed")
    f1 = [f"{split} F1 {100 * line[f'{split}_f1']:.2f}" for split in ("dev", "test") if line[f"{split}_f1"] is not None]
    msg.good(f"{config.name}, seed {seed}: {', '.join(f1)}")
    return line


def _train_and_score(study: Study, config: Config, seed: int, predictions: Path) -> Line:
    """Train, predict, and score on dev; the line has no scores on test."""
    line = {"config": config.name, "seed": seed, "commit": git(study, "rev-parse", "HEAD"), "config_hash": config.hash}
    line |= {"dev_f1": None, "test_f1": None, "uncommitted": uncommitted(study), "data": config.data}
    line["cpu_seconds"] = train_and_predict(study, config, seed=seed, out=predictions)
    encoder = read_json(study.root / "assets" / "encoder.json")
    line["encoder"] = str((encoder["files"] or {}).get("model.safetensors", encoder["encoder"]))[:12]
    line |= {"precision": resolve_precision(PRECISION, torch.device("cpu")), "threads": THREADS}
    examples = None
    if not config.with_dev:
        examples = pair_up(read_conll(gold_file(study, config.data, "dev")), predictions / "dev.spacy")
        run = {name: line[name] for name in ("config", "config_hash", "seed", "data")}
        keep_entity_scores(study, {**run, "split": "dev"}, examples)
    return {**line, **scores_of(examples, "dev"), **scores_of(None, "test")}
