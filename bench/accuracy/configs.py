"""The configs of `configs.yml`, and a hash of the settings of each, by which runs know what they are runs of."""

import copy
import fnmatch
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import srsly
from project_files import fail
from spacy.util import load_config

from .study import Study

#: The recipe that everything is compared with.
BEST = "default"
RATE = "training.optimizer.learn_rate.initial_rate"
#: What systems start from, unless their entry says otherwise.
ENCODER = "assets/encoder"
#: Settings whose values here change nothing. They are left out of hashes, so that runs from before there were such
#: settings are still runs of the same config.
NEUTRAL: dict[str, Any] = {"backend": "auto", "normalize": False, "casing_dropout": 0.0, "label_smoothing": 0.0}
NEUTRAL |= {"crf": False, "tuned": True}
Settings = dict[str, Any]


@dataclass(frozen=True)
class Config:
    """What is trained.

    settings (dict[str, Any]): A config of spaCy without paths, or the settings of the Trainer.
    teachers (tuple[Config, ...]): What a student learns from.
    name, system, encoder, data, with_dev, distill, tune, title, grid_of: As in configs.yml.
    """

    name: str
    settings: Settings
    system: str = "spacy"
    encoder: str = ENCODER
    data: str = "wnut17"
    with_dev: bool = False
    teachers: "tuple[Config, ...]" = ()
    distill: list[str] | None = None
    tune: list[str] | None = None
    title: str = ""
    grid_of: str = ""

    @property
    def hash(self) -> str:
        """Twelve hexadecimal digits: equal for equal settings, whatever the name; English's tokenizer is named."""
        nlp = self.settings.get("nlp", {})
        named = {"nlp": {"tokenizer": {"@tokenizers": "spacy.Tokenizer.v1"}, **nlp}} if nlp.get("lang") == "en" else {}
        training = _digest([self.system, self.data, self.with_dev, _without_neutral(self.settings | named)])
        # Only where there is any, since runs from before there were others are still runs of the same config.
        other = {"encoder": self.encoder} if self.encoder != ENCODER else {}
        other |= {"teachers": [each.hash for each in self.teachers], "distill": self.distill} if self.teachers else {}
        return _digest([training, self.tune, other] if other else [training, self.tune])


def read_configs(study: Study, chosen: Mapping[str, str] | None = None) -> dict[str, Config]:
    """Read the configs.

    study (Study): The study.
    chosen (Mapping[str, str] | None): Points of hyperparameter grids by the names of the configs that are now to have
        their settings, and so all that is like these.
    RETURNS (dict[str, Config]): The configs by name, in the order of the file.
    """
    configs: dict[str, Config] = {}
    entries = srsly.read_yaml(study.configs)["configs"]
    for name, point in (chosen or {}).items():
        given = {key: value for key, value in entries[point].items() if key != "grid_of"}
        entries[name] |= {**given, "set": {**entries[name].get("set", {}), **given.get("set", {})}}
    for name, entry in entries.items():
        fields = dict(entry)
        like = fields.pop("like", fields.get("grid_of"))
        # A title and a grid are of one entry alone.
        base = replace(configs[like], title="", grid_of="") if like else Config(name, {})
        settings = copy.deepcopy(base.settings)
        if "config" in fields:
            settings = dict(load_config(study.root / fields.pop("config"), interpolate=False))
            settings["paths"] = dict.fromkeys(settings["paths"])
            settings["system"]["seed"] = 0
        for key, value in fields.pop("set", {}).items():
            _set(settings, key, value)
        if "teachers" in fields:
            fields["teachers"] = tuple(configs[each] for each in fields["teachers"])
        configs[name] = replace(base, **{**fields, "name": name, "settings": settings})
    return configs


def find_configs(configs: Mapping[str, Config], names: Sequence[str], study: Study) -> list[Config]:
    """Look configs up.

    configs (Mapping[str, Config]): The configs by name.
    names (Sequence[str]): Names, or patterns with *.
    study (Study): The study.
    RETURNS (list[Config]): The configs in the order of the file.
    RAISES (SystemExit): If a name or a pattern stands for none.
    """
    for each in names:
        if not fnmatch.filter(configs, each):
            fail(f"There is no config {each!r}", f"Expected a name in {study.configs}.")
    return [config for name, config in configs.items() if any(fnmatch.fnmatchcase(name, each) for each in names)]


def _set(settings: Settings, key: str, value: Any) -> None:
    """Set a value by its dotted key. Whether spaCy knows the last part is checked when spaCy reads the config."""
    is_spacy = "training" in settings
    if key == "epochs" and is_spacy:
        set_steps(settings, settings["training"]["eval_frequency"], epochs=value)
        return
    *sections, last = (RATE if key == "learn_rate" and is_spacy else key).split(".")
    for section in sections:
        if not isinstance(settings.get(section), dict):
            fail(f"There is no section {section!r} in the config", f"It was asked to set {key!r}.")
        settings = settings[section]
    settings[last] = copy.deepcopy(value)


def set_steps(settings: Settings, epoch: int, *, epochs: float | None = None) -> None:
    """Set the number of steps, the steps between evaluations and the warm-up, which keeps its share of the steps.

    settings (dict[str, Any]): A config of spaCy, changed in place.
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


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode("utf8")).hexdigest()[:12]


def _without_neutral(settings: Settings) -> Settings:
    """Leave out what changes no score: neutral values, malloc's settings, what the log shows, the study's precision."""
    kept = {key: value for key, value in settings.items() if key not in NEUTRAL or value != NEUTRAL[key]}
    if "before_init" in kept:
        kept["before_init"] = None
    if "precision" in kept:
        kept["precision"] = "fp32"
    if kept.get("seqeval_f1", 0.0) is None:
        kept["seqeval_f1"] = 0.0
    return {key: _without_neutral(value) if isinstance(value, dict) else value for key, value in kept.items()}
