"""The named configs of `configs.yml`, and the names that follow from them.

| name | what it is |
|---|---|
| `NAME` | an entry of `configs.yml` |
| `NAME:learn_rate=0.0001,epochs=4` | a point of its grid |
| `default-LEVER`, `plain+LEVER`, `plain+A+B` | levers taken out of the best recipe, or put into the plain one |
| `…+dev` | fitted once more on train and dev, without any selection |
| `…@DATA` | on another data set of `data.py` |
"""

import copy
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

import srsly
from project_files import fail
from spacy.util import load_config

from . import data
from .study import Study

#: The two recipes that levers are taken out of and put into.
BEST, PLAIN = "default", "plain"
#: Settings that mean the same for every system: where they stand in a config of spaCy.
RATE = "training.optimizer.learn_rate.initial_rate"
SHORT = ("learn_rate", "epochs")
#: Settings that came after the first runs, and their values that change nothing: a hash is the same with and without.
OFF = {"normalize": False, "casing_dropout": 0.0, "label_smoothing": 0.0, "crf": False, "tuned": True}
Settings = dict[str, Any]


@dataclass(frozen=True)
class Definition:
    """What one config is.

    name (str): Its full name.
    system (str): What trains it: "spacy", "spacy_transformers" or "hf_trainer".
    data (str): The data set.
    with_dev (bool): Whether it is fitted on train and dev, without selection.
    settings (dict[str, Any]): A config of spaCy without paths, or the settings of the Trainer.
    tune (list[str] | None): Options of `spacy tokclf tune` on dev after training; None: it is not run.
    files (tuple[Path, ...]): The files that define it.
    """

    name: str
    system: str
    data: str
    with_dev: bool
    settings: Settings
    tune: list[str] | None
    files: tuple[Path, ...]

    @property
    def training_hash(self) -> str:
        """A short name of what is trained: equal for equal trainings, whatever they are called."""
        return digest([self.system, self.data, self.with_dev, without_off(self.settings)])

    @property
    def hash(self) -> str:
        """A short name of what is run, tuning on dev included."""
        return digest([self.training_hash, self.tune])


def digest(value: Any) -> str:
    """Hash a value that JSON can hold.

    value (Any): The value.
    RETURNS (str): Twelve hexadecimal digits.
    """
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode("utf8")).hexdigest()[:12]


def without_off(settings: Settings) -> Settings:
    """Leave out the settings of OFF where they change nothing.

    settings (dict[str, Any]): The settings, nested.
    RETURNS (dict[str, Any]): The others.
    """
    kept = {key: value for key, value in settings.items() if key not in OFF or value != OFF[key]}
    return {key: without_off(value) if isinstance(value, dict) else value for key, value in kept.items()}


def read_entries(study: Study) -> dict[str, dict[str, Any]]:
    """Read `configs.yml`.

    study (Study): The study.
    RETURNS (dict[str, dict[str, Any]]): "configs" and "levers", each by name.
    """
    return _parse(study.configs.read_text(encoding="utf8"))


@lru_cache(maxsize=4)
def _parse(text: str) -> dict[str, dict[str, Any]]:
    """Read YAML once. Nobody changes what is read."""
    return srsly.yaml_loads(text)


def all_names(study: Study) -> list[str]:
    """List every name but those with `+dev` and `@DATA`: entries, their grids, and both sides of every lever.

    study (Study): The study.
    RETURNS (list[str]): The names.
    """
    entries = read_entries(study)
    names = list(entries["configs"])
    for name, entry in entries["configs"].items():
        names += [point_name(name, point) for point in grid_points(entry)]
    for lever, sides in entries.get("levers", {}).items():
        names += [f"{BEST}-{lever}"] * ("without" in sides) + [f"{PLAIN}+{lever}"] * ("with" in sides)
    return names


def match_names(study: Study, patterns: list[str]) -> list[str]:
    """Replace patterns such as `hf_trainer:*` by the names that they stand for.

    study (Study): The study.
    patterns (list[str]): Names and patterns.
    RETURNS (list[str]): The names, each once.
    """
    known = all_names(study)
    found: list[str] = []
    for pattern in patterns:
        found += [name for name in known if fnmatchcase(name, pattern)] if "*" in pattern else [pattern]
    return list(dict.fromkeys(found))


def grid_points(entry: Mapping[str, Any]) -> list[Settings]:
    """List the points of an entry's grid.

    entry (Mapping[str, Any]): The entry.
    RETURNS (list[Settings]): The settings of each point; empty without a grid.
    """
    grid = entry.get("grid", {})
    return [dict(zip(grid, values, strict=True)) for values in product(*grid.values())] if grid else []


def point_name(name: str, point: Settings) -> str:
    """Name a point of a grid.

    name (str): The entry's name.
    point (Settings): The settings of the point.
    RETURNS (str): The name.
    """
    return f"{name}:" + ",".join(f"{key}={value}" for key, value in point.items())


def resolve(study: Study, name: str) -> Definition:
    """Work out what a name stands for.

    study (Study): The study.
    name (str): The name.
    RETURNS (Definition): The definition.
    RAISES (SystemExit): If there is no such name.
    """
    definition = find(study, name)
    if definition is None:
        fail(f"There is no config {name!r}", f"Expected one of {study.configs}, or a name made of them: see README.md.")
    return definition


def find(study: Study, name: str) -> Definition | None:
    """Work out what a name stands for, if anything.

    study (Study): The study.
    name (str): The name.
    RETURNS (Definition | None): The definition; None if there is no such name.
    """
    rest, _, data_name = name.partition("@")
    data_name = data_name or data.NAMES[0]
    with_dev = rest.endswith(data.DEV)
    rest = rest.removesuffix(data.DEV)
    entries = read_entries(study)
    if (rest not in all_names(study) and not _levers_of(entries, rest)) or data_name not in data.NAMES:
        return None
    entry, changes = _entry_of(entries, rest)
    changes = [entry.get("set", {}), *changes]
    tune = entry.get("tune")
    for each in changes:
        tune = each.get("tune", tune)
    if "config" in entry:
        base = study.root / entry["config"]
        settings = load_config(base, interpolate=False)
        for each in changes:
            change(settings, each)
        for key in settings["paths"]:
            settings["paths"][key] = None
        settings["system"]["seed"] = 0
        files: tuple[Path, ...] = (study.configs, base)
    else:
        settings = {key: value for each in changes for key, value in each.items() if key != "tune"}
        files = (study.configs,)
    return Definition(name, entry.get("system", "spacy"), data_name, with_dev, dict(settings), tune, files)


def _entry_of(entries: dict[str, dict[str, Any]], name: str) -> tuple[dict[str, Any], list[Settings]]:
    """Find the entry that a name begins with, and what the rest of the name changes."""
    configs = entries["configs"]
    if name in configs:
        return configs[name], []
    found = _levers_of(entries, name)
    if found:
        return found
    base = name.partition(":")[0]
    return configs[base], [point for point in grid_points(configs[base]) if point_name(base, point) == name]


def _levers_of(entries: dict[str, dict[str, Any]], name: str) -> tuple[dict[str, Any], list[Settings]] | None:
    """Find the recipe and the levers in a name such as `plain+A+B`; None if it is no such name."""
    levers = entries.get("levers", {})
    for recipe, mark, side in ((BEST, "-", "without"), (BEST, "+", "with"), (PLAIN, "+", "with")):
        first, *names = name.split(mark)
        if first == recipe and names and all(side in levers.get(each, {}) for each in names):
            return entries["configs"][recipe], [levers[each][side] for each in names]
    return None


def change(settings: Settings, values: Settings) -> None:
    """Set values in a config of spaCy. Whether the keys exist is checked by spaCy when it reads the config.

    settings (Settings): The config, changed in place.
    values (Settings): Values by dotted key; whole blocks are values, too. `learn_rate` and `epochs` stand for what they
        mean: `eval_frequency` is the number of steps in an epoch, and the warm-up keeps its share of the steps.
    RAISES (SystemExit): If a section is not there.
    """
    for key, value in values.items():
        if key == "tune":
            continue
        if key == "epochs":
            set_steps(settings, settings["training"]["eval_frequency"], epochs=value)
            continue
        *sections, last = (RATE if key == "learn_rate" else key).split(".")
        node = settings
        for section in sections:
            if not isinstance(node.get(section), dict):
                fail(f"There is no section {section!r} in the config", f"It was asked to set {key!r}.")
            node = node[section]
        node[last] = copy.deepcopy(value)


def set_steps(settings: Settings, epoch: int, *, epochs: float | None = None) -> None:
    """Set the number of steps, the time between evaluations and the warm-up, which keeps its share.

    settings (Settings): The config, changed in place.
    epoch (int): The number of steps between two evaluations.
    epochs (float | None): How many times that; None: as many as before.
    """
    training = settings["training"]
    rate = training["optimizer"]["learn_rate"]
    steps = training["max_steps"]
    epochs = steps / training["eval_frequency"] if epochs is None else epochs
    training["max_steps"] = round(epoch * epochs)
    training["eval_frequency"] = epoch
    rate["warmup_steps"] = round(rate["warmup_steps"] / steps * training["max_steps"])
