"""Tables that fit a terminal of 80 columns: names are cut where they have to be, numbers never."""

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Any

import typer

from ..errors import visible
from ._printer import msg

#: Columns of the terminal.
WIDTH = 80
#: Spaces between columns, and the least that is left of a name.
_WIDE, _CLOSE, _LEAST = 3, 2, 10
_CUT = "…"


def print_table(
    rows: Iterable[Sequence[Any]], *, header: Sequence[str] = (), aligns: Sequence[str] = (), divider: bool = False
) -> None:
    """Print a table. If it is too wide, first the words of its header go below each other, then names lose their
    middle.

    rows (Iterable[Sequence[Any]]): The cells.
    header (Sequence[str]): The names of the columns.
    aligns (Sequence[str]): "l" for names, "r" for numbers, by column; names that are not said.
    divider (bool): Whether a line follows the header.
    """
    cells = [[" ".join(visible(str(cell)).split("\n")) for cell in row] for row in rows]
    aligns = [*aligns, *"l" * (max(map(len, [header, *cells])) - len(aligns))]
    heads, space = [list(header)] if header else [], _WIDE
    if _needed([*heads, *cells], space) > WIDTH:
        space = _CLOSE
        words = [name.split() for name in header]
        lines = max(map(len, words), default=0)
        heads = [list(line) for line in zip(*([""] * (lines - len(each)) + each for each in words), strict=True)]
    widths = _fitted(_widths([*heads, *cells]), aligns, space)
    rule = [["-" * width for width in widths]] if divider and header else []
    typer.echo()
    for row in (*heads, *rule, *cells):
        shown = [
            cut(cell, width) if align == "l" else cell for cell, width, align in zip(row, widths, aligns, strict=False)
        ]
        placed = [
            cell.rjust(width) if align == "r" else cell.ljust(width)
            for cell, width, align in zip(shown, widths, aligns, strict=False)
        ]
        typer.echo((" " * space).join(placed).rstrip())
    typer.echo()


def print_title(text: str) -> None:
    """Print a headline, its middle left out if it is too long.

    text (str): The headline.
    """
    msg.divider(cut(visible(text), WIDTH - 8))


def cut(text: str, width: int) -> str:
    """Leave out the middle of a text that is too long: beginning and end tell names apart.

    text (str): The text.
    width (int): How long it may be.
    RETURNS (str): The text, or what fits of it.
    """
    if len(text) <= width:
        return text
    kept = max(width - 1, 1)
    return text[: (kept + 1) // 2] + _CUT + text[len(text) - kept // 2 :]


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip_longest(*rows, fillvalue="")]


def _needed(rows: Sequence[Sequence[str]], space: int) -> int:
    widths = _widths(rows)
    return sum(widths) + space * (len(widths) - 1)


def _fitted(widths: list[int], aligns: Sequence[str], space: int) -> list[int]:
    """Take from the widest column of names until all fit."""
    widths = list(widths)
    names = [i for i, align in enumerate(aligns) if align == "l" and i < len(widths)]
    while names and sum(widths) + space * (len(widths) - 1) > WIDTH:
        widest = max(names, key=lambda i: widths[i])
        if widths[widest] <= _LEAST:
            break
        widths[widest] -= 1
    return widths
