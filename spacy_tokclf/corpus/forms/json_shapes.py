"""Which shape a row of JSON has: the table of shapes, in which the first that fits is taken.

Two additional keys, which the tools keep as they do any key that they do not know, make a round trip of a Doc lossless:
"missing", a list of [start, end] where the gold is not known, and "has_unknown_spaces".
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from ...errors import Errors
from ..records import Record, TextRecord
from .json_entities import is_entities, read_entities
from .json_foreign import check_foreign
from .json_source import Place, Row
from .json_spacy import is_doc, is_pair, is_v2, read_doc, read_pair, read_v2
from .json_spans import read_offsets
from .json_studio import is_min, is_task, read_min, read_task
from .json_tokens import is_tagged, is_token_spans, read_tagged, read_token_spans
from .json_tools import (
    is_dataturks,
    is_prodigy,
    is_spans,
    is_ubiai,
    read_any_spans,
    read_dataturks,
    read_doccano,
    read_prodigy,
    read_ubiai,
)

#: Formats that can be named, and written.
FORMATS = ("doccano", "prodigy", "label-studio")


class Shape(NamedTuple):
    """A shape of rows.

    name (str): What it is called.
    fits (Callable[[dict[str, Any], Place], bool]): Tells rows of it from those of the shapes after it.
    read (Callable[[dict[str, Any], Place], Iterator[Record | TextRecord]]): Reads the texts of a row.
    """

    name: str
    fits: Callable[[Row, Place], bool]
    read: Callable[[Row, Place], Iterator[Record | TextRecord]]


#: All shapes of objects; lists are spaCy's pairs.
SHAPES: tuple[Shape, ...] = (
    Shape("Label Studio", lambda row, place: is_task(row), read_task),
    Shape("spaCy 2", lambda row, place: is_v2(row), read_v2),
    Shape("GLiNER, SpERT", is_token_spans, read_token_spans),
    Shape("tokens and tags", is_tagged, read_tagged),
    Shape("Doc.to_json", lambda row, place: is_doc(row), read_doc),
    Shape("DataTurks", lambda row, place: is_dataturks(row), read_dataturks),
    Shape("UBIAI", lambda row, place: is_ubiai(row), read_ubiai),
    Shape("Prodigy", lambda row, place: is_prodigy(row), read_prodigy),
    Shape("Label Studio JSON-MIN", lambda row, place: is_min(row), read_min),
    Shape("Doccano and the like", is_spans, read_any_spans),
)


def read_row(place: Place) -> Iterator[Record | TextRecord]:
    """Read one row.

    place (Place): The row.
    YIELDS (Record | TextRecord): Its texts. With no annotation at all they are missing throughout.
    RAISES (ValueError): TC101, TC104, TC110, TC152, TC153, TC161 to TC164, TC168, TC170, TC173, TC176 to TC183, with
        file and line.
    """
    row = place.row.value
    if is_pair(row) and place.source.options.format == "auto":
        records = read_pair(row, place)
    elif not isinstance(row, dict):
        raise ValueError(Errors.TC161.format(where=place.where, found=repr(row)[:60], hint=""))
    else:
        records = _reader(row, place)(row, place)
    for record in records:
        yield _completed(record, row, place) if isinstance(record, TextRecord) else record


def _reader(row: Row, place: Place) -> Callable[[Row, Place], Iterator[Record | TextRecord]]:
    """Find the reader of an object."""
    format = place.source.options.format
    if format == "doccano":
        return read_doccano
    if format == "prodigy":
        return read_prodigy
    if format == "label-studio":
        return read_task if "data" in row else read_min
    if is_entities(row):
        return read_entities
    check_foreign(row, place)
    shape = next((shape for shape in SHAPES if shape.fits(row, place)), None)
    if shape is None:
        raise place.unknown(_hint(row))
    return shape.read


def _completed(record: TextRecord, row: Any, place: Place) -> TextRecord:
    """Add what the additional keys say, and where the text stands."""
    extra = row if isinstance(row, dict) else {}
    extra = extra["data"] if isinstance(extra.get("data"), dict) else extra
    missing = [*record.missing, *read_offsets(extra.get("missing"), record.text, place.where)]
    if not record.annotations and record.text:
        missing = [(0, len(record.text))]
    unknown = record.unknown_spaces or extra.get("has_unknown_spaces") is True
    source, (line, item, *_) = place
    return replace(record, missing=missing, unknown_spaces=unknown, path=source.path, line=line, item=item)


def _hint(row: Row) -> str:
    """Say what may help with an object of no known shape."""
    strings = [name for name, value in row.items() if isinstance(value, str)][:4]
    lists = [name for name, value in row.items() if isinstance(value, list)][:4]
    if strings and lists:
        return f"; if the text stands under {' or '.join(map(repr, strings))}, name that key (`text_key`)"
    if len(lists) > 1:
        return "; columns of tokens and tags can be named (`tokens`, `tags`)"
    return ""
