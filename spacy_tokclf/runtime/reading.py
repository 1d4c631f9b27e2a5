"""Read files that somebody else may have written, or damaged: regular ones, inside of their folder, of a size that can
be; JSON and msgpack that say one thing only. Nothing here waits, follows a link out of a folder, or runs what it reads.
"""

import errno
import gc
import json
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import srsly

from ..errors import Errors

#: Bytes that files may have at most: settings, tokenizers, and arrays, whose formats end there themselves.
SMALL, LARGE, HUGE = 1 << 24, 1 << 28, (1 << 31) - 1


def is_there(path: str | Path) -> bool:
    """Tell whether anything has a name, be it a link that leads nowhere.

    path (str | Path): The path.
    RETURNS (bool): Whether there is something.
    """
    return os.path.lexists(path)


def check_file(path: str | Path, *, within: str | Path, limit: int | None = None) -> None:
    """Refuse what is no regular file inside of a folder, before anything opens it.

    path (str | Path): The file.
    within (str | Path): The folder that it has to be in, whatever links lead to.
    limit (int | None): Bytes that it may have; None for any number.
    RAISES (ValueError): TC420, if it is something else, or larger.
    """
    os.close(_open(path, within, limit))


def check_folder(folder: str | Path) -> None:
    """Refuse a folder in which there is anything but folders and regular files.

    folder (str | Path): The folder.
    RAISES (ValueError): TC420.
    """
    for place, folders, files in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(place, name))]
        for name in (*files, *links):
            check_file(os.path.join(place, name), within=folder)


def read_file(path: str | Path, *, within: str | Path, limit: int = SMALL) -> bytes:
    """Read a regular file inside of a folder.

    path (str | Path): The file.
    within (str | Path): The folder that it has to be in, whatever links lead to.
    limit (int): Bytes that it may have.
    RETURNS (bytes): Its contents.
    RAISES (ValueError): TC420, if it is something else, or larger.
    """
    handle = _open(path, within, limit)
    with os.fdopen(handle, "rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:  # it grows while it is read
        raise _no_file(path, f"it has more than {limit:,} bytes.")
    return data


def _open(path: str | Path, within: str | Path, limit: int | None) -> int:
    """Open a file without waiting for anybody. Returns its descriptor."""
    inside, real = os.path.realpath(within), os.path.realpath(path)
    if os.path.commonpath([inside, real]) != inside and not _is_cached(Path(real), Path(inside)):
        raise _no_file(path, f"it is a link out of the folder {within}.")
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        detail = "there is none." if error.errno == errno.ENOENT else f"it cannot be opened ({error.strerror})."
        raise _no_file(path, detail) from error
    about = os.fstat(handle)
    if not stat.S_ISREG(about.st_mode):
        os.close(handle)
        raise _no_file(path, "it is a folder." if stat.S_ISDIR(about.st_mode) else "it is a device or a pipe.")
    if limit is not None and about.st_size > limit:
        os.close(handle)
        raise _no_file(path, f"it has {about.st_size:,} bytes, more than the {limit:,} that such a file may have.")
    return handle


def _is_cached(file: Path, folder: Path) -> bool:
    """Tell the cache of the Hugging Face Hub, whose folders in `snapshots` are of links into `blobs` beside it."""
    return file.parent.name == "blobs" and file.parent.parent / "snapshots" in folder.parents


def _no_file(path: str | Path, detail: str) -> ValueError:
    return ValueError(Errors.TC420.format(path=path, detail=detail))


def read_json(data: bytes | str, name: str) -> Any:
    """Read one value of JSON that says one thing only.

    data (bytes | str): The JSON, UTF-8 if in bytes.
    name (str): What it is called, for messages.
    RETURNS (Any): The value.
    RAISES (ValueError): TC421, for what is no JSON, and for JSON with a key twice in an object, with NaN or Infinity,
        half a surrogate pair, a number of very many digits, or lists that lie too deep in each other.
    """
    try:
        text = data.decode("utf-8") if isinstance(data, bytes) else data
        value = _DECODER.decode(text)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except RecursionError as error:
        raise ValueError(Errors.TC421.format(name=name, detail="lists lie too deep in each other")) from error
    except ValueError as error:
        raise ValueError(Errors.TC421.format(name=name, detail=_reason(error))) from error
    return value


def _reason(error: ValueError) -> str:
    """Say in a few words why something is no JSON."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg}, line {error.lineno}, column {error.colno}"
    if isinstance(error, UnicodeDecodeError):
        return "it is no UTF-8"
    if isinstance(error, UnicodeEncodeError):
        return "it has half of a surrogate pair"
    return str(error).partition(";")[0]  # Python's own words on its limit of digits go on after it


def object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of JSON, none of whose keys may stand twice: one of the two values would be lost.

    pairs (list[tuple[str, Any]]): Its keys and values.
    RETURNS (dict[str, Any]): The object.
    RAISES (ValueError): If a key stands twice.
    """
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice[:80]!r} stands twice in one object")
    return made


def no_constant(name: str) -> Any:
    """Refuse NaN and its like, which are Python's and no JSON.

    name (str): What stands there.
    RAISES (ValueError): Always.
    """
    raise ValueError(f"{name} is no value of JSON")


def _float(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"the number {digits[:40]} is too large")
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=object_of, parse_constant=no_constant, parse_float=_float)


def read_msgpack(data: bytes, name: str) -> Any:
    """Read a value of msgpack, arrays included.

    data (bytes): The bytes.
    name (str): What they are called, for messages.
    RETURNS (Any): The value.
    RAISES (ValueError): TC422, if they are no msgpack.
    """
    collects = gc.isenabled()
    try:
        return srsly.msgpack_loads(data)
    except Exception as error:  # msgpack's own errors, and what numpy says of arrays that do not fit
        raise ValueError(Errors.TC422.format(name=name, detail=str(error)[:150] or type(error).__name__)) from error
    finally:
        if collects:  # srsly switches that off, and leaves it so after an error
            gc.enable()


def expect_keys(value: Any, keys: Iterable[str], name: str) -> dict[str, Any]:
    """Refuse what is no object with certain keys.

    value (Any): What was read.
    keys (Iterable[str]): The keys that it needs.
    name (str): What it is called, for messages.
    RETURNS (dict[str, Any]): The object.
    RAISES (ValueError): TC423.
    """
    missing = [key for key in keys if not isinstance(value, dict) or key not in value]
    if missing or not isinstance(value, dict):
        found = "an object" if isinstance(value, dict) else f"{type(value).__name__} ({str(value)[:40]!r})"
        raise ValueError(Errors.TC423.format(name=name, found=found, missing=", ".join(missing)))
    return value
