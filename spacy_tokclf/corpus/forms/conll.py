"""The reader of CoNLL files: one token a row, its tag in another column, a blank line after each post.

How rows are split, and in which dialects: see `tokens_and_tags`. WNUT-17 is read as published.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...errors import Errors
from ...tags import SchemeDetector, TagForm
from ..gold_tags import GoldTags
from ..records import Record
from .looks import naming_what_it_is
from .tokens_and_tags import DEFAULT, Columns, stream_rows

_SEVERAL_LABELS = re.compile(r"[,;| ](O([,;| ]|$)|[BIESLU]-)")


class _Post(NamedTuple):
    """The rows of a sentence, with their lines, and what stands in the column of scores, if there is one."""

    lines: list[int]
    words: list[str]
    tags: list[str]
    scores: list[str]


def read_conll(
    path: str | Path,
    *,
    scheme: str = "auto",
    token_column: int | str = 0,
    tag_column: int | str = -1,
    separator: str | None = None,
    encoding: str | None = None,
) -> Iterator[Record]:
    """Stream the posts of a CoNLL file, in any dialect of one tag a token.

    path (str | Path): The file.
    scheme (str): Scheme of the tags in the file; "auto" reads the file once more to detect it, and how its tags are
        spelled. With "IO", labels are taken as they are.
    token_column (int | str): Column of the tokens, from 0, or from the end if negative; or its name.
    tag_column (int | str): Column of the tags.
    separator (str | None): What stands between columns; None: found out.
    encoding (str | None): Encoding of the file; None: UTF-8, or what a byte order mark says.
    YIELDS (Record): The posts, their tags in IOB2.
    RAISES (ValueError): TC101, TC104, TC111 to TC116, TC121 to TC131, with file and line, where the file is at fault;
        TC118 if there is no such file.
    """
    columns = Columns(token_column, tag_column, separator, encoding)
    form = detect_conll_form([path], columns) if scheme == "auto" else TagForm(scheme)
    yield from read_posts(path, form, columns)


def read_posts(path: str | Path, form: TagForm, columns: Columns = DEFAULT) -> Iterator[Record]:
    """Stream the posts of a file whose tags are of a form that is known.

    path (str | Path): The file.
    form (TagForm): How its tags are written.
    columns (Columns): Where tokens and tags stand.
    YIELDS (Record): The posts, their tags in IOB2.
    RAISES (ValueError): As read_conll does.
    """
    gold = GoldTags(str(path), form)
    for post in _read_posts(path, columns):
        record = Record(post.words, gold.read(post.tags, post.lines), str(path), post.lines[0])
        if post.scores:
            found = {span: read_score(post.scores[span[0]]) for span in record.spans}
            record.scores.update({span: score for span, score in found.items() if score is not None})
        yield record
    gold.report()


def detect_conll_form(paths: Iterable[str | Path], columns: Columns = DEFAULT) -> TagForm:
    """Find out how the tags of CoNLL files are written.

    paths (Iterable[str | Path]): Files that share one scheme.
    columns (Columns): Where tokens and tags stand.
    RETURNS (TagForm): Scheme and spelling.
    RAISES (ValueError): As read_conll does; TC127 if a file looks like something else.
    """
    detector = SchemeDetector()
    path: str | Path = ""
    for path in paths:
        with naming_what_it_is(path, columns.encoding):
            for rows in stream_rows(path, columns):
                words, tags = rows.columns
                check_rows(rows.lines, words, tags, str(path))
                detector.add_many(tags, rows.lengths.tolist(), rows.where)
    with naming_what_it_is(path, columns.encoding):
        return detector.form()


def detect_conll_scheme(paths: Iterable[str | Path], *, token_column: int | str = 0, tag_column: int | str = -1) -> str:
    """Find out in which scheme the tags of CoNLL files are written.

    paths (Iterable[str | Path]): Files that share one scheme.
    token_column (int | str): Column of the tokens.
    tag_column (int | str): Column of the tags.
    RETURNS (str): Name of the scheme, as detect_scheme gives it.
    RAISES (ValueError): As detect_conll_form does.
    """
    return detect_conll_form(paths, Columns(token_column, tag_column)).scheme


def check_rows(lines: Iterable[int], words: list[str], tags: list[str], path: str) -> None:
    """Refuse a tag without token, and several labels of one token.

    lines (Iterable[int]): Line of each token.
    words (list[str]): The tokens.
    tags (list[str]): Their tags.
    path (str): The file, for the message.
    RAISES (ValueError): TC114, TC115.
    """
    if "" not in words and not any(map(has_several_labels, set(tags))):
        return
    for line, word, tag in zip(lines, words, tags, strict=True):
        if not word:
            raise ValueError(Errors.TC114.format(where=f"{path}:{line}", tag=tag))
        if has_several_labels(tag):
            raise ValueError(Errors.TC115.format(where=f"{path}:{line}", tag=tag))


def read_score(cell: str) -> float | None:
    """Read the score of an entity.

    cell (str): What stands in its place.
    RETURNS (float | None): The score; None if that is no number from 0 to 1.
    """
    try:
        score = float(cell)
    except ValueError:
        return None
    return score if 0 <= score <= 1 else None


def has_several_labels(tag: str) -> bool:
    """Tell whether a tag gives one token several labels, as in emerging.test.conll of WNUT-17.

    tag (str): The tag.
    RETURNS (bool): True for example for "B-person,O".
    """
    return _SEVERAL_LABELS.search(tag) is not None


def _read_posts(path: str | Path, columns: Columns) -> Iterator[_Post]:
    """Stream the rows of each post, each with a token and one label at most."""
    known: set[str] = set()
    for rows in stream_rows(path, columns):
        words, tags = rows.columns
        lines = rows.lines.tolist()
        ends = np.cumsum(rows.lengths)
        starts = ends - rows.lengths  # first row of each post, (n_posts,)
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            post = _Post(lines[start:end], words[start:end], tags[start:end], (rows.scores or [])[start:end])
            if "" in post.words or not known.issuperset(post.tags):
                check_rows(post.lines, post.words, post.tags, str(path))
                known.update(post.tags)
            yield post
