"""Lines of a text file in UTF-8, with their numbers."""

from collections.abc import Iterator
from pathlib import Path

from ...errors import Errors

_BOM = "\ufeff"


def read_lines(path: str | Path) -> Iterator[tuple[int, str]]:
    """Stream the lines of a file; they end at "\\n" or "\\r\\n" and nowhere else, and a byte order mark is left out.

    path (str | Path): The file.
    YIELDS (tuple[int, str]): Number of the line, from 1, and its text.
    RAISES (ValueError): TC111, with the line, if the file is not UTF-8.
    """
    with Path(path).open("rb") as file:
        for number, raw in enumerate(file, 1):
            try:
                line = raw.decode("utf-8")
            except UnicodeDecodeError as err:
                where = f"{path}:{number}"
                message = Errors.TC111.format(where=where, byte=err.start + 1, reason=err.reason)
                raise ValueError(message) from err
            line = line.removeprefix(_BOM) if number == 1 else line
            yield number, line.removesuffix("\n").removesuffix("\r")
