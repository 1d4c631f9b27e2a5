"""Spans as annotation tools write them, with the checks that their offsets need."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from ...errors import Errors
from ..records import CharSpan

_STARTS = ("start", "start_offset")
_ENDS = ("end", "end_offset")
_SPACE = re.compile(r"\s|\\n|\\r|\\t")


class _Found(NamedTuple):
    """A span as it stands in the file, with the text that the file says it has."""

    start: int
    end: int
    label: Any
    says: str | None


def read_spans(items: Any, text: str, where: str) -> list[CharSpan]:
    """Read the spans of one text.

    Label Studio counts in units of UTF-16, in which an emoji is two; so offsets at which the text does not read as the
    file says are tried as such.

    items (Any): [start, end, label], or objects with start (or start_offset), end, label, and perhaps the text.
    text (str): The text.
    where (str): File and line.
    RETURNS (list[tuple[int, int, str]]): Start, end and label, in characters.
    RAISES (ValueError): TC162, TC163, TC164, TC173.
    """
    if not isinstance(items, list):
        raise ValueError(Errors.TC173.format(where=where, span=repr(items)[:60]))
    found = [_read_item(item, where) for item in items]
    wrong = [one for one in found if not _reads(one, text)]
    if wrong:
        shifted = _from_utf16(found, text)
        if shifted is None or not all(_reads(one, text) for one in shifted):
            one = next((one for one in wrong if 0 <= one.start < one.end <= len(text)), None)
            if one is not None:
                facts = {"start": one.start, "end": one.end, "found": text[one.start : one.end], "expected": one.says}
                raise ValueError(Errors.TC164.format(where=where, **facts))
        else:
            found = shifted
    for one in found:
        if not 0 <= one.start < one.end <= len(text):
            raise ValueError(Errors.TC162.format(where=where, start=one.start, end=one.end, length=len(text)))
        if not isinstance(one.label, str) or not one.label:
            raise ValueError(Errors.TC163.format(where=where, start=one.start, end=one.end, label=one.label))
    return [(one.start, one.end, one.label) for one in found]


def read_offsets(items: Any, text: str, where: str) -> list[tuple[int, int]]:
    """Read tokens, or other pieces of a text that have no label.

    items (Any): [start, end], or objects with start and end; None stands for none.
    text (str): The text.
    where (str): File and line.
    RETURNS (list[tuple[int, int]]): Start and end.
    RAISES (ValueError): TC162, TC173.
    """
    if not isinstance(items, list | None):
        raise ValueError(Errors.TC173.format(where=where, span=repr(items)[:60]))
    found = []
    for item in items or []:
        one = _read_item([*item, ""] if isinstance(item, list) else item, where)
        if not 0 <= one.start < one.end <= len(text):
            raise ValueError(Errors.TC162.format(where=where, start=one.start, end=one.end, length=len(text)))
        found.append((one.start, one.end))
    return found


def _read_item(item: Any, where: str) -> _Found:
    """Read one span."""
    start, end, label, says = None, None, None, None
    if isinstance(item, list) and len(item) == 3:
        start, end, label = item
    elif isinstance(item, dict):
        place = item
        if not isinstance(item.get("start"), int) and isinstance(item.get("globalOffsets"), dict):
            place = item["globalOffsets"]  # in HTML, start and end are paths
        start = next((place[key] for key in _STARTS if key in place), None)
        end = next((place[key] for key in _ENDS if key in place), None)
        label, says = item.get("label"), item.get("text")
    if type(start) is not int or type(end) is not int:
        raise ValueError(Errors.TC173.format(where=where, span=repr(item)[:80]))
    return _Found(start, end, label, says if isinstance(says, str) else None)


def _reads(one: _Found, text: str) -> bool:
    """Tell whether the text reads at a span as the file says, white space and its escapes apart."""
    if one.says is None:
        return True
    there = text[one.start : one.end] if 0 <= one.start <= one.end <= len(text) else None
    return there is not None and (there == one.says or _SPACE.sub("", there) == _SPACE.sub("", one.says))


def _from_utf16(found: Sequence[_Found], text: str) -> list[_Found] | None:
    """Take offsets for units of UTF-16; None if that cannot be."""
    characters = {0: 0}
    units = 0
    for i, character in enumerate(text, 1):
        units += 2 if ord(character) > 0xFFFF else 1
        characters[units] = i
    if not all(one.start in characters and one.end in characters for one in found):
        return None
    return [one._replace(start=characters[one.start], end=characters[one.end]) for one in found]
