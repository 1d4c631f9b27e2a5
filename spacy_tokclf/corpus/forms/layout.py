"""How the rows of a file of columns are split."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ...errors import Errors
from ...tags import MISSING, OUTSIDE, looks_like_tag

_BLANK = " \t"
_BLANKS = re.compile(r"[ \t]+")
_NAMES = {"\t": "tabs", " ": "spaces"}
#: What may stand between columns where neither a tab nor a blank does; the first ones also before labels, and beside
#: blanks, since words and types are full of the others.
_OTHERS, _BEFORE_LABELS = "|,;/_:", "|,;"


class Layout(NamedTuple):
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


def find_separator(rows: Sequence[str], separator: str | None) -> str:
    """Find out what stands between columns: a tab, if the first row has one; else what all rows have before a tag; else
    blanks.

    rows (Sequence[str]): The first rows; the first of all may name the columns.
    separator (str | None): What it is said to be.
    RETURNS (str): The separator; a blank stands for runs of blanks and tabs.
    """
    if separator is not None:
        return separator
    first = rows[0].rstrip(_BLANK)
    if "\t" in first:
        return "\t"
    for other in _OTHERS:
        if other not in first or any(other in row.split() for row in rows):
            continue
        if other not in _BEFORE_LABELS and any(" " in row.strip() for row in rows):
            continue
        tails = [row.rpartition(other)[2].strip() if other in row else "" for row in rows]
        tails = tails[1:] or tails
        if not all(tails) or any(" " in tail for tail in tails):
            continue
        if all(_is_row(row.rstrip(_BLANK).rpartition(other)) for row in rows[1:] or rows):
            continue
        is_tagged = any(map(looks_like_tag, tails)) and all(tail == MISSING or looks_like_tag(tail) for tail in tails)
        if is_tagged or (" " not in first.strip() and other in _BEFORE_LABELS and OUTSIDE in tails):
            return other
    return " "


def _is_row(parts: tuple[str, str, str]) -> bool:
    """Tell whether what stands before a separator is a row already, whose tag was only written twice."""
    before, other, tail = parts
    ends = (before.rstrip(_BLANK).split(mark) for mark in " " + _OTHERS if mark != other)
    return any(len(cells) > 1 and (looks_like_tag(cells[-1]) or cells[-1] == tail.strip()) for cells in ends)


def find_layout(first: str, rows: Iterable[str], columns: Sequence[int], separator: str, where: str) -> Layout:
    """Settle the number of columns by the first row. Empty cells at its end count if another row has something there,
    or if the chosen columns need them.

    first (str): The first row.
    rows (Iterable[str]): Rows of the file.
    columns (Sequence[int]): The chosen columns.
    separator (str): What stands between columns.
    where (str): Where the first row stands.
    RETURNS (Layout): How rows are split.
    RAISES (ValueError): TC112 if the chosen columns are not there, or not different ones.
    """
    trimmed = first.rstrip(_BLANK)
    width = full = len(split_row(trimmed, separator))
    if separator == "\t":
        full = first.count("\t") + 1
        filled = (row.count("\t") == row.rstrip(_BLANK).count("\t") == full - 1 for row in rows)
        width = full if not are_there(columns, width) or (full > width and any(filled)) else width
    layout = Layout(separator, width, separator * (full - width))
    if not are_there(columns, width):
        facts = {"where": where, "separator": layout.name}
        raise ValueError(Errors.TC112.format(token=columns[0], tag=columns[-1], width=width, **facts))
    return layout


def are_there(columns: Sequence[int], width: int) -> bool:
    """Tell whether a file has the chosen columns, and each is another one.

    columns (Sequence[int]): The chosen columns.
    width (int): How many columns there are.
    RETURNS (bool): True if so.
    """
    return len({range(width)[i] for i in columns if -width <= i < width}) == len(columns)


def split_row(row: str, separator: str, width: int = 0) -> list[str]:
    """Split a row with care: runs of separators; blanks at its ends; a token that holds the separator.

    row (str): The row.
    separator (str): What stands between columns.
    width (int): How many columns there should be; 0 if that is not known.
    RETURNS (list[str]): The cells.
    """
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
