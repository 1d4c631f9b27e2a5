"""Files of columns for scoring: any two columns of any file with one token a row, read whole and fast.

More tolerant than the reader of training data, since files of predictions come from everywhere: columns may be
separated by single tabs, by runs of blanks, or by any text that is named; a token may be empty. A line of white space
only is blank, however many follow each other. Lines end at "\\n" or "\\r\\n" and nowhere else.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

import numpy as np

from ...errors import Errors
from ...types import Ints

_BLANKS = re.compile(r"[ \t]+")
_DOCSTART = "-DOCSTART-"


@dataclass(frozen=True, eq=False)
class Table:
    """Chosen columns of a file.

    path (str): The file.
    columns (list[list[str]]): The chosen columns, each (n_rows,).
    lines (Ints): Line of each row, from 1, (n_rows,).
    lengths (Ints): Rows of each sentence, (n_sentences,).
    """

    path: str
    columns: list[list[str]]
    lines: Ints
    lengths: Ints

    def where(self, row: int) -> str:
        """Say where a row stands.

        row (int): Index of the row.
        RETURNS (str): "file:line".
        """
        return f"{self.path}:{self.lines[row]}"


def read_columns(path: str | Path, columns: Sequence[int] = (0, -1), *, separator: str | None = None) -> Table:
    """Read columns of a file in UTF-8, with or without byte order mark.

    path (str | Path): The file.
    columns (Sequence[int]): Which columns, from 0, or from the end if negative.
    separator (str | None): What stands between columns; None: a tab if the first row has one, else blanks.
    RETURNS (Table): The columns; sentences are what blank lines and -DOCSTART- lines divide.
    RAISES (ValueError): TC111, TC112, TC113, TC116 with file and line; TC220 if there is no such file.
    """
    lines = _read_lines(Path(path))
    numbers = [i for i, line in enumerate(lines) if line and not line.isspace()]
    if any(lines[i].startswith(_DOCSTART) for i in numbers[:1]):
        numbers = [i for i in numbers if not lines[i].startswith(_DOCSTART)]
    if not numbers:
        raise ValueError(Errors.TC116.format(where=path, lines=len(lines)))
    rows = [lines[i] for i in numbers]
    if separator is None:
        separator = "\t" if "\t" in rows[0] else " "
    width = len(_split(rows[0], separator, 0))
    facts = {"where": f"{path}:{numbers[0] + 1}", "separator": repr(separator)}
    if len({range(width)[i] for i in columns if -width <= i < width}) < len(columns):
        raise ValueError(Errors.TC112.format(token=columns[0], tag=columns[-1], width=width, **facts))
    places = np.array(numbers, dtype=np.int64)
    del lines, numbers
    cells = _split_all(rows, separator, width, lambda row: f"{path}:{places[row] + 1}")
    chosen = [_stripped(cells[range(width)[column] :: width]) for column in columns]
    starts = np.concatenate([[0], np.flatnonzero(np.diff(places) > 1) + 1, [len(places)]])
    return Table(str(path), chosen, places + 1, np.diff(starts))


def _split_all(rows: list[str], separator: str, width: int, where: Callable[[int], str]) -> list[str]:
    """Split all rows at once, (n_rows * width,); one list a row would keep the garbage collector busy for seconds."""
    counts = np.fromiter(map(str.count, rows, repeat(separator)), dtype=np.int64, count=len(rows))
    odd: dict[int, list[str]] = {}
    for i in np.flatnonzero(counts != width - 1).tolist():
        odd[i] = _split(rows[i], separator, width)
        if len(odd[i]) != width:
            facts = {"where": where(i), "separator": repr(separator), "line": rows[i]}
            raise ValueError(Errors.TC113.format(found=len(odd[i]), width=width, **facts))
        rows[i] = separator * (width - 1)
    # No row holds a line end, so it stands in for both separators.
    cells = "\n".join(rows).replace(separator, "\n").split("\n")
    for i, row_cells in odd.items():
        cells[i * width : (i + 1) * width] = row_cells
    return cells


def _split(row: str, separator: str, width: int) -> list[str]:
    """Split a row with care: runs of blanks; blanks at its ends; a token that holds the separator."""
    if separator == " ":
        cells = _BLANKS.split(row)
        # A row that is merely indented has one empty cell too many; a row whose token was lost has not.
        return cells[1:] if len(cells) > max(width, 2) and not cells[0] else cells
    cells = row.split(separator)
    if width and len(cells) > width:
        filled = [cell for cell in cells if cell and not cell.isspace()]
        if len(filled) == width or separator == "\t":
            return filled
        return row.rsplit(separator, width - 1)
    return cells


def _stripped(column: list[str]) -> list[str]:
    """Take blanks off the cells, where there are any."""
    if any(cell != cell.strip(" \t") for cell in set(column)):
        return [cell.strip(" \t") for cell in column]
    return column


def _read_lines(path: Path) -> list[str]:
    """Decode a file and cut it into lines."""
    if not path.is_file():
        raise ValueError(Errors.TC220.format(path=path))
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        start = data.rfind(b"\n", 0, err.start) + 1
        where = f"{path}:{data.count(bytes([10]), 0, err.start) + 1}"
        message = Errors.TC111.format(where=where, byte=err.start - start + 1, reason=err.reason)
        raise ValueError(message) from err
    lines = text.split("\n")
    if "\r" in text:
        lines = [line.removesuffix("\r") for line in lines]
    # Blanks at the end of a row are no column.
    trailing = text.endswith((" ", "\t")) or any(blank in text for blank in (" \n", "\t\n", " \r\n", "\t\r\n"))
    return [line.rstrip(" \t") for line in lines] if trailing else lines
