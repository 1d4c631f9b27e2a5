"""Settings of a component that is being loaded: those that it is loaded with, and those that were saved with it."""

import contextlib
from pathlib import Path
from typing import Any

from thinc.api import Config, Model

from ..errors import Errors
from ..models.base_shim import encoder_nodes
from ..models.encoder import FIXED_SETTINGS, SETTINGS
from ..runtime.reading import expect_keys
from ..tags import expected_tags, is_tag_of, split_tag
from ..tags.schemes import PREFIXES
from .home import Home, encoder_blocks
from .settings import AUTO, DEFAULTS, Settings, check_output, check_setting

#: What spaCy writes beside the folders of components, before them.
CONFIG = "config.cfg"
#: Digits that a number keeps in a config.
DIGITS = 9


def saved_settings(pipe: Any, folder: Path) -> dict[str, Any]:
    """Give the `cfg` to be saved. In the folder of a pipeline, `given` is what the config.cfg there says: so it is
    known at load whether somebody changed it since. It need not be what the settings are: a component that is sourced,
    or copied, does not know the pipeline whose config would have to follow.

    pipe (Stored): The component.
    folder (Path): Its folder.
    RETURNS (dict[str, Any]): The entries.
    """
    path = folder.parent / CONFIG
    if "given" not in pipe.cfg or not path.is_file():
        return dict(pipe.cfg)
    component: dict[str, Any] = {}
    with contextlib.suppress(ValueError):  # a reference to what is not there
        component = Config().from_disk(path).get("components", {}).get(folder.name, {})
    return pipe.cfg | {"given": {key: component.get(key, value) for key, value in pipe.cfg["given"].items()}}


def check_entries(saved: Any, known: dict[str, Any]) -> dict[str, Any]:
    """Check a saved `cfg` by the rules by which settings are set.

    saved (Any): What was read.
    known (dict[str, Any]): The `cfg` of the component that it is for.
    RETURNS (dict[str, Any]): The entries.
    RAISES (ValueError): TC021, TC022, TC027, TC031, TC035, TC036 and TC100, as for settings; TC423, for what is no
        object, or without labels; TC432, for an entry that cannot be.
    """
    entries = expect_keys(saved, ("format", "scheme", "tags") if isinstance(known, Settings) else ("format",), "cfg")
    check_setting("format", entries["format"])
    if entries["format"] > known["format"]:
        return entries  # TC030 says that: newer versions may have other entries
    if not isinstance(known, Settings):
        unknown = next((key for key in entries if key not in {*known, "given"}), None)
        if unknown is not None:
            raise _odd(unknown, entries[unknown], "no such entry")
        return entries
    for key, value in entries.items():
        check_setting(key, value)
    for key, value in entries.get("given", {}).items():
        if key not in DEFAULTS:
            raise _odd(f"given: {key}", value, "no such entry")
        check_setting(key, value)
    if entries.get("spans_key") == AUTO:
        raise _odd("spans_key", AUTO, "the key of a span group, or null")
    check_output(entries)
    _check_tags(entries["tags"], entries["scheme"])
    return entries


def _check_tags(tags: list[str], scheme: str) -> None:
    """Refuse a tag that stands twice, and tags of another scheme."""
    twice = [tag for tag in dict.fromkeys(tags) if tags.count(tag) > 1]
    if twice:
        raise _odd("tags", f"a list with {twice[0]!r} in it twice", "each tag once")
    parts = [(tag, *split_tag(tag)) for tag in tags]
    wrong = [tag for tag, prefix, type_ in parts if prefix in PREFIXES and type_ and not is_tag_of(tag, scheme)]
    if wrong:
        raise ValueError(Errors.TC027.format(tags=wrong[:5], scheme=scheme, expected=expected_tags(scheme)))


def _odd(name: str, value: Any, expected: str) -> ValueError:
    return ValueError(Errors.TC432.format(name=name[:80], value=str(value)[:80], expected=expected))


def restore_settings(pipe: Any, saved: dict[str, Any], *, in_pipeline: bool) -> None:
    """Take over a saved `cfg`.

    A setting that the component is loaded with wins over the saved one if somebody chose it: it is another than the
    factory's default, or the config says so that the pipeline is being loaded with (`spacy.load(..., config=...)`, or
    an edited config.cfg). Else the saved one stays, also if it was changed on the component before it was saved. The
    pipeline's config then says what is in use.

    pipe (Stored): The component, as its config made it.
    saved (dict[str, Any]): The saved `cfg`.
    in_pipeline (bool): Whether a whole pipeline is being loaded, with its config.
    RAISES (ValueError): TC030, if it comes from a later version of this package.
    """
    if saved.get("format", 0) > pipe.cfg.get("format", 0):
        raise ValueError(Errors.TC030.format(name=pipe.name, found=saved["format"], known=pipe.cfg.get("format", 0)))
    home: Home = pipe.home
    given: dict[str, Any] = dict(pipe.cfg.get("given", {}))
    loaded = home.loaded_config_of(pipe) if in_pipeline else {}
    kept = {}
    for key, value in given.items():
        before = saved.get("given", {}).get(key, saved.get(key, value))
        chosen = value != DEFAULTS[key] or (key in loaded and _equal(loaded[key], value))
        if _equal(value, before) or not chosen:
            given[key] = before if key == "spans_key" else saved.get(key, value)
        else:
            kept[key] = pipe.cfg[key]
    # What was fitted belongs to the weights: nothing stays of it if the saved component, or its version, has none.
    fitted = {"tuning": None} if "tuning" in pipe.cfg else {}
    entries = fitted | saved | kept | {"given": given, "format": pipe.cfg["format"]}
    if isinstance(pipe.cfg, Settings):
        pipe.cfg.restore(entries)
    else:
        pipe.cfg.update(entries)
    config = home.config_of(pipe)
    config.update({key: value for key, value in given.items() if key in config and not _equal(config[key], value)})


def encoder_settings(model: Model) -> list[dict[str, Any]]:
    """RETURNS (list[dict[str, Any]]): The settings of each encoder in a model, to be given to `restore_encoders`."""
    return [{key: node.attrs[key] for key in SETTINGS if key in node.attrs} for node in encoder_nodes(model)]


def restore_encoders(pipe: Any, given: list[dict[str, Any]], *, in_pipeline: bool) -> None:
    """Put right what thinc has restored: the saved settings of encoders. Those that somebody chose win, as for
    `restore_settings`, and what the weights were trained with cannot be chosen anew.

    pipe (Stored): The component, with saved weights and settings.
    given (list[dict[str, Any]]): What its config said of each encoder.
    in_pipeline (bool): Whether a whole pipeline is being loaded, with its config.
    RAISES (ValueError): TC033, for a setting that a trained encoder cannot change.
    """
    home: Home = pipe.home
    loaded = encoder_blocks(home.loaded_config_of(pipe)) if in_pipeline else []
    blocks = encoder_blocks(home.config_of(pipe))
    for index, (node, settings) in enumerate(zip(encoder_nodes(pipe.model), given, strict=True)):
        block = blocks[index] if len(blocks) == len(given) else {}
        claimed = loaded[index] if len(loaded) == len(given) else {}
        for key, value in settings.items():
            saved = node.attrs[key]
            if _equal(saved, value):
                continue
            chosen = value != SETTINGS[key] or (key in claimed and _equal(claimed[key], value))
            if not chosen:
                block.update({key: saved} if key in block or saved != SETTINGS[key] else {})
            elif key in FIXED_SETTINGS:
                raise ValueError(Errors.TC033.format(name=pipe.name, key=key, saved=saved, value=value))
            else:
                node.attrs[key] = value


def _equal(one: Any, other: Any) -> bool:
    """Compare two values of a config, numbers up to the digits that they have in a file."""
    if isinstance(one, float) or isinstance(other, float):
        numbers = isinstance(one, int | float) and isinstance(other, int | float)
        return numbers and abs(one - other) < 10.0**-DIGITS
    return bool(one == other)
