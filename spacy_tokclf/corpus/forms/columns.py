"""The reader of columns: files with one token a row, its tags in other columns, a blank line after each sentence.

Columns are separated by single tabs, by runs of blanks, or by any text that is named; the first row settles which, and
how many columns there are. A line of white space only is blank, however many follow each other, and so is a -DOCSTART-
line.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...errors import Errors
from ...types import Ints
from .lines import read_line_blocks

_BLANK = " \t"
_BLANKS = re.compile(r"[ \t]+")
_DOCSTART = "-DOCSTART-"
_NAMES = {"\t": "tabs", " ": "spaces"}


@dataclass(frozen=True, eq=False)
class Rows:
    """Chosen columns of the rows of a file.

    path (str): The file.
    columns (list[list[str]]): The chosen columns. Shape: (n_rows,) each.
    lines (Ints): Line of each row, from 1. Shape: (n_rows,).
    lengths (Ints): Rows of each sentence. Shape: (n_sentences,).
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


def read_columns(path: str | Path, columns: Sequence[int] = (0, -1), *, separator: str | None = None) -> Rows:
    """Read columns of a whole file; the arguments are those of stream_columns.

    path (str | Path): The file.
    columns (Sequence[int]): Which columns.
    RETURNS (Rows): All rows.
    RAISES (ValueError): As stream_columns does.
    """
    blocks = list(stream_columns(path, columns, separator=separator))
    if len(blocks) == 1:
        return blocks[0]
    joined = [[cell for block in blocks for cell in block.columns[i]] for i in range(len(columns))]
    lines, lengths = (np.concatenate([getattr(block, name) for block in blocks]) for name in ("lines", "lengths"))
    return Rows(str(path), joined, lines, lengths)


def stream_columns(
    path: str | Path, columns: Sequence[int] = (0, -1), *, separator: str | None = None
) -> Iterator[Rows]:
    """Stream columns of a file in blocks of whole sentences.

    path (str | Path): The file, in UTF-8 with or without a byte order mark.
    columns (Sequence[int]): Which columns, from 0, or from the end if negative: that of the tokens, whose cells may be
        empty and keep their blanks, then those of tags.
    separator (str | None): What stands between columns; None: tabs if the first row has one, else blanks.
    YIELDS (Rows): Rows that follow each other.
    RAISES (ValueError): TC111, TC112, TC113, TC116 with file and line, after the sentences before it; TC118 if there is
        no such file.
    """
    if not Path(path).is_file():
        raise ValueError(Errors.TC118.format(path=str(path)))
    layout, n_lines = None, 0
    for first, lines in _sentence_blocks(path):
        n_lines = first + len(lines) - 1
        # Line of each row, (n_rows,): a gap between two of them is what divides sentences.
        numbers = [
            number
            for number, line in enumerate(lines, first)
            if line and not line.isspace() and not (line.startswith(_DOCSTART) and is_docstart(line, separator))
        ]
        if not numbers:
            continue
        rows = [lines[number - first] for number in numbers]
        if layout is None:
            layout = _find_layout(rows, columns, separator, f"{path}:{numbers[0]}")
        rows = _normalize(rows, layout)
        irregular = _split_irregular(rows, layout)
        wrong = next((row for row, cells in irregular.items() if len(cells) != layout.width), None)
        places = np.array(numbers, dtype=np.int64)
        # First row of each sentence, and one past the last row, (n_sentences + 1,).
        bounds = np.concatenate([[0], np.flatnonzero(np.diff(places) > 1) + 1, [len(rows)]])
        if wrong is not None:
            bounds = bounds[bounds <= wrong]  # of the sentences before the faulty one
        n_rows = int(bounds[-1])
        if n_rows:
            cells = _split_rows(rows[:n_rows], irregular, layout)
            yield Rows(str(path), _choose(cells, columns, layout.width), places[:n_rows], np.diff(bounds))
        if wrong is not None:
            where, line = f"{path}:{numbers[wrong]}", lines[numbers[wrong] - first]
            facts = {"where": where, "separator": layout.name, "line": line, "width": layout.width}
            raise ValueError(Errors.TC113.format(found=len(irregular[wrong]), **facts))
    if layout is None:
        raise ValueError(Errors.TC116.format(where=path, lines=n_lines))


def is_docstart(line: str, separator: str | None = None) -> bool:
    """Tell a -DOCSTART- line, which divides documents, from a row.

    line (str): The line.
    separator (str | None): What stands between columns, if it is neither a tab nor blanks.
    RETURNS (bool): True if it is one.
    """
    rest = line.removeprefix(_DOCSTART)
    return rest != line and (not rest or rest[0].isspace() or bool(separator and rest.startswith(separator)))


class _Layout(NamedTuple):
    """How rows are split.

    separator (str): What stands between columns; a blank stands for runs of blanks and tabs.
    width (int): Number of columns.
    tail (str): What ends most rows and is no column: tabs.
    """

    separator: str
    width: int
    tail: str

    @property
    def name(self) -> str:
        """RETURNS (str): The separator as messages call it."""
        return _NAMES.get(self.separator, repr(self.separator))


def _find_layout(rows: list[str], columns: Sequence[int], separator: str | None, where: str) -> _Layout:
    """Settle separator and number of columns by the first row. Empty cells at its end count if another row has
    something there, or if the chosen columns need them."""
    trimmed = rows[0].rstrip(_BLANK)
    if separator is None:
        separator = "\t" if "\t" in trimmed else " "
    width = full = len(_split(trimmed, separator))
    if separator == "\t":
        full = rows[0].count("\t") + 1
        filled = (row.count("\t") == row.rstrip(_BLANK).count("\t") == full - 1 for row in rows)
        width = full if not _are_there(columns, width) or any(filled) else width
    layout = _Layout(separator, width, separator * (full - width))
    if not _are_there(columns, width):
        facts = {"where": where, "separator": layout.name}
        raise ValueError(Errors.TC112.format(token=columns[0], tag=columns[-1], width=width, **facts))
    return layout


def _are_there(columns: Sequence[int], width: int) -> bool:
    """Tell whether a file has the chosen columns, and each is another one."""
    return len({range(width)[i] for i in columns if -width <= i < width}) == len(columns)


def _normalize(rows: list[str], layout: _Layout) -> list[str]:
    """Make one blank of each run of them, or take off what ends the rows."""
    if layout.separator != " ":
        return [row.removesuffix(layout.tail) for row in rows] if layout.tail else rows
    rows = [row.rstrip(_BLANK) for row in rows]
    return [_BLANKS.sub(" ", row) for row in rows] if any("  " in row or "\t" in row for row in rows) else rows


def _split_irregular(rows: list[str], layout: _Layout) -> dict[int, list[str]]:
    """Split the rows, by their index, that have not as many separators as they should."""
    # Separators in each row, (n_rows,).
    counts = np.fromiter(map(str.count, rows, repeat(layout.separator)), dtype=np.int64, count=len(rows))
    odd = np.flatnonzero(counts != layout.width - 1).tolist()
    return {row: _split(rows[row], layout.separator, layout.width) for row in odd}


def _split_rows(rows: list[str], irregular: dict[int, list[str]], layout: _Layout) -> list[str]:
    """Split all rows at once, (n_rows * width,); one list a row would keep the garbage collector busy for seconds."""
    separator, width, _ = layout
    odd = {row: cells for row, cells in irregular.items() if row < len(rows)}
    for row in odd:
        rows[row] = separator * (width - 1)  # keeps its place, (width,) empty cells
    # No row holds a line end, so it stands in for both separators.
    cells = "\n".join(rows).replace(separator, "\n").split("\n")
    for row, own in odd.items():
        cells[row * width : (row + 1) * width] = own
    return cells


def _split(row: str, separator: str, width: int = 0) -> list[str]:
    """Split a row with care: runs of separators; blanks at its ends; a token that holds the separator."""
    if separator == " ":
        cells = _BLANKS.split(row)
        # A row that is merely indented has one empty cell too many; a row whose token was lost has not.
        return cells[1:] if len(cells) > max(width, 2) and not cells[0] else cells
    cells = row.split(separator)
    if width and len(cells) > width:
        if not "".join(cells[width:]).strip(_BLANK):
            return cells[:width]
        filled = [cell for cell in cells if cell and not cell.isspace()]
        if len(filled) == width or separator == "\t":
            return filled
        return row.rsplit(separator, width - 1)
    return cells


def _choose(cells: list[str], columns: Sequence[int], width: int) -> list[list[str]]:
    """Take columns out of all cells, (n_rows * width,), and white space off the ends of tags."""
    # Every width-th cell, (n_rows,) each.
    tokens, *tags = (cells[range(width)[column] :: width] for column in columns)
    return [tokens, *(_stripped(column) for column in tags)]


def _stripped(column: list[str]) -> list[str]:
    """Strip cells, where there is anything to strip; tags are few, so look at the different ones only."""
    return [cell.strip() for cell in column] if any(cell != cell.strip() for cell in set(column)) else column


def _sentence_blocks(path: str | Path) -> Iterator[tuple[int, list[str]]]:
    """Stream the lines of a file in blocks that end where a sentence does, with the number of their first line."""
    first = 1
    ready: list[str] = []  # whole sentences
    pending: list[str] = []  # what follows them, and may go on in the next block
    try:
        for lines in read_line_blocks(path):
            end = next((i for i in range(len(lines), 0, -1) if not lines[i - 1] or lines[i - 1].isspace()), 0)
            if not end:
                pending += lines
                continue
            if ready:
                yield first, ready
                first += len(ready)
            ready, pending = pending + lines[:end], lines[end:]
    except ValueError:  # of a line that cannot be read
        if ready:
            yield first, ready
        raise
    if ready or pending:
        yield first, ready + pending
