"""The options of reading data, which every command that reads any has alike."""

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import typer


class Choice(NamedTuple):
    """An option of reading.

    type (Any): Its type on the command line.
    default (Any): Its default, that of `corpus.options.ReadOptions`.
    flags (tuple[str, ...]): What it is called.
    help (str): What it means.
    """

    type: Any
    default: Any
    flags: tuple[str, ...]
    help: str


#: Options of files, by the field of ReadOptions.
FILES = {
    "format": Choice(
        str,
        "auto",
        ("--format", "-f"),
        "JSON: its tool: doccano, prodigy or label-studio; auto asks the keys",
    ),
    "scheme": Choice(str, "auto", ("--scheme", "-s"), "Tags: their scheme, or auto"),
    "token_column": Choice(str, "0", ("--token-column",), "Columns: that of the tokens, by number from 0 or by name"),
    "tag_column": Choice(str, "-1", ("--tag-column",), "Columns: that of the tags; -1 is the last"),
    "separator": Choice(str | None, None, ("--separator",), "Columns: what stands between them, if that is not found"),
    "encoding": Choice(str | None, None, ("--encoding",), "Text files: their encoding, if it is not Unicode"),
    "on_misaligned": Choice(
        str, "mask", ("--on-misaligned",), "Spans that do not fit the tokens: mask, expand, contract or error"
    ),
    "overlap": Choice(str, "error", ("--overlap",), "Spans that overlap: error, longest or first"),
    "keep_tokens": Choice(
        bool, False, ("--keep-tokens",), "Keep the tokens of the file, where it has any, as Prodigy's do"
    ),
    "text_key": Choice(str | None, None, ("--text-key",), "JSON: the key of the text, if that is not found"),
    "annotator": Choice(str | None, None, ("--annotator",), "JSON: whose annotations to read, if there are several"),
    "predictions": Choice(bool, False, ("--predictions",), "JSON: read predictions where there are no annotations"),
    "offsets": Choice(
        str, "check", ("--offsets",), "trust takes offsets at which the text is not what the file says; check refuses"
    ),
}
#: Options of data sets.
DATA_SETS = {
    "split": Choice(str, "train", ("--split",), "Data set: which split"),
    "name": Choice(str | None, None, ("--name",), "Data set: its configuration"),
    "revision": Choice(str | None, None, ("--revision",), "Data set: its revision on the Hub"),
    "tokens": Choice(str, "tokens", ("--tokens",), "Data set: column of the tokens"),
    "tags": Choice(str | None, None, ("--tags",), "Data set: column of the tags; else ner_tags, tags or labels"),
}


def reading(
    *, data_sets: bool = False, without: tuple[str, ...] = (), **defaults: Any
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of reading. It gets them as its argument `options`, a ReadOptions.

    data_sets (bool): Whether the command reads data sets with splits, too.
    without (tuple[str, ...]): Options that it does not have.
    defaults (Any): Other defaults.
    RETURNS (Callable[[Callable[..., None]], Callable[..., None]]): The decorator.
    """
    choices = {name: one for name, one in (FILES | (DATA_SETS if data_sets else {})).items() if name not in without}
    choices |= {name: choices[name]._replace(default=value) for name, value in defaults.items()}

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def wrapped(*args: Any, **kwargs: Any) -> None:
            from ..corpus.options import ReadOptions

            given = {name: kwargs.pop(name) for name in choices}
            given |= {name: column(given[name]) for name in ("token_column", "tag_column") if name in given}
            command(*args, **kwargs, options=ReadOptions(**given))

        own = inspect.signature(command)
        kept = [one for one in own.parameters.values() if one.name != "options"]
        added = [_parameter(name, one) for name, one in choices.items()]
        wrapped.__signature__ = own.replace(parameters=[*kept, *added])  # type: ignore[attr-defined]
        wrapped.__annotations__ = {one.name: one.annotation for one in (*kept, *added)}
        return wrapped

    return decorate


def column(value: str) -> int | str:
    """Read the number or the name of a column.

    value (str): What was given.
    RETURNS (int | str): A number if it is one.
    """
    return int(value) if value.removeprefix("-").isdecimal() else value


def _parameter(name: str, choice: Choice) -> inspect.Parameter:
    """Declare an option."""
    annotation: Any = Annotated[choice.type, typer.Option(*choice.flags, help=choice.help)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=choice.default, annotation=annotation)
