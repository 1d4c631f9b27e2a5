"""Which lines of a file of columns are comments. A row whose token begins with `#` is none, and in doubt a line is a
row."""

import re
from collections.abc import Callable, Iterable, Sequence

from ...tags import MISSING, UNSPECIFIED, looks_like_tag

_SAYS = re.compile(r"#\s*[\w.:\[\]-]+\s*=(\s|$)|#\s*(newdoc|newpar)\b|#(begin|end) document\b")
_TAG_BESIDE = {MISSING, UNSPECIFIED}


def find_comments(
    lines: Sequence[str],
    hashes: Iterable[int],
    split: Callable[[str], list[str]],
    width: int,
    tag: int,
    is_blank: Callable[[str], bool],
) -> tuple[set[int], set[int]]:
    """Find the comments among the lines of whole sentences: before a sentence, and inside of one only what can be no
    row, since it has no tab where rows have.

    lines (Sequence[str]): The lines.
    hashes (Iterable[int]): Indices of those that begin with `#`, in order.
    split (Callable[[str], list[str]]): Splits a line into cells.
    width (int): How many cells a row has.
    tag (int): Which of them is the tag.
    is_blank (Callable[[str], bool]): Tells lines that divide sentences.
    RETURNS (tuple[set[int], set[int]]): Indices of the comments, and of those that stand inside of a sentence.
    """
    comments: set[int] = set()
    inside: set[int] = set()
    for i in hashes:
        line = lines[i]
        is_start = not i or (i - 1 in comments and i - 1 not in inside) or is_blank(lines[i - 1])
        cells = split(line)
        if is_start and is_comment(line, cells, width, tag):
            comments.add(i)
        elif not is_start and len(cells) == 1 < width and " " in line and _SAYS.match(line):
            comments.add(i)
            inside.add(i)
    return comments, inside


def is_comment(line: str, cells: Sequence[str], width: int, tag: int) -> bool:
    """Tell a comment before a sentence from a row whose token begins with `#`.

    line (str): The line.
    cells (Sequence[str]): Its cells.
    width (int): How many cells a row has.
    tag (int): Which of them is the tag.
    RETURNS (bool): True if it is a comment.
    """
    is_name = line.startswith("##") and (len(cells) == 1 or " " in cells[0])  # of a document or a text
    if not line.startswith("#") or not (line[1:2].isspace() or is_name or _SAYS.match(line)):
        return False
    if len(cells) == width:
        cell = cells[tag].strip()
        return not _is_tag(cell) and bool(is_name or _SAYS.match(line) or "=" in line)
    ends_in_tag = len(cells) < width and _is_tag(line.split()[-1])
    return bool(_SAYS.match(line)) or not ends_in_tag


def _is_tag(cell: str) -> bool:
    return cell in _TAG_BESIDE or looks_like_tag(cell)
