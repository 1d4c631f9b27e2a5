"""Lines of text files in UTF-8, read in blocks."""

from collections.abc import Iterator
from pathlib import Path

from ...errors import Errors

#: Bytes read at a time; a block goes on to the end of its last line.
BLOCK = 1 << 22
_BOM = "\ufeff"


def read_line_blocks(path: str | Path) -> Iterator[list[str]]:
    """Stream the lines of a file, some megabytes at a time.

    Lines end at "\\n" or "\\r\\n" and nowhere else, since tokens may hold characters that Python takes for line ends
    (U+0085, U+2028). A byte order mark is left out.

    path (str | Path): The file.
    YIELDS (list[str]): Lines that follow each other, without their ends.
    RAISES (ValueError): TC111, with file and line, at the first line that is not UTF-8; those before it are given.
    """
    n_lines = 0
    with Path(path).open("rb") as file:
        while data := file.read(BLOCK):
            data += file.readline()
            try:
                text = data.decode("utf-8")
            except UnicodeDecodeError as err:
                start = data.rfind(b"\n", 0, err.start) + 1
                lines = _split_lines(data[:start].decode("utf-8"), first=not n_lines)
                yield lines
                where = f"{path}:{n_lines + len(lines) + 1}"
                raise ValueError(
                    Errors.TC111.format(where=where, byte=err.start - start + 1, reason=err.reason)
                ) from err
            lines = _split_lines(text, first=not n_lines)
            n_lines += len(lines)
            yield lines


def _split_lines(text: str, *, first: bool) -> list[str]:
    """Split whole lines; the first of a file may begin with a byte order mark."""
    lines = (text.removeprefix(_BOM) if first else text).split("\n")
    if not lines[-1]:  # nothing follows the last line end
        lines.pop()
    return [line.removesuffix("\r") for line in lines] if "\r" in text else lines
