"""What the machine refuses: a full disk, a place that cannot be written to, a missing right. Said with a code."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import Errors

_FULL = "Free some space, or choose another disk; no file is left half written."
_RIGHT = "Get the right to it (`ls -l` shows whose it is), or choose another place."
#: What helps where the machine refuses something.
CURES = {
    errno.ENOENT: "Check the path: there is nothing of that name.",
    errno.EISDIR: "This is a folder, where a file is expected.",
    errno.ENOTDIR: "A folder is expected, and this, or a part of the path, is a file.",
    errno.EEXIST: "This is there already, as a file where a folder is expected or the other way round.",
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: "Raise the limit of the size of files (`ulimit -f`), or choose a disk that takes larger ones.",
    errno.EROFS: "Choose a place that can be written to.",
    errno.EACCES: _RIGHT,
    errno.EPERM: _RIGHT,
}
CHECK = "Check the path, and the rights to it."
#: Only writing is refused in this way; the others, reading as well.
_WRITING = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}
_RIGHTS = {errno.EACCES, errno.EPERM}


def refusal(error: BaseException) -> int | None:
    """Give the number of what the machine refused. Libraries in Rust have errors of their own, and write the number
    into the text.

    error (BaseException): The error, as caught.
    RETURNS (int | None): The number, of `errno`; None if it was nothing that the machine did.
    """
    if isinstance(error, OSError):
        return error.errno
    found = re.search(r"\(os error (\d+)\)", str(error))
    return int(found[1]) if found else None


@contextmanager
def naming_place(place: Path, temporary: str) -> Iterator[None]:
    """Say with a code that something cannot be written, and what is there still.

    place (Path): What is being written.
    temporary (str): How the names of temporary folders begin, in which it is until it is whole.
    RAISES (OSError): TC400, with the number of what the machine refused.
    """
    try:
        yield
    except Exception as error:
        number = refusal(error)
        about = str(getattr(error, "filename", None) or "")
        ours = temporary in about or about in {str(place), str(place.parent)}
        if number not in _WRITING and not (number in _RIGHTS and ours):
            raise
        kept = "What was there before is unchanged" if place.exists() else "Nothing is left of it"
        cure = CURES.get(number, CHECK)
        coded = OSError(Errors.TC400.format(path=place, reason=os.strerror(number), kept=kept, cure=cure))
        coded.errno = number
        raise coded from error
