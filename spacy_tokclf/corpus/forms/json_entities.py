"""Rows of predicted entities with their scores, as `spacy tokclf annotate` writes them: the row that was annotated, and
what was found in it."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from spacy.tokens import Doc

from ..docs import doc_scores, doc_text
from ..records import TextRecord
from .json_source import Place, Row
from .json_spans import read_offsets, read_spans

#: Keys that are written: what annotated, which tells such rows from others; the entities; why there are none.
MARK, ENTITIES, ERROR = "tokclf", "entities", "error"
_TEXT, _TEXT_KEY, _TOKENS = "text", "text_key", "tokens"
_OWN = (ENTITIES, ERROR, _TOKENS, MARK, "has_unknown_spaces", "missing")


def is_entities(row: Row) -> bool:
    """Tell a row that `annotate` wrote.

    row (dict[str, Any]): The row.
    RETURNS (bool): Whether it is one, whatever other keys it has.
    """
    return isinstance(row.get(MARK), dict) and (isinstance(row.get(ENTITIES), list) or ERROR in row)


def read_entities(row: Row, place: Place) -> Iterator[TextRecord]:
    """Read {"text", "tokens": [[start, end]], "entities": [{"start", "end", "label", "score", "text"}], "tokclf": {}}.

    row (dict[str, Any]): The row.
    place (Place): Where it stands.
    YIELDS (TextRecord): The text, on its tokens. One that failed has no annotation.
    RAISES (ValueError): TC161 to TC164, TC168, TC173, with file and line.
    """
    key = row[MARK].get(_TEXT_KEY, _TEXT)
    if key not in row:
        raise place.unknown()
    text = place.text(row[key])
    tokens = read_offsets(row[_TOKENS], text, place.where) if isinstance(row.get(_TOKENS), list) else None
    if not isinstance(row.get(ENTITIES), list):
        yield TextRecord(text, [], tokens=tokens, own_tokens=tokens is not None, annotations=0)
        return
    spans, scores, marks = read_spans(row[ENTITIES], text, place.where, trust=place.trust)
    yield TextRecord(text, spans, tokens=tokens, own_tokens=tokens is not None, marks=marks, scores=scores)


def entities_row(doc: Doc, row: Row, mark: dict[str, Any], text_key: str = _TEXT) -> Row:
    """Make a row of an annotated text.

    doc (Doc): The text.
    row (dict[str, Any]): What else is known of it; is kept, but for the keys that are written.
    mark (dict[str, Any]): What annotated it.
    text_key (str): The key of the text.
    RETURNS (dict[str, Any]): The row.
    """
    text, scores = doc_text(doc), doc_scores(doc)
    entities = []
    for ent in doc.ents:
        score = scores.get((ent.start, ent.end, ent.label_))
        found = {"start": ent.start_char, "end": ent.end_char, "label": ent.label_}
        entities.append(found | ({} if score is None else {"score": float(score)}) | {"text": ent.text})
    spaces: Row = {"has_unknown_spaces": True} if doc.has_unknown_spaces else {}
    tokens = [[token.idx, token.idx + len(token)] for token in doc]
    return _without(row) | {text_key: text, ENTITIES: entities, _TOKENS: tokens} | spaces | _mark(mark, text_key)


def failed_row(text: str, error: str, row: Row, mark: dict[str, Any], text_key: str = _TEXT) -> Row:
    """Make a row of a text that could not be annotated.

    text (str): The text.
    error (str): Why not.
    row, mark, text_key: As for `entities_row`.
    RETURNS (dict[str, Any]): The row, without entities.
    """
    return _without(row) | {text_key: text, ERROR: error} | _mark(mark, text_key)


def missing_places(doc: Doc) -> list[list[int]]:
    """Give the stretches of a text whose gold is not known.

    doc (Doc): The text.
    RETURNS (list[list[int]]): Start and end of each, in characters.
    """
    groups = groupby(doc, key=lambda token: bool(token.ent_iob))
    runs = [list(tokens) for known, tokens in groups if not known]
    return [[tokens[0].idx, tokens[-1].idx + len(tokens[-1])] for tokens in runs]


def replaced_keys(row: Row) -> list[str]:
    """Give the keys of a row that are written anew, unless it was `annotate` that wrote them before.

    row (dict[str, Any]): The row.
    RETURNS (list[str]): The keys.
    """
    return [] if is_entities(row) else [key for key in _OWN if key in row]


def _without(row: Row) -> Row:
    """Leave out what an earlier annotation wrote, and what would be taken for this one's."""
    return {key: value for key, value in row.items() if key not in _OWN}


def _mark(mark: dict[str, Any], text_key: str) -> Row:
    return {MARK: mark | ({} if text_key == _TEXT else {_TEXT_KEY: text_key})}
