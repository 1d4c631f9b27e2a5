"""What is written of annotated texts, by the suffix of the file: each form that has a place for scores has them."""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from spacy.tokens import Doc

from ..corpus.forms import brat, docbin, entity_csv
from ..corpus.forms.brat_writer import check_brat_folder, write_brat
from ..corpus.forms.conll_writer import write_conll
from ..corpus.forms.json_entities import entities_row, failed_row, replaced_keys
from ..corpus.forms.table import column_record
from ..corpus.records import Record
from ..errors import Errors
from ..runtime.files import whole_file
from .inputs import STREAM
from .items import Annotated, whole_text

#: What is told of a text that was left out: which, or why, and how many entities it had.
RefusedT = Callable[[str, int], None]


class Target(NamedTuple):
    """Where entities go.

    path (str | Path): The file or the folder; "-" for the standard output.
    mark (dict[str, Any]): What annotated: model, version and threshold, for forms that have a place for it.
    stdout (BinaryIO | None): The standard output.
    refuse (Callable[[str, int], None]): Is told of each text that the form cannot hold, and its number of entities.
    replaced (set[str]): Gets the keys of rows that had something of their own where entities are written.
    """

    path: str | Path
    mark: dict[str, Any]
    stdout: BinaryIO | None
    refuse: RefusedT
    replaced: set[str]


def write_annotated(found: Iterable[Annotated], target: Target) -> None:
    """Write annotated texts as they come.

    found (Iterable[Annotated]): The texts.
    target (Target): Where to.
    RAISES (ValueError): As check_output; TC360, if brat cannot hold a label; TC117, if CoNLL cannot.
    """
    if str(target.path) == STREAM and target.stdout is not None:
        for line in _json_lines(found, target):
            target.stdout.write(line)
            target.stdout.flush()
        return
    check_output(target.path)
    _WRITERS[Path(target.path).suffix](found, target)


def check_output(path: str | Path) -> None:
    """Make sure that entities can be written to a name, before there are any.

    path (str | Path): The name.
    RAISES (ValueError): TC364, if it tells no form; TC294, if it is a folder with something else in it.
    """
    if str(path) == STREAM:
        return
    suffix = Path(path).suffix
    if suffix not in _WRITERS:
        raise ValueError(Errors.TC364.format(path=path, known=", ".join(_WRITERS)))
    if suffix == brat.ANN:
        check_brat_folder(path)


def _write_jsonl(found: Iterable[Annotated], target: Target) -> None:
    with whole_file(target.path) as made, made.open("wb") as file:
        file.writelines(_json_lines(found, target))


def _json_lines(found: Iterable[Annotated], target: Target) -> Iterator[bytes]:
    for item, doc, error in _fields(found):
        target.replaced.update(replaced_keys(item.row))
        if error:
            row = failed_row(whole_text(item.text), error, item.row, target.mark, item.text_key)
        else:
            row = entities_row(doc, item.row, target.mark, item.text_key)
        try:
            yield (json.dumps(row, ensure_ascii=False) + "\n").encode("utf-8")
        except UnicodeEncodeError:  # half of a character under another key
            yield (json.dumps(row) + "\n").encode("ascii")


def _write_csv(found: Iterable[Annotated], target: Target) -> None:
    rows = ((whole_text(item.text), error) if error else doc for item, doc, error in _fields(found))
    entity_csv.write_entity_csv(rows, target.path)


def _write_docbin(found: Iterable[Annotated], target: Target) -> None:
    docbin.write_docs((each.doc for each in found), target.path)


def _write_conll(found: Iterable[Annotated], target: Target) -> None:
    refused: list[str] = []
    entities = 0

    def refuse(which: str) -> None:
        refused.append(which)
        target.refuse(which, entities)

    def records() -> Iterator[Record]:
        nonlocal entities
        total = 0
        for item, doc, _ in _fields(found):
            total, entities = total + 1, len(doc.ents)
            record = column_record(doc)
            if not record.words:
                refuse(item.where)
            yield record
        if len(refused) == total:
            raise ValueError(Errors.TC390.format(total=total, path=target.path, first=refused[0]))

    write_conll(records(), target.path, scores=True, on_refused=lambda _, refusal: refuse(str(refusal)))


def _write_brat(found: Iterable[Annotated], target: Target) -> None:
    def docs() -> Iterator[Doc | tuple[str, Doc]]:
        for item, doc, _ in _fields(found):
            yield (item.name, doc) if item.name else doc

    write_brat(docs(), target.path)


def _fields(found: Iterable[Annotated]) -> Iterator[tuple[Any, Doc, str]]:
    return ((each.item, each.doc, each.error) for each in found)


_WRITERS: dict[str, Callable[[Iterable[Annotated], Target], None]] = {
    ".jsonl": _write_jsonl,
    ".csv": _write_csv,
    docbin.SUFFIX: _write_docbin,
    ".conll": _write_conll,
    brat.ANN: _write_brat,
}
