"""Entities in CSV, one a row, as `spacy tokclf annotate` writes them. A text stands in its first row; one without
entities has a row of its own. A row with a place and without a label is a place of which nothing is known."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, TextIO

from spacy.tokens import Doc

from ...errors import Errors
from ...runtime.files import whole_file
from ..docs import doc_scores, doc_text
from ..records import TextRecord
from .cells import read_cells
from .conll import read_score
from .json_entities import missing_places
from .json_spans import check_place
from .lines import inner_name

SUFFIX = ".csv"
#: The columns; "error" is there where a text failed.
COLUMNS = ("number", "start", "end", "label", "score", "text", "document", "error")
_NEEDED = {*COLUMNS} - {"error"}


def is_entity_csv(path: str | Path) -> bool:
    """Tell a table of entities by its name and its columns.

    path (str | Path): The file.
    RETURNS (bool): Whether it is one.
    """
    if inner_name(path).suffix.lower() != SUFFIX or not Path(path).is_file():
        return False
    try:
        _, names = next(read_cells(path), (0, []))
    except ValueError:  # which its own reader says
        return False
    return set(names) >= _NEEDED


def read_entity_csv(
    path: str | Path, *, encoding: str | None = None, separator: str | None = None
) -> Iterator[TextRecord]:
    """Stream the texts of a table of entities.

    path (str | Path): The file.
    encoding (str | None): Its encoding.
    separator (str | None): What stands between cells; None: found out.
    YIELDS (TextRecord): The texts.
    RAISES (ValueError): TC113, TC162, TC164, TC362, with file and line; as read_cells.
    """
    rows = read_cells(path, separator=separator, encoding=encoding)
    _, names = next(rows)
    record: TextRecord | None = None
    number = ""
    for line, cells in rows:
        where = f"{path}:{line}"
        if not cells:
            continue
        if len(cells) != len(names):
            facts = {"separator": "commas", "width": len(names), "found": len(cells), "line": ",".join(cells)[:60]}
            raise ValueError(Errors.TC113.format(where=where, **facts))
        row = dict(zip(names, cells, strict=True))
        if record is None or row["number"] != number or row["document"]:  # two tables that were put together
            if record is not None:
                yield record
            record, number = TextRecord(row["document"], [], path=str(path), line=line), row["number"]
            if row.get("error"):
                record = replace(record, missing=[(0, len(record.text))] if record.text else [], annotations=0)
        if row["start"] or row["end"]:
            _add(record, row, where)
    if record is not None:
        yield record


def _add(record: TextRecord, row: dict[str, str], where: str) -> None:
    """Read one entity, or one place of which nothing is known."""
    try:
        start, end = int(row["start"]), int(row["end"])
    except ValueError as err:
        raise ValueError(Errors.TC362.format(where=where, start=row["start"], end=row["end"])) from err
    check_place(start, end, record.text, where)
    found = record.text[start:end]
    if row["text"].split() != found.split():
        raise ValueError(Errors.TC164.format(where=where, start=start, end=end, found=found, expected=row["text"]))
    if not row["label"]:
        record.missing.append((start, end))
        return
    span = (start, end, row["label"])
    record.spans.append(span)
    score = read_score(row["score"])
    if score is not None:
        record.scores[span] = score


def write_entity_csv(docs: Iterable[Doc | tuple[str, str]], path: str | Path) -> int:
    """Write a table of entities.

    docs (Iterable[Doc | tuple[str, str]]): The texts; in the place of one that failed, the text and why.
    path (str | Path): The file.
    RETURNS (int): Number of texts written.
    """
    with whole_file(path) as made, made.open("w", encoding="utf-8", newline="") as file:
        return _write(docs, file)


def _write(docs: Iterable[Doc | tuple[str, str]], file: TextIO) -> int:
    writer = csv.DictWriter(file, COLUMNS)
    writer.writeheader()
    numbers = count(1)
    for doc in docs:
        number = next(numbers)
        for row in _failed(*doc) if isinstance(doc, tuple) else _rows(doc):
            writer.writerow({"number": number, **row})
    return next(numbers) - 1


def _failed(text: str, error: str) -> list[dict[str, Any]]:
    return [{"document": text, "error": error}]


def _rows(doc: Doc) -> list[dict[str, Any]]:
    """Make the rows of one text."""
    text, scores = doc_text(doc), doc_scores(doc)
    places = [
        (ent.start_char, ent.end_char, ent.label_, scores.get((ent.start, ent.end, ent.label_))) for ent in doc.ents
    ]
    places += [(start, end, "", None) for start, end in missing_places(doc)]
    rows: list[dict[str, Any]] = [
        {"start": start, "end": end, "text": text[start:end], "label": label}
        | ({} if score is None else {"score": repr(float(score))})
        for start, end, label, score in sorted(places, key=lambda place: place[:2])
    ]
    rows = rows or [{}]
    rows[0]["document"] = text
    return rows
