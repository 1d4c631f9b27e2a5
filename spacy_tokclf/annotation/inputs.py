"""The texts of a file, a folder or a stream, whatever form they are in. What is annotated in them is not looked at."""

import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from spacy.vocab import Vocab

from ..corpus.forms.brat import is_brat, read_brat
from ..corpus.forms.conll import detect_conll_form
from ..corpus.forms.docbin import SUFFIX as DOCBIN
from ..corpus.forms.docbin import read_docs
from ..corpus.forms.entity_csv import is_entity_csv, read_entity_csv
from ..corpus.forms.jsonl import is_json
from ..corpus.forms.lines import decode_text, inner_name, read_line_blocks
from ..corpus.forms.sources import HEAD, read_blocks
from ..corpus.forms.tokens_and_tags import Columns, first_lines, stream_rows
from ..corpus.hf.load import load_split
from ..corpus.hf.records import records_from_dataset
from ..corpus.option_checks import check_options
from ..corpus.options import ReadOptions
from ..corpus.records import Record, TextRecord
from ..errors import Errors
from ..tags import MISSING, OUTSIDE, looks_like_tag
from .items import Item
from .json_items import json_items
from .table_items import first_cells, table_items

#: The name of the standard input and output.
STREAM = "-"
_TABLES = (".csv", ".tsv")
#: Files that hold text if they do not look like columns of tokens and tags.
_PLAIN = (".txt", ".text", ".md", ".log", "")


def read_items(
    source: str | Path,
    options: ReadOptions | None = None,
    *,
    text_column: int | str | None = None,
    stdin: BinaryIO | None = None,
) -> Iterator[Item]:
    """Stream the texts of a source.

    source (str | Path): A file of lines, a text each; of JSON; a table, with `text_column`; a folder of .txt files, a
        text each; annotated data in any form that `convert` reads; or "-" for `stdin`, lines or rows of JSON. Files
        may be packed.
    options (ReadOptions | None): How to read.
    text_column (int | str | None): The column of a table that has the texts: by name, or by number if it has no names.
    stdin (BinaryIO | None): The standard input.
    RETURNS (Iterator[Item]): The texts, in order.
    RAISES (ValueError): TC118, if there is no such file; TC365, TC366, TC371, if it does not have what it is said to
        have; as the readers of forms do, where a file is at fault as a whole. Faults of single texts are theirs.
    """
    options = options or ReadOptions()
    check_options(options)
    if str(source) == STREAM and stdin is not None:
        return _stream_items(stdin, options)
    path = Path(source)
    if not path.exists():
        raise ValueError(Errors.TC118.format(path=str(path)))
    if text_column is not None:
        if path.is_dir() or path.suffix in (DOCBIN, ".parquet") or is_json(path):
            raise ValueError(Errors.TC371.format(path=path))
        return table_items(path, text_column, options)
    if is_brat(path):
        return _record_items(read_brat(path, overlap="first", offsets="trust", encoding=options.encoding))
    if path.is_dir():
        return _folder_items(path, options)
    suffix = inner_name(path).suffix.lower()
    if is_json(path):
        return json_items(path, options)
    if path.suffix == DOCBIN:
        # A vocabulary of its own: that of the pipeline forgets.
        docs = enumerate(read_docs(path, Vocab()))
        return (Item(doc, f"{path}, document {number}") for number, doc in docs)
    if suffix == ".parquet":
        return _data_set_items(path, options)
    if is_entity_csv(path):
        return _record_items(read_entity_csv(path, encoding=options.encoding, separator=options.separator))
    if suffix in _PLAIN and not _looks_tagged(path, options):
        return _line_items(path, options)
    if suffix in _TABLES and not _is_tagged(path, options):
        raise ValueError(Errors.TC366.format(path=path, columns=", ".join(first_cells(path, options))[:200]))
    return _column_items(path, options)


def _line_items(path: Path, options: ReadOptions) -> Iterator[Item]:
    """A text a line, an empty line included."""
    lines = chain.from_iterable(read_line_blocks(path, options.encoding))
    for number, line in enumerate(lines, 1):
        yield Item(TextRecord(line, []), f"{path}:{number}")


def _stream_items(stream: BinaryIO, options: ReadOptions) -> Iterator[Item]:
    """A text a line of a stream, as soon as it is there; or the texts of rows of JSON, once all are there."""
    first = stream.readline()
    if _begins_json(first):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "standard-input.jsonl"
            with path.open("wb") as file:
                file.write(first)
                shutil.copyfileobj(stream, file)
            yield from json_items(path, options)
        return
    encoding = options.encoding or "utf-8"
    for number, data in enumerate(chain([first] if first else [], stream), 1):
        text = decode_text(data.removesuffix(b"\n").removesuffix(b"\r"), f"standard input, line {number}", encoding)
        yield Item(TextRecord(text, []), f"standard input:{number}")


def _begins_json(line: bytes) -> bool:
    """Tell the first line of JSON, an object or a list of them, from a text that begins with a bracket."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return line.strip() in (b"{", b"[")
    return isinstance(value, dict) or (
        isinstance(value, list) and value != [] and all(isinstance(v, dict) for v in value)
    )


def _folder_items(folder: Path, options: ReadOptions) -> Iterator[Item]:
    """A text a file, or the rows of a data set."""
    names = {
        inner_name(file).relative_to(folder).with_suffix("").as_posix(): file
        for file in folder.rglob("*")
        if file.is_file() and inner_name(file).suffix.lower() == ".txt"
    }
    if not names:
        if any(folder.glob("*.arrow")) or any(folder.glob("*.json")):
            yield from _data_set_items(folder, options)
            return
        raise ValueError(Errors.TC365.format(path=folder))
    for name in sorted(names):
        try:
            data = b"".join(read_blocks(names[name], HEAD, encoding=options.encoding))
            yield Item(TextRecord(decode_text(data, names[name], options.encoding), []), str(names[name]), name=name)
        except ValueError as error:
            yield Item(None, str(names[name]), name=name, error=str(error))


def _data_set_items(path: Path, options: ReadOptions) -> Iterator[Item]:
    dataset = load_split(path, options.split, name=options.name, revision=options.revision)
    records = records_from_dataset(
        dataset, tokens=options.tokens, tags=options.tags, scheme=options.scheme, name=str(path)
    )
    return _record_items(records)


def _column_items(path: Path, options: ReadOptions) -> Iterator[Item]:
    """The tokens of sentences, whatever their tags are, if they are tags."""
    if options.scheme == "auto":
        detect_conll_form([path], _columns(options))
    for rows in stream_rows(path, _columns(options)):
        words, at = rows.columns[0], 0
        for length in rows.lengths.tolist():
            own = words[at : at + length]
            yield Item(Record(own, [MISSING] * length), rows.where(at))
            at += length


def _record_items(records: Iterable[Record | TextRecord]) -> Iterator[Item]:
    for record in records:
        yield Item(record, record.where)


def _columns(options: ReadOptions) -> Columns:
    return Columns(options.token_column, options.tag_column, options.separator, options.encoding)


def _is_tagged(path: Path, options: ReadOptions) -> bool:
    """Tell a table of tokens and tags from one of texts."""
    try:
        detect_conll_form([path], _columns(options))
    except ValueError:
        return False
    return True


def _looks_tagged(path: Path, options: ReadOptions) -> bool:
    """Tell columns of tokens and tags from lines of text: all lines end in a tag, and some tag is one of an entity."""
    asked: Any = (options.token_column, options.tag_column, options.separator)
    if asked != (0, -1, None):
        return True
    lines = [line for line in first_lines(path, options.encoding) if line.strip() and line[:1] != "#"]
    cells = [line.split() for line in lines if not line.startswith("-DOCSTART-")]
    is_row = all(len(row) > 1 and (looks_like_tag(row[-1]) or row[-1] == MISSING) for row in cells)
    return bool(cells) and is_row and any(row[-1] not in (OUTSIDE, MISSING) for row in cells)
