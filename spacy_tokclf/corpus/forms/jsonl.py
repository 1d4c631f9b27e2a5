"""JSON files of texts with character offsets, as Doccano, Prodigy and Label Studio have them: reader and writer."""

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, groupby
from pathlib import Path
from typing import Any

from spacy.tokens import Doc

from ...errors import Errors
from ..align import check_choice
from ..records import TextRecord
from .json_shapes import FORMATS, Row, read_row
from .lines import read_line_blocks

_BLANK = " \t\r\n"


def read_jsonl(path: str | Path, *, format: str = "auto") -> Iterator[TextRecord]:
    """Stream the texts of an export: one JSON object a line, or one JSON list.

    path (str | Path): The file, in UTF-8.
    format (str): "doccano", "prodigy" or "label-studio" (its JSON and its JSON-MIN); "auto" decides by the keys of each
        object.
    YIELDS (TextRecord): The texts, in order.
    RAISES (ValueError): TC111, TC160 to TC164, TC168, TC173 with file and line; TC167 for an unknown format; TC169 if
        there is no such file.
    """
    check_choice("format", format, ("auto", *FORMATS))
    for line, row in read_json_rows(path):
        yield read_row(row, str(path), line, format=format)


def write_jsonl(docs: Iterable[Doc], path: str | Path, format: str = "prodigy") -> int:
    """Write Docs with their entities. Tokens whose gold is missing are written under the additional key "missing",
    since none of the tools has one for them.

    docs (Iterable[Doc]): The Docs.
    path (str | Path): The file to write.
    format (str): "prodigy", which keeps the tokens too; "doccano"; or "label-studio", which is one JSON list (its
        offsets count characters).
    RETURNS (int): Number of Docs written.
    RAISES (ValueError): TC167 for an unknown format.
    """
    check_choice("format", format, FORMATS)
    written = 0
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with Path(path).open("w", encoding="utf-8", newline="\n") as file:
        for doc in docs:
            row = _WRITERS[format](doc, doc_text(doc))
            text = json.dumps(row, ensure_ascii=False)
            if format == "label-studio":
                text = f"{',' if written else '['}\n{text}"
            file.write(text if format == "label-studio" else f"{text}\n")
            written += 1
        if format == "label-studio":
            file.write("\n]\n" if written else "[]\n")
    return written


def doc_text(doc: Doc) -> str:
    """Give the text of a Doc, without the space that a Doc with unknown spaces has after its last token.

    doc (Doc): The Doc.
    RETURNS (str): Its text.
    """
    last = len(doc) - 1
    return doc.text[:-1] if doc.has_unknown_spaces and doc and doc[last].whitespace_ else doc.text


def read_json_rows(path: str | Path) -> Iterator[tuple[int, Any]]:
    """Stream the objects of a file. Lines of JSON are read one by one; a list is read whole.

    path (str | Path): The file, in UTF-8.
    YIELDS (tuple[int, Any]): Line, from 1, and what stands there.
    RAISES (ValueError): TC111 and TC160, with the line; TC169 if there is no such file, or nothing in it.
    """
    if not Path(path).is_file():
        raise ValueError(Errors.TC169.format(path=str(path), detail="There is no such file."))
    lines = ((number, line) for number, line in _numbered_lines(path) if line.strip(_BLANK))
    first = next(lines, None)
    if first is None:
        raise ValueError(Errors.TC169.format(path=str(path), detail="The file is empty."))
    if first[1].lstrip(_BLANK).startswith("["):
        yield from _list_rows(path)
        return
    for number, line in chain([first], lines):
        try:
            yield number, json.loads(line)
        except json.JSONDecodeError as err:
            raise _no_json(path, number, err) from err


def _prodigy(doc: Doc, text: str) -> Row:
    tokens = [
        {"text": token.text, "start": token.idx, "end": token.idx + len(token), "id": token.i}
        | {"ws": bool(token.whitespace_)}
        for token in doc
    ]
    spans = [
        {"start": ent.start_char, "end": ent.end_char, "label": ent.label_}
        | {"token_start": ent.start, "token_end": ent.end - 1}
        for ent in doc.ents
    ]
    return {"text": text, "tokens": tokens, "spans": spans, **_own_keys(doc)}


def _doccano(doc: Doc, text: str) -> Row:
    return {
        "text": text,
        "label": [[ent.start_char, ent.end_char, ent.label_] for ent in doc.ents],
        **_own_keys(doc),
    }


def _label_studio(doc: Doc, text: str) -> Row:
    def region(start: int, end: int, label: str) -> Row:
        value = {"start": start, "end": end, "text": text[start:end], "labels": [label]}
        return {"from_name": "label", "to_name": "text", "type": "labels", "value": value}

    result = [region(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents]
    return {"data": {"text": text, **_own_keys(doc)}, "annotations": [{"result": result}]}


_WRITERS: dict[str, Callable[[Doc, str], Row]] = {
    "doccano": _doccano,
    "prodigy": _prodigy,
    "label-studio": _label_studio,
}


def _own_keys(doc: Doc) -> dict[str, Any]:
    """Write what the tools have no key for, if there is any."""
    keys: dict[str, Any] = {"has_unknown_spaces": True} if doc.has_unknown_spaces else {}
    missing = [
        [tokens[0].idx, tokens[-1].idx + len(tokens[-1])]
        for known, group in groupby(doc, key=lambda token: bool(token.ent_iob))
        if not known and (tokens := list(group))
    ]
    return {**keys, "missing": missing} if missing else keys


def _numbered_lines(path: str | Path) -> Iterator[tuple[int, str]]:
    """Stream the lines of a file with their numbers, from 1."""
    return enumerate(chain.from_iterable(read_line_blocks(path)), 1)


def _list_rows(path: str | Path) -> Iterator[tuple[int, Any]]:
    """Stream the items of one list."""
    text = "\n".join(line for _, line in _numbered_lines(path))
    decoder = json.JSONDecoder()
    line, counted = 1, 0
    at = _skip(text, text.index("[") + 1)
    more = text[at : at + 1] != "]"
    while more:
        line, counted = line + text.count("\n", counted, at), at
        try:
            row, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError as err:
            raise _no_json(path, err.lineno, err) from err
        yield line, row
        at = _skip(text, at)
        more = text[at : at + 1] == ","
        if more:
            at = _skip(text, at + 1)
        elif text[at : at + 1] != "]":
            fault = json.JSONDecodeError("Expecting ',' or ']' after an object", text, at)
            raise _no_json(path, fault.lineno, fault)
    if text[at + 1 :].strip(_BLANK):
        fault = json.JSONDecodeError("Extra data after the list", text, at + 1)
        raise _no_json(path, fault.lineno, fault)


def _skip(text: str, at: int) -> int:
    """Skip blanks."""
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at


def _no_json(path: str | Path, line: int, err: json.JSONDecodeError) -> ValueError:
    """Say where a file is not JSON."""
    return ValueError(Errors.TC160.format(where=f"{path}:{line}", reason=f"{err.msg}, column {err.colno}"))
