"""CoNLL files, one token a row, its tag in another column, a blank line after each post: reader and writer of records.

How rows are split is the same for all files of columns: see `columns`. WNUT-17 is read as published.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...errors import Errors
from ...tags import SchemeDetector, convert_tags
from ..gold_tags import GoldTags
from ..records import Record
from .columns import is_docstart, stream_columns

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
    RAISES (ValueError): TC101, TC104, TC111 to TC116, with file and line, where the file is at fault; TC118 if there is
        no such file.
    """
    if scheme == "auto":
        scheme = detect_conll_scheme([path], token_column=token_column, tag_column=tag_column)
    gold = GoldTags(str(path), scheme)
    for post in _read_posts(path, token_column, tag_column):
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
        for post in _read_posts(path, token_column, tag_column):
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


def has_several_labels(tag: str) -> bool:
    """Tell whether a tag gives one token several labels, as in emerging.test.conll of WNUT-17.

    tag (str): The tag.
    RETURNS (bool): True for example for "B-person,O".
    """
    return _SEVERAL_LABELS.search(tag) is not None


def _read_posts(path: str | Path, token_column: int, tag_column: int) -> Iterator[_Post]:
    """Stream the rows of each post, each with a token and one label at most."""
    known: set[str] = set()
    for rows in stream_columns(path, (token_column, tag_column)):
        words, tags = rows.columns
        ends = np.cumsum(rows.lengths)
        starts = ends - rows.lengths  # first row of each post, (n_posts,)
        for line, start, end in zip(rows.lines[starts].tolist(), starts.tolist(), ends.tolist(), strict=True):
            post = _Post(line, words[start:end], tags[start:end])
            if "" in post.words or not known.issuperset(post.tags):
                _check_post(post, str(path))
                known.update(post.tags)
            yield post


def _check_post(post: _Post, path: str) -> None:
    """Refuse a tag without token, and several labels of one token."""
    for line, word, tag in zip(range(post.line, post.line + len(post.words)), post.words, post.tags, strict=True):
        if not word:
            raise ValueError(Errors.TC114.format(where=f"{path}:{line}", tag=tag))
        if has_several_labels(tag):
            raise ValueError(Errors.TC115.format(where=f"{path}:{line}", tag=tag))


def _check_row(word: str, row: str, record: Record) -> None:
    """Refuse a word that would be read as something else."""
    reason = ""
    if not word:
        reason = "it is empty"
    elif "\t" in word or "\n" in word:
        reason = "it holds a tab or a line end"
    elif is_docstart(row):
        reason = "readers skip this line"
    if reason:
        raise ValueError(Errors.TC117.format(word=word, where=record.where, reason=reason))
