"""Rows of a table in CSV, one token a row: cells may be quoted, and sentences told by a column of their own."""

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...errors import Errors
from .column_names import choose_columns, header_names
from .lines import inner_name, read_line_blocks
from .rows import Rows

SUFFIX = ".csv"
_DELIMITERS = ",;\t|"
_SENTENCE = re.compile(r"sent(ence)?s?[ _-]?(#|ids?|idx|no|nr|num(ber)?|index)?", re.IGNORECASE)
_DOCUMENT = re.compile(r"doc(ument)?s?[ _-]?(#|ids?|idx|no|nr|num(ber)?|index)?", re.IGNORECASE)
_ROWS = 1 << 16


def find_csv(path: str | Path, lines: Sequence[str], separator: str | None) -> str | None:
    """Tell a table in CSV from columns that are not quoted: by its name, or since all cells are quoted, or all that
    hold a quote under a row that names the columns.

    path (str | Path): The file.
    lines (Sequence[str]): Its first lines.
    separator (str | None): What is said to stand between columns.
    RETURNS (str | None): What stands between columns; None if this is no such table.
    """
    rows = [line for line in lines if line.strip()]
    if not rows or (separator is not None and len(separator) != 1):
        return None
    mark = separator or max(_DELIMITERS, key=rows[0].count)
    if inner_name(path).suffix.lower() == SUFFIX:
        return mark
    if mark not in rows[0] or not any('"' in row for row in rows):
        return None
    try:
        cells = [row for row in csv.reader(rows, delimiter=mark, strict=True) if row]
    except csv.Error:
        return None
    if len(cells) != len(rows) or len({len(row) for row in cells}) != 1:
        return None
    raw = [row.split(mark) for row in rows]
    is_quoted = all(_is_quoted(cell) for row in raw for cell in row)
    has_names = header_names(cells[0], (0, -1)) is not None
    well_formed = all(
        len(row) == len(split) and all(_is_quoted(cell) for cell in split if '"' in cell)
        for row, split in zip(cells, raw, strict=True)
    )
    return mark if is_quoted or (has_names and (well_formed or mark in ",;")) else None


def stream_csv(
    path: str | Path, columns: Sequence[int | str], separator: str, *, encoding: str | None = None
) -> Iterator[Rows]:
    """Stream the rows of a table. Sentences are told by a column that is called so, whose empty cells go on with the
    sentence before, else by empty rows.

    path (str | Path): The file.
    columns (Sequence[int | str]): Which columns: that of the tokens, then those of tags.
    separator (str): What stands between columns.
    encoding (str | None): The encoding, as for read_line_blocks.
    YIELDS (Rows): Rows that follow each other, whole sentences.
    RAISES (ValueError): TC111, TC112, TC113, TC116, TC129, with file and line; TC131 if there is no column of a name.
    """
    table: _Table | None = None
    pending: list[tuple[int, list[str]]] = []
    starts: list[int] = []  # of the sentences among them
    last, is_divided = ["", ""], True
    line = 0
    for line, row in _checked(path, separator, encoding):
        if not any(cell.strip() for cell in row):
            is_divided = True
            continue
        if table is None:
            table = _find_table(row, columns, path, line)
            if table.is_header:
                continue
        if len(row) != table.width:
            facts = {"where": f"{path}:{line}", "separator": repr(separator), "width": table.width, "found": len(row)}
            raise ValueError(Errors.TC113.format(line=separator.join(row), **facts))
        keys = [row[i].strip() for i in table.sentence]
        if is_divided or any(key and key != old for key, old in zip(keys, last, strict=False)):
            if len(pending) > _ROWS:
                yield _rows(path, pending, starts, table)
                pending, starts = [], []
            starts.append(len(pending))
        last = [key or old for key, old in zip(keys, last, strict=False)]
        is_divided = False
        pending.append((line, row))
    if table is None or not pending:
        raise ValueError(Errors.TC116.format(where=path, lines=line))
    yield _rows(path, pending, starts, table)


class _Table(NamedTuple):
    """What the first row says: columns, those that tell sentences, how many there are, and whether it names them."""

    columns: list[int]
    sentence: list[int]
    width: int
    is_header: bool


def _find_table(row: list[str], columns: Sequence[int | str], path: str | Path, line: int) -> _Table:
    """Settle how a table is read by its first row."""
    names = header_names(row, columns)
    width = len(row)
    chosen = choose_columns(columns, names, [], path)
    if len({range(width)[i] for i in chosen if -width <= i < width}) < len(chosen):
        facts = {"where": f"{path}:{line}", "width": width, "separator": "commas (or what stands between columns)"}
        raise ValueError(Errors.TC112.format(token=chosen[0], tag=chosen[-1], **facts))
    found = [
        i
        for i, name in enumerate(names or [])
        if (_SENTENCE.fullmatch(name) or _DOCUMENT.fullmatch(name)) and i not in [range(width)[j] for j in chosen]
    ]
    has_sentences = any(_SENTENCE.fullmatch(names[i]) for i in found) if names else False
    return _Table([range(width)[i] for i in chosen], found if has_sentences else [], width, names is not None)


def _checked(path: str | Path, separator: str, encoding: str | None) -> Iterator[tuple[int, list[str]]]:
    """Stream rows with their lines, and refuse quotes that are not closed."""
    lines = (f"{line}\n" for line in chain.from_iterable(read_line_blocks(path, encoding)))
    reader = csv.reader(lines, delimiter=separator, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as err:
            raise ValueError(Errors.TC129.format(where=f"{path}:{line}", detail=str(err))) from err
        if row is None:
            return
        if any("\n" in cell for cell in row):
            raise ValueError(Errors.TC129.format(where=f"{path}:{line}", detail="a cell goes on over several lines"))
        yield line, row


def _rows(path: str | Path, rows: list[tuple[int, list[str]]], starts: list[int], table: _Table) -> Rows:
    """Make Rows of whole sentences."""
    tokens, *tags = ([row[i] for _, row in rows] for i in table.columns)
    lines = np.array([line for line, _ in rows], dtype=np.int64)
    lengths = np.diff([*starts, len(rows)]).astype(np.int64)
    return Rows(str(path), [tokens, *([tag.strip() for tag in column] for column in tags)], lines, lengths)


def _is_quoted(cell: str) -> bool:
    """Tell a cell in quotes, those inside of it doubled."""
    cell = cell.strip()
    return len(cell) > 1 and cell[0] == cell[-1] == '"' and '"' not in cell[1:-1].replace('""', "")
