"""What spaCy writes and wrote for one text: TRAIN_DATA tuples, `Doc.to_json`, the training format of version 2."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ...errors import Errors
from ...tags import MISSING
from ..records import Mark, Record, TextRecord
from .json_source import Place, Row
from .json_spans import read_offsets, read_spans
from .json_tokens import check_tokens, place_tokens, tagged_record


def is_pair(value: Any) -> bool:
    """Tell ["text", {"entities": [...]}], and its older form ["text", [[start, end, label]]].

    value (Any): A row.
    RETURNS (bool): Whether it is such a pair.
    """
    if not isinstance(value, list) or len(value) != 2 or not isinstance(value[0], str):
        return False
    if isinstance(value[1], list):
        return all(isinstance(each, list) and len(each) in (3, 4) for each in value[1])
    return isinstance(value[1], dict)


def read_pair(value: Any, place: Place) -> Iterator[Record | TextRecord]:
    """Read a pair of TRAIN_DATA. Entities that are a list of tags belong to the words that stand beside them. Without
    entities, as with `cats` alone, nothing is known of them.

    value (list[Any]): The pair.
    place (Place): Where it stands.
    YIELDS (Record | TextRecord): The text.
    RAISES (ValueError): TC110, TC161 to TC164, TC168, TC173, TC181, with file and line.
    """
    text, given = place.text(value[0]), value[1]
    if isinstance(given, list):
        given = {"entities": given}
    entities, words = given.get("entities"), given.get("words")
    if isinstance(entities, list) and entities and all(isinstance(tag, str | None) for tag in entities):
        if not isinstance(words, list):
            raise place.unknown('; tags need the tokens that they belong to, under "words"')
        yield _tagged(check_tokens(words, place), entities, text, place)
        return
    groups = _group_marks(given.get("spans"), text, place)
    if entities is None:
        marks = [Mark(key, (0, len(text))) for key in ("cats",) if given.get(key)]
        yield TextRecord(text, [], marks=[*groups, *marks], annotations=0)
        return
    spans, scores, marks = read_spans(entities, text, place.where, trust=place.trust)
    yield TextRecord(text, spans, marks=[*marks, *([] if spans else groups)], scores=scores)


def is_doc(row: Row) -> bool:
    """Tell what `Doc.to_json` writes, and what displacy takes.

    row (dict[str, Any]): The row.
    RETURNS (bool): Whether it is a Doc.
    """
    if not isinstance(row.get("text"), str):
        return False
    return isinstance(row.get("ents"), list) or (isinstance(row.get("spans"), dict) and "tokens" in row)


def read_doc(row: Row, place: Place) -> Iterator[TextRecord]:
    """Read {"text", "ents", "tokens", "spans"}. A Doc without "ents" has no annotation of entities. Spans in its groups
    are no entities; if it has no other, their places have no gold.

    row (dict[str, Any]): The row.
    place (Place): Where it stands.
    YIELDS (TextRecord): The text.
    RAISES (ValueError): TC162 to TC164, TC168, TC173, with file and line.
    """
    text = place.text(row["text"])
    tokens = read_offsets(row.get("tokens"), text, place.where) or None
    groups = _group_marks(row.get("spans"), text, place)
    if row.get("ents") is None:
        yield TextRecord(text, [], tokens=tokens, marks=groups, annotations=0)
        return
    spans, scores, marks = read_spans(row["ents"], text, place.where, trust=place.trust)
    yield TextRecord(text, spans, tokens=tokens, marks=[*marks, *([] if spans else groups)], scores=scores)


def is_v2(row: Row) -> bool:
    """Tell the training format of spaCy 2.

    row (dict[str, Any]): The row.
    RETURNS (bool): Whether it is a document of it.
    """
    paragraphs = row.get("paragraphs")
    return isinstance(paragraphs, list) and all(
        isinstance(each, dict) and isinstance(each.get("sentences"), list) for each in paragraphs
    )


def read_v2(row: Row, place: Place) -> Iterator[Record | TextRecord]:
    """Read {"paragraphs": [{"raw", "sentences": [{"tokens": [{"orth", "ner"}]}]}]}, one text a paragraph. Tags are in
    BILUO; "-", and a token without "ner", are missing values. A text without any "ner" has no annotation.

    row (dict[str, Any]): The row.
    place (Place): Where it stands.
    YIELDS (Record | TextRecord): The texts.
    RAISES (ValueError): TC101, TC161, TC168, TC181, with file and line.
    """
    for paragraph in row["paragraphs"]:
        tokens = []
        for sentence in paragraph["sentences"]:
            found = sentence.get("tokens") if isinstance(sentence, dict) else None
            if not isinstance(found, list) or not all(isinstance(token, dict) for token in found):
                raise place.unknown("; a sentence has no list of tokens")
            tokens += found
        words = check_tokens([token.get("orth") for token in tokens], place)
        raw = paragraph.get("raw")
        text = None if raw is None else place.text(raw)
        record = _tagged(words, [token.get("ner", MISSING) for token in tokens], text, place)
        yield record if not tokens or any("ner" in token for token in tokens) else _unannotated(record, words)


def _unannotated(record: Record | TextRecord, words: list[str]) -> TextRecord:
    """Give a text that nobody has annotated."""
    if isinstance(record, TextRecord):
        return replace(record, annotations=0)
    text = " ".join(words)
    return TextRecord(text, [], tokens=place_tokens(words, text), own_tokens=True, unknown_spaces=True, annotations=0)


def _tagged(words: list[str], tags: list[Any], text: str | None, place: Place) -> Record | TextRecord:
    """Make a record of tags in BILUO."""
    if len(words) != len(tags):
        raise ValueError(Errors.TC110.format(where=place.where, words=len(words), tags=len(tags)))
    tags = [tag or MISSING if isinstance(tag, str | None) else repr(tag) for tag in tags]
    return tagged_record(words, place.source.gold("BILOU").read(tags, place.row.line), text, place)


def _group_marks(groups: Any, text: str, place: Place) -> list[Mark]:
    """Read what span groups mark: entities are not looked for there."""
    if not isinstance(groups, dict):
        return []
    marks = []
    for key, items in groups.items():
        bounds = [_bounds(item) for item in items] if isinstance(items, list) else items
        for start, end in read_offsets(bounds, text, place.where):
            marks.append(Mark(f"span group {key!r}"[:40], (start, end)))
    return marks


def _bounds(item: Any) -> Any:
    """Take the label off a span."""
    return item[:2] if isinstance(item, list) else item
