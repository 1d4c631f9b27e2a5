"""Lines of text files, packed or not, in whatever encoding they say they are in, read in blocks."""

import codecs
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from ...errors import Errors
from .sources import inner_name, read_blocks

__all__ = ["BLOCK", "check_encoding", "decode_text", "inner_name", "read_line_blocks", "wrong_encoding"]

#: Bytes read at a time.
BLOCK = 1 << 22
_BOM = "\ufeff"
# UTF-32 first: its mark begins as that of UTF-16 does.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_line_blocks(path: str | Path, encoding: str | None = None) -> Iterator[list[str]]:
    """Stream the lines of a file, some megabytes at a time.

    Lines end at "\\n" or "\\r\\n", or at "\\r" in a file that has no "\\n", and nowhere else, since tokens may hold
    characters that Python takes for line ends (U+0085, U+2028). A byte order mark is left out. What is packed (.gz,
    .zip with one file in it) is unpacked.

    path (str | Path): The file.
    encoding (str | None): Its encoding; None: UTF-8. A byte order mark of UTF-8, UTF-16 or UTF-32 is believed first.
    YIELDS (list[str]): Lines that follow each other, without their ends.
    RAISES (ValueError): TC111, with file and line, at the first line that is not of the encoding; those before it are
        given. TC125 if there is no such encoding; TC121, TC122, TC123 if the file is no text or cannot be unpacked.
    """
    check_encoding(encoding)
    n_lines, lines = 0, _Lines()
    try:
        for text in _decoded(path, encoding):
            if block := lines.add(text):
                n_lines += len(block)
                yield block
    except UnicodeError as err:
        if block := lines.add(""):
            n_lines += len(block)
            yield block
        raise wrong_encoding(f"{path}:{n_lines + 1}", lines.rest, err, encoding) from err
    if block := lines.end():
        yield block


def decode_text(data: bytes, name: str | Path, encoding: str | None = None) -> str:
    """Decode the bytes of a file, its line ends as they are.

    data (bytes): The bytes.
    name (str | Path): What the file is called in messages.
    encoding (str | None): As for read_line_blocks.
    RETURNS (str): The text, without a byte order mark.
    RAISES (ValueError): TC111, TC125.
    """
    check_encoding(encoding)
    codec = next((name for mark, name in _MARKS if data.startswith(mark)), encoding or "utf-8")
    try:
        return data.decode(codec).removeprefix(_BOM)
    except UnicodeDecodeError as err:
        before = data[: err.start].decode(codec, "ignore").split("\n")
        raise wrong_encoding(f"{name}:{len(before)}", before[-1], err, encoding) from err


def check_encoding(encoding: str | None) -> None:
    """Make sure that there is an encoding of a name.

    encoding (str | None): The name; None stands for UTF-8.
    RAISES (ValueError): TC125.
    """
    try:
        "a".encode(encoding or "utf-8")
        codecs.getincrementaldecoder(encoding or "utf-8")
    except (LookupError, ValueError) as err:
        raise ValueError(Errors.TC125.format(encoding=encoding)) from err


class _Lines:
    """Makes lines of text that comes in parts."""

    def __init__(self) -> None:
        self._parts: list[str] = []  # of a line whose end has not come yet

    @property
    def rest(self) -> str:
        """What has come of the line whose end has not."""
        return "".join(self._parts)

    def add(self, text: str) -> list[str]:
        """Take more text, and give the lines that are whole."""
        whole, end, rest = text.rpartition("\n")
        if not end:
            self._parts.append(rest)
            return []
        text = self.rest + whole
        self._parts = [rest]
        lines = text.split("\n")
        return [line.removesuffix("\r") for line in lines] if "\r" in text else lines

    def end(self) -> list[str]:
        """Give what follows the last line end."""
        rest = self.rest
        return [rest.removesuffix("\r")] if rest else []


def _decoded(path: str | Path, encoding: str | None) -> Iterator[str]:
    """Stream the text of a file, without a byte order mark, "\n" for each "\r" where lines end so."""
    blocks = read_blocks(path, BLOCK, encoding=encoding)
    head = next(blocks, b"")
    encoding = next((name for mark, name in _MARKS if head.startswith(mark)), encoding or "utf-8")
    # Errors are reported where they stand, not here.
    is_mac = b"\r" in head and "\n" not in head.decode(encoding, "ignore")
    decoder = codecs.getincrementaldecoder(encoding)()
    first, after_return = True, False
    for data in chain((head[at : at + BLOCK] for at in range(0, len(head), BLOCK)), blocks, [b""]):
        try:
            text = decoder.decode(data, final=not data)
        except UnicodeDecodeError as err:
            yield err.object[: err.start].decode(encoding, "ignore").removeprefix(_BOM if first else "")
            raise
        if first and text:
            first, text = False, text.removeprefix(_BOM)
        if is_mac and text:
            ended, after_return = after_return and text.startswith("\n"), text.endswith("\r")
            text = text[ended:].replace("\r\n", "\n").replace("\r", "\n")
        yield text


def wrong_encoding(where: str, before: str, err: UnicodeError, encoding: str | None) -> ValueError:
    """Say where text is not of the encoding that it was taken for, and which fits.

    where (str): The place: file and line.
    before (str): What stands before it in the line.
    err (UnicodeError): What is wrong.
    encoding (str | None): The encoding that was named.
    RETURNS (ValueError): TC111.
    """
    name = encoding or "UTF-8"
    reason = err.reason if isinstance(err, UnicodeDecodeError) else str(err)
    hint = "Name the encoding that it is in (`--encoding`)"
    if encoding is None and isinstance(err, UnicodeDecodeError) and err.encoding.startswith("utf-8"):
        fits = "cp1252" if 0x80 <= err.object[err.start] < 0xA0 else "latin-1"
        hint = f"Save the file as UTF-8, or name its encoding: many such files are in `--encoding {fits}`"
    elif isinstance(err, UnicodeDecodeError) and err.encoding.replace("_", "-").startswith(("utf-16", "utf-32")):
        name, hint = err.encoding.upper(), "The file was cut off or changed; save it again"
    byte = len(before.encode(err.encoding if isinstance(err, UnicodeDecodeError) else "utf-8", "replace")) + 1
    return ValueError(Errors.TC111.format(where=where, encoding=name, byte=byte, reason=reason, hint=hint))
