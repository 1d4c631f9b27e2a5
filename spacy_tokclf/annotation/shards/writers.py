"""What is written of a shard: its rows with their entities, as JSON lines or as Parquet."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...errors import Errors
from ..items import whole_text
from .corpus import JSONL, LINES, PARQUET
from .cut import import_parquet
from .rows import ENTITIES, ERROR, WRITTEN, Row, json_line, to_json

#: In Parquet, of a row of JSON: all that it has beside its text, as JSON.
REST = "row"
#: When rows are written: after so many, or so many characters of text.
GROUP_ROWS, GROUP_CHARACTERS = 8192, 1 << 24
#: (start, end, label, score) of each entity; None: not known, for the reason that is given.
FoundT = list[tuple[int, int, str, float | None]] | None
AddT = Callable[[Row, FoundT, str], None]


def open_writer(form: str, path: Path, schema: Any) -> Any:
    """Open a shard to write it.

    form (str): JSONL or PARQUET.
    path (Path): The file.
    schema (Schema | None): The columns of Parquet, as output_schema gives them.
    RETURNS (AbstractContextManager[AddT]): Takes a row, its entities, and why they are not known.
    """
    return _json_writer(path) if form == JSONL else _parquet_writer(path, schema)


def output_schema(form: str, text: str | None, schema: Any) -> Any:
    """Give the columns of a shard of Parquet.

    form (str): The form of the corpus.
    text (str | None): The key of the texts.
    schema (Schema | None): The columns of the corpus, if it is Parquet, too.
    RETURNS (Schema): Those columns, else the text and, of JSON, the rest of the row; the entities and the error.
    RAISES (ValueError): TC502, if pyarrow is not installed.
    """
    import_parquet()
    import pyarrow as pa

    if form == PARQUET:
        kept = [field for field in schema if field.name not in WRITTEN]
    else:
        kept = [pa.field(text or "text", pa.string())]
        kept += [] if form == LINES else [pa.field(REST if text != REST else f"{REST}_", pa.string())]
    one = [("start", pa.int32()), ("end", pa.int32()), ("label", pa.string()), ("score", pa.float64())]
    return pa.schema([*kept, pa.field(ENTITIES, pa.list_(pa.struct(one))), pa.field(ERROR, pa.string())])


def check_json(schema: Any) -> None:
    """Make sure that JSON has a place for what is in the columns of Parquet.

    schema (Schema): The columns.
    RAISES (ValueError): TC512.
    """
    wrong = [f"{field.name} ({field.type})" for field in schema if not _is_json(field.type)]
    if wrong:
        raise ValueError(Errors.TC512.format(columns=", ".join(wrong)[:200]))


def _is_json(kind: Any) -> bool:
    """Tell types whose values JSON has."""
    from pyarrow import types

    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return _is_json(kind.value_type)
    if types.is_dictionary(kind):
        return _is_json(kind.value_type)
    if types.is_struct(kind):
        return len({field.name for field in kind}) == len(kind) and all(_is_json(field.type) for field in kind)
    plain = (types.is_boolean, types.is_integer, types.is_floating, types.is_string, types.is_large_string)
    return types.is_null(kind) or any(fits(kind) for fits in plain)


@contextmanager
def _json_writer(path: Path) -> Iterator[AddT]:
    with path.open("wb") as file:

        def add(row: Row, found: FoundT, error: str) -> None:
            names = ("start", "end", "label", "score")
            entities = None if found is None else [dict(zip(names, each, strict=True)) for each in found]
            file.write(_extended(row, {ENTITIES: entities} | ({ERROR: error} if error else {})))

        yield add


def _extended(row: Row, made: dict[str, Any]) -> bytes:
    """Write a row as JSON with what was found. An object of JSON stays as it is written: its numbers may have more
    digits than ours."""
    columns = to_json(row.columns)
    if row.line and columns.keys().isdisjoint(WRITTEN):
        begun = row.line.strip().removesuffix("}").rstrip()
        return f"{begun}{', ' if columns else ''}".encode() + json_line(made).removeprefix(b"{")
    return json_line({key: value for key, value in columns.items() if key not in WRITTEN} | made)


@contextmanager
def _parquet_writer(path: Path, schema: Any) -> Iterator[AddT]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows: list[tuple[Any, FoundT, str | None]] = []
    characters = 0

    def add(row: Row, found: FoundT, error: str) -> None:
        nonlocal characters
        rows.append((_columns(row, schema), found, error or None))
        characters += len(row.item.text)
        if len(rows) == GROUP_ROWS or characters >= GROUP_CHARACTERS:
            write()

    def write() -> None:
        nonlocal characters
        given, found, errors = zip(*rows, strict=True)
        kept = pa.schema([field for field in schema if field.name not in WRITTEN])
        if isinstance(given[0], dict):
            table = pa.Table.from_pylist(list(given), schema=kept)
        else:
            table = pa.Table.from_batches(given).select(kept.names).combine_chunks()
        fields = [schema.field(name) for name in (ENTITIES, ERROR)]
        names = ("start", "end", "label", "score")
        entities = [None if each is None else [dict(zip(names, one, strict=True)) for one in each] for each in found]
        for field, values in zip(fields, (entities, errors), strict=True):
            table = table.append_column(field, pa.array(values, type=field.type))
        writer.write_table(table)
        rows.clear()
        characters = 0

    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        yield add
        if rows:
            write()


def _columns(row: Row, schema: Any) -> Any:
    """Give the columns of a row of Parquet; of other rows the text, and the rest."""
    if not isinstance(row.columns, dict):
        return row.columns
    kept = {name: value for name, value in row.columns.items() if name not in WRITTEN}
    key = row.item.text_key
    text = kept.pop(key) if isinstance(kept.get(key), str) else ""
    made: dict[str, str | None] = {schema.names[0]: whole_text(text)}
    if len(schema.names) > len((schema.names[0], ENTITIES, ERROR)):
        made[schema.names[1]] = json_line(kept).decode().rstrip("\n") if kept else None
    return made
