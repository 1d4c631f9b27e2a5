"""What a training is of: config, data, labels, tokenizers, versions. A training goes on with the same alone."""

import hashlib
import json
import os
import platform
import warnings
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from spacy.language import Language
from spacy.util import walk_dict
from thinc.backends import get_array_ops

from ..errors import Errors, Warnings
from ..models.shim import EncoderShim
from ..runtime.device import current_device
from ..runtime.group import Group
from .places import TorchPlace, find_places

PACKAGES = ("spacy-tokclf", "spacy", "thinc", "torch", "transformers", "numpy")
#: What decides on nothing that is learned.
FREE = "training.logger."
#: Sections with paths, which may differ: what is in the files is compared.
WITH_PATHS = ("paths", "corpora", "initialize")
_SHOWN = 4


def make_fingerprint(nlp: Language, *, train: str, dev: str, processes: int = 1) -> dict[str, Any]:
    """Say what a training is of.

    nlp (Language): The pipeline, initialized.
    train (str): The digest of the training data; empty for a stream.
    dev (str): That of the development data.
    processes (int): How many train together.
    RETURNS (dict[str, Any]): For JSON.
    """
    training: Any = nlp.config["training"]
    return {
        "config": _flat(nlp.config),
        "data": {"train": [training["train_corpus"], train], "dev": [training["dev_corpus"], dev]},
        "parts": _parts(nlp),
        "versions": _versions() | {"processes": str(processes)},
    }


def check_fingerprint(found: dict[str, Any], now: dict[str, Any]) -> None:
    """Refuse to go on with another training, and warn of other versions.

    found (dict[str, Any]): What the training was of.
    now (dict[str, Any]): What it is to go on with.
    RAISES (ValueError): TC451, for another config, other data, labels or tokenizers.
    """
    changes = find_changes(found, now)
    if changes:
        raise ValueError(Errors.TC451.format(changes=_some(changes)))
    differing = {key: (found["versions"].get(key), value) for key, value in now["versions"].items()}
    texts = [f"{key} {old} -> {new}" for key, (old, new) in differing.items() if old != new]
    if texts:
        warnings.warn(Warnings.TW450.format(changes=", ".join(texts)), stacklevel=2)


def check_same_call(call: dict[str, Any], group: Group) -> None:
    """Refuse processes that were not called alike: they would not wait for each other at the same places.

    call (dict[str, Any]): Arguments of this process, for JSON.
    group (Group): The processes.
    RAISES (ValueError): TC543.
    RAISES (ConnectionError): TC542, if a process is gone.
    """
    told = [json.loads(each) for each in group.collect(json.dumps(call).encode("utf-8"))]
    for rank, theirs in enumerate(told):
        changes = [f"{key}: {told[0][key]} -> {value}" for key, value in theirs.items() if value != told[0][key]]
        if changes:
            raise ValueError(Errors.TC543.format(rank=rank, changes=_some(changes)))


def check_same_training(fingerprint: dict[str, Any], group: Group) -> None:
    """Refuse processes that do not train the same: each reads the config and the data itself.

    fingerprint (dict[str, Any]): What the training of this process is of.
    group (Group): The processes.
    RAISES (ValueError): TC543.
    RAISES (ConnectionError): TC542, if a process is gone.
    """
    told = [json.loads(each) for each in group.collect(json.dumps(fingerprint).encode("utf-8"))]
    for rank, theirs in enumerate(told):
        changes = find_changes(told[0], theirs)
        if changes:
            raise ValueError(Errors.TC543.format(rank=rank, changes=_some(changes)))


def find_changes(found: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Say what differs between two trainings.

    found (dict[str, Any]): What the one is of.
    now (dict[str, Any]): What the other is of.
    RETURNS (list[str]): Each difference.
    """
    changes = _config_changes(found["config"], now["config"])
    for name, what in (("train", "training"), ("dev", "development")):
        if found["data"][name] != now["data"][name]:
            changes.append(f"the {what} data ({now['data'][name][0]}) are others")
    for name in sorted(found["parts"].keys() | now["parts"].keys()):
        if found["parts"].get(name) != now["parts"].get(name):
            changes.append(f"{name} changed")
    return changes


def _some(changes: list[str]) -> str:
    more = f"; and {len(changes) - _SHOWN} more" if len(changes) > _SHOWN else ""
    return "; ".join(changes[:_SHOWN]) + more


def _flat(config: Any) -> dict[str, Any]:
    """RETURNS (dict[str, Any]): The values of a config by "section.key", as JSON has them."""
    return {".".join(keys): json.loads(json.dumps(value, default=str)) for keys, value in walk_dict(config)}


def _config_changes(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """RETURNS (list[str]): What differs between two configs."""
    keys = [*new, *(key for key in old if key not in new)]
    return [
        f"{key}: {_shown(old, key)} -> {_shown(new, key)}"
        for key in keys
        if not key.startswith(FREE) and (key in old, old.get(key)) != (key in new, new.get(key))
        if not _is_moved(key, old.get(key), new.get(key))
    ]


def _shown(config: dict[str, Any], key: str) -> str:
    return json.dumps(config[key], ensure_ascii=False)[:60] if key in config else "nothing"


def _is_moved(key: str, old: Any, new: Any) -> bool:
    """Tell whether a value is a path, and another one than before."""
    both = isinstance(old, str) and isinstance(new, str)
    return both and key.split(".")[0] in WITH_PATHS and os.path.exists(new)


def _parts(nlp: Language) -> dict[str, str]:
    """Give a digest of what is fetched from elsewhere and not learned: labels, tokenizers, word vectors."""
    found = {}
    for name, pipe in nlp.components:
        labels = getattr(pipe, "labels", None)
        if labels is not None:
            found[f"the labels of {name!r}"] = _digest([str(label) for label in labels])
    for place in find_places(nlp):
        if isinstance(place, TorchPlace) and isinstance(place.shim, EncoderShim):
            told = [place.shim.config, place.shim.tokenizer_config, place.shim.tokenizer.to_str()]
            found[f"the tokenizer or the kind of the encoder in {place.name.split('/')[0]!r}"] = _digest(told)
    vectors: Any = nlp.vocab.vectors.data
    if vectors.size:
        found["the word vectors"] = hashlib.sha256(get_array_ops(vectors).to_numpy(vectors).tobytes()).hexdigest()
    return found


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode("utf-8")).hexdigest()


def _versions() -> dict[str, str]:
    """RETURNS (dict[str, str]): What the same bits hang on, beside config and data."""
    import torch

    found = {"Python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    device = current_device()
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return found | {"device": name, "threads": str(torch.get_num_threads())}
