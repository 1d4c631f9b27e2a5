"""The predictions of runs and what is known of them: they may be made on another machine, without git and without the
gold of test, and are taken over from there.
"""

import contextlib
import io
import json
import shutil
import tarfile
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from project_files import checksum, fail, read_json, write_json, write_whole

from spacy_tokclf.corpus import read_conll
from spacy_tokclf.runtime.products import resolve_precision

from .configs import Config
from .data import get_data
from .ledger import code_digest, git, uncommitted
from .results import Seeds, grid_points
from .scoring import pair_up, scores_of
from .study import Study
from .systems import FACTS, PRECISION, THREADS

#: What was chosen by predictions on dev: points of hyperparameter grids by the names of their configs.
CHOSEN = "chosen.json"


def folder_of(study: Study, config: Config, seed: int) -> Path:
    """RETURNS (Path): Where the predictions of a run are."""
    return study.predictions / f"{config.hash}-{seed}"


def read_facts(study: Study, config: Config, seed: int) -> dict[str, Any] | None:
    """RETURNS (dict[str, Any] | None): What is known of the predictions of a run; None if there are none, or if their
    code was in no commit, so that nothing would come of them."""
    path = folder_of(study, config, seed) / FACTS
    facts = read_json(path) if path.is_file() else None
    return None if facts is None or facts["uncommitted"] else facts


def facts_of(study: Study, config: Config, *, seed: int, device: str) -> dict[str, Any]:
    """Say what is going to be trained, of which code, and what computes it.

    study (Study): The study.
    config (Config): The config.
    seed (int): The seed.
    device (str): Where encoders run.
    RETURNS (dict[str, Any]): The facts. Without git "commit" and "uncommitted" are None, until `take` finds them.
    """
    where = torch.device("cpu" if config.system == "spacy_transformers" else device)
    has_git = (study.root / ".git").exists()
    return {
        "config": config.name,
        "seed": seed,
        "commit": git(study, "rev-parse", "HEAD") if has_git else None,
        "config_hash": config.hash,
        "uncommitted": uncommitted(study) if has_git else None,
        "code": code_digest(study),
        "data": config.data,
        "encoder": _describe_encoder(study.root / config.encoder),
        "precision": resolve_precision(PRECISION, where),
        "threads": THREADS,
        "device": torch.cuda.get_device_name(where) if where.type == "cuda" else str(where),
    }


def _describe_encoder(folder: Path) -> str:
    """RETURNS (str): The beginning of the checksum of an encoder's weights; of rounded ones, that of what they were."""
    path = folder / "manifest.json"
    made = json.loads(path.read_text(encoding="utf8")) if path.is_file() else {}
    if "rounded" in made:
        return f"{made['rounded']['sha256'][:12]} in {made['rounded']['dtype']}"
    return checksum(folder / "model.safetensors")[:12]


def choose(study: Study, configs: dict[str, Config], names: Sequence[str], seeds: Sequence[int]) -> dict[str, str]:
    """Choose the best point on dev of hyperparameter grids, by predictions that are there, and write it down.

    study (Study): The study.
    configs (dict[str, Config]): The configs.
    names (Sequence[str]): The configs that have a grid.
    seeds (Sequence[int]): The seeds that count.
    RETURNS (dict[str, str]): The point of each.
    """
    runs: dict[str, Seeds] = {}
    for name, config in configs.items():
        there = [seed for seed in seeds if config.grid_of in names and read_facts(study, config, seed) is not None]
        runs[name] = {seed: {"dev_f1": _f1_on_dev(study, config, seed)} for seed in there}
    chosen = {}
    for name in names:
        points = grid_points(runs, configs, name)
        if not points:
            fail(f"No point of the grid of {name!r} has predictions", "Train them first.")
        chosen[name] = points[0]
    write_json(study.predictions / CHOSEN, chosen)
    return chosen


def _f1_on_dev(study: Study, config: Config, seed: int) -> float:
    gold = read_conll(get_data(study, config.data) / "dev.conll")
    f1: float = scores_of(pair_up(gold, folder_of(study, config, seed) / "dev.spacy"), "dev")["dev_f1"]
    return f1


def pack(study: Study, path: Path, runs: Iterable[tuple[int, Config]]) -> None:
    """Put predictions into one file, with the logs of what failed or is still running: whole, or as it was before.

    study (Study): The study.
    path (Path): The tar file.
    runs (Iterable[tuple[int, Config]]): The runs: seeds and configs. Those without predictions are left out.
    """
    folders = [folder_of(study, config, seed) for seed, config in runs]
    logs = [study.work / "models" / folder.name / "log.txt" for folder in folders]
    files = {f"predictions/{each.parent.name}/{each.name}": each for folder in folders for each in folder.glob("*")}
    files |= {f"failed/{each.parent.name}/log.txt": each for each in logs}
    files |= {f"predictions/{CHOSEN}": study.predictions / CHOSEN}
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, each in sorted(files.items()):
            with contextlib.suppress(FileNotFoundError):  # nothing was chosen, or nothing failed
                archive.add(each, name)
    write_whole(path, stream.getvalue())


def take(study: Study, path: Path) -> list[str]:
    """Take over predictions that were made on another machine by the code that is committed here.

    study (Study): The study.
    path (Path): What `pack` wrote there.
    RETURNS (list[str]): The runs.
    RAISES (SystemExit): If code is not committed here, or was another one there; if there are other predictions here.
    """
    if uncommitted(study):
        fail("Predictions are not taken over: commit first", "\n".join(uncommitted(study)))
    here = {"commit": git(study, "rev-parse", "HEAD"), "uncommitted": []}
    with tempfile.TemporaryDirectory() as name, tarfile.open(path) as archive:
        archive.extractall(name, filter="data")
        found = sorted(Path(name, "predictions").glob(f"*/{FACTS}"))
        taken = [_take(study, each.parent, here) for each in found]
    return taken


def _take(study: Study, folder: Path, here: dict[str, Any]) -> str:
    facts = read_json(folder / FACTS)
    run, place = f"{facts['config']}, seed {facts['seed']}", study.predictions / folder.name
    if folder.name != f"{facts['config_hash']}-{facts['seed']}" or facts["code"] != code_digest(study):
        fail(f"{run} was not trained by this code", "Take it over at the commit that it was trained at.")
    if place.is_dir() and not _same(folder, place):
        fail(f"There are other predictions of {run}", f"Remove {place} if they count for nothing.")
    write_json(folder / FACTS, facts | here)
    if not place.is_dir():
        shutil.copytree(folder, place)
    return run


def _same(one: Path, other: Path) -> bool:
    files: Iterable[Path] = one.glob("*.spacy")
    return all((other / file.name).is_file() and checksum(file) == checksum(other / file.name) for file in files)
