"""Spans as annotation tools write them, with the checks that their labels and offsets need."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ...errors import Errors
from ..records import CharSpan, Mark, is_whole
from .json_offsets import Found, fit_offsets

STARTS = ("start", "start_offset", "start_char", "startOffset", "begin", "start_pos", "BeginOffset")
ENDS = ("end", "end_offset", "end_char", "endOffset", "stop", "end_pos", "EndOffset")
_LABELS = (
    "label",
    "labels",
    "tag",
    "entity",
    "entity_type",
    "entity_group",
    "entityLabel",
    "type",
    "category",
    "class",
    "Type",
)
_TEXTS = ("text", "value", "word", "surface", "mention", "Text")
_REFUSED = {"reject", "rejected", "ignore", "ignored", "deleted"}


class Spans(NamedTuple):
    """The spans of one text.

    spans (list[tuple[int, int, str]]): Start, end and label, in characters.
    scores (dict[tuple[int, int, str], float]): Scores, of those that have one.
    marks (list[Mark]): Those that cannot be learned: rejected, or without a label.
    """

    spans: list[CharSpan]
    scores: dict[CharSpan, float]
    marks: list[Mark]


def read_spans(items: Any, text: str, where: str, *, trust: bool = False, inclusive: bool = False) -> Spans:
    """Read the spans of one text.

    Tools count in different ways: Label Studio in units of UTF-16, in which an emoji is two, and a line end of two
    characters as one. Where the file says what the text of the spans is, that tells the way of counting.

    items (Any): [start, end, label] or [label, start, end]; or objects with start (start_offset, ...), end, label (tag,
        ...), and perhaps the text and a score.
    text (str): The text.
    where (str): File and line.
    trust (bool): Whether offsets hold where the text is not what the file says it is.
    inclusive (bool): Whether the end is the last character, not the one after it.
    RETURNS (Spans): The spans.
    RAISES (ValueError): TC162, TC163, TC164, TC173, TC183.
    """
    if not isinstance(items, list):
        raise ValueError(Errors.TC173.format(where=where, span=repr(items)[:60]))
    found = [one for item in items for one in _read_item(item, text, where)]
    if inclusive:
        found = [one._replace(end=one.end + 1) for one in found]
    spans: list[CharSpan] = []
    scores: dict[CharSpan, float] = {}
    marks = []
    for one in fit_offsets(found, text, where, trust=trust):
        check_place(one.start, one.end, text, where)
        span = (one.start, one.end, one.label)
        if one.refused or one.label is None or (isinstance(one.label, str) and not one.label.strip()):
            marks.append(Mark("rejected" if one.refused else "no label", span[:2]))
            continue
        check_label(one.label, span, where)
        spans.append(span)
        if one.score is not None:
            scores[span] = one.score
    return Spans(spans, scores, marks)


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
        pair = item if isinstance(item, list) and len(item) == 2 else _place(item) if isinstance(item, dict) else []
        if len(pair) != 2 or not all(type(each) is int for each in pair):
            raise ValueError(Errors.TC173.format(where=where, span=repr(item)[:80]))
        start, end = pair
        check_place(start, end, text, where)
        found.append((start, end))
    return found


def looks_like_span(item: Any) -> bool:
    """Tell a span with a label from other values.

    item (Any): The value.
    RETURNS (bool): True for [start, end, label], [label, start, end], and objects with whole numbers as start and end
        that are no tokens.
    """
    if isinstance(item, list) and len(item) == 3:
        kinds = [type(each) for each in item]
        return kinds in ([int, int, str], [str, int, int])
    if not isinstance(item, dict):
        return False
    is_token = {"ws", "id"} <= item.keys() or {"ws", "text"} <= item.keys()
    return not is_token and all(type(each) is int for each in _place(item)) and bool(item.keys() & set(_LABELS))


def check_place(start: int, end: int, text: str, where: str) -> None:
    """Make sure that a span lies in a text.

    start (int): Its first character.
    end (int): The one after its last.
    text (str): The text.
    where (str): File and line.
    RAISES (ValueError): TC162.
    """
    if not 0 <= start < end <= len(text):
        shown = [each if abs(each) < 10**12 else "a huge number" for each in (start, end)]
        raise ValueError(Errors.TC162.format(where=where, start=shown[0], end=shown[1], length=len(text)))


def check_label(label: Any, span: CharSpan, where: str) -> None:
    """Make sure that a label is a string of whole characters.

    label (Any): The label.
    span (tuple[int, int, str]): Where it stands.
    where (str): File and line.
    RAISES (ValueError): TC163.
    """
    if not isinstance(label, str) or not is_whole(label):
        raise ValueError(Errors.TC163.format(where=where, start=span[0], end=span[1], label=label))


def _read_item(item: Any, text: str, where: str) -> Iterable[Found]:
    """Read one span, as several if it has several labels."""
    if isinstance(item, list) and len(item) in (3, 4):
        start, end, label = item[:3]
        if isinstance(start, str) and len(item) == 3:
            label, start, end = item
        if len(item) == 4 and type(start) is int and type(end) is int:
            label = _label_of_four(item, text, where)
        found = Found(start, end, label, None, None, False)
    elif isinstance(item, dict):
        start, end = _place(item)
        key = next((key for key in _LABELS if key in item), None)
        labels = item.get(key) if key else None
        says = next((item[key] for key in _TEXTS if isinstance(item.get(key), str)), None)
        found = Found(start, end, None, says, _score(item), _is_refused(item))
        if isinstance(labels, list):
            yield from (_checked(found._replace(label=label), item, where) for label in labels or [None])
            return
        found = found._replace(label=labels)
    else:
        found = Found(None, None, None, None, None, False)
    yield _checked(found, item, where)


def _checked(found: Found, item: Any, where: str) -> Found:
    """Make sure that a span has whole numbers as offsets."""
    if type(found.start) is not int or type(found.end) is not int:
        raise ValueError(Errors.TC173.format(where=where, span=repr(item)[:80]))
    return found


def _place(item: Mapping[str, Any]) -> tuple[Any, Any]:
    """Find start and end of an object."""
    start = next((item[key] for key in STARTS if key in item), None)
    end = next((item[key] for key in ENDS if key in item), None)
    offset, length = item.get("offset"), item.get("length")
    if start is None and end is None and type(offset) is int and type(length) is int:
        return offset, offset + length
    return start, end


def _label_of_four(item: list[Any], text: str, where: str) -> Any:
    """Choose the label among two items: the other is the text of the span, or what spaCy calls its kb_id."""
    start, end, third, fourth = item
    there = text[max(start, 0) : max(end, 0)]
    if isinstance(fourth, str) and (fourth == there or not fourth or (fourth[0] == "Q" and fourth[1:].isdigit())):
        return third
    if third == there:
        return fourth
    raise ValueError(Errors.TC183.format(where=where, span=repr(item)[:80]))


def _score(item: Mapping[str, Any]) -> float | None:
    """Find the score of a span."""
    score: Any = item.get("score")
    is_number = isinstance(score, int | float) and not isinstance(score, bool)
    return float(score) if is_number and 0 <= score <= 1 else None


def _is_refused(item: Mapping[str, Any]) -> bool:
    """Tell a span that an annotator refused."""
    said = (item.get(key) for key in ("answer", "status", "state", "review"))
    return item.get("rejected") is True or any(isinstance(each, str) and each.lower() in _REFUSED for each in said)
