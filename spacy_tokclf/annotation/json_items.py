"""The texts in rows of JSON: of plain rows with all that they say beside; of other shapes as their readers do."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..corpus.forms.json_entities import MARK, is_entities
from ..corpus.forms.json_rows import BadLine
from ..corpus.forms.json_shapes import read_row
from ..corpus.forms.json_source import Place, Source
from ..corpus.forms.json_spacy import is_v2
from ..corpus.forms.json_studio import is_task
from ..corpus.forms.json_tokens import is_tagged, is_token_spans
from ..corpus.forms.json_tools import read_tokens, text_key
from ..corpus.options import ReadOptions
from ..corpus.records import TextRecord
from ..errors import Errors
from .items import Item


def json_items(path: Path, options: ReadOptions) -> Iterator[Item]:
    """Stream the texts of a file of JSON.

    path (Path): The file.
    options (ReadOptions): How to read: `text_key`, `keep_tokens`, and as the shapes need it.
    YIELDS (Item): The texts. A row without one has the reason.
    RAISES (ValueError): TC160, TC169, if the file is no JSON, or has nothing in it; as read_line_blocks.
    """
    source = Source(str(path), options)
    for place in source.rows(lenient=True):
        value = place.row.value
        row = value if isinstance(value, dict) else {}
        if isinstance(value, BadLine):
            yield Item(None, place.where, error=value.error)
            continue
        try:
            found = list(_items(value, place))
        except ValueError as error:
            yield Item(None, place.where, row, error=str(error))
            continue
        yield from found


def _items(value: Any, place: Place) -> Iterator[Item]:
    """Give the texts of one row."""
    if isinstance(value, str):
        yield Item(TextRecord(value, []), place.where)
        return
    if isinstance(value, list) and value and all(isinstance(each, str) for each in value):
        for each in value:
            yield Item(TextRecord(each, []), place.where)
        return
    key = _plain_key(value, place) if isinstance(value, dict) else None
    if key is not None:
        rest = {name: each for name, each in value.items() if name != key}
        yield Item(_plain_record(value, key, place), place.where, rest, text_key=key)
        return
    if isinstance(value, dict) and not _is_deep(value, place):
        asked = place.source.options.text_key
        found = f"; the keys are {', '.join(map(repr, value))[:100] or 'none'}"
        raise ValueError(Errors.TC368.format(where=place.where, hint=f" under {asked!r}{found}" if asked else found))
    for record in read_row(place):
        yield Item(record, place.where)


def _plain_key(row: dict[str, Any], place: Place) -> str | None:
    """Find the key of a row's text; None if it has tokens, or its text lies deeper."""
    if is_entities(row):
        key = row[MARK].get("text_key", "text")
        return key if isinstance(row.get(key), str) else None
    asked = place.source.options.text_key
    if asked is None and _is_deep(row, place):
        return None
    key = text_key(row, place)
    return key if key is not None and isinstance(row.get(key), str) else None


def _is_deep(row: dict[str, Any], place: Place) -> bool:
    """Tell rows whose text lies deeper in them, and rows of tokens."""
    return is_task(row) or is_v2(row) or is_token_spans(row, place) or is_tagged(row, place)


def _plain_record(row: dict[str, Any], key: str, place: Place) -> TextRecord:
    """Take a text, with its tokens if they are to be kept."""
    keep = place.source.options.keep_tokens or (is_entities(row) and row.get("has_unknown_spaces") is True)
    if not keep or "tokens" not in row:
        return TextRecord(row[key], [])
    unknown = row.get("has_unknown_spaces") is True
    tokens = read_tokens(row["tokens"], row[key], place)
    return TextRecord(row[key], [], tokens=tokens, own_tokens=tokens is not None, unknown_spaces=unknown)
