"""The config as text: few lines, which a person reads, and everything else by its default."""

import json
from importlib.resources import files
from typing import Any

from thinc.api import Config

from ..errors import Errors
from .plan import Plan
from .source import Source

TEMPLATE = "templates/config.cfg.jinja"


def config_text(
    plan: Plan, *, name: str, train: str, dev: str, encoder: str, lang: str, pipe: str, source: Source | None = None
) -> str:
    """Write the config.

    plan (Plan): Its numbers.
    name (str): What its file will be called.
    train, dev (str): The .spacy files.
    encoder (str): The encoder's folder, or its name on the Hub.
    lang (str): The language.
    pipe (str): The component's name.
    source (Source | None): The pipeline that the component is put into.
    RETURNS (str): The config.
    RAISES (ValueError): TC339, for a path that no config can hold.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, undefined=StrictUndefined)
    environment.filters["value"] = json_value
    template = environment.from_string(files(__package__).joinpath(TEMPLATE).read_text(encoding="utf-8"))
    paths = {"train": train, "dev": dev, "encoder": encoder, **({} if source is None else {"source": source.name})}
    for path in paths.values():
        if "$" in path or "\n" in path:
            raise ValueError(Errors.TC339.format(path=path))
    return template.render(plan=plan, name=name, lang=lang, pipe=pipe, source=source, **{**paths, "source": source})


def json_value(value: Any) -> str:
    """Write a value as a config has it.

    value (Any): The value.
    RETURNS (str): JSON.
    """
    return json.dumps(value, ensure_ascii=False)


def check_text(text: str) -> None:
    """Read the config as spaCy will. A text that cannot be read is a bug of ours.

    text (str): The config.
    """
    Config().from_str(text)
