"""Callbacks of `spacy train`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from spacy.language import Language


def make_forget_paths_v1() -> Callable[[Language], Language]:
    """Make a callback for `training.before_to_disk` that keeps paths of the machine that trained out of the saved
    pipeline: everything in `[paths]`, and encoders that came from a folder. Names on the Hub stay.

    RETURNS (Callable[[Language], Language]): The callback.
    """
    return forget_paths


def forget_paths(nlp: Language) -> Language:
    """Remove the paths from a pipeline's config.

    nlp (Language): The pipeline.
    RETURNS (Language): The same pipeline, with a config of its own.
    """
    config = nlp.config.copy()
    resolved = nlp.config.interpolate()
    for name in config.get("paths", {}):
        config["paths"][name] = None
    for name, block in config.get("initialize", {}).get("components", {}).items():
        encoder = block.get("encoder")
        if encoder:
            value = resolved["initialize"]["components"][name]["encoder"].get("name")
            block["encoder"]["name"] = None if _is_folder(value) else value
    nlp.config = config
    return nlp


def _is_folder(name: Any) -> bool:
    return isinstance(name, str) and Path(name).is_dir()
