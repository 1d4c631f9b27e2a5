"""The bytes of a file as they were before it was packed, and the names of what is no text."""

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from ...errors import Errors

#: Most bytes that a packed file may unpack to.
MAX_UNPACKED = 1 << 33
#: Bytes at the beginning of a file that tell what it is, and what ends its lines.
HEAD = 1 << 20
#: Bytes of these that tell text from what is none.
TELLING = 1 << 12
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
_BROKEN = (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError, ValueError)
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
#: What files of other kinds begin with, what they are, and what to do.
_KINDS: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF-", "a PDF", "Export the annotation, not the pages"),
    (b"\x89PNG\r\n", "an image (PNG)", "Export the annotation as JSON or CoNLL, not as an image"),
    (b"\xff\xd8\xff", "an image (JPEG)", "Export the annotation as JSON or CoNLL, not as an image"),
    (b"GIF8", "an image (GIF)", "Export the annotation as JSON or CoNLL, not as an image"),
    (b"II*\x00", "an image (TIFF)", "Export the annotation as JSON or CoNLL, not as an image"),
    (b"MM\x00*", "an image (TIFF)", "Export the annotation as JSON or CoNLL, not as an image"),
    (b"RIFF", "an image or a sound (RIFF)", "Export the annotation as JSON or CoNLL"),
    (b"\xd0\xcf\x11\xe0", "a file of an old office program (.xls, .doc)", "Save the table as CSV in UTF-8"),
    (b"{\\rtf", "a file of a word processor (RTF)", "Save it as plain text in UTF-8"),
    (b"PAR1", "a parquet file", "Name it *.parquet"),
    (b"ARROW1", "an Arrow file", "Name the folder that `save_to_disk` wrote, or write parquet"),
    (b"\xff\xff\xff\xff", "an Arrow file", "Name the folder that `save_to_disk` wrote, or write parquet"),
    (b"x\x9c", "packed by zlib, as a DocBin is", "Name it *.spacy if it is one"),
    (b"x\xda", "packed by zlib, as a DocBin is", "Name it *.spacy if it is one"),
    (b"SQLite format 3", "a database (SQLite)", "Export its texts, for example with `prodigy db-out`"),
    (b"BZh", "packed by bzip2", "Unpack it, or pack it with gzip"),
    (b"\xfd7zXZ", "packed by xz", "Unpack it, or pack it with gzip"),
    (b"(\xb5/\xfd", "packed by zstd", "Unpack it, or pack it with gzip"),
    (_GZIP, "packed twice", "Unpack it once"),
    (_ZIP, "packed twice", "Unpack it once"),
    (b"7z\xbc\xaf", "packed by 7-Zip", "Unpack it, or pack it with gzip"),
    (b"Rar!", "packed by RAR", "Unpack it, or pack it with gzip"),
    (b"\x80\x03", "a pickle", "Load it in Python and write it in a form that is text"),
    (b"\x80\x04", "a pickle", "Load it in Python and write it in a form that is text"),
    (b"\x80\x05", "a pickle", "Load it in Python and write it in a form that is text"),
    (b"\x89HDF", "an HDF5 file", "Write it in a form that is text"),
    (b"\x7fELF", "a program", "Give a file of annotated text"),
)
_UTF16 = "text in UTF-16 without a byte order mark"
_OFFICE = {"xl": "an Excel workbook (.xlsx)", "word": "a Word document (.docx)", "ppt": "a presentation (.pptx)"}


@contextmanager
def open_source(path: str | Path) -> Iterator[BinaryIO]:
    """Open a file to read its bytes; of one that is packed (.gz, .zip with one file in it), what is inside. By what the
    file begins with, whatever it is called.

    path (str | Path): The file.
    YIELDS (BinaryIO): What there is to read.
    RAISES (ValueError): TC121 if it cannot be opened or unpacked, TC122 if an archive has not one file in it, TC123 if
        it is known to be no text.
    """
    with _open(path) as file:
        start = file.read(len(_ZIP))
        file.seek(0)
        if start.startswith(_GZIP):
            with gzip.open(file) as packed:
                yield cast(BinaryIO, packed)
        elif start in (_ZIP, _EMPTY_ZIP):
            try:
                archive = zipfile.ZipFile(file)
                member = archive.open(_only_member(archive, path))
            except _BROKEN as err:
                raise _no_archive(path, err) from err
            with member:
                yield cast(BinaryIO, member)
        else:
            yield file


def read_blocks(path: str | Path, size: int, *, encoding: str | None = None) -> Iterator[bytes]:
    """Stream the bytes of a file that holds text, unpacked.

    path (str | Path): The file.
    size (int): Bytes of a block.
    encoding (str | None): Its encoding, if it is known.
    YIELDS (bytes): The head of the file, HEAD bytes if there are as many, then the blocks.
    RAISES (ValueError): As open_source does; TC121 too if it unpacks to more than MAX_UNPACKED.
    """
    with open_source(path) as file:
        n_bytes, wanted = 0, HEAD
        while data := _read(file, wanted, path):
            if not n_bytes:
                _refuse_foreign(data, path, encoding)
            n_bytes, wanted = n_bytes + len(data), size
            if n_bytes > MAX_UNPACKED:
                detail = f"it unpacks to more than {MAX_UNPACKED:,} bytes; unpack it and cut it in parts"
                raise ValueError(Errors.TC121.format(path=path, detail=detail))
            yield data


def inner_name(path: str | Path) -> Path:
    """Give the name that tells the form of a file: that of what is packed in it.

    path (str | Path): The file, which need not be there.
    RETURNS (Path): Its path, without ".gz"; for ".zip" with the name of the one file in it, else without ".zip".
    """
    file = Path(path)
    if file.suffix.lower() == ".gz":
        return file.with_suffix("")
    if file.suffix.lower() != ".zip":
        return file
    names = names_in(file)
    return inner_name(file.parent / PurePosixPath(names[0]).name) if len(names) == 1 else file.with_suffix("")


def names_in(path: str | Path) -> list[str]:
    """Name the files in an archive, if it is one.

    path (str | Path): The archive.
    RETURNS (list[str]): As member_names; none if it is no archive, or a broken one.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return member_names(archive)
    except _BROKEN:
        return []


def member_names(archive: zipfile.ZipFile) -> list[str]:
    """Name the files in an archive, without folders and what systems leave in them.

    archive (zipfile.ZipFile): The archive.
    RETURNS (list[str]): Their names, in order of name.
    """
    names = (name for name in archive.namelist() if not name.endswith("/"))
    return sorted(name for name in names if not any(part[:1] in "._" for part in PurePosixPath(name).parts))


def is_foreign(head: bytes) -> bool:
    """Tell what is known to be no text. What begins with a byte order mark is text.

    head (bytes): What a file begins with.
    RETURNS (bool): True if it is a kind of file that is not read.
    """
    return _foreign(head) != ("", "")


def _refuse_foreign(head: bytes, path: str | Path, encoding: str | None) -> None:
    """Refuse what is known to be no text."""
    kind, cure = _foreign(head)
    if kind and not (encoding and kind == _UTF16):
        raise ValueError(Errors.TC123.format(path=path, kind=kind, cure=cure))


def _foreign(head: bytes) -> tuple[str, str]:
    """Name what is known to be no text, and the cure."""
    if head.startswith(_MARKS):
        return "", ""
    return next(((kind, cure) for mark, kind, cure in _KINDS if head.startswith(mark)), _tar_or_utf16(head))


def _tar_or_utf16(head: bytes) -> tuple[str, str]:
    """Name a tar archive, or UTF-16 without mark: every other byte is zero."""
    head = head[:TELLING]
    if head[257:262] == b"ustar":
        return "a tar archive", "Unpack it"
    zeros = [head[place::2].count(0) for place in (0, 1)]
    if sum(zeros) > 0.4 * len(head) and min(zeros) < 0.1 * max(zeros):
        name = "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
        return _UTF16, f"Name its encoding: `--encoding {name}`"
    return "", ""


def _open(path: str | Path) -> BinaryIO:
    """Open a file."""
    try:
        return Path(path).open("rb")
    except OSError as err:
        raise ValueError(Errors.TC121.format(path=path, detail=err.strerror or err)) from err


def _only_member(archive: zipfile.ZipFile, path: str | Path) -> str:
    """Name the one file in an archive."""
    names = member_names(archive)
    tops = {PurePosixPath(name).parts[0] for name in archive.namelist()}
    if "[Content_Types].xml" in tops or "mimetype" in tops:
        kind = next((kind for top, kind in _OFFICE.items() if top in tops), "a file of an office program")
        raise ValueError(Errors.TC123.format(path=path, kind=kind, cure="Save the table as CSV in UTF-8"))
    if len(names) != 1:
        shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
        raise ValueError(Errors.TC122.format(path=path, count=len(names), names=shown or "none"))
    return names[0]


def _read(file: BinaryIO, size: int, path: str | Path) -> bytes:
    """Read up to so many bytes, all of them if they are there."""
    try:
        return file.read(size)
    except _BROKEN as err:
        raise _no_archive(path, err) from err


def _no_archive(path: str | Path, err: Exception) -> ValueError:
    """Say why something cannot be unpacked; what has a code keeps it."""
    if isinstance(err, ValueError) and str(err).startswith("[TC"):
        return err
    return ValueError(Errors.TC121.format(path=path, detail=str(err) or type(err).__name__))
