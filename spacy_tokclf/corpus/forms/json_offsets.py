"""How a tool counts characters, found out by the texts that it says its spans have."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from ...errors import Errors

_SPACE = re.compile(r"\s|\\n|\\r|\\t")


class Found(NamedTuple):
    """A span as it stands in the file.

    start (Any): Its offset, a whole number.
    end (Any): The offset of its end.
    label (Any): Its label.
    says (str | None): The text that the file says it has.
    score (float | None): Its score.
    refused (bool): Whether an annotator refused it.
    """

    start: Any
    end: Any
    label: Any
    says: str | None
    score: float | None
    refused: bool


def fit_offsets(found: Sequence[Found], text: str, where: str, *, trust: bool = False) -> Sequence[Found]:
    """Turn offsets into those of characters (code points), the end exclusive.

    found (Sequence[Found]): The spans as they stand in the file.
    text (str): The text.
    where (str): File and line.
    trust (bool): Whether offsets hold as they are where no way of counting fits.
    RETURNS (Sequence[Found]): The spans. They stand as they are if the file says nothing of their texts.
    RAISES (ValueError): TC164, if the text is nowhere what the file says.
    """
    wrong = [one for one in found if not reads(one, text)]
    if not wrong:
        return found
    for counted in _countings(found, text):
        if all(reads(one, text) for one in counted):
            return counted
    one = next((one for one in wrong if 0 <= one.start < one.end <= len(text)), None)
    if one is not None and not trust:
        facts = {"start": one.start, "end": one.end, "found": text[one.start : one.end], "expected": one.says}
        raise ValueError(Errors.TC164.format(where=where, **facts))
    return found


def fits(found: Sequence[Found], text: str) -> bool:
    """Tell whether spans are of a text, by what the file says of theirs.

    found (Sequence[Found]): The spans.
    text (str): The text.
    RETURNS (bool): Whether they read so by some way of counting.
    """
    ways = (found, *_countings(found, text))
    return any(all(0 <= one.start < one.end <= len(text) and reads(one, text) for one in way) for way in ways)


def reads(one: Found, text: str) -> bool:
    """Tell whether the text reads at a span as the file says, white space and its escapes apart.

    one (Found): The span.
    text (str): The text.
    RETURNS (bool): True, too, if the file says nothing.
    """
    if one.says is None:
        return True
    there = text[one.start : one.end] if 0 <= one.start <= one.end <= len(text) else None
    return there is not None and (there == one.says or _SPACE.sub("", there) == _SPACE.sub("", one.says))


def _countings(found: Sequence[Found], text: str) -> Iterator[list[Found]]:
    """Take offsets for what they may be: units of UTF-16, line ends of two characters counted as one, bytes; then, for
    ends that are inclusive."""
    wide, joined = any(ord(character) > 0xFFFF for character in text), "\r\n" in text
    ways: list[Callable[[str], int]] = []
    if wide:
        ways.append(_utf16_units)
    if joined:
        ways += [_one_a_line_end(len), _one_a_line_end(_utf16_units)] if wide else [_one_a_line_end(len)]
    if not text.isascii():
        ways.append(lambda character: len(character.encode("utf-8", "surrogatepass")))
    for units in ways:
        places = _places(text, units)
        if all(one.start in places and one.end in places for one in found):
            yield [one._replace(start=places[one.start], end=places[one.end]) for one in found]
    yield [one._replace(end=one.end + 1) for one in found]
    yield [one._replace(end=one.end - 1) for one in found]
    if wide:
        places = _places(text, _utf16_units)
        if all(one.start in places and one.end + 1 in places for one in found):
            yield [one._replace(start=places[one.start], end=places[one.end + 1]) for one in found]


def _places(text: str, units: Callable[[str], int]) -> dict[int, int]:
    """Give the character that each number of units stands for; "\\r\\n" is taken for one."""
    places, counted, at = {0: 0}, 0, 0
    for piece in re.findall(r"\r\n|.", text, re.DOTALL):
        counted += units(piece)
        at += len(piece)
        if piece == "\r\n" and units(piece) > 1:
            places[counted - 1] = at - 1
        places[counted] = at
    return places


def _utf16_units(piece: str) -> int:
    """Count units of UTF-16."""
    return sum(2 if ord(character) > 0xFFFF else 1 for character in piece)


def _one_a_line_end(units: Callable[[str], int]) -> Callable[[str], int]:
    """Count a line end as one, all else as it is."""
    return lambda piece: 1 if piece == "\r\n" else units(piece)
