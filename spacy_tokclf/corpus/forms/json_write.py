"""Docs as rows of JSON, as Doccano, Prodigy and Label Studio have them. What is written is read back as it was."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from spacy.tokens import Doc, Span

from ...errors import Errors
from ...runtime.files import whole_file
from ..align import check_choice
from ..docs import doc_scores, doc_text
from .json_entities import missing_places
from .json_shapes import FORMATS
from .json_source import Row

_Scores = dict[tuple[int, int, str], float]


def write_jsonl(docs: Iterable[Doc], path: str | Path, format: str = "prodigy") -> int:
    """Write Docs with their entities. Tokens whose gold is missing are written under the additional key "missing",
    since none of the tools has one for them. Scores of entities are written where a format has a place for them.

    docs (Iterable[Doc]): The Docs.
    path (str | Path): The file to write.
    format (str): "prodigy", which keeps the tokens and scores too; "doccano"; or "label-studio", which keeps scores and
        is one JSON list (its offsets count characters).
    RETURNS (int): Number of Docs written.
    RAISES (ValueError): TC167 for an unknown format; TC184 for a label of white space only.
    """
    check_choice("format", format, FORMATS)
    written = 0
    with whole_file(path) as made, made.open("w", encoding="utf-8", newline="\n") as file:
        for doc in docs:
            _check_labels(doc)
            row = _WRITERS[format](doc, doc_text(doc))
            text = json.dumps(row, ensure_ascii=False)
            if format == "label-studio":
                text = f"{',' if written else '['}\n{text}"
            file.write(text if format == "label-studio" else f"{text}\n")
            written += 1
        if format == "label-studio":
            file.write("\n]\n" if written else "[]\n")
    return written


def _prodigy(doc: Doc, text: str) -> Row:
    scores = doc_scores(doc)
    tokens = [
        {"text": token.text, "start": token.idx, "end": token.idx + len(token), "id": token.i}
        | {"ws": bool(token.whitespace_)}
        for token in doc
    ]
    spans = [
        {"start": ent.start_char, "end": ent.end_char, "label": ent.label_}
        | {"token_start": ent.start, "token_end": ent.end - 1}
        | _score(ent, scores)
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
    scores = doc_scores(doc)

    def region(ent: Span) -> Row:
        start, end = ent.start_char, ent.end_char
        value = {"start": start, "end": end, "text": text[start:end], "labels": [ent.label_]}
        return {"from_name": "label", "to_name": "text", "type": "labels", "value": value, **_score(ent, scores)}

    result = [region(ent) for ent in doc.ents]
    return {"data": {"text": text, **_own_keys(doc)}, "annotations": [{"result": result}]}


_WRITERS: dict[str, Callable[[Doc, str], Row]] = {
    "doccano": _doccano,
    "prodigy": _prodigy,
    "label-studio": _label_studio,
}


def _check_labels(doc: Doc) -> None:
    """Refuse labels that are read as none. RAISES (ValueError): TC184."""
    blank = next((ent.label_ for ent in doc.ents if not ent.label_.strip()), None)
    if blank is not None:
        raise ValueError(Errors.TC184.format(label=blank, text=doc.text[:60]))


def _score(ent: Span, scores: _Scores) -> dict[str, float]:
    """Write the score of an entity, if it has one."""
    score = scores.get((ent.start, ent.end, ent.label_))
    return {} if score is None else {"score": score}


def _own_keys(doc: Doc) -> dict[str, Any]:
    """Write what the tools have no key for, if there is any."""
    keys: dict[str, Any] = {"has_unknown_spaces": True} if doc.has_unknown_spaces else {}
    missing = missing_places(doc)
    return {**keys, "missing": missing} if missing else keys
