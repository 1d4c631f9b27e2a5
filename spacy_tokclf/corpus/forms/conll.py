"""CoNLL files: one token a row, its tag in another column, a blank line after each post.

WNUT-17 is read as published. Lines end at "\\n" and nowhere else, since tokens may hold characters that
Python takes for line ends or white space (U+0085, U+2028). A line of white space only is blank. The columns
are split on the tab if the first row holds one, else on spaces. Lines that begin with -DOCSTART- are skipped.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from ...errors import Errors
from ...tags import SchemeDetector, convert_tags
from ..gold_tags import GoldTags
from ..records import Record
from .lines import read_lines

_DOCSTART = re.compile(r"-DOCSTART-(\s|$)")
_SEVERAL_LABELS = re.compile(r",(O(,|$)|[BIESLU]-)")
_BOM = "\ufeff"


class _Post(NamedTuple):
    """The rows between two blank lines, with the line of the first."""

    line: int
    words: list[str]
    tags: list[str]


def read_conll(
    path: str | Path, *, scheme: str = "auto", token_column: int = 0, tag_column: int = -1
) -> Iterator[Record]:
    """Stream the posts of a CoNLL file.

    path (str | Path): The file, in UTF-8 with or without a byte order mark.
    scheme (str): Scheme of the tags in the file; "auto" reads the file once more to detect it.
    token_column (int): Column of the tokens, from 0, or from the end if negative.
    tag_column (int): Column of the tags.
    YIELDS (Record): The posts, their tags in IOB2.
    RAISES (ValueError): TC101, TC104, TC111 to TC116, with file and line, where the file is at fault.
    """
    if scheme == "auto":
        scheme = detect_conll_scheme([path], token_column=token_column, tag_column=tag_column)
    gold = GoldTags(str(path), scheme)
    for post in _read_posts(Path(path), token_column, tag_column):
        yield Record(post.words, gold.read(post.tags, post.line), str(path), post.line)
    gold.report()


def detect_conll_scheme(paths: Iterable[str | Path], *, token_column: int = 0, tag_column: int = -1) -> str:
    """Find out in which scheme the tags of CoNLL files are written.

    paths (Iterable[str | Path]): Files that share one scheme.
    token_column (int): Column of the tokens.
    tag_column (int): Column of the tags.
    RETURNS (str): Name of the scheme, as detect_scheme gives it.
    RAISES (ValueError): As read_conll does.
    """
    detector = SchemeDetector()
    for path in paths:
        for post in _read_posts(Path(path), token_column, tag_column):
            detector.add(post.tags, f"{path}:", first=post.line)
    return detector.result()


def write_conll(records: Iterable[Record], path: str | Path, *, scheme: str = "IOB2") -> int:
    """Write posts as `token<TAB>tag` rows with a blank line after each post, in UTF-8 with "\\n" line ends.

    records (Iterable[Record]): The posts; empty ones are left out.
    path (str | Path): The file to write.
    scheme (str): Scheme to write.
    RETURNS (int): Number of posts written.
    RAISES (ValueError): TC117 if a word would not come back: an empty one, or one with a tab or a line end.
    """
    written = 0
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with Path(path).open("w", encoding="utf-8", newline="\n") as file:
        for record in records:
            if not record.words:
                continue
            tags = record.tags if scheme == "IOB2" else convert_tags(record.tags, "IOB2", scheme)
            rows = [f"{word}\t{tag}\n" for word, tag in zip(record.words, tags, strict=True)]
            for word, row in zip(record.words, rows, strict=True):
                _check_row(word, row, record)
            if not written and rows[0].startswith(_BOM):
                file.write(_BOM)
            file.write("".join(rows) + "\n")
            written += 1
    return written


class _Columns:
    """The way a file is split into columns, settled by its first row."""

    def __init__(self, token_column: int, tag_column: int) -> None:
        self.token_column = token_column
        self.tag_column = tag_column
        self.width = 0
        self.separator = "spaces"

    def split(self, line: str, where: str) -> tuple[str, str]:
        """Return the token and the tag of a row, or say what is wrong with the row."""
        if not self.width and "\t" in line:
            self.separator = "tabs"
        cells = line.split("\t") if self.separator == "tabs" else [cell for cell in line.split(" ") if cell]
        facts = {"where": where, "separator": self.separator, "line": line}
        if not self.width:
            self.width = len(cells)
            columns = range(self.width)
            asked = (self.token_column, self.tag_column)
            if len({columns[i] for i in asked if -self.width <= i < self.width}) < 2:
                raise ValueError(Errors.TC112.format(width=self.width, token=asked[0], tag=asked[1], **facts))
        if len(cells) != self.width:
            raise ValueError(Errors.TC113.format(found=len(cells), width=self.width, **facts))
        word, tag = cells[self.token_column], cells[self.tag_column].strip()
        if not word:
            raise ValueError(Errors.TC114.format(tag=tag, **facts))
        if _SEVERAL_LABELS.search(tag):
            raise ValueError(Errors.TC115.format(tag=tag, **facts))
        return word, tag


def _read_posts(path: Path, token_column: int, tag_column: int) -> Iterator[_Post]:
    """Group the rows of a file to posts; the rows of one post stand on consecutive lines."""
    columns = _Columns(token_column, tag_column)
    post = _Post(1, [], [])
    number = 0
    if not path.is_file():
        raise ValueError(Errors.TC118.format(path=str(path)))
    for number, line in read_lines(path):
        if not line or line.isspace() or _DOCSTART.match(line):
            if post.words:
                yield post
            post = _Post(number + 1, [], [])
            continue
        word, tag = columns.split(line, f"{path}:{number}")
        post.words.append(word)
        post.tags.append(tag)
    if post.words:
        yield post
    if not columns.width:
        raise ValueError(Errors.TC116.format(where=path, lines=number))


def _check_row(word: str, row: str, record: Record) -> None:
    """Refuse a word that would be read as something else."""
    reason = ""
    if not word:
        reason = "it is empty"
    elif "\t" in word or "\n" in word:
        reason = "it holds a tab or a line end"
    elif _DOCSTART.match(row):
        reason = "readers skip this line"
    if reason:
        raise ValueError(Errors.TC117.format(word=word, where=record.where, reason=reason))
