"""The config as text: few lines, which a person reads, and everything else by its default."""

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from ..errors import Errors
from .plan import Plan
from .source import Source

TEMPLATE = "templates/config.cfg.jinja"


def config_text(plan: Plan, *, paths: Mapping[str, str], lang: str, pipe: str, source: Source | None = None) -> str:
    """Write the config.

    plan (Plan): Its numbers.
    paths (Mapping[str, str]): Of "train" and "dev", the .spacy files; of the "encoder", its folder or its name on the
        Hub; and of the "source", if there is one.
    lang (str): The language.
    pipe (str): The component's name.
    source (Source | None): The pipeline that the component is put into.
    RETURNS (str): The config.
    RAISES (ValueError): TC339, for a path that no config can hold.
    """
    from jinja2 import Environment, StrictUndefined

    for path in paths.values():
        check_path(path)
    environment = Environment(
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, undefined=StrictUndefined
    )
    environment.filters["value"] = _value
    template = environment.from_string(files(__package__).joinpath(TEMPLATE).read_text(encoding="utf-8"))
    return template.render(plan=plan, paths=paths, lang=lang, pipe=pipe, source=source)


def check_path(path: str) -> None:
    """Refuse a path that no config can hold.

    path (str): The path.
    RAISES (ValueError): TC339.
    """
    if "$" in path or not path.isprintable():
        raise ValueError(Errors.TC339.format(path=path))


def _value(value: Any) -> str:
    """RETURNS (str): A value as a config has it."""
    return json.dumps(value, ensure_ascii=False)
