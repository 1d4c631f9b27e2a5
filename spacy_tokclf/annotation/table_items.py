"""The texts in a column of a table."""

from collections.abc import Iterator
from pathlib import Path

from ..corpus.forms.cells import read_cells
from ..corpus.forms.column_names import find_name
from ..corpus.options import ReadOptions
from ..corpus.records import TextRecord
from ..errors import Errors
from .items import Item


def table_items(path: Path, column: int | str, options: ReadOptions) -> Iterator[Item]:
    """Stream the texts of a table.

    path (Path): The file.
    column (int | str): A name, which the first row has; or a number, and the table has no names.
    options (ReadOptions): How to read.
    YIELDS (Item): The texts; with the other cells of their rows, if these have names. A row without that column has
        none.
    RAISES (ValueError): TC131, if there is no column of that name; as read_cells.
    """
    rows = read_cells(path, separator=options.separator, encoding=options.encoding)
    names: list[str] = []
    if isinstance(column, str):
        names = [name.strip() for name in next(rows, (0, []))[1]]
        found = find_name(column, names)
        if found is None:
            raise ValueError(Errors.TC131.format(path=path, column=column, found=", ".join(names) or "no names"))
    place = find_name(column, names) if isinstance(column, str) else column
    at = 0 if place is None else place
    for line, cells in rows:
        where = f"{path}:{line}"
        if not cells:
            if len(names) > 1 or at not in (0, -1):
                continue
            cells = [""]  # an empty line of a table with one column
        row = dict(zip(names, cells, strict=False))
        if not -len(cells) <= at < len(cells):
            error = Errors.TC367.format(where=where, column=column, found=repr(cells)[:60])
            yield Item(None, where, row, error=error)
        else:
            key = names[at] if names else "text"
            row.pop(key, None)
            yield Item(TextRecord(cells[at], []), where, row, text_key=key)


def first_cells(path: Path, options: ReadOptions) -> list[str]:
    """Give the cells of the first row.

    path (Path): The table.
    options (ReadOptions): How to read.
    RETURNS (list[str]): The cells.
    RAISES (ValueError): As read_cells.
    """
    return next(read_cells(path, separator=options.separator, encoding=options.encoding), (0, []))[1]
