"""The objects of a JSON file with the line each begins on: one object a line, or one list of objects."""

import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from ...errors import Errors
from .lines import read_lines

_BLANK = " \t\r\n"


def read_json_rows(path: str | Path) -> Iterator[tuple[int, Any]]:
    """Stream the objects of a file. Lines of JSON are read one by one; a list is read whole.

    path (str | Path): The file, in UTF-8.
    YIELDS (tuple[int, Any]): Line, from 1, and what stands there.
    RAISES (ValueError): TC111 and TC160, with the line; TC169 if there is no such file, or nothing in it.
    """
    if not Path(path).is_file():
        raise ValueError(Errors.TC169.format(path=str(path), detail="There is no such file."))
    lines = ((number, line) for number, line in read_lines(path) if line.strip(_BLANK))
    first = next(lines, None)
    if first is None:
        raise ValueError(Errors.TC169.format(path=str(path), detail="The file is empty."))
    if first[1].lstrip(_BLANK).startswith("["):
        yield from _list_rows(path)
        return
    for number, line in chain([first], lines):
        try:
            yield number, json.loads(line)
        except json.JSONDecodeError as err:
            raise _no_json(path, number, err) from err


def _list_rows(path: str | Path) -> Iterator[tuple[int, Any]]:
    """Stream the items of one list."""
    text = "\n".join(line for _, line in read_lines(path))
    decoder = json.JSONDecoder()
    line, counted = 1, 0
    at = _skip(text, text.index("[") + 1)
    more = text[at : at + 1] != "]"
    while more:
        line, counted = line + text.count("\n", counted, at), at
        try:
            row, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError as err:
            raise _no_json(path, err.lineno, err) from err
        yield line, row
        at = _skip(text, at)
        more = text[at : at + 1] == ","
        if more:
            at = _skip(text, at + 1)
        elif text[at : at + 1] != "]":
            fault = json.JSONDecodeError("Expecting ',' or ']' after an object", text, at)
            raise _no_json(path, fault.lineno, fault)
    if text[at + 1 :].strip(_BLANK):
        fault = json.JSONDecodeError("Extra data after the list", text, at + 1)
        raise _no_json(path, fault.lineno, fault)


def _skip(text: str, at: int) -> int:
    """Skip blanks."""
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at


def _no_json(path: str | Path, line: int, err: json.JSONDecodeError) -> ValueError:
    """Say where a file is not JSON."""
    return ValueError(Errors.TC160.format(where=f"{path}:{line}", reason=f"{err.msg}, column {err.colno}"))
