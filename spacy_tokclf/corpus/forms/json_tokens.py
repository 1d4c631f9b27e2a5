"""Rows of tokens in JSON: with a tag for each, or with spans that count tokens."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from ...errors import Errors
from ...tags import MISSING, is_missing, tags_to_spans
from ..records import Mark, Record, TextRecord, is_whole
from .json_source import Place, Row, detect_form
from .json_spans import check_label, looks_like_span

_TOKENS = ("tokens", "words", "tokenized_text", "token", "sentence", "text")
_TAGS = ("ner_tags", "tags", "labels", "ner", "ner_labels", "ner_tag", "bio_tags", "bio", "iob", "entities", "label")
_NAMES = ("tag_names", "label_names", "label_list", "id2label")
_TEXTS = ("text", "sentence", "raw", "content")
_MISSING_IDS = (-1, -100)
#: Keys that hold nothing but tags of tokens.
TAGS_ONLY = {"ner_tags", "tags", "ner_labels", "ner_tag", "bio_tags", "bio", "iob"}
_LOOKS_LIKE_TAG = re.compile(r"O|-|[BIESLU]-.+", re.DOTALL)


def is_tagged(row: Row, place: Place) -> bool:
    """Tell a row of tokens and tags.

    row (dict[str, Any]): The row.
    place (Place): Where it stands.
    RETURNS (bool): True if a list of strings and a list of tags stand there under names that are in use.
    """
    return _tags_key(row, place) is not None


def read_tagged(row: Row, place: Place) -> Iterator[Record | TextRecord]:
    """Read {"tokens": [...], "ner_tags": [...]}, perhaps with the text.

    row (dict[str, Any]): The row.
    place (Place): Where it stands.
    YIELDS (Record | TextRecord): A text, if the row has it and the tokens fit, else tokens whose spaces are unknown.
    RAISES (ValueError): TC101, TC104, TC110, TC126, TC152, TC153, TC176, TC181, with file and line.
    """
    key = _tags_key(row, place) or ""
    tags = _row_tags(row[key], key, place)
    tokens = check_tokens(_tokens_of(row, place, row[key]) or [], place)
    if len(tokens) != len(tags):
        raise ValueError(Errors.TC110.format(where=place.where, words=len(tokens), tags=len(tags)))
    read = place.source.gold(detect_form(place.source, tags_of)).read(tags, place.row.line)
    text = next((row[name] for name in _TEXTS if isinstance(row.get(name), str)), None)
    yield tagged_record(tokens, read, text, place)


def tags_of(place: Place) -> list[str] | None:
    """Give the tags of a row.

    place (Place): The row.
    RETURNS (list[str] | None): Its tags; None if it has none.
    RAISES (ValueError): As read_tagged.
    """
    row = place.row.value
    key = _tags_key(row, place) if isinstance(row, dict) else None
    return None if key is None else _row_tags(row[key], key, place)


def tagged_record(tokens: list[str], tags: list[str], text: str | None, place: Place) -> Record | TextRecord:
    """Make a record of tokens and tags.

    tokens (list[str]): The tokens.
    tags (list[str]): Their tags, in IOB2.
    text (str | None): The text, if it is known.
    place (Place): Where it stands.
    RETURNS (Record | TextRecord): A text if there is one that the tokens fit, else tokens whose spaces are unknown.
    """
    at = None if text is None or not is_whole(text) else place_tokens(tokens, text)
    if text is None or at is None:
        return Record(tokens, tags, place.source.path, place.row.line)
    spans = [(at[start][0], at[end - 1][1], label) for start, end, label in tags_to_spans(tags)]
    missing = [bounds for bounds, tag in zip(at, tags, strict=True) if is_missing(tag)]
    return TextRecord(text, spans, missing, at, own_tokens=True)


def place_tokens(tokens: Sequence[str], text: str) -> list[tuple[int, int]] | None:
    """Find tokens in a text, in which nothing but white space may stand between them.

    tokens (Sequence[str]): The tokens.
    text (str): The text.
    RETURNS (list[tuple[int, int]] | None): Start and end of each; None if they do not fit.
    """
    found = []
    at = 0
    for token in tokens:
        if not token:
            return None
        while not text.startswith(token, at):
            if at >= len(text) or not text[at].isspace():
                return None
            at += 1
        found.append((at, at + len(token)))
        at += len(token)
    return None if text[at:].strip() else found


def check_tokens(tokens: list[Any], place: Place) -> list[str]:
    """Make sure that tokens are strings of whole characters.

    tokens (list[Any]): The tokens.
    place (Place): Where they stand.
    RETURNS (list[str]): The tokens.
    RAISES (ValueError): TC181.
    """
    for number, token in enumerate(tokens):
        if not isinstance(token, str) or not token or not is_whole(token):
            found = "empty" if token == "" else repr(token)[:60]
            raise ValueError(Errors.TC181.format(where=place.where, token=number, found=found))
    return tokens


def is_token_spans(row: Row, place: Place) -> bool:
    """Tell a row of tokens with spans that count them: that of GLiNER, or of SpERT.

    row (dict[str, Any]): The row.
    place (Place): Where it stands.
    RETURNS (bool): Whether it is one.
    """
    if isinstance(row.get("tokenized_text"), list):
        return isinstance(row.get("ner"), list)
    entities = row.get("entities")
    is_list = isinstance(row.get("tokens"), list) and all(isinstance(token, str) for token in row["tokens"])
    return is_list and isinstance(entities, list) and "text" not in row and all(map(looks_like_span, entities))


def read_token_spans(row: Row, place: Place) -> Iterator[TextRecord]:
    """Read {"tokenized_text": [...], "ner": [[first, last, label]]} of GLiNER, or {"tokens": [...], "entities":
    [{"start", "end", "type"}]} of SpERT, whose end is exclusive.

    row (dict[str, Any]): The row.
    place (Place): Where it stands.
    YIELDS (TextRecord): The text, its spaces unknown.
    RAISES (ValueError): TC163, TC173, TC181, TC182, with file and line.
    """
    gliner = "tokenized_text" in row
    tokens = check_tokens(row["tokenized_text" if gliner else "tokens"], place)
    items = row["ner" if gliner else "entities"]
    bounds = []
    at = 0
    for token in tokens:
        bounds.append((at, at + len(token)))
        at += len(token) + 1
    spans, marks = [], []
    for item in items:
        start, end, label = _token_span(item, place)
        end += gliner
        if not 0 <= start < end <= len(tokens):
            end_is = "being the last of them" if gliner else "being exclusive"
            facts = {"start": start, "end": end - gliner, "length": len(tokens), "end_is": end_is}
            raise ValueError(Errors.TC182.format(where=place.where, **facts))
        first, last = bounds[start][0], bounds[end - 1][1]
        if label is None or (isinstance(label, str) and not label.strip()):
            marks.append(Mark("no label", (first, last)))
        else:
            check_label(label, (first, last, label), place.where)
            spans.append((first, last, label))
    text = " ".join(tokens)
    yield TextRecord(text, spans, tokens=bounds, own_tokens=True, unknown_spaces=True, marks=marks)


def _token_span(item: Any, place: Place) -> tuple[int, int, Any]:
    """Read one span that counts tokens."""
    start, end, label = item if isinstance(item, list) and len(item) == 3 else (None, None, None)
    if isinstance(item, dict):
        start, end, label = item.get("start"), item.get("end"), item.get("type", item.get("label"))
    if type(start) is not int or type(end) is not int:
        raise ValueError(Errors.TC173.format(where=place.where, span=repr(item)[:80]))
    return start, end, label


def _tags_key(row: Row, place: Place) -> str | None:
    """Find the key of the tags: a list of strings or numbers beside tokens."""
    asked = place.source.options.tags
    for key in (asked,) if asked else _TAGS:
        value = row.get(key)
        if isinstance(value, list) and all(type(tag) in (str, int, type(None)) for tag in value):
            tokens = _tokens_of(row, place, value)
            if tokens is not None and (value or not tokens or key in TAGS_ONLY):
                return key
    return None


def _tokens_of(row: Row, place: Place, tags: list[Any]) -> list[Any] | None:
    """Find the tokens of a row: a list, or the words of a text if there are as many as tags, which look like tags."""
    for key in dict.fromkeys((place.source.options.tokens, *_TOKENS)):
        if isinstance(row.get(key), list) and all(isinstance(token, str) for token in row[key]):
            return list(row[key])
    if tags and all(isinstance(tag, str) and _LOOKS_LIKE_TAG.fullmatch(tag) for tag in tags):
        texts = (row[key].split() for key in _TEXTS if isinstance(row.get(key), str))
        return next((words for words in texts if len(words) == len(tags)), None)
    return None


def _row_tags(values: list[Any], key: str, place: Place) -> list[str]:
    """Check the tags of a row, and name those that are numbers."""
    shared = place.row.shared
    row = place.row.value
    numbers = [value for value in values if isinstance(value, int) or (isinstance(value, str) and value.isdecimal())]
    if not numbers:
        for number, tag in enumerate(values):
            if isinstance(tag, str) and not is_whole(tag):
                expected = "tags of whole characters"
                facts = {"where": f"{place.where}, token {number}", "column": key, "found": repr(tag)[:80]}
                raise ValueError(Errors.TC153.format(expected=expected, **facts))
        return [MISSING if tag is None else tag for tag in values]
    given = next((found[name] for found in (row, shared) for name in _NAMES if found.get(name)), None)
    names = _names(given)
    if names is None:
        raise ValueError(Errors.TC176.format(where=place.where, found=", ".join(map(str, values))[:60]))
    tags = []
    for number, value in enumerate(values):
        if value is None or value in _MISSING_IDS:
            tags.append(MISSING)
        elif str(value) in names:
            tags.append(names[str(value)])
        else:
            range_facts: dict[str, Any] = {"token": number, "tag": value, "count": len(names), "last": len(names) - 1}
            shown = ", ".join(names.values())[:80]
            raise ValueError(Errors.TC152.format(where=place.where, names=shown, **range_facts))
    return tags


def _names(given: Any) -> dict[str, str] | None:
    """Read the names of numbers: a list, or an object by number."""
    pairs = enumerate(given) if isinstance(given, list) else given.items() if isinstance(given, dict) else ()
    names = {str(number): name for number, name in pairs if isinstance(name, str) and is_whole(name)}
    return names or None
