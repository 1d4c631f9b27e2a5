"""Settings of a token classifier: checked wherever they are set, in the config, in `cfg`, or as attributes."""

from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any
from weakref import WeakMethod

import numpy as np

from ..errors import Errors
from ..tags import SCHEMES
from ..tags.tuning import Tuning

DECODERS = ("constrained", "greedy")
#: Setting of `spans_key` that leaves the key to the component's place in the pipeline.
AUTO = "auto"
#: The key of the first component of a pipeline.
FIRST_KEY = "entities"
#: No number that is fitted is larger, and what is no number at all is not smaller.
LARGEST = 1e30
#: What the factory sets, if nobody says otherwise.
DEFAULTS: dict[str, Any] = {
    "decode": "constrained",
    "threshold": 0.0,
    "overwrite_ents": False,
    "annotate_ents": True,
    "spans_key": AUTO,
    "tuned": True,
    "label_smoothing": 0.0,
}


def _are_tags(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(tag, str) and tag for tag in value)


def _is_tuning(value: Any) -> bool:
    """Tell whether a value holds fields of a `Tuning`, with a finite number for each type in its bias."""
    if value is None:
        return True
    if not isinstance(value, Mapping) or not set(value) <= set(Tuning._fields):
        return False
    bias, texts = value.get("bias", {}), value.get("texts", "")
    numbers = [number for key, number in value.items() if key not in ("bias", "texts")]
    return (
        isinstance(bias, Mapping)
        and isinstance(texts, str)
        and all(isinstance(type_, str) for type_ in bias)
        and all(_is_number(number) and abs(number) < LARGEST for number in (*numbers, *bias.values()))
        and value.get("temperature", 1.0) > 0.0
    )


#: What else is in `cfg`: the labels, what was fitted, and what the config says of the settings.
STATE: dict[str, tuple[Callable[[Any], bool], str]] = {
    "format": (lambda value: isinstance(value, int) and not isinstance(value, bool), "a whole number"),
    "tags": (_are_tags, "a list of tags"),
    "tuning": (
        _is_tuning,
        "null, or what `spacy tokclf tune` has fitted: bias, temperature, slope, shift and texts",
    ),
    "given": (lambda value: isinstance(value, Mapping), "the settings of the config"),
}


def check_setting(name: str, value: Any) -> Any:
    """Check one entry of `cfg`.

    name (str): Its key.
    value (Any): Its value.
    RETURNS (Any): The value, a number as float.
    RAISES (ValueError): TC021, TC022 or TC031, for a value out of range; TC035, for a key that is no setting; TC100,
        for a tag scheme that does not exist.
    """
    if name == "scheme":
        if not isinstance(value, str) or value not in SCHEMES:
            raise ValueError(Errors.TC100.format(scheme=value, known=", ".join(SCHEMES)))
        return value
    if name in STATE:
        is_right, expected = STATE[name]
        if not is_right(value):
            raise ValueError(_out_of_range(name, value, expected))
        return value
    if name not in DEFAULTS:
        raise ValueError(Errors.TC035.format(name=name, known=", ".join(DEFAULTS)))
    if name == "decode":
        if value not in DECODERS:
            raise ValueError(Errors.TC021.format(value=value, choices=", ".join(DECODERS)))
    elif name == "threshold":
        if not _is_number(value) or not 0.0 <= value <= 1.0:
            raise ValueError(Errors.TC022.format(value=value))
        return float(value)
    elif name == "label_smoothing":
        if not _is_number(value) or not 0.0 <= value < 1.0:
            raise ValueError(_out_of_range(name, value, "at least 0 and less than 1"))
        return float(value)
    elif name == "spans_key":
        if value is not None and (not isinstance(value, str) or not value):
            raise ValueError(_out_of_range(name, value, 'the key of a span group, "auto", or null for no group'))
    elif not isinstance(value, bool | np.bool_):
        raise ValueError(_out_of_range(name, value, "true or false"))
    else:
        return bool(value)
    return value


def check_output(settings: Mapping[str, Any]) -> None:
    """Refuse settings by which entities are put nowhere.

    settings (Mapping[str, Any]): Entries of a `cfg`.
    RAISES (ValueError): TC036.
    """
    if not settings.get("annotate_ents", True) and settings.get("spans_key", AUTO) is None:
        raise ValueError(Errors.TC036)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _out_of_range(name: str, value: Any, expected: str) -> str:
    return Errors.TC031.format(name=name, value=repr(value), expected=expected)


class Settings(dict[str, Any]):
    """The `cfg` of a token classifier: a dict that takes nothing that `check_setting` refuses.

    on_change (WeakMethod | None): Called with the key of a setting that was set. Weak, so that a component is freed as
        soon as nobody uses it. Copies have none.
    """

    on_change: "WeakMethod[Callable[[str], None]] | None" = None

    def __setitem__(self, key: str, value: Any) -> None:
        self.update({key: value})

    def restore(self, entries: Mapping[str, Any]) -> None:
        """Take over entries that were saved; nobody is told of a change.

        entries (Mapping[str, Any]): The entries.
        """
        super().update({key: check_setting(key, value) for key, value in entries.items()})

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Set several entries: all of them, or none if one is refused.

        *args, **kwargs (Any): As for `dict.update`.
        """
        entries = {key: check_setting(key, value) for key, value in dict(*args, **kwargs).items()}
        if entries.get("spans_key") == AUTO:
            raise ValueError(_out_of_range("spans_key", AUTO, 'the key of a span group ("auto" is for the config)'))
        check_output({**self, **entries})
        super().update(entries)
        tell = self.on_change() if self.on_change is not None else None
        for key in entries:
            if tell is not None and key in DEFAULTS:
                tell(key)

    def __ior__(self, other: Any) -> "Settings":  # type: ignore[override,misc]
        self.update(other)
        return self

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Give an entry, and set it before if it is not there.

        key (str): The key.
        default (Any): What it is set to.
        RETURNS (Any): The entry.
        """
        if key not in self:
            self[key] = default
        return self[key]

    def __reduce__(self) -> tuple[Any, ...]:
        return _make_settings, (dict(self),)


def _make_settings(entries: Mapping[str, Any]) -> Settings:
    settings = Settings()
    settings.restore(entries)
    return settings


class Setting:
    """An attribute of the component that is an entry of its `cfg`."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, pipe: Any, owner: type | None = None) -> Any:
        return self if pipe is None else pipe.cfg[self.name]

    def __set__(self, pipe: Any, value: Any) -> None:
        pipe.cfg[self.name] = value
