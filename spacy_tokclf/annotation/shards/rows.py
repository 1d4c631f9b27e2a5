"""The rows of a shard, with the text of each, in a stream."""

import codecs
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from ...corpus.forms.json_rows import JsonRow, read_json_line
from ...corpus.forms.json_source import Place, Source
from ...corpus.forms.json_tools import TEXT_KEYS, text_key
from ...corpus.forms.lines import check_encoding, wrong_encoding
from ...corpus.options import ReadOptions
from ...corpus.records import TextRecord
from ...errors import Errors
from ..items import Item
from .corpus import JSONL, LINES, PARQUET, Corpus, Part, open_part
from .cut import Piece, Shard, is_row, naming_lines, naming_parquet, open_parquet, read_line

#: Keys, or columns, that are written; what the corpus has under these names is replaced.
WRITTEN = ENTITIES, ERROR = "entities", "error"
#: Rows of Parquet that are read at a time.
BATCH = 1024


class Row(NamedTuple):
    """A row of the corpus.

    item (Item): Its text.
    columns (Any): All that it has: a dict; of Parquet a RecordBatch with one row.
    line (str): The object of JSON as it is written; "" if it is none.
    """

    item: Item
    columns: Any
    line: str = ""


class Columns(NamedTuple):
    """Where the texts of a corpus are.

    text (str | None): The key or the column; None: of JSON, found in each row; of lines, none.
    encoding (str | None): Of lines and of JSON; None: UTF-8.
    """

    text: str | None = None
    encoding: str | None = None


def find_columns(corpus: Corpus, options: ReadOptions, text_column: int | str | None) -> Columns:
    """Find where the texts of a corpus are, before any is read.

    corpus (Corpus): The files.
    options (ReadOptions): How to read: `text_key` and `encoding`.
    text_column (int | str | None): The column of Parquet; the same as a key.
    RETURNS (Columns): Where they are.
    RAISES (ValueError): TC507, TC523, for what cannot be had of such files; TC508, if Parquet has no such column;
        TC527, if two have one name; TC125, for an encoding that there is not.
    """
    text = options.text_key if text_column is None else text_column
    if isinstance(text, int) or (corpus.form == LINES and text is not None):
        raise ValueError(Errors.TC507.format(option="--text-column", value=text, form=corpus.form))
    if options.keep_tokens:
        raise ValueError(Errors.TC507.format(option="--keep-tokens", value=True, form=corpus.form))
    check_encoding(options.encoding)
    if options.encoding and "\n".encode(options.encoding) != b"\n":
        raise ValueError(Errors.TC507.format(option="--encoding", value=options.encoding, form=corpus.form))
    if text in WRITTEN:
        raise ValueError(Errors.TC523.format(option=f"--text-column {text}", how="with --engine, which writes there"))
    if corpus.form == PARQUET:
        text = _text_column(corpus, text)
    return Columns(text, options.encoding)


def parquet_schema(corpus: Corpus) -> Any:
    """RETURNS (Schema): The columns of a corpus of Parquet, those of its first file."""
    with open_part(corpus.parts[0]) as file:
        return open_parquet(file, corpus.parts[0]).schema_arrow.remove_metadata()


def read_rows(corpus: Corpus, shard: Shard, columns: Columns, schema: Any = None) -> Iterator[Row]:
    """Stream the rows of a shard.

    corpus (Corpus): The files.
    shard (Shard): Where its rows are.
    columns (Columns): Where the texts are.
    schema (Schema | None): Of Parquet, the columns that all files have to have.
    YIELDS (Row): The rows. One without a text has the reason.
    RAISES (ValueError): TC509, if there are fewer rows than there were; as the readers.
    """
    for piece in shard.pieces:
        rows = 0
        is_parquet = corpus.form == PARQUET
        found = _parquet_rows(corpus, piece, columns, schema) if is_parquet else _line_rows(corpus, piece, columns)
        for row in found:
            rows += 1
            yield row
        if rows != piece.rows:
            facts = {"name": corpus.parts[piece.part].name, "rows": piece.rows, "found": rows}
            raise ValueError(Errors.TC509.format(line=piece.line + 1, **facts))


def _line_rows(corpus: Corpus, piece: Piece, columns: Columns) -> Iterator[Row]:
    part, left, number = corpus.parts[piece.part], piece.rows, piece.line
    source = Source(part.name, ReadOptions(text_key=columns.text))
    with open_part(part) as file, naming_lines(part):
        file.seek(piece.offset)
        while left and (line := read_line(file, part)):
            number += 1
            if not is_row(line, corpus.form):
                continue
            left -= 1
            data = line.removesuffix(b"\n").removesuffix(b"\r")
            if number == 1:
                data = data.removeprefix(codecs.BOM_UTF8)
            where = f"{part.name}:{number}"
            try:
                text = _decoded(data, where, columns)
            except ValueError as error:
                text = data.decode(columns.encoding or "utf-8", "replace")
                yield Row(Item(None, where, error=str(error)), {"text": text})
                continue
            if corpus.form == JSONL:
                yield _json_row(text, number, source)
            else:
                yield Row(Item(TextRecord(text, []), where), {"text": text})


def _decoded(data: bytes, where: str, columns: Columns) -> str:
    """Decode a line. RAISES (ValueError): TC111."""
    codec = columns.encoding or "utf-8"
    try:
        return data.decode(codec)
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(codec, "ignore")
        raise wrong_encoding(where, before, error, columns.encoding) from error


def _json_row(line: str, number: int, source: Source) -> Row:
    """Find the text in a row of JSON."""
    where = f"{source.path}:{number}"
    try:
        value = read_json_line(line, where)
    except ValueError as error:
        return Row(Item(None, where, error=str(error)), {"text": line})
    if isinstance(value, str):
        return Row(Item(TextRecord(value, []), where), {"text": value})
    if not isinstance(value, dict):
        return Row(Item(None, where, error=Errors.TC368.format(where=where, hint="")), {"text": line})
    key = text_key(value, Place(source, JsonRow(number, "", value, {})))
    if key is None or not isinstance(value[key], str):
        asked = source.options.text_key
        found = f"; the keys are {', '.join(map(repr, value))[:100] or 'none'}"
        hint = f" under {asked!r}{found}" if asked else found
        return Row(Item(None, where, error=Errors.TC368.format(where=where, hint=hint)), value, line)
    return Row(Item(TextRecord(value[key], []), where, text_key=key), value, line)


def _parquet_rows(corpus: Corpus, piece: Piece, columns: Columns, schema: Any) -> Iterator[Row]:
    part, number, left = corpus.parts[piece.part], piece.line, piece.rows
    with open_part(part) as file:
        parquet = open_parquet(file, part)
        if parquet.schema_arrow.remove_metadata() != schema:
            raise ValueError(Errors.TC511.format(name=part.name, first=corpus.parts[0].name))
        groups, skip = _groups(parquet.metadata, piece)
        for batch in _batches(parquet, groups, part):
            skipped = min(skip, batch.num_rows)
            skip, batch = skip - skipped, batch.slice(skipped, left)
            texts = batch.column(columns.text).to_pylist()
            for at, text in enumerate(texts):
                number += 1
                where = f"{part.name}, row {number}"
                error = Errors.TC368.format(where=where, hint=f" under {columns.text!r}") if text is None else ""
                yield Row(Item(None if error else TextRecord(text, []), where, error=error), batch.slice(at, 1))
            left -= len(texts)
            if not left:
                return


def _batches(parquet: Any, groups: list[int], part: Part) -> Iterator[Any]:
    with naming_parquet(part):
        for batch in parquet.iter_batches(batch_size=BATCH, row_groups=groups, use_threads=False):
            batch.validate(full=True)
            yield batch


def _groups(metadata: Any, piece: Piece) -> tuple[list[int], int]:
    """Choose the row groups that have the rows of a piece, and say how many rows before them there are."""
    groups: list[int] = []
    at = skip = 0
    for number in range(metadata.num_row_groups):
        size = metadata.row_group(number).num_rows
        if at + size > piece.offset and at < piece.offset + piece.rows:
            skip = skip if groups else piece.offset - at
            groups.append(number)
        at += size
    return groups, skip


def _text_column(corpus: Corpus, asked: str | None) -> str:
    """Find the column of the texts. RAISES (ValueError): TC508."""
    import pyarrow as pa

    schema = parquet_schema(corpus)
    twice = sorted({name for name in schema.names if schema.names.count(name) > 1})
    if twice:
        raise ValueError(Errors.TC527.format(name=corpus.parts[0].name, columns=", ".join(twice)[:200]))
    texts = [field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)]
    found = next((name for name in ([asked] if asked else TEXT_KEYS) if name in texts), None)
    if found is None:
        facts = {"name": corpus.parts[0].name, "column": asked or "text", "found": ", ".join(texts) or "none"}
        raise ValueError(Errors.TC508.format(**facts))
    return found


def to_json(columns: Any) -> dict[str, Any]:
    """Give the values of a row as JSON has them.

    columns (Any): What the row has.
    RETURNS (dict[str, Any]): The values.
    """
    return columns if isinstance(columns, dict) else columns.to_pylist()[0]


def json_line(row: dict[str, Any]) -> bytes:
    """Write a row of JSON.

    row (dict[str, Any]): The row. What is no number, which JSON has no word for, becomes null.
    RETURNS (bytes): The line. Halves of characters are written as escapes.
    """
    try:
        line = json.dumps(row, ensure_ascii=False, allow_nan=False)
    except ValueError:
        line = json.dumps(_without_nan(row), ensure_ascii=False, allow_nan=False)
    try:
        return f"{line}\n".encode()
    except UnicodeEncodeError:
        return json.dumps(_without_nan(row), allow_nan=False).encode("ascii") + b"\n"


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_nan(each) for each in value]
    return None if isinstance(value, float) and value - value != 0 else value
