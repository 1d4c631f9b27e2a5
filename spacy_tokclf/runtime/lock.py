"""A lock on a folder that two processes must not write to at once."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from ..errors import Errors


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a lock on a folder. It goes with the process, whatever ends it. Where the platform or the file system has no
    such locks, there is none.

    folder (Path): The folder.
    RAISES (ValueError): TC450, if another process, or another call in this one, holds it.
    """
    if sys.platform == "win32":
        yield
        return
    import fcntl

    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(Errors.TC450.format(path=folder)) from None
        except OSError:
            pass
        yield
    finally:
        os.close(lock)
