"""Files and folders that are written whole or not at all: what was there before stays until the new one is whole. And
files that lie beside others."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = ".tokclf-"


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Write a file: beside its place, and moved there at the end. What is no file (a device, a pipe) is written to
    directly.

    path (str | Path): Its place; its folder is made.
    YIELDS (Path): Where to write it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not path.is_file():
        yield path
        return
    place = path.resolve()  # a link stays one
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=place.parent) as workplace:
        made = Path(workplace) / place.name
        yield made
        if place.exists():
            shutil.copymode(place, made)
        made.replace(place)


@contextmanager
def whole_folder(out_dir: Path) -> Iterator[Path]:
    """Write a folder that appears whole or not at all: beside its place, and moved there at the end. After an error
    what was there before is there again.

    out_dir (Path): Its place.
    YIELDS (Path): Where to write it: a path at which nothing is yet. What is written beside it is removed in the end.
    RAISES (OSError): FileExistsError, if there is something else than a folder in its place.
    """
    _check_folder(out_dir)
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=out_dir.parent) as workplace:
        made, old = Path(workplace) / "new", Path(workplace) / "old"
        yield made
        if out_dir.exists():
            out_dir.rename(old)
        try:
            made.rename(out_dir)
        except OSError:
            if old.exists():
                old.rename(out_dir)
            raise


@contextmanager
def updated_folder(out_dir: Path) -> Iterator[Path]:
    """Write files of a folder: beside it, and moved into it once all are there. Other files in it stay.

    out_dir (Path): The folder, which need not be there.
    YIELDS (Path): The folder to write them to: a path at which nothing is yet.
    RAISES (OSError): FileExistsError, if there is something else in its place.
    """
    _check_folder(out_dir)
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=out_dir.parent) as workplace:
        made = Path(workplace) / "new"
        yield made
        for file in sorted(made.rglob("*")):
            place = out_dir / file.relative_to(made)
            if file.is_dir():
                place.mkdir(parents=True, exist_ok=True)
            else:
                place.parent.mkdir(parents=True, exist_ok=True)
                file.replace(place)


def find_beside(folder: str, name: str) -> Path | None:
    """Look for a file in a folder, and in the one above it.

    folder (str): The folder; what is none has nothing beside it.
    name (str): What the file is called.
    RETURNS (Path | None): The file.
    """
    places = (Path(folder) / name, Path(folder).resolve().parent / name)
    return next((path for path in places if Path(folder).is_dir() and path.is_file()), None)


def _check_folder(out_dir: Path) -> None:
    """Refuse the place of something that is no folder, and make the folder that it is to be in."""
    if out_dir.exists() and not out_dir.is_dir():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(out_dir))
    out_dir.parent.mkdir(parents=True, exist_ok=True)
