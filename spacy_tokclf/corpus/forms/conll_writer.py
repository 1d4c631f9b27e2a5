"""The writer of CoNLL files, one `token<TAB>tag` a row. What our reader would take for something else is refused, so
that what is written comes back."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path

from ...errors import Errors
from ...runtime.files import whole_file
from ...tags import MISSING, OUTSIDE, SchemeDetector, TagForm, convert_tags, is_usual, split_tag
from ..records import Record
from .column_names import SCORE, header_names
from .columns import is_docstart
from .comments import is_comment
from .conll import has_several_labels
from .sources import TELLING, is_foreign

_BOM = "\ufeff"
_DEFAULT = (0, -1)


def write_conll(
    records: Iterable[Record],
    path: str | Path,
    *,
    scheme: str = "IOB2",
    scores: bool = False,
    on_refused: Callable[[Record, ValueError], None] | None = None,
) -> int:
    """Write posts as `token<TAB>tag` rows with a blank line after each post, in UTF-8 with "\\n" line ends.

    records (Iterable[Record]): The posts; empty ones are left out.
    path (str | Path): The file to write.
    scheme (str): Scheme to write.
    scores (bool): Whether to write a column of scores between tokens and tags, "_" where there is none, and a first
        line that names the columns.
    on_refused (Callable[[Record, ValueError], None] | None): Gets a post that cannot be written, and why, instead of
        an error.
    RETURNS (int): Number of posts written.
    RAISES (ValueError): TC117 if a word or a label would not come back: if it is empty, has a tab or a line end, or
        makes a row that is read as something else. Nothing is written then.
    """
    writer = _Writer(scheme, on_refused)
    posts: Iterator[bytes] = writer.posts(records, scores=scores)
    if scores:
        posts = chain([f"# global.columns = FORM {SCORE} NER\n".encode()], posts)
    with whole_file(path) as made:
        with made.open("wb") as target:
            target.writelines(_marked(posts))
        writer.check_labels()
    return writer.written


class _Writer:
    """Makes rows of posts, and keeps in mind what the reader will see of them."""

    def __init__(self, scheme: str, on_refused: Callable[[Record, ValueError], None] | None = None) -> None:
        self.scheme = scheme
        self.on_refused = on_refused
        self.written = 0
        self._detector = SchemeDetector() if scheme == "IO" else None
        self._known: set[str] = set()

    def posts(self, records: Iterable[Record], *, scores: bool = False) -> Iterator[bytes]:
        """Write each post that has words."""
        for record in records:
            if not record.words:
                continue
            try:
                text = self._post(record, scores=scores)
            except ValueError as refusal:
                if self.on_refused is None:
                    raise
                self.on_refused(record, refusal)
                continue
            yield text
            self.written += 1

    def _post(self, record: Record, *, scores: bool) -> bytes:
        """Write one post."""
        tags = record.tags if self.scheme == "IOB2" else convert_tags(record.tags, "IOB2", self.scheme)
        beside = [f"{score}\t" for score in _column(record)] if scores else [""] * len(tags)
        rows = [f"{word}\t{cell}{tag}\n" for word, cell, tag in zip(record.words, beside, tags, strict=True)]
        for word, tag, row in zip(record.words, tags, rows, strict=True):
            self._check_word(word, row, record)
            if tag not in self._known:
                self._check_tag(tag, record)
            if not is_usual(tag):
                self._check_look(word, tag, record)
        if self._detector is not None:
            self._detector.add(tags, record.where)
        try:
            return ("".join(rows) + "\n").encode("utf-8")
        except UnicodeEncodeError as err:
            raise _refusal("word or label", err.object[err.start], record, "it is no character") from err

    def check_labels(self) -> None:
        """Refuse labels without prefixes that nothing shows to be labels."""
        if self._detector is None or self._known <= {OUTSIDE, MISSING}:
            return
        try:
            form = self._detector.form()
        except ValueError as err:
            raise ValueError(Errors.TC132.format(detail=err)) from err
        if form != TagForm("IO"):
            raise ValueError(Errors.TC132.format(detail=f"they look like tags in {form.scheme}."))

    def _check_word(self, word: str, row: str, record: Record) -> None:
        """Refuse a word that would be read as something else."""
        reason = ""
        if not word:
            reason = "it is empty"
        elif "\t" in word or "\n" in word:
            reason = "it holds a tab or a line end"
        elif is_docstart(row):
            reason = "readers skip this line"
        if reason:
            raise _refusal("word", word, record, reason)

    def _check_tag(self, tag: str, record: Record) -> None:
        """Refuse a label that would be cut or split."""
        label = tag if self.scheme == "IO" else split_tag(tag)[1]
        reason = ""
        if any(char in label for char in "\t\n\r"):
            reason = "it holds a tab or a line end"
        elif tag != tag.strip():
            reason = "white space at its end is not read"
        elif has_several_labels(tag):
            reason = "it looks like several labels"
        if reason:
            raise _refusal("label", label, record, reason)
        self._known.add(tag)

    def _check_look(self, word: str, tag: str, record: Record) -> None:
        """Refuse a label without prefix that makes its row something else."""
        cells = (word, tag)
        if is_comment(f"{word}\t{tag}", cells, 2, 1) or (not self.written and header_names(cells, _DEFAULT)):
            raise _refusal(
                "word", word, record, f"with the label {tag!r} it looks like a comment or like names of columns"
            )


def _column(record: Record) -> list[str]:
    """Write the score of each entity beside all of its tokens."""
    cells = ["_"] * len(record.words)
    for (start, end, _), score in record.scores.items():
        cells[start:end] = [repr(float(score))] * (end - start)
    return cells


def _marked(posts: Iterator[bytes]) -> Iterator[bytes]:
    """Begin with a byte order mark where the file might be taken for something else, or for one that has a mark."""
    head = b""
    for post in posts:
        head += post
        if len(head) >= TELLING:
            break
    if head.startswith(_BOM.encode()) or is_foreign(head):
        yield _BOM.encode()
    yield from chain([head], posts)


def _refusal(what: str, text: str, record: Record, reason: str) -> ValueError:
    """Say what cannot be written."""
    return ValueError(Errors.TC117.format(what=what, text=text, where=record.where, reason=reason))
