"""Stand-off annotation of brat: a text (.txt), and beside it its annotation (.ann). A file of either name, a folder, or
a .zip of such pairs."""

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from ...errors import Errors
from ..offset_report import OffsetReport
from ..records import CharSpan, TextRecord
from .conll import read_score
from .lines import check_encoding, decode_text
from .sources import HEAD, MAX_UNPACKED, member_names, names_in, read_blocks

ANN, TXT = ".ann", ".txt"
_LINE = re.compile(r"[TREAMN#]\S*\t|\*\t")
_TEXT_BOUND = re.compile(r"(?P<id>T\S*)\t(?P<label>\S+) (?P<places>\d+ \d+(?:;\d+ \d+)*)(?:\t(?P<quote>.*))?")

_NOTE = re.compile(r"#\S*\tAnnotatorNotes (?P<id>T\S*)\tscore (?P<score>\S+)")


class _Pair(NamedTuple):
    """A text with its annotation, None if there is no file of it, and the names of both."""

    text: str
    annotation: str | None
    text_name: str
    annotation_name: str


class _Bound(NamedTuple):
    """A text-bound annotation: its line, its id, label, places, and the text that it says stands there."""

    line: int
    id: str
    label: str
    places: list[tuple[int, int]]
    quote: str | None


def is_brat(path: str | Path) -> bool:
    """Tell stand-off annotation from other files and folders.

    path (str | Path): The file or the folder.
    RETURNS (bool): True for a .txt or .ann file with its other half, unless the annotation looks like something else,
        for an .ann file that looks like one, and for a folder or a .zip that has an .ann file in it.
    """
    file = Path(path)
    if file.is_dir():
        return any(file.glob(f"*{ANN}")) or any(file.glob(f"*/*{ANN}"))
    if file.suffix == ".zip":
        return any(name.endswith(ANN) for name in names_in(file))
    if file.suffix not in (ANN, TXT) or not file.with_suffix(ANN).is_file():
        return False
    head = next(read_blocks(file.with_suffix(ANN), HEAD), b"")
    begin = head.partition(b"\n")[0].decode("utf-8", "replace").removeprefix("\ufeff")
    return not begin.strip() or _LINE.match(begin) is not None


def read_brat(
    path: str | Path,
    *,
    overlap: str = "error",
    offsets: str = "check",
    encoding: str | None = None,
    report: OffsetReport | None = None,
) -> Iterator[TextRecord]:
    """Stream the texts of a pair of files, of a folder or of an archive, in order of name. What is no text-bound
    annotation (relations, events, attributes, notes) marks no text of its own and is passed over, but for scores.

    path (str | Path): The .txt or the .ann file, a folder, or a .zip.
    overlap (str): What becomes of an annotation in several parts: "error"; or its "longest" or "first" part is kept,
        and the others have a missing value.
    offsets (str): "check" refuses offsets at which the text is not what the annotation says it is, "trust" takes them.
    encoding (str | None): Encoding of the files; None: UTF-8, or what a byte order mark says.
    report (OffsetReport | None): Where to count annotations in several parts.
    YIELDS (TextRecord): The texts; one without an .ann file is not annotated, and all of it is missing.
    RAISES (ValueError): TC111, TC121, TC130, TC133, TC134, TC162, TC164, TC169, with file and line.
    """
    check_encoding(encoding)
    has_text = False
    for pair in _pairs(Path(path), encoding):
        has_text = has_text or bool(pair.text)
        if pair.annotation is None:
            missing = [(0, len(pair.text))] if pair.text else []
            yield TextRecord(pair.text, [], missing, annotations=0, path=pair.text_name, line=1)
            continue
        bounds = list(_text_bounds(pair))
        text = pair.text
        if offsets != "trust":
            text, bounds = _fitting(pair, bounds)
        spans: list[CharSpan] = [
            (*_kept(bound, overlap, len(text), f"{pair.annotation_name}:{bound.line}"), bound.label) for bound in bounds
        ]
        missing = [
            place for bound, span in zip(bounds, spans, strict=True) for place in bound.places if place != span[:2]
        ]
        noted = _scores(pair)
        scores = {span: noted[bound.id] for bound, span in zip(bounds, spans, strict=True) if bound.id in noted}
        record = TextRecord(text, spans, missing, scores=scores, path=pair.annotation_name, line=1)
        for bound, span in zip(bounds, spans, strict=True):
            if report is not None and len(bound.places) > 1:
                report.add("parts", record, span)
        yield record
    if not has_text:
        raise ValueError(Errors.TC169.format(path=str(path), detail="There is no text in it."))


def _kept(bound: _Bound, overlap: str, length: int, where: str) -> tuple[int, int]:
    """Choose the part of an annotation that becomes the entity."""
    for start, end in bound.places:
        if not 0 <= start < end <= length:
            raise ValueError(Errors.TC162.format(where=where, start=start, end=end, length=length))
    if len(bound.places) > 1 and overlap == "error":
        raise ValueError(Errors.TC134.format(where=where, label=bound.label, places=bound.places))
    return max(bound.places, key=lambda place: place[1] - place[0]) if overlap == "longest" else bound.places[0]


def _pairs(path: Path, encoding: str | None) -> Iterator[_Pair]:
    """Find the texts and their annotation."""
    if path.suffix == ".zip" and path.is_file():
        files = _unpacked(path)
    else:
        found = sorted(path.rglob("*")) if path.is_dir() else [path.with_suffix(ANN), path.with_suffix(TXT)]
        files = {str(file): partial(_bytes, file) for file in found if file.suffix in (ANN, TXT) and file.is_file()}
    for stem in sorted({name.rpartition(".")[0] for name in files}):
        text_name, annotation_name = stem + TXT, stem + ANN
        if text_name not in files:
            raise ValueError(Errors.TC133.format(path=annotation_name, text=text_name))
        text = decode_text(files[text_name](), text_name, encoding)
        has_annotation = annotation_name in files
        annotation = decode_text(files[annotation_name](), annotation_name, encoding) if has_annotation else None
        yield _Pair(text, annotation, text_name, annotation_name)


def _bytes(path: Path) -> bytes:
    return b"".join(read_blocks(path, HEAD))


def _unpacked(path: Path) -> dict[str, Callable[[], bytes]]:
    """Read the texts and annotations in an archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in member_names(archive) if name.endswith((ANN, TXT))]
            if sum(archive.getinfo(name).file_size for name in names) > MAX_UNPACKED:
                detail = f"it unpacks to more than {MAX_UNPACKED:,} bytes"
                raise ValueError(Errors.TC121.format(path=path, detail=detail))
            return {f"{path}/{name}": partial(bytes, archive.read(name)) for name in names}
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError) as err:
        raise ValueError(Errors.TC121.format(path=path, detail=err)) from err


def _text_bounds(pair: _Pair) -> Iterator[_Bound]:
    """Read the text-bound annotations of a text."""
    lines = (pair.annotation or "").replace("\r\n", "\n").split("\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        match = _TEXT_BOUND.fullmatch(line)
        if match is None and (line.startswith("T") or not _LINE.match(line)):
            raise ValueError(Errors.TC130.format(where=f"{pair.annotation_name}:{number}", line=line))
        if match is not None:
            ends = [place.split() for place in match["places"].split(";")]
            yield _Bound(
                number, match["id"], match["label"], [(int(start), int(end)) for start, end in ends], match["quote"]
            )


def _scores(pair: _Pair) -> dict[str, float]:
    """Read the scores in notes, by the id of what they are notes of."""
    lines = (pair.annotation or "").replace("\r\n", "\n").split("\n")
    notes = [note for line in lines if line.startswith("#") and (note := _NOTE.fullmatch(line))]
    found = {note["id"]: read_score(note["score"]) for note in notes}
    return {id: score for id, score in found.items() if score is not None}


def _fitting(pair: _Pair, bounds: list[_Bound]) -> tuple[str, list[_Bound]]:
    """Find out how characters were counted, so that the text is what the annotations say it is: with line ends as they
    are, or as one character each, or with the byte order mark."""
    after_mark = [bound._replace(places=[(start - 1, end - 1) for start, end in bound.places]) for bound in bounds]
    for text, found in ((pair.text, bounds), (pair.text.replace("\r\n", "\n"), bounds), (pair.text, after_mark)):
        if all(_found(text, bound) == _expected(bound, text) for bound in found):
            return text, found
    wrong = next(bound for bound in bounds if _found(pair.text, bound) != _expected(bound, pair.text))
    start, end = wrong.places[0][0], wrong.places[-1][1]
    facts = {"where": f"{pair.annotation_name}:{wrong.line}", "start": start, "end": end}
    raise ValueError(Errors.TC164.format(found=_found(pair.text, wrong), expected=wrong.quote, **facts))


def _found(text: str, bound: _Bound) -> str:
    """Give the text of an annotation as brat quotes it: its parts with a blank between them, line ends as blanks."""
    return " ".join(" ".join(text[start:end] for start, end in bound.places).split())


def _expected(bound: _Bound, text: str) -> str:
    """Give what an annotation says its text is; if it says nothing, what it is."""
    return _found(text, bound) if bound.quote is None else " ".join(bound.quote.split())
