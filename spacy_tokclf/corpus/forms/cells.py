"""Cells of a table in CSV or TSV, whatever they hold: line ends, and texts of any length."""

import codecs
import csv
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...errors import Errors
from .lines import check_encoding, inner_name
from .sources import HEAD, open_source, read_blocks

_DELIMITERS = ",;\t|"
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def read_cells(
    path: str | Path, *, separator: str | None = None, encoding: str | None = None
) -> Iterator[tuple[int, list[str]]]:
    """Stream the rows of a table.

    path (str | Path): The file, packed or not.
    separator (str | None): What stands between cells; None: a tab in *.tsv, else what the first line has most of.
    encoding (str | None): Its encoding; None: UTF-8, or what a byte order mark says.
    YIELDS (tuple[int, list[str]]): The line that a row ends on, and its cells; none in an empty line.
    RAISES (ValueError): TC111, TC121 to TC123, TC125, TC129, with file and line.
    """
    check_encoding(encoding)
    head = next(read_blocks(path, HEAD, encoding=encoding), b"")  # refuses what is no text
    codec = next((name for mark, name in _MARKS if head.startswith(mark)), encoding or "utf-8")
    first = head.decode(codec, "ignore").lstrip("\r\n").split("\n")[0]
    if separator is None:
        separator = "\t" if inner_name(path).suffix.lower() == ".tsv" else max(_DELIMITERS, key=first.count)
    if len(separator) != 1:
        raise ValueError(Errors.TC213.format(name="separator", value=separator, expected="one character, for a table"))
    with open_source(path) as file:
        # newline="": line ends within quotes are part of a cell.
        reader = csv.reader(
            io.TextIOWrapper(file, encoding=codec, newline=""), delimiter=separator, quotechar='"', strict=True
        )
        while True:
            row = _next(reader, path, codec)
            if row is None:
                return
            yield reader.line_num, row


def _next(reader: Any, path: str | Path, codec: str) -> list[str] | None:
    """Read a row of cells of any length; Python's own limit stays as it is for others."""
    limit = csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    try:
        row: list[str] | None = next(reader, None)
        return row
    except csv.Error as err:
        raise ValueError(Errors.TC129.format(where=f"{path}:{reader.line_num}", detail=str(err))) from err
    except UnicodeDecodeError as err:
        where = f"{path}:{reader.line_num + 1} or after"
        hint = "Save the file as UTF-8, or name its encoding (`--encoding`)"
        facts = {"encoding": codec, "byte": err.start + 1, "reason": err.reason, "hint": hint}
        raise ValueError(Errors.TC111.format(where=where, **facts)) from err
    finally:
        csv.field_size_limit(limit)
