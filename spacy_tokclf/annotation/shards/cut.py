"""Cut a corpus into shards: so many rows each, over the borders of files, in order."""

import codecs
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from io import BufferedReader
from itertools import count
from typing import Any, NamedTuple

from ...corpus.forms.sources import is_foreign
from ...errors import Errors
from ...runtime.blame import short
from .corpus import JSONL, PARQUET, Corpus, Part, open_part

#: No line of a corpus is longer than this: it would be held whole.
MAX_LINE = 1 << 28
_HEAD = 1 << 16
_WIDE = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Piece(NamedTuple):
    """Rows of one file that follow each other.

    part (int): The file, by its place in the corpus.
    offset (int): Where they begin: the byte of what is unpacked; in Parquet the row.
    line (int): Lines, or rows, before them in the file.
    rows (int): How many they are.
    """

    part: int
    offset: int
    line: int
    rows: int


class Shard(NamedTuple):
    """A shard to be made.

    number (int): Its number, from 0.
    row (int): Rows of the corpus before it.
    pieces (list[Piece]): Where its rows are.
    end (list[int]): Where the next one begins: file, offset and line.
    """

    number: int
    row: int
    pieces: list[Piece]
    end: list[int]

    @property
    def rows(self) -> int:
        """RETURNS (int): How many rows it has."""
        return sum(piece.rows for piece in self.pieces)


def cut_shards(corpus: Corpus, size: int, done: Mapping[int, dict[str, Any]]) -> Iterator[Shard]:
    """Cut a corpus into shards. Shards that are done are not read again.

    corpus (Corpus): The files.
    size (int): Rows of a shard.
    done (Mapping[int, dict[str, Any]]): What is known of those that are done: "rows" and "end".
    YIELDS (Shard): Those that are to be made.
    RAISES (ValueError): TC505, TC506, if a file has no lines; TC526, if it cannot be read; TC515, if it is no Parquet;
        as open_part.
    """
    with ExitStack() as stack:
        cursor, end, row = None, [0, 0, 0], 0
        for number in count():
            if number in done:
                cursor, end = None, done[number]["end"]
                row += done[number]["rows"]
                continue
            if cursor is None:
                stack.close()
                cursor = stack.enter_context(_Cursor(corpus, end))
            shard = Shard(number, row, cursor.take(size), cursor.place)
            if not shard.pieces:
                return
            row += shard.rows
            yield shard


def is_row(line: bytes, form: str) -> bool:
    """Tell the lines that are rows: all lines of text, and those of JSON that are not blank.

    line (bytes): The line.
    form (str): The form of the file.
    RETURNS (bool): Whether it is a row.
    """
    return form != JSONL or not line.isspace()


def read_line(file: BufferedReader, part: Part) -> bytes:
    """Read a line with its end.

    file (BufferedReader): The file.
    part (Part): Which it is.
    RETURNS (bytes): The line; empty at the end of the file.
    RAISES (ValueError): TC506, if it is longer than any text.
    """
    line = file.readline(MAX_LINE)
    if len(line) == MAX_LINE:
        raise ValueError(Errors.TC506.format(name=part.name, limit=MAX_LINE))
    return line


@contextmanager
def naming_lines(part: Part) -> Iterator[None]:
    """Say which file of lines cannot be read.

    part (Part): The file.
    RAISES (ValueError): TC526.
    """
    try:
        yield
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(Errors.TC526.format(name=part.name, detail=short(error, limit=200))) from error


def open_parquet(file: BufferedReader, part: Part) -> Any:
    """Open a file of Parquet.

    file (BufferedReader): The file.
    part (Part): Which it is.
    RETURNS (ParquetFile): The open file.
    RAISES (ValueError): TC502, if pyarrow is not installed; TC515, if it is none.
    """
    parquet = import_parquet()
    with naming_parquet(part):
        return parquet.ParquetFile(file)


@contextmanager
def naming_parquet(part: Part) -> Iterator[None]:
    """Say which file of Parquet cannot be read.

    part (Part): The file.
    RAISES (ValueError): TC515.
    """
    from pyarrow.lib import ArrowException

    try:
        yield
    except (ArrowException, OSError) as error:
        raise ValueError(Errors.TC515.format(name=part.name, detail=short(error, limit=200))) from error


def import_parquet() -> Any:
    """RETURNS (module): pyarrow.parquet. RAISES (ValueError): TC502, if pyarrow is not installed."""
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise ValueError(Errors.TC502) from error
    return pyarrow.parquet


class _Cursor:
    """Goes through a corpus, and takes rows from it."""

    def __init__(self, corpus: Corpus, place: list[int]) -> None:
        self.corpus = corpus
        self.part, self.offset, self.line = place
        self._stack = ExitStack()
        self._file: BufferedReader | None = None
        self._left = 0

    def __enter__(self) -> "_Cursor":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def place(self) -> list[int]:
        """Where it is."""
        return [self.part, self.offset, self.line]

    def take(self, size: int) -> list[Piece]:
        """Take so many rows, as long as there are any."""
        pieces: list[Piece] = []
        while size and self.part < len(self.corpus.parts):
            begin = self.place
            rows = self._take_parquet(size) if self.corpus.form == PARQUET else self._take_lines(size)
            if rows:
                part, offset, line = begin
                pieces.append(Piece(part, offset, line, rows))
            size -= rows
            if size:
                self._stack.close()
                self._file = None
                self.part, self.offset, self.line = self.part + 1, 0, 0
        return pieces

    def _open(self) -> BufferedReader:
        self._file = self._stack.enter_context(open_part(self.corpus.parts[self.part]))
        return self._file

    def _take_lines(self, size: int) -> int:
        """Take lines of the file."""
        part, form = self.corpus.parts[self.part], self.corpus.form
        rows, offset, lines = 0, self.offset, self.line
        with naming_lines(part):
            file = self._file
            if file is None:
                file = self._open()
                _check_head(file.peek(_HEAD)[:_HEAD], part)
                file.seek(self.offset)
            while rows < size:
                line = read_line(file, part)
                if not line:
                    break
                offset, lines = offset + len(line), lines + 1
                rows += is_row(line, form)
        self.offset, self.line = offset, lines
        return rows

    def _take_parquet(self, size: int) -> int:
        """Take rows of the file."""
        if self._file is None:
            self._left = open_parquet(self._open(), self.corpus.parts[self.part]).metadata.num_rows - self.line
        rows = min(size, self._left)
        self._left -= rows
        self.offset, self.line = self.offset + rows, self.line + rows
        return rows


def _check_head(head: bytes, part: Part) -> None:
    """Refuse what has no lines that end in one byte. RAISES (ValueError): TC505."""
    if is_foreign(head) or head.startswith(_WIDE) or (b"\r" in head and b"\n" not in head):
        raise ValueError(Errors.TC505.format(name=part.name))
