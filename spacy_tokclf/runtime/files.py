"""Files and folders that are written whole or not at all: what was there before stays until the new one is whole, also
if the process is killed or the power fails. And files that lie beside others."""

import contextlib
import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from .. import compat
from .refusals import naming_place
from .workplace import KEPT, PREFIX, workplace

#: The file that says what the others are. It comes first where files are replaced one by one: so a folder that is
#: half new does not fit what it says.
MANIFEST = "manifest.json"
#: More files than these are brought to the disk by one call for all of it.
_ONE_BY_ONE = 64
#: What says that a folder cannot be renamed, where its files can: it is a mount, or in a layer below.
_FIXED = {errno.EBUSY, errno.EXDEV}


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Write a file: beside its place, and moved there at the end. What is no file (a device, a pipe) is written to
    directly.

    path (str | Path): Its place; its folder is made.
    YIELDS (Path): Where to write it.
    RAISES (OSError): TC400, if it cannot be written.
    """
    path = Path(path)
    with naming_place(path, PREFIX):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():
            yield path
            return
        place = path.resolve()  # a link stays one
        with workplace(place.parent) as temporary:
            made = temporary / place.name
            yield made
            if place.exists():
                shutil.copymode(place, made)
            _to_disk(made)
            made.replace(place)
            _to_disk(place.parent)


@contextmanager
def whole_folder(out_dir: Path) -> Iterator[Path]:
    """Write a folder that appears whole or not at all: beside its place, and moved there at the end, in one step where
    the system can exchange two folders. Files in it get the rights that the user gives to new ones.

    A folder that cannot be renamed (it is a mount, or the folder that we are in) gets its files one by one, its
    manifest first: if that is broken off, it does not fit its manifest.

    out_dir (Path): Its place.
    YIELDS (Path): Where to write it: a path at which nothing is yet. What is written beside it is removed in the end.
    RAISES (OSError): FileExistsError, if there is something else than a folder in its place; TC400, if it cannot be
        written.
    """
    with naming_place(out_dir, PREFIX):
        _check_folder(out_dir)
        place = out_dir.resolve()  # a link stays one
        fixed = _is_fixed(place)
        with workplace(place if fixed else place.parent) as temporary:
            made = temporary / "new"
            yield made
            _settle(made)
            if fixed or not _put(made, place, temporary):
                _replace_contents(made, place)
            _to_disk(place.parent)


@contextmanager
def updated_folder(out_dir: Path) -> Iterator[Path]:
    """Write files of a folder: beside it, and moved into it, each whole, once all are there. Other files in it stay.

    out_dir (Path): The folder, which need not be there.
    YIELDS (Path): The folder to write them to: a path at which nothing is yet.
    RAISES (OSError): FileExistsError, if there is something else in its place; TC400, if it cannot be written.
    """
    with naming_place(out_dir, PREFIX):
        _check_folder(out_dir)
        place = out_dir.resolve()
        with workplace(place if _is_fixed(place) else place.parent) as temporary:
            made = temporary / "new"
            yield made
            _settle(made)
            _move_files(made, place)
            _to_disk(place)


def copy_links(source: Path, target: Path) -> None:
    """Copy a file or a folder without copying what is in files, where the disk can: for what is not written to again.

    source (Path): The file or folder.
    target (Path): Its new place.
    """
    _copy(source, target, _link)


def copy_whole(source: Path, target: Path) -> None:
    """Copy a file or a folder. (The errors of `shutil.copytree` do not say that a disk is full.)

    source (Path): The file or folder.
    target (Path): Its new place.
    """
    _copy(source, target, partial(shutil.copy2, follow_symlinks=False))


def _copy(source: Path, target: Path, copy_file: Callable[[Path, Path], Any]) -> None:
    """Copy a file or a folder, each file in one way."""
    if source.is_symlink() or not source.is_dir():
        copy_file(source, target)
        return
    target.mkdir()
    for path in sorted(source.iterdir()):
        _copy(path, target / path.name, copy_file)
    shutil.copystat(source, target)


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


def _is_fixed(place: Path) -> bool:
    """Tell whether a folder is to stay the same one: a mount, the folder that we (and the shell) are in, or one whose
    neighbours we may not change."""
    if not place.is_dir():
        return False
    with contextlib.suppress(FileNotFoundError):  # somebody has removed the folder that we are in
        if Path.cwd().is_relative_to(place):
            return True
    return place.is_mount() or not os.access(place.parent, os.W_OK)


def _settle(folder: Path) -> None:
    """Give the files of a new folder the rights that new files have (some libraries write for the owner alone), but not
    those that lie elsewhere, too; and bring all of it to the disk."""
    rights = folder.stat().st_mode & 0o666
    paths = sorted(folder.rglob("*"))
    for path in paths:
        if path.is_file() and not path.is_symlink():
            found = path.stat()
            if found.st_nlink == 1 and found.st_mode | rights != found.st_mode:
                path.chmod(found.st_mode | rights)
    if len(paths) > _ONE_BY_ONE and hasattr(os, "sync"):
        os.sync()
        return
    for path in (*paths, folder):
        if not path.is_symlink():
            _to_disk(path)


def _to_disk(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk. Not every file system can for folders."""
    if os.name == "nt" and path.is_dir():
        return
    file = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(file)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:
            raise
    finally:
        os.close(file)


def _put(made: Path, place: Path, temporary: Path) -> bool:
    """Move a folder to its place, over what is there. RETURNS (bool): Whether that can be done: not every folder can be
    renamed."""
    try:
        if not place.exists():
            made.rename(place)
            return True
    except OSError as error:
        if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:  # made by another process in the meantime
            raise
    shutil.copymode(place, made)
    try:
        if not compat.exchange(made, place):
            _exchange_in_two(made, place, temporary)
    except OSError as error:
        if error.errno not in _FIXED:
            raise
        return False
    return True


def _exchange_in_two(made: Path, place: Path, temporary: Path) -> None:
    """Replace a folder in two steps. If the process dies between them, `sweep` finds the old one and puts it back."""
    kept = temporary / KEPT / place.name
    kept.parent.mkdir()
    place.rename(kept)
    try:
        made.rename(place)
    except OSError:
        kept.rename(place)
        raise


def _replace_contents(made: Path, place: Path) -> None:
    """Make the contents of a folder those of another, file by file."""
    names = {path.relative_to(made) for path in made.rglob("*")}
    _move_files(made, place)
    for path in sorted(place.rglob("*"), reverse=True):
        name = path.relative_to(place)
        if name in names or name.parts[0].startswith(PREFIX):
            continue
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink()


def _move_files(made: Path, place: Path) -> None:
    """Move the files of a folder into another, the manifest first."""
    for file in sorted(made.rglob("*"), key=lambda path: (path != made / MANIFEST, path)):
        target = place / file.relative_to(made)
        if file.is_dir() and not file.is_symlink():
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            file.replace(target)


def _link(source: str | Path, target: str | Path) -> None:
    """Give a file a second name; where the disk has none, copy it."""
    with contextlib.suppress(OSError):
        os.link(source, target, follow_symlinks=False)
        return
    shutil.copy2(source, target, follow_symlinks=False)
