"""The objects of a JSON file, one by one: one a line, over many lines, one after the other, in a list, or in a list
that lies in one object."""

import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from ...errors import Errors
from ...runtime.reading import no_constant, object_of
from .lines import read_line_blocks

_BLANK = " \t\r\n"
#: Keys under which a whole file may hold its rows.
_LISTS = ("data", "examples", "annotations", "documents", "items", "rows", "records", "train", "samples", "texts")
#: Keys beside such a list that say something of all its rows.
_SHARED = ("tag_names", "label_names", "label_list", "id2label", "classes")


class JsonRow(NamedTuple):
    """One object of a file.

    line (int): Where it begins, from 1.
    item (str): Which item of that line it is, "" if it stands alone.
    value (Any): What stands there.
    shared (dict[str, Any]): What the file says of all its rows.
    """

    line: int
    item: str
    value: Any
    shared: dict[str, Any]


class BadLine(NamedTuple):
    """A line of a file of lines that is not JSON.

    error (str): Why not, with file and line.
    """

    error: str


def read_json_rows(path: str | Path, encoding: str | None = None, *, lenient: bool = False) -> Iterator[JsonRow]:
    """Stream the objects of a file. Lines of JSON are read one by one; a list, and objects over many lines, whole.

    path (str | Path): The file, packed or not.
    encoding (str | None): Its encoding; None: UTF-8, or what a byte order mark says.
    lenient (bool): Whether a line that is not JSON is given as a BadLine, where the one before it was.
    YIELDS (JsonRow): The objects. A list is a row itself if it begins with a string, as in spaCy's ["text", {...}].
    RAISES (ValueError): TC160, with the line; TC169 if there is no such file, or nothing in it; as read_line_blocks.
    """
    if not Path(path).is_file():
        raise ValueError(Errors.TC169.format(path=str(path), detail="There is no such file."))
    lines = ((number, line) for number, line in _numbered_lines(path, encoding) if line.strip(_BLANK))
    empty = True
    for number, line in lines:
        is_first, empty = empty, False
        try:
            value = _load(line)
        except json.JSONDecodeError as err:
            if lenient and not is_first:
                yield JsonRow(number, "", BadLine(str(_no_json(path, number, _reason(err)))), {})
                continue
            for at, found in _whole_values(path, number, line, chain.from_iterable(_rest(lines, number)), err):
                yield from _unpack(found, at)
            return
        except (ValueError, RecursionError) as err:
            if not lenient:
                raise _no_json(path, number, _reason(err)) from err
            value = BadLine(str(_no_json(path, number, _reason(err))))
        yield from _unpack(value, number)
    if empty:
        raise ValueError(Errors.TC169.format(path=str(path), detail="The file is empty."))


def read_json_line(line: str, where: str) -> Any:
    """Read a line that is one value.

    line (str): The line.
    where (str): Where it stands, for messages.
    RETURNS (Any): The value.
    RAISES (ValueError): TC160, if it is no JSON.
    """
    try:
        return _load(line)
    except (ValueError, RecursionError) as err:
        raise ValueError(Errors.TC160.format(where=where, reason=_reason(err))) from err


def _numbered_lines(path: str | Path, encoding: str | None) -> Iterator[tuple[int, str]]:
    """Stream the lines of a file with their numbers, from 1."""
    return enumerate(chain.from_iterable(read_line_blocks(path, encoding)), 1)


def _rest(lines: Iterator[tuple[int, str]], number: int) -> Iterator[list[str]]:
    """Give the lines that follow, with empty ones for those that were left out, so that they can be counted."""
    for found, line in lines:
        yield [""] * (found - number - 1) + [line]
        number = found


def _whole_values(
    path: str | Path, first: int, line: str, rest: Iterator[str], fault: json.JSONDecodeError
) -> Iterator[tuple[int, Any]]:
    """Stream values that go over several lines, or stand several in a line; of a list its items, as they come.

    path (str | Path): The file.
    first (int): Number of the first line.
    line (str): That line.
    rest (Iterator[str]): The lines after it.
    fault (json.JSONDecodeError): What is wrong with the line if it stands alone.
    YIELDS (tuple[int, Any]): Line, and value.
    """
    text = "\n".join([line, *rest])
    counter = _Counter(text, first)
    at, begun = _skip(text, 0), False
    try:
        while at < len(text):
            inside = text[at] == "[" and text[_skip(text, at + 1) : _skip(text, at + 1) + 1] != '"'
            if not inside:
                value, end = _DECODER.raw_decode(text, at)
                yield counter.line(at), value
                at, begun = _skip(text, end), True
                continue
            at = _skip(text, at + 1)
            more = text[at : at + 1] != "]"
            while more:
                value, end = _DECODER.raw_decode(text, at)
                yield counter.line(at), value
                at, begun = _skip(text, end), True
                more = text[at : at + 1] == ","
                if more:
                    at = _skip(text, at + 1)
                elif text[at : at + 1] != "]":
                    raise json.JSONDecodeError("Expecting ',' or ']' after an object", text, at)
            at = _skip(text, at + 1)
    except json.JSONDecodeError as err:
        # A line that was cut off makes the next one look wrong.
        cut = not begun and text[err.pos : err.pos + 1] in "{[" and "\n" in text[: err.pos]
        cut = cut and not text[text.rfind("\n", 0, err.pos) + 1 : err.pos].strip(_BLANK)
        err, number = (fault, first) if cut else (err, counter.line(err.pos))
        raise _no_json(path, number, _reason(err)) from err
    except (ValueError, RecursionError) as err:
        raise _no_json(path, counter.line(at), _reason(err)) from err


class _Counter:
    """Counts lines up to places that only go on."""

    def __init__(self, text: str, first: int) -> None:
        self.text, self.number, self.counted = text, first, 0

    def line(self, at: int) -> int:
        """Give the line of a place."""
        if at < self.counted:
            return self.number
        self.number += self.text.count("\n", self.counted, at)
        self.counted = at
        return self.number


def _unpack(value: Any, line: int) -> Iterator[JsonRow]:
    """Give the rows of a value: those of a list, those of a list that lies in one object, or the value itself."""
    if isinstance(value, list) and not (value and isinstance(value[0], str)):
        for number, each in enumerate(value):
            yield JsonRow(line, f"item {number}", each, {})
        return
    key = _list_key(value) if isinstance(value, dict) else None
    if key is None:
        yield JsonRow(line, "", value, {})
        return
    shared = {name: value[name] for name in _SHARED if name in value}
    for number, each in enumerate(value[key]):
        if each is not None:
            yield JsonRow(line, f"{key}[{number}]", each, shared)


def _list_key(value: dict[str, Any]) -> str | None:
    """Find the list of rows that an object is made around: objects, or spaCy's pairs of a text and its entities. An
    object that has a text, or tokens, is a row itself."""
    own = {"text", "content", "tokens", "words", "document", "tokenized_text", "paragraphs", "sentences", "images"}
    own |= {"tokclf"}
    if own & value.keys() or isinstance(value.get("data"), dict | str):
        return None
    lists = [key for key in _LISTS if isinstance(value.get(key), list) and value[key] and _are_rows(value[key])]
    return lists[0] if len(lists) == 1 else None


def _are_rows(items: list[Any]) -> bool:
    """Tell rows from spans, and from other lists."""
    first = next((item for item in items if item is not None), None)
    if isinstance(first, dict):
        return not ({"start", "start_offset", "result", "image_id"} & first.keys())
    return isinstance(first, list) and len(first) == 2 and isinstance(first[0], str)


def _skip(text: str, at: int) -> int:
    """Skip blanks."""
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at


_DECODER = json.JSONDecoder(object_pairs_hook=object_of, parse_constant=no_constant)


def _load(line: str) -> Any:
    """Read one value."""
    return _DECODER.decode(line)


def _reason(err: Exception) -> str:
    """Say in a few words why something is no JSON."""
    if isinstance(err, json.JSONDecodeError):
        begin = err.doc.lstrip(_BLANK)[:2]
        hint = ""
        if begin[:1] == "(" or begin in ("['", "{'", "[("):
            hint = "; this looks like Python: write it with json.dumps"
        elif begin[:1] == "<":
            hint = "; this looks like HTML or XML"
        return f"{err.msg}, column {err.colno}{hint}"
    if isinstance(err, RecursionError):
        return "lists or objects lie too deep in each other"
    return str(err).partition(";")[0]


def _no_json(path: str | Path, line: int, reason: str) -> ValueError:
    """Say where a file is not JSON."""
    return ValueError(Errors.TC160.format(where=f"{path}:{line}", reason=reason))
