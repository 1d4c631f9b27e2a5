"""Any text file with one tag a token, whatever its dialect: columns, lines of pairs, tables in CSV."""

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from ...errors import Errors
from ...tags import is_usual
from .columns import stream_columns
from .csv_rows import SUFFIX, find_csv, stream_csv
from .lines import check_encoding, inner_name, read_line_blocks
from .pairs import find_pairs, stream_pairs
from .rows import Rows

_HEAD = 2000


class Columns(NamedTuple):
    """Where the tokens and the tags of a file stand.

    token (int | str): Column of the tokens, from 0, or from the end if negative; or its name.
    tag (int | str): Column of the tags.
    separator (str | None): What stands between columns, or between word and tag; None: found out.
    encoding (str | None): Encoding of the file; None: UTF-8, or what a byte order mark says.
    """

    token: int | str = 0
    tag: int | str = -1
    separator: str | None = None
    encoding: str | None = None


#: The first column and the last, or those that the file calls so.
DEFAULT = Columns()


def stream_rows(path: str | Path, columns: Columns = DEFAULT) -> Iterator[Rows]:
    """Stream the rows of a file in the dialect that its first lines are in.

    path (str | Path): The file.
    columns (Columns): Where tokens and tags stand.
    RETURNS (Iterator[Rows]): Rows that follow each other, whole sentences.
    RAISES (ValueError): As stream_columns, stream_pairs and stream_csv do.
    """
    token, tag, separator, encoding = columns
    if not Path(path).is_file():
        raise ValueError(Errors.TC118.format(path=str(path)))
    lines = first_lines(path, encoding)
    if _is_plain(lines) and inner_name(path).suffix.lower() != SUFFIX:
        return stream_columns(path, (token, tag), separator=separator, encoding=encoding)
    if mark := find_csv(path, lines, separator):
        return stream_csv(path, (token, tag), mark, encoding=encoding)
    if mark := find_pairs(lines, separator):
        return stream_pairs(path, (token, tag), mark, encoding=encoding)
    return stream_columns(path, (token, tag), separator=separator, encoding=encoding)


def _is_plain(lines: Sequence[str]) -> bool:
    """Tell rows that have a tag after a tab, as most have; then nothing else is thought of."""
    ends = [line.rpartition("\t") for line in lines if line and not line.isspace()]
    return bool(ends) and all(tab and is_usual(tag.strip()) for _, tab, tag in ends)


def first_lines(path: str | Path, encoding: str | None = None) -> list[str]:
    """Read the first lines of a file, up to a fault if there is one.

    path (str | Path): The file.
    encoding (str | None): The encoding, as for read_line_blocks.
    RETURNS (list[str]): Some lines.
    RAISES (ValueError): TC125 if there is no such encoding.
    """
    check_encoding(encoding)
    lines: list[str] = []
    try:
        for line in islice(chain.from_iterable(read_line_blocks(path, encoding)), _HEAD):
            lines.append(line)
    except ValueError:  # which is raised again where the file is read
        return lines
    return lines
