"""What annotation tools export for one text: Prodigy, Doccano, DataTurks, LightTag, UBIAI, and rows like theirs."""

from collections.abc import Iterator
from typing import Any

from ...errors import Errors
from ..records import Mark, TextRecord
from .json_source import Place, Row
from .json_spans import looks_like_span, read_offsets, read_spans
from .json_tokens import TAGS_ONLY, place_tokens

#: Keys that a text may stand under, the likeliest first.
TEXT_KEYS = ("text", "data", "content", "document", "sentence", "review", "body", "raw", "context", "title")
_PRODIGY = {"spans", "answer", "_task_hash", "_input_hash", "_view_id"}
#: Keys of the spans of a text, those of Doccano first.
_SPANS = ("label", "labels", "entities", "annotations", "annotation", "spans", "ner", "named_entities", "tags")
_GUESSED = ("predict", "suggest", "candidate")
#: Keys of rows that are no text with spans, though there may be lists of places in them.
_NOT_SPANS = {"tokens", "missing", "sents", "sentences", "words", "relations"}


def is_prodigy(row: Row) -> bool:
    """Tell a task of Prodigy.

    row (dict[str, Any]): The row.
    RETURNS (bool): Whether it is one.
    """
    return "text" in row and bool(row.keys() & _PRODIGY) and not isinstance(row.get("spans"), dict)


def read_prodigy(row: Row, place: Place) -> Iterator[TextRecord]:
    """Read {"text", "spans", "tokens", "answer"}. What was rejected or ignored is no annotation; an accepted answer to
    a yes/no question says nothing of the rest of the text, and one to a question of another kind nothing at all.

    row (dict[str, Any]): The row.
    place (Place): Where it stands.
    YIELDS (TextRecord): The text; nothing if it is of an annotator who is not asked for.
    RAISES (ValueError): TC162 to TC164, TC168, TC173, with file and line.
    """
    if "text" not in row:
        raise place.unknown(_asked_format(place))
    who = row.get("_annotator_id") or row.get("_session_id")
    if not place.source.is_asked_for(who):
        return
    text = place.text(row["text"])
    tokens = read_tokens(row["tokens"], text, place) if "tokens" in row else None
    accepted = row.get("answer", "accept") == "accept"
    others = [key for key in ("label", "options", "accept", "relations", "cats") if row.get(key) and "spans" not in row]
    if not accepted or others or not row.keys() & {"spans", "answer"}:
        whole = (0, len(text))
        marks = (
            [Mark(key, whole) for key in others] if accepted else [Mark("not accepted", whole)] * bool(row.get("spans"))
        )
        yield TextRecord(text, [], tokens=tokens, marks=marks, annotations=0)
        return
    binary = row.get("_is_binary") or row.get("_view_id") == "ner"
    spans, scores, marks = read_spans(row.get("spans") or [], text, place.where, trust=place.trust)
    missing = [(0, len(text))] if binary and text else []
    yield TextRecord(text, spans, missing, tokens, marks=marks + _other_marks(row, "spans", text, place), scores=scores)


def is_spans(row: Row, place: Place) -> bool:
    """Tell a row that has a text, perhaps with spans.

    row (dict[str, Any]): The row.
    place (Place): Where it stands.
    RETURNS (bool): Whether it has one under a name that is in use, or under the one that is asked for.
    """
    return text_key(row, place) is not None


def read_doccano(row: Row, place: Place) -> Iterator[TextRecord]:
    """Read {"text", "label": [[start, end, label]]}, or "labels", or "entities" with objects.

    row (dict[str, Any]): The row.
    place (Place): Where it stands.
    YIELDS (TextRecord): The text.
    RAISES (ValueError): TC161 to TC164, TC168, TC173, TC180, with file and line.
    """
    key = text_key(row, place)
    if key is None or key not in ("text", "data", place.source.options.text_key):
        raise place.unknown(_asked_format(place))
    yield from _read(row, key, next((name for name in _SPANS[:3] if name in row), None), place)


def read_any_spans(row: Row, place: Place) -> Iterator[TextRecord]:
    """Read a text with spans, whatever the keys are called: if there are several lists of spans, the one whose name is
    in use for them; what the others mark has no gold.

    row (dict[str, Any]): The row.
    place (Place): Where it stands.
    YIELDS (TextRecord): The text.
    RAISES (ValueError): TC161 to TC164, TC168, TC173, TC180, with file and line.
    """
    key = text_key(row, place)
    if key is None:
        raise place.unknown(_hint(row))
    found = [name for name in row if name != key and _are_spans(row[name]) and not _is_no_gold(name)]
    named = [name for name in _SPANS if name in found]
    given = [name for name in _SPANS if name in row and name != key]
    given.sort(key=lambda name: bool(row[name]))  # an empty list is one of spans; what is in others, is none
    single = found if len(found) == 1 else []
    filled = bool(given) and bool(row[given[0]])
    chosen = next(iter([*named, *single, *given] if filled else [*named, *given, *single]), None)
    if chosen is None and any(isinstance(row.get(name), list) and row[name] for name in TAGS_ONLY):
        raise place.unknown("; tags need tokens, a string for each tag")
    if chosen is None and not found and _is_foreign(row, key):
        raise place.unknown(_hint(row))
    yield from _read(row, key, chosen, place)


def is_dataturks(row: Row) -> bool:
    """Tell a row of DataTurks.

    row (dict[str, Any]): The row.
    RETURNS (bool): Whether it is one.
    """
    if not isinstance(row.get("content"), str) or "annotation" not in row:
        return False
    items = row["annotation"]
    return items is None or (isinstance(items, list) and all(isinstance(each, dict) for each in items))


def read_dataturks(row: Row, place: Place) -> Iterator[TextRecord]:
    """Read {"content", "annotation": [{"label": [...], "points": [{"start", "end", "text"}]}]}, whose end is the last
    character.

    row (dict[str, Any]): The row.
    place (Place): Where it stands.
    YIELDS (TextRecord): The text.
    RAISES (ValueError): TC162 to TC164, TC168, TC173, TC180, with file and line.
    """
    text = place.text(row["content"])
    if row["annotation"] is None:
        yield TextRecord(text, [], annotations=0)
        return
    items = []
    for each in row["annotation"]:
        points = each.get("points")
        if not isinstance(points, list) or not all(isinstance(point, dict) for point in points):
            if "label" in each and points is None:
                raise _of_text(each["label"], "annotation", place)
            raise ValueError(Errors.TC173.format(where=place.where, span=repr(each)[:80]))
        items += [{**point, "labels": each.get("label")} for point in points]
    spans, scores, marks = read_spans(items, text, place.where, trust=place.trust, inclusive=True)
    yield TextRecord(text, spans, marks=marks + _other_marks(row, "annotation", text, place), scores=scores)


def is_ubiai(row: Row) -> bool:
    """Tell a document of UBIAI.

    row (dict[str, Any]): The row.
    RETURNS (bool): Whether it is one.
    """
    is_list = isinstance(row.get("tokens"), list) and all(isinstance(each, dict) for each in row["tokens"])
    return isinstance(row.get("document"), str) and is_list and "text" not in row


def read_ubiai(row: Row, place: Place) -> Iterator[TextRecord]:
    """Read {"document", "tokens": [{"start", "end", "text", "entityLabel"}]}: its tokens are the entities.

    row (dict[str, Any]): The row.
    place (Place): Where it stands.
    YIELDS (TextRecord): The text.
    RAISES (ValueError): TC162 to TC164, TC168, TC173, with file and line.
    """
    text = place.text(row["document"])
    spans, scores, marks = read_spans(row["tokens"], text, place.where, trust=place.trust)
    yield TextRecord(text, spans, marks=marks + _other_marks(row, "tokens", text, place), scores=scores)


def _read(row: Row, key: str, chosen: str | None, place: Place) -> Iterator[TextRecord]:
    """Read the text under one key and the spans under another."""
    text = place.text(row[key])
    tokens = read_tokens(row["tokens"], text, place, strict=False) if "tokens" in row else None
    others = _other_marks(row, chosen, text, place)
    if chosen is None or row[chosen] is None:
        is_said = chosen is None and isinstance(row.get("cats"), dict | list) and row["cats"]
        marks = [*others, *([Mark("cats", (0, len(text)))] if is_said else [])]
        yield TextRecord(text, [], tokens=tokens, marks=marks, annotations=0)
        return
    items = row[chosen]
    if isinstance(items, str | int) or (isinstance(items, list) and items and all(isinstance(x, str) for x in items)):
        raise _of_text(items, chosen, place)
    spans, scores, marks = read_spans(items, text, place.where, trust=place.trust)
    yield TextRecord(text, spans, tokens=tokens, marks=[*marks, *others], scores=scores)


def _other_marks(row: Row, chosen: str | None, text: str, place: Place) -> list[Mark]:
    """Find spans under other keys than the one that is read."""
    marks = []
    for name, items in row.items():
        if name != chosen and not _is_no_gold(name) and _are_spans(items):
            spans = read_spans(items, text, place.where, trust=True)
            places = [span[:2] for span in spans.spans] + [mark.place for mark in spans.marks if mark.place]
            marks += [Mark(f"key {name!r}"[:40], at) for at in places]
    relations = row.get("relations")
    marks += [Mark("relation", None)] * (len(relations) if isinstance(relations, list) else 0)
    return marks


def read_tokens(items: Any, text: str, place: Place, *, strict: bool = True) -> list[tuple[int, int]] | None:
    """Read the tokens of a text.

    items (Any): Places in it, or strings that spell it.
    text (str): The text.
    place (Place): Where it stands.
    strict (bool): Whether what is neither is an error.
    RETURNS (list[tuple[int, int]] | None): Start and end of each; None if they do not fit.
    RAISES (ValueError): TC162, TC173.
    """
    if isinstance(items, list) and items and all(isinstance(each, str) for each in items):
        found = place_tokens(items, text)
        if found is not None or not strict:
            return found
    if not strict and not (isinstance(items, list) and all(isinstance(each, dict) for each in items)):
        return None
    return read_offsets(items, text, place.where)


def text_key(row: Row, place: Place) -> str | None:
    """Find the key of the text.

    row (dict[str, Any]): The row.
    place (Place): Where it stands.
    RETURNS (str | None): The key; None if there is none.
    """
    asked = place.source.options.text_key
    if asked is not None:
        return asked if asked in row else None
    key = next((key for key in TEXT_KEYS if isinstance(row.get(key), str)), None)
    return "text" if key is None and "text" in row else key


def _are_spans(value: Any) -> bool:
    """Tell a list of spans from other values."""
    return isinstance(value, list) and bool(value) and all(map(looks_like_span, value))


def _is_no_gold(name: str) -> bool:
    """Tell keys whose places are no marks of an annotator."""
    return name in _NOT_SPANS or any(guessed in name.lower() for guessed in _GUESSED)


def _is_foreign(row: Row, key: str) -> bool:
    """Tell a row whose other keys say that its text is not one for spans."""
    return key != "text" and not any(name in row for name in _SPANS)


def _hint(row: Row) -> str:
    """Say what may help with a row without a text."""
    strings = [name for name, value in row.items() if isinstance(value, str)]
    if strings and any(map(_are_spans, row.values())):
        return f"; if the text stands under {' or '.join(map(repr, strings[:4]))}, name that key (`text_key`)"
    return ""


def _asked_format(place: Place) -> str:
    """Say which format was asked for."""
    format = place.source.options.format
    return "" if format == "auto" else f'; the format "{format}" was asked for'


def _of_text(label: Any, key: str, place: Place) -> ValueError:
    """Say that a label is one of the whole text."""
    return ValueError(Errors.TC180.format(where=place.where, found=repr(label)[:60], key=key))
