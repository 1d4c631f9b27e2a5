"""Ten typical slips, made in files of every form, and what becomes of them."""

import gzip
import re
import shutil
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import spacy
from data_forms import FORMS, DataForm, Text

from spacy_tokclf.corpus.convert import read_any
from spacy_tokclf.corpus.options import ReadOptions

NLP = spacy.blank("xx")
EXAMPLE = (
    Text(("Zoë", "Ray", "flew", "to", "New", "York", "."), ((0, 2, "PER"), (4, 6, "LOC"))),
    Text(("It", "rained", "on", "Bob", "and", "Ann", "."), ((3, 4, "PER"), (5, 6, "PER"))),
    Text(("Nobody", "saw", "it", ".")),
)
#: Text, spans of characters, and whether all of it is known.
Seen = list[tuple[str, list[tuple[int, int, str]], bool]]


class Slip(NamedTuple):
    """A slip.

    name (str): What happened to the file.
    change (Callable[[bytes], bytes]): What that makes of its bytes; the same bytes where it cannot happen.
    mends (bool): Whether the file still says all that it said, so that nothing else may be read.
    """

    name: str
    change: Callable[[bytes], bytes]
    mends: bool


def _cut_off(data: bytes) -> bytes:
    """Leave out the end, from within the second text."""
    return data[: data.rindex(b"Ann") + 1] if b"Ann" in data else data[: len(data) // 2]


def _label_lost(data: bytes) -> bytes:
    """Take out each label LOC."""
    return data.replace(b"LOC", b"")


def _label_number(data: bytes) -> bytes:
    """Put a number in the place of a label."""
    return data.replace(b'"LOC"', b"3") if b'"LOC"' in data else data.replace(b"LOC", b"3")


def _moved(data: bytes) -> bytes:
    """Move a span by one, or give a tag a prefix that there is not."""
    pairs = (
        (b'"start": 16', b'"start": 17'),
        (b'"start_offset": 16', b'"start_offset": 17'),
        (b"[16, 24", b"[17, 25"),
        (b"LOC 16 24", b"LOC 17 25"),
    )
    for old, new in pairs:
        if old in data:
            return data.replace(old, new, 1)
    if b'"ner": [[' in data:
        return data.replace(b"[4, 5,", b"[4, 55,", 1)
    return re.sub(rb"\b[BbU]([-_])LOC", rb"X\1LOC", data, count=1)


def _foreign(data: bytes) -> bytes:
    """Put a line of prose in."""
    middle = data.index(b"\n", len(data) // 2) + 1 if b"\n" in data[len(data) // 2 :] else len(data)
    return data[:middle] + b"This is what we did on Monday, more or less.\n" + data[middle:]


SLIPS = (
    Slip("cut off within a text", _cut_off, False),
    Slip("empty", lambda data: b"", False),
    Slip("a label lost", _label_lost, False),
    Slip("a number for a label", _label_number, False),
    Slip("a span moved, a prefix X", _moved, False),
    Slip("a line of prose in it", _foreign, False),
    Slip("Latin-1", lambda data: data.decode("utf-8").encode("latin-1", "replace"), False),
    Slip("UTF-16", lambda data: data.decode("utf-8").encode("utf-16"), True),
    Slip(r"line ends \r", lambda data: data.replace(b"\n", b"\r"), True),
    Slip("packed (.gz)", gzip.compress, True),
)


def outcome(form: DataForm, slip: Slip | None, texts: Sequence[Text] = EXAMPLE) -> str | Seen:
    """Read texts with a slip.

    form (DataForm): The form.
    slip (Slip | None): The slip; None for none.
    texts (Sequence[Text]): The texts.
    RETURNS (str | Seen): The code of the error, or what was read.
    """
    folder = Path(tempfile.mkdtemp())
    try:
        path = form.save(texts, folder, bytes if slip is None else slip.change)
        if slip is not None and slip.change is gzip.compress:
            path = _rename(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return seen(read_any(path, NLP, ReadOptions(**form.options or {})))
    except ValueError as error:
        if not str(error).startswith("[TC"):
            raise
        return str(error)[1:6]
    finally:
        shutil.rmtree(folder)


def seen(docs: Any) -> Seen:
    """Say what Docs hold."""
    return [
        (doc.text.rstrip(), [(e.start_char, e.end_char, e.label_) for e in doc.ents], all(t.ent_iob for t in doc))
        for doc in docs
    ]


def expected(texts: Sequence[Text]) -> Seen:
    """Say what texts hold."""
    return [(one.text, one.chars, True) for one in texts]


def _rename(path: Path) -> Path:
    """Add the suffix of packed files."""
    for file in list(path.iterdir()) if path.is_dir() else [path]:
        file.rename(f"{file}.gz")
    return path if path.is_dir() else Path(f"{path}.gz")


def table() -> str:
    """Write the table of forms and slips in Markdown."""
    head = "| form | " + " | ".join(slip.name for slip in SLIPS) + " |\n" + "|---" * (len(SLIPS) + 1) + "|\n"
    rows = []
    for form in FORMS:
        cells = [_cell(form, slip) for slip in SLIPS]
        rows.append(f"| {form.name.replace('|', chr(92) + '|')} | " + " | ".join(cells) + " |\n")
    return head + "".join(rows)


def _cell(form: DataForm, slip: Slip) -> str:
    """Say what becomes of a slip."""
    found = outcome(form, slip)
    if isinstance(found, str):
        return found
    whole = expected(EXAMPLE)
    if found == whole:
        return "read"
    if [one[:2] for one in found] == [one[:2] for one in whole] or not all(known for *_, known in found):
        return "masked"
    return "as it stands"
