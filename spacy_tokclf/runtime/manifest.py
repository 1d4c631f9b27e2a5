"""A manifest lies in a folder and says which files belong together: their sizes and checksums (SHA-256)."""

import hashlib
import json
import os
from collections.abc import Container, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any

from ..errors import Errors
from .files import MANIFEST, whole_file
from .reading import SMALL, check_file, is_there, read_file, read_json

FORMAT = 1
#: Environment variable: 0 leaves the checks out.
CHECK_FILES = "SPACY_TOKCLF_CHECK_FILES"
#: What lies in the folder of a pipeline and people edit; nothing that is predicted hangs on it.
EDITED = "meta.json"
#: Texts, which Git and others give the line ends of the system: they count with "\n" alone.
TEXTS = (".json", ".jsonl", ".cfg", ".txt", "/cfg")
_BLOCK = 1 << 20
_THREADS = 4


def checks_files() -> bool:
    """RETURNS (bool): Whether what is loaded is checked; SPACY_TOKCLF_CHECK_FILES=0 leaves it out."""
    return os.environ.get(CHECK_FILES, "1") != "0"


def write_manifest(folder: Path, about: dict[str, Any] | None = None, *, leave_out: Container[str] = ()) -> str:
    """Write the manifest of a folder. A folder in it that has a manifest of its own counts by that alone; meta.json at
    its top does not count.

    folder (Path): The folder.
    about (dict[str, Any] | None): What else the manifest says.
    leave_out (Container[str]): Names at the top of the folder that do not count either.
    RETURNS (str): The SHA-256 of the manifest, in hexadecimal digits.
    """
    skipped = {EDITED, MANIFEST}
    names = [
        name
        for path in sorted(folder.iterdir())
        if path.name not in skipped and path.name not in leave_out
        for name in _names(path, folder)
    ]
    files = dict(zip(names, _read_all([folder / name for name in names]), strict=True))
    text = json.dumps({"format": FORMAT, **(about or {}), "files": files}, indent=2, ensure_ascii=False) + "\n"
    with whole_file(folder / MANIFEST) as made:
        made.write_text(text, encoding="utf-8", newline="\n")
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def check_manifest(folder: Path) -> dict[str, Any] | None:
    """Compare the files of a folder with its manifest. What the manifest does not list is not looked at.

    folder (Path): The folder.
    RETURNS (dict[str, Any] | None): What the manifest says; None if there is none.
    RAISES (ValueError): TC401, if the manifest cannot be read; TC402, if it comes from a later version; TC403, for a
        file that is missing or is another one.
    """
    path = folder / MANIFEST
    if not is_there(path):
        return None
    found = read_manifest(folder)
    names = list(found["files"])
    for name in names:
        size, expected = _size(folder / name, folder), found["files"][name]["size"]
        if size is None:
            raise _changed(folder / name, "is missing, or no regular file of this folder", path)
        if size != expected and not (_is_text(folder / name) and expected < size <= 2 * expected):
            raise _changed(folder / name, f"has {size} bytes instead of {expected}", path)
    for name, read in zip(names, _read_all([folder / name for name in names]), strict=True):
        if read != found["files"][name]:
            raise _changed(folder / name, "was changed", path)
    return found


def _changed(file: Path, detail: str, manifest: Path) -> ValueError:
    return ValueError(Errors.TC403.format(file=file, detail=detail, manifest=manifest))


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest of a folder.

    folder (Path): The folder.
    RETURNS (dict[str, Any]): What it says.
    RAISES (ValueError): TC401, if it cannot be read; TC402, if it comes from a later version; TC420, if it is no
        regular file in the folder, or larger than such files are (one of 10,000 files has 2 MB).
    """
    path = folder / MANIFEST
    data = read_file(path, within=folder, limit=SMALL)
    try:
        found = read_json(data, MANIFEST)
    except ValueError as error:
        raise ValueError(Errors.TC401.format(path=path)) from error
    number = found.get("format") if isinstance(found, dict) else None
    if isinstance(number, int) and number > FORMAT:
        raise ValueError(Errors.TC402.format(path=path, found=number, known=FORMAT))
    if number != FORMAT or not _is_list(found.get("files")):
        raise ValueError(Errors.TC401.format(path=path))
    return dict(found)


def hash_file(path: Path) -> str:
    """Hash a file.

    path (Path): The file.
    RETURNS (str): Its SHA-256, in hexadecimal digits.
    """
    return str(_read(path)["sha256"])


def checksums(path: Path, only: Iterable[str] | None = None) -> dict[str, str]:
    """Hash a file, or the files of a folder.

    path (Path): The file or folder; what is neither has no files.
    only (Iterable[str] | None): Names of the files in the folder; None for all.
    RETURNS (dict[str, str]): Their SHA-256 by name in the folder; that of a file itself is "".
    """
    if path.is_file():
        return {"": hash_file(path)}
    names = only if only is not None else _names(path, path) if path.is_dir() else []
    found = [name for name in names if _size(path / name, path) is not None]
    read = _read_all([path / name for name in found])
    return {name: str(entry["sha256"]) for name, entry in zip(found, read, strict=True)}


def is_inside(name: Any) -> bool:
    """Tell the name of something in a folder, written in the one way that it has.

    name (Any): The name.
    RETURNS (bool): Whether it is one.
    """
    path = PurePosixPath(name if isinstance(name, str) else "..")
    return not path.is_absolute() and ".." not in path.parts and str(path) == name and "\0" not in name


def _is_list(files: Any) -> bool:
    """Tell whether this lists files in the folder, with their sizes and checksums."""
    return isinstance(files, dict) and all(
        isinstance(entry, dict)
        and set(entry) == {"sha256", "size"}
        and isinstance(entry["size"], int)
        and isinstance(entry["sha256"], str)
        and is_inside(name)
        for name, entry in files.items()
    )


def _is_text(path: Path) -> bool:
    return path.as_posix().endswith(TEXTS)


def _names(path: Path, folder: Path) -> list[str]:
    """Give the names of the files at or below a path, as in a manifest."""
    if not path.is_dir():
        return [path.relative_to(folder).as_posix()] if path.is_file() else []
    if (path / MANIFEST).is_file():
        return [(path / MANIFEST).relative_to(folder).as_posix()]
    return [name for inner in sorted(path.iterdir()) for name in _names(inner, folder)]


def _size(path: Path, folder: Path) -> int | None:
    """RETURNS (int | None): The size of a regular file in a folder; None if there is none."""
    try:
        check_file(path, within=folder)
        return path.stat().st_size
    except (OSError, ValueError):
        return None


def _read_all(paths: list[Path]) -> list[dict[str, Any]]:
    """Hash files, several at a time."""
    if len(paths) < 2:
        return [_read(path) for path in paths]
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(_read, paths))


def _read(path: Path) -> dict[str, Any]:
    """Hash a file, a block at a time. RETURNS (dict[str, Any]): Checksum and size, as in a manifest."""
    digest, size, is_text, held = hashlib.sha256(), 0, _is_text(path), b""
    block = memoryview(bytearray(_BLOCK))
    with path.open("rb", buffering=0) as file:
        while read := file.readinto(block):
            part: bytes | memoryview = block[:read]
            if is_text:
                part = held + bytes(part)
                held = part[-1:] if part.endswith(b"\r") else b""
                part = part[: len(part) - len(held)].replace(b"\r\n", b"\n")
            digest.update(part)
            size += len(part)
    digest.update(held)
    return {"sha256": digest.hexdigest(), "size": size + len(held)}
