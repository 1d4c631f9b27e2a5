"""Callbacks of `spacy train`: `spacy-tokclf.forget_paths.v1`, no path of this machine in a saved pipeline, and
`spacy-tokclf.chain.v1`, several callbacks where a config has room for one."""

import os
from collections.abc import Callable
from functools import reduce
from operator import getitem
from typing import Any

from spacy.language import Language
from spacy.util import walk_dict

REFERENCE = "${paths."


def make_chain_v1(*callbacks: Callable[[Language], Language | None]) -> Callable[[Language], Language]:
    """Make a callback that runs others, one after the other, each on what the one before it gave. In a config they are
    blocks of any names, as the layers of thinc's `chain.v1` are: `[initialize.after_init.*.labels]`.

    callbacks (Callable[[Language], Language | None]): The callbacks. Those that give nothing have changed the pipeline
        in place.
    RETURNS (Callable[[Language], Language]): The callback.
    """

    def run_chain(nlp: Language) -> Language:
        for callback in callbacks:
            nlp = callback(nlp) or nlp
        return nlp

    return run_chain


def make_forget_paths_v1() -> Callable[[Language], Language]:
    """Make a callback for `training.before_to_disk` that keeps paths of the machine that trained out of the saved
    pipeline: files and folders that `[paths]`, `[corpora]` and `[initialize]` name become null. Names on the Hub stay,
    and so do references such as `${paths.encoder}`, so that the saved config can train again with other paths.

    RETURNS (Callable[[Language], Language]): The callback.
    """
    return forget_paths


def forget_paths(nlp: Language) -> Language:
    """Remove the paths from a pipeline's config.

    nlp (Language): The pipeline.
    RETURNS (Language): The same pipeline, with a new config.
    """
    config = nlp.config.copy()
    resolved = nlp.config.interpolate()
    training = config.get("training", {})
    for section in (*(config.get(name, {}) for name in ("paths", "corpora", "initialize")), training.get("logger", {})):
        for keys, value in list(walk_dict(section)):
            if _is_path(value):
                _at(section, keys[:-1])[keys[-1]] = None
    nlp.config = config
    _forget_in_components(nlp, resolved["components"])
    return nlp


def _forget_in_components(nlp: Language, resolved: dict[str, Any]) -> None:
    """Replace references to a path: a component may not be made at all with null, so a folder's last name stays."""
    for name in nlp.component_names:
        config = nlp.get_pipe_config(name)
        for keys, value in list(walk_dict(config)):
            if isinstance(value, str) and REFERENCE in value:
                found = _at(resolved[name], keys)
                if _is_path(found):
                    _at(config, keys[:-1])[keys[-1]] = os.path.basename(os.path.abspath(found))


def _at(node: dict[str, Any], keys: list[str]) -> Any:
    """RETURNS (Any): What a nested dict holds under some keys."""
    return reduce(getitem, keys, node)


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and bool(value) and (os.path.isabs(value) or os.path.exists(value))
