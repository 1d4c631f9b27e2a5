"""The reader of columns: files with one token a row, its tags in other columns, a blank line after each sentence.

Columns are separated by single tabs, by runs of blanks, or by any text that is named or that all rows have before a
tag; the first row settles which, and how many columns there are. A line of white space only is blank, however many
follow each other, and so is a -DOCSTART- line. Comments and a row that names the columns are passed over, and so are
the rows of CoNLL-U that stand for no token of their own.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import islice, repeat
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...errors import Errors
from ...types import Ints
from .column_names import NO_TOKEN, SCORE, choose_columns, find_name, global_columns, has_ids, header_names
from .comments import find_comments
from .layout import Layout, find_layout, find_separator, split_row
from .lines import read_line_blocks
from .rows import Rows

_BLANK = " \t"
_BLANKS = re.compile(r"[ \t]+")
_DOCSTART = "-DOCSTART-"
_NOTHING = ("", "_", "-", "O", "*")
_FIRST, _SAMPLE = 2000, 200


def read_columns(path: str | Path, columns: Sequence[int | str] = (0, -1), *, separator: str | None = None) -> Rows:
    """Read columns of a whole file; the arguments are those of stream_columns.

    path (str | Path): The file.
    columns (Sequence[int | str]): Which columns.
    RETURNS (Rows): All rows.
    RAISES (ValueError): As stream_columns does.
    """
    return join_rows(str(path), list(stream_columns(path, columns, separator=separator)))


def join_rows(path: str, blocks: Sequence[Rows]) -> Rows:
    """Put the blocks of a file together.

    path (str): The file.
    blocks (Sequence[Rows]): The blocks, one at least.
    RETURNS (Rows): All rows.
    """
    if len(blocks) == 1:
        return blocks[0]
    joined = [[cell for block in blocks for cell in block.columns[i]] for i in range(len(blocks[0].columns))]
    lines, lengths = (np.concatenate([getattr(block, name) for block in blocks]) for name in ("lines", "lengths"))
    return Rows(path, joined, lines, lengths)


def stream_columns(
    path: str | Path,
    columns: Sequence[int | str] = (0, -1),
    *,
    separator: str | None = None,
    encoding: str | None = None,
) -> Iterator[Rows]:
    """Stream columns of a file in blocks of whole sentences.

    path (str | Path): The file.
    columns (Sequence[int | str]): Which columns, from 0, or from the end if negative, or by name: that of the tokens,
        whose cells may be empty and keep their blanks, then those of tags. For the first and the last, what the file
        calls its columns is looked at, as choose_columns has it.
    separator (str | None): What stands between columns; None: tabs if the first row has one, else blanks, or what all
        rows have before a tag.
    encoding (str | None): The encoding, as for read_line_blocks.
    YIELDS (Rows): Rows that follow each other.
    RAISES (ValueError): TC111, TC112, TC113, TC116, TC124, TC128, with file and line, after the sentences before it;
        TC118 if there is no such file, TC131 if there is no column of a name.
    """
    if not Path(path).is_file():
        raise ValueError(Errors.TC118.format(path=str(path)))
    if separator == "":
        raise ValueError(Errors.TC213.format(name="separator", value="empty", expected="some text"))
    table, n_lines, n_rows = None, 0, 0
    for first, lines in _sentence_blocks(path, encoding):
        n_lines = first + len(lines) - 1
        table = table or _find_table(lines, first, columns, separator, path)
        if table is None:
            continue
        numbers, inside = _row_numbers(lines, first, table)
        if not numbers:
            continue
        rows = [lines[number - first] for number in numbers]
        fault = _find_fault(rows, table.layout)
        rows = _normalize(rows, table.layout)
        irregular = _split_irregular(rows, table.layout)
        wrong = next((row for row, cells in irregular.items() if len(cells) != table.layout.width), None)
        wrong = fault if wrong is None or (fault is not None and fault < wrong) else wrong
        places = np.array(numbers, dtype=np.int64)
        # A comment inside of a sentence does not divide it.
        apart = places - np.searchsorted(inside, places) if inside else places
        # First row of each sentence, and one past the last row, (n_sentences + 1,).
        bounds = np.concatenate([[0], np.flatnonzero(np.diff(apart) > 1) + 1, [len(rows)]])
        if wrong is not None:
            bounds = bounds[bounds <= wrong]  # of the sentences before the faulty one
        if n_good := int(bounds[-1]):
            cells = _split_rows(rows[:n_good], irregular, table.layout)
            made = _make_rows(path, cells, table, places[:n_good], np.diff(bounds))
            if len(made.lines):
                n_rows += len(made.lines)
                yield made
        if wrong is not None:
            raise _row_fault(
                f"{path}:{numbers[wrong]}", lines[numbers[wrong] - first], irregular.get(wrong), table.layout
            )
    if not n_rows:
        raise ValueError(Errors.TC116.format(where=path, lines=n_lines))


def is_docstart(line: str, separator: str | None = None) -> bool:
    """Tell a -DOCSTART- line, which divides documents, from a row.

    line (str): The line.
    separator (str | None): What stands between columns, if it is neither a tab nor blanks.
    RETURNS (bool): True if it is one.
    """
    rest = line.removeprefix(_DOCSTART)
    return rest != line and (not rest or rest[0].isspace() or bool(separator and rest.startswith(separator)))


class _Table(NamedTuple):
    """What the beginning of a file says about the rest.

    layout (Layout): How rows are split.
    columns (list[int]): Which columns are meant.
    ids (int | None): The column with ids as in CoNLL-U.
    score (int | None): The column with the scores of entities.
    header (int): Line of the row that names the columns; 0 if there is none.
    """

    layout: Layout
    columns: list[int]
    ids: int | None
    score: int | None
    header: int


def _find_table(
    lines: list[str], first: int, columns: Sequence[int | str], separator: str | None, path: str | Path
) -> _Table | None:
    """Settle how a file is read by its first lines; None if there is no row among them."""
    places = list(islice((i for i, line in enumerate(lines) if not _divides(line, separator)), _FIRST))
    # What might be a comment does not settle anything, unless there is nothing else.
    plain = [i for i in places if lines[i][0] != "#"] or [i for i in places if not lines[i][1:2].isspace()]
    plain = plain or [i for i in places if "\t" in lines[i] or " " in lines[i].strip()]
    if not plain:
        return None
    rows = [lines[i] for i in plain]
    separator = find_separator(rows[:_SAMPLE], separator)
    cells = split_row(rows[0].strip(_BLANK if separator == " " else ""), separator)
    names = global_columns(lines[: plain[0]])
    score = find_name(SCORE, names) if names else None
    is_header = names is None and len(rows) > 1 and bool(names := header_names(cells, columns))
    sample = [
        [] if _divides(line, separator) else split_row(line.strip(_BLANK if separator == " " else ""), separator)
        for line in lines[plain[0] + is_header : plain[0] + _SAMPLE]
        if line[:1] != "#"
    ]
    chosen = choose_columns(columns, names, sample, path)
    others = (line for line in lines if line[:1] != "#" and not _divides(line, separator))
    layout = find_layout(rows[is_header], others, chosen, separator, f"{path}:{first + plain[is_header]}")
    ids = find_name("id", names) if names else 0 if has_ids(sample) else None
    score = score if score in range(layout.width) and score not in [range(layout.width)[i] for i in chosen] else None
    return _Table(layout, chosen, ids, score, first + plain[0] if is_header else 0)


def _divides(line: str, separator: str | None) -> bool:
    """Tell lines that divide sentences."""
    return not line or line.isspace() or (line.startswith(_DOCSTART) and is_docstart(line, separator))


def _row_numbers(lines: list[str], first: int, table: _Table) -> tuple[list[int], list[int]]:
    """Give the lines of the rows, (n_rows,), and those of comments inside of sentences; a gap between two rows is what
    divides sentences."""
    separator = table.layout.separator
    numbers = [
        number
        for number, line in enumerate(lines, first)
        if line and not line.isspace() and not (line.startswith(_DOCSTART) and is_docstart(line, separator))
    ]
    if table.header >= first and numbers and numbers[0] <= table.header:
        numbers.remove(table.header)
    hashes = [i for i, line in enumerate(lines) if line[:1] == "#"]
    if not hashes:
        return numbers, []
    comments, inside = find_comments(
        lines,
        hashes,
        lambda line: split_row(_normalize([line], table.layout)[0], separator),
        table.layout.width,
        range(table.layout.width)[table.columns[-1]],
        lambda line: _divides(line, separator),
    )
    return [number for number in numbers if number - first not in comments], sorted(first + i for i in inside)


def _find_fault(rows: list[str], layout: Layout) -> int | None:
    """Find a row that holds the end of another line: "\\r" in a file whose lines end otherwise is a character of a
    token, unless a row could end there."""
    if "\r" not in "".join(rows):
        return None
    for i, row in enumerate(rows):
        if "\r" in row:
            before, end, _ = row.rstrip("\r").rpartition("\r")
            if end and (layout.separator == " " or layout.separator in before):
                return i
    return None


def _row_fault(where: str, line: str, cells: list[str] | None, layout: Layout) -> ValueError:
    """Say what is wrong with a row."""
    if cells is None or len(cells) == layout.width:
        return ValueError(Errors.TC124.format(where=where, line=line))
    facts = {"where": where, "separator": layout.name, "line": line, "width": layout.width}
    return ValueError(Errors.TC113.format(found=len(cells), **facts))


def _make_rows(path: str | Path, cells: list[str], table: _Table, places: Ints, lengths: Ints) -> Rows:
    """Take the chosen columns out of all cells, without rows of CoNLL-U that stand for no token of their own."""
    columns = _choose(cells, table.columns, table.layout.width)
    scores = None if table.score is None else cells[table.score :: table.layout.width]
    if table.ids is None:
        return Rows(str(path), columns, places, lengths, scores)
    ids = cells[table.ids :: table.layout.width]
    kept = np.array([not NO_TOKEN.fullmatch(cell) for cell in ids], dtype=bool)  # (n_rows,)
    for row in np.flatnonzero(~kept).tolist():
        if tag := next((column[row] for column in columns[1:] if column[row] not in _NOTHING), ""):
            raise ValueError(Errors.TC128.format(where=f"{path}:{places[row]}", id=ids[row], tag=tag))
    left = np.add.reduceat(kept, np.cumsum(lengths) - lengths, dtype=np.int64)  # rows of each sentence
    columns = [[cell for cell, keep in zip(column, kept.tolist(), strict=True) if keep] for column in columns]
    scores = None if scores is None else [cell for cell, keep in zip(scores, kept.tolist(), strict=True) if keep]
    return Rows(str(path), columns, places[kept], left[left > 0], scores)


def _normalize(rows: list[str], layout: Layout) -> list[str]:
    """Make one blank of each run of them, or take off what ends the rows."""
    if layout.separator != " ":
        return [row.removesuffix(layout.tail) for row in rows] if layout.tail else rows
    rows = [row.rstrip(_BLANK) for row in rows]
    return [_BLANKS.sub(" ", row) for row in rows] if any("  " in row or "\t" in row for row in rows) else rows


def _split_irregular(rows: list[str], layout: Layout) -> dict[int, list[str]]:
    """Split the rows, by their index, that have not as many separators as they should."""
    # Separators in each row, (n_rows,).
    counts = np.fromiter(map(str.count, rows, repeat(layout.separator)), dtype=np.int64, count=len(rows))
    odd = np.flatnonzero(counts != layout.width - 1).tolist()
    return {row: split_row(rows[row], layout.separator, layout.width) for row in odd}


def _split_rows(rows: list[str], irregular: dict[int, list[str]], layout: Layout) -> list[str]:
    """Split all rows at once, (n_rows * width,); one list a row would keep the garbage collector busy for seconds."""
    separator, width = layout.separator, layout.width
    odd = {row: cells for row, cells in irregular.items() if row < len(rows)}
    for row in odd:
        rows[row] = separator * (width - 1)  # keeps its place, (width,) empty cells
    # No row holds a line end, so it stands in for both separators.
    cells = "\n".join(rows).replace(separator, "\n").split("\n")
    for row, own in odd.items():
        cells[row * width : (row + 1) * width] = own
    return cells


def _choose(cells: list[str], columns: Sequence[int], width: int) -> list[list[str]]:
    """Take columns out of all cells, (n_rows * width,), and white space off the ends of tags."""
    # Every width-th cell, (n_rows,) each.
    tokens, *tags = (cells[range(width)[column] :: width] for column in columns)
    return [tokens, *(_stripped(column) for column in tags)]


def _stripped(column: list[str]) -> list[str]:
    """Strip cells, where there is anything to strip; tags are few, so look at the different ones only."""
    return [cell.strip() for cell in column] if any(cell != cell.strip() for cell in set(column)) else column


def _sentence_blocks(path: str | Path, encoding: str | None) -> Iterator[tuple[int, list[str]]]:
    """Stream the lines of a file in blocks that end where a sentence does, with the number of their first line."""
    first = 1
    ready: list[str] = []  # whole sentences
    pending: list[str] = []  # what follows them, and may go on in the next block
    try:
        for lines in read_line_blocks(path, encoding):
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
