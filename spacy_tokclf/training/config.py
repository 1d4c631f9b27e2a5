"""The config of a training, as users give it: read, checked, and what is wrong with it said with a code."""

import configparser
import contextlib
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from spacy.language import DEFAULT_CONFIG
from spacy.util import load_config, load_config_from_str
from thinc.api import Config, ConfigValidationError

from ..errors import Errors
from ..runtime.blame import short

EPOCHS, CHAIN = "spacy-tokclf.epochs.v1", "spacy-tokclf.chain.v1"
#: Sections in which spaCy takes a key that nothing reads.
FREE = ("paths", "system", "nlp", "training", "initialize")


def read_training_config(path: str | Path, overrides: dict[str, Any], *, epochs: float | None = None) -> Config:
    """Read the config of a training.

    path (str | Path): The file.
    overrides (dict[str, Any]): Values to set, by "section.key".
    epochs (float | None): The length of training in epochs; None for what the config says.
    RETURNS (Config): The config, its variables not yet filled in.
    RAISES (ValueError): TC353, if it cannot be read; TC354, for an override of what is not there; TC031, for
        epochs that are not above 0.
    """
    with explained(path):
        plain = load_config(path, interpolate=False)
        config = overridden(plain, overrides)
    for section in ("nlp", "training"):
        if section not in config:
            raise ValueError(Errors.TC353.format(path=path, detail=f"There is no section [{section}]."))
    for name in overrides:
        _check_override(name, plain)
    if epochs is not None:
        use_epochs(config, epochs)
    return config


def overridden(config: Config, overrides: dict[str, Any]) -> Config:
    """Set values in a config, also in the place of whole blocks, which confection before 1.0 refuses.

    config (Config): The config, its variables not yet filled in.
    overrides (dict[str, Any]): Values to set, by "section.key".
    RETURNS (Config): Another config.
    RAISES (ConfigValidationError): For a section that is not there.
    """
    made, values = config.copy(), dict(overrides)
    for name in overrides:
        *sections, last = name.split(".")
        block: Any = made
        for section in sections:
            block = block.get(section) if isinstance(block, dict) else None
        if isinstance(block, dict) and isinstance(block.get(last), dict):
            block[last] = values.pop(name)
    return load_config_from_str(made.to_str(interpolate=False), overrides=values, interpolate=False)


def use_epochs(config: Config, epochs: float) -> None:
    """Let a training be so many epochs long, whatever its config said.

    config (Config): The config, which is changed: the callback `spacy-tokclf.epochs.v1` is added where it is missing.
    epochs (float): The number of epochs.
    RAISES (ValueError): TC031, for a number that is not above 0.
    """
    check_epochs(epochs)
    initialize = config.setdefault("initialize", {})
    given = initialize.get("after_init")
    found = [block for block in _blocks(given) if block.get("@callbacks") == EPOCHS]
    block = {"@callbacks": EPOCHS, "epochs": epochs}
    if found:
        found[0]["epochs"] = epochs
    elif given is None:
        initialize["after_init"] = block
    else:
        initialize["after_init"] = {"@callbacks": CHAIN, "*": {"given": given, "then": block}}
    if not found:
        defaults = DEFAULT_CONFIG["training"]
        config.setdefault("training", {}).update({name: defaults[name] for name in ("max_steps", "eval_frequency")})


def check_epochs(epochs: float) -> None:
    """Refuse what is no number of epochs.

    epochs (float): The number.
    RAISES (ValueError): TC031.
    """
    if not 0 < epochs < math.inf:
        raise ValueError(Errors.TC031.format(name="epochs", value=epochs, expected="a number above 0"))


@contextlib.contextmanager
def explained(path: str | Path) -> Iterator[None]:
    """Say with a code what spaCy has to say of a config.

    path (str | Path): The config.
    RAISES (ValueError): TC353.
    """
    try:
        yield
    except ConfigValidationError as error:
        raise ValueError(Errors.TC353.format(path=path, detail=_problems(error))) from error
    except configparser.Error as error:
        raise ValueError(Errors.TC353.format(path=path, detail=short(error, limit=300))) from error
    except (ValueError, OSError) as error:
        if not re.match(r"\[E\d", str(error)):  # "[Errno ...]" is none of spaCy's
            raise
        raise ValueError(Errors.TC353.format(path=path, detail=short(error, limit=300))) from error


def _problems(error: ConfigValidationError) -> str:
    """Give the values that were refused, and why, on one line."""
    found = [f"{'.'.join(map(str, one.get('loc', [])))}: {one.get('msg', '')}" for one in error.errors or []]
    return "; ".join(found[:3]) + "." if found else short(error, limit=300)


def _check_override(name: str, config: Config) -> None:
    """Refuse an override that nothing reads. RAISES (ValueError): TC354."""
    section, *keys = name.split(".")
    if section not in FREE or len(keys) != 1:
        return  # the arguments of functions and components: those that are none are refused by spaCy
    known = dict.fromkeys([*config.get(section, {}), *DEFAULT_CONFIG[section]])
    if keys[0] not in known:
        raise ValueError(Errors.TC354.format(name=name, section=section, known=", ".join(known)))


def _blocks(block: Any) -> list[dict[str, Any]]:
    """RETURNS (list[dict[str, Any]]): A block of a config, and the blocks in it."""
    if not isinstance(block, dict):
        return []
    return [block, *(inner for value in block.values() for inner in _blocks(value))]
