"""The files of a corpus, wherever they are, and what tells them from others."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from ...errors import Errors
from ...runtime.blame import short

LINES, JSONL, PARQUET = "lines", "jsonl", "parquet"
#: Forms, by the suffix of a file.
_FORMS = {".txt": LINES, ".text": LINES, ".jsonl": JSONL, ".ndjson": JSONL, ".parquet": PARQUET}
_PACKED = ".gz"
#: A large file is told from others by blocks of it, evenly spread: reading it whole would take as long as copying it.
BLOCKS, BLOCK = 16, 1 << 16
#: Under which of these keys the listing of a store has a digest of a file.
_DIGESTS = ("ETag", "etag", "md5Hash", "content_md5", "crc32c")
_BUFFER = 1 << 20
_LOCAL = "file://"


class Part(NamedTuple):
    """A file of the corpus.

    address (str): Where it is, with its protocol.
    name (str): What it is called below the folder that was given: the same on every machine.
    size (int): Its bytes.
    digest (str): What tells it from other files of that name and size.
    """

    address: str
    name: str
    size: int
    digest: str


class Corpus(NamedTuple):
    """The files of a corpus, in order.

    form (str): LINES, JSONL or PARQUET, the same of all.
    parts (list[Part]): The files, by name.
    """

    form: str
    parts: list[Part]


def find_corpus(source: str) -> Corpus:
    """List the files of a corpus.

    source (str): A file, a folder (with all below it, but for names that begin with "." or "_"), or a glob; a path, or
        an address that fsspec opens.
    RETURNS (Corpus): The files, sorted by name.
    RAISES (ValueError): TC528, if there is nothing; TC503, if the address cannot be opened; TC504, for files of a form
        that is not read in shards, or of several; TC372, if a folder has no files.
    """
    from fsspec.core import url_to_fs

    try:
        system, path = url_to_fs(source)
        infos, base = _listed(system, path)
    except Exception as error:  # of any file system, whose classes are not known here
        raise ValueError(Errors.TC503.format(address=source, detail=short(error, limit=200))) from error
    if infos is None:
        raise ValueError(Errors.TC528.format(source=source))
    named = {PurePosixPath(each).relative_to(base).as_posix(): each for each in infos}
    if not named:
        raise ValueError(Errors.TC372.format(path=source))
    form = _form(source, list(named))
    try:
        parts = [_part(system, named[name], name, infos[named[name]]) for name in sorted(named)]
    except Exception as error:
        raise ValueError(Errors.TC503.format(address=source, detail=short(error, limit=200))) from error
    return Corpus(form, parts)


@contextmanager
def open_part(part: Part) -> Iterator[BufferedReader]:
    """Open a file of the corpus, wherever it is; one that is packed (.gz) unpacked.

    part (Part): The file.
    YIELDS (BufferedReader): What there is to read.
    RAISES (ValueError): TC503, if it cannot be opened.
    """
    import fsspec
    from fsspec.core import OpenFile
    from fsspec.implementations.local import LocalFileSystem

    packed = "gzip" if part.name.lower().endswith(_PACKED) else None
    try:
        if part.address.startswith(_LOCAL):  # a name with "::" is no chain of addresses
            opened: Any = OpenFile(LocalFileSystem(), part.address.removeprefix(_LOCAL), compression=packed).open()
        else:
            opened = fsspec.open(part.address, "rb", compression=packed).open()
    except Exception as error:
        raise ValueError(Errors.TC503.format(address=part.address, detail=short(error, limit=200))) from error
    with opened, BufferedReader(opened, _BUFFER) as reader:
        yield reader


def local_folder(source: str) -> Path | None:
    """Give the folder on this machine that the files of a corpus are looked for in.

    source (str): As for find_corpus.
    RETURNS (Path | None): The folder, None if the corpus is elsewhere.
    """
    from fsspec.core import url_to_fs
    from fsspec.implementations.local import LocalFileSystem

    system, path = url_to_fs(source)
    if not isinstance(system, LocalFileSystem):
        return None
    return Path(path if system.isdir(path) else _before_magic(path))


def _listed(system: Any, path: str) -> tuple[dict[str, Any] | None, str]:
    """List files, and the folder that they are named from; None if there is nothing."""
    if system.isdir(path):
        base = path.rstrip("/")
        found = system.find(path, detail=True)
        kept = (each for each in found if not _is_hidden(PurePosixPath(each).relative_to(base)))
        return {each: found[each] for each in kept}, base
    if system.exists(path):
        return {path: system.info(path)}, str(PurePosixPath(path).parent)
    if not any(letter in path for letter in "*?["):
        return None, path
    base = _before_magic(path)
    matched = system.glob(path, detail=True)
    if "**" in path:  # which stands for folders, too, and for all in them
        matched = {each: info for each, info in matched.items() if info["type"] != "directory"}
    below = {each: PurePosixPath(each).relative_to(base) for each in (path, *matched)}
    if not _is_hidden(below.pop(path)):
        matched = {each: info for each, info in matched.items() if not _is_hidden(below[each])}
    return matched or None, base


def _before_magic(path: str) -> str:
    """Give the folder above the first part of a path that stands for several names, or above a file."""
    parents = list(PurePosixPath(path).parents)
    return str(next(each for each in parents if not any(letter in str(each) for letter in "*?[")))


def _is_hidden(name: PurePosixPath) -> bool:
    return any(part[:1] in "._" for part in name.parts)


def _form(source: str, names: list[str]) -> str:
    """Tell the form of files by their suffixes. RAISES (ValueError): TC504."""
    suffixes = {name: PurePosixPath(name.lower().removesuffix(_PACKED)).suffix for name in names}
    forms = {_FORMS.get(suffix) for suffix in suffixes.values()}
    packed_parquet = any(name.lower().endswith(f".parquet{_PACKED}") for name in names)
    (form, *others) = sorted(forms, key=str)
    if others or form is None or packed_parquet:
        shown = ", ".join(sorted({PurePosixPath(name).name for name in names})[:4])
        raise ValueError(Errors.TC504.format(source=source, names=shown, known=", ".join(_FORMS)))
    return form


def _part(system: Any, path: str, name: str, info: dict[str, Any]) -> Part:
    """Tell a file from others: by the digest that its store has of it, else by blocks of it."""
    from fsspec.implementations.local import LocalFileSystem

    if info.get("type") == "directory" or (isinstance(system, LocalFileSystem) and not Path(path).is_file()):
        raise ValueError(f"{name} is no file: it is a folder, a pipe or a link to nothing.")
    size = int(info.get("size") or system.size(path))
    known = next((str(info[key]) for key in _DIGESTS if info.get(key)), None)
    return Part(system.unstrip_protocol(path), name, size, known or _digest(system, path, size))


def _digest(system: Any, path: str, size: int) -> str:
    """Compute SHA-256 of a file, or of blocks of a large one: its beginning, its end and some between."""
    found = hashlib.sha256()
    with system.open(path, "rb") as file:
        if size <= BLOCKS * BLOCK:
            found.update(file.read())
        else:
            for number in range(BLOCKS):
                file.seek((size - BLOCK) * number // (BLOCKS - 1))
                found.update(file.read(BLOCK))
    return found.hexdigest()
