"""Temporary folders beside what is being written. The living hold a lock on theirs; those of processes that died are
swept when the next one is made beside them."""

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

PREFIX = ".tokclf-"
#: Where a folder lies under its own name while another takes its place in two steps.
KEPT = "kept"


@contextlib.contextmanager
def workplace(folder: Path) -> Iterator[Path]:
    """Make a temporary folder, after those that others left behind have gone.

    folder (Path): What to make it in.
    YIELDS (Path): The temporary folder. It goes with all that is in it then.
    """
    sweep(folder)
    made, lock = _make_locked(folder)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def sweep(folder: Path) -> None:
    """Remove the temporary folders of processes that died. What one of them had put aside is put back if there is
    nothing in its place.

    folder (Path): What they are in; it need not be there.
    """
    with contextlib.suppress(OSError):
        for found in sorted(folder.glob(f"{PREFIX}*")):
            with contextlib.suppress(OSError):
                _remove_dead(found, folder)


def _remove_dead(found: Path, folder: Path) -> None:
    """Remove a temporary folder if nobody holds its lock, or do nothing."""
    lock = None if found.is_symlink() or not found.is_dir() else _lock(found, wait=False)
    if lock is None:
        return
    try:
        for kept in (found / KEPT).glob("*"):
            if not (folder / kept.name).exists():
                kept.rename(folder / kept.name)
        shutil.rmtree(found, ignore_errors=True)
    finally:
        os.close(lock)


def _make_locked(folder: Path) -> tuple[Path, int | None]:
    """Make a temporary folder and lock it. Another process may sweep it away in between: then another is made."""
    while True:
        made = Path(tempfile.mkdtemp(prefix=PREFIX, dir=folder))
        lock = _lock(made, wait=True)
        if made.exists():
            return made, lock
        if lock is not None:
            os.close(lock)


def _lock(path: Path, *, wait: bool) -> int | None:
    """Lock a folder. RETURNS (int | None): What holds the lock while it is open; None where somebody else has it, or
    the file system or platform has none."""
    if sys.platform == "win32":
        return None
    import fcntl

    lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        os.close(lock)
        return None
    return lock
