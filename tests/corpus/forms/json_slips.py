"""Files of JSON, right and with typical slips: how each is made. What becomes of them is in `json_outcomes`."""

import gzip
import json
from typing import NamedTuple

TEXT = "Mira Oduya moved to Lagos."
TOKENS = ["Mira", "Oduya", "moved", "to", "Lagos", "."]


class Span(NamedTuple):
    """A span as a form writes it: start and end (exclusive) in characters, label, and what the file says it reads."""

    start: int
    end: int
    label: object
    says: str


SPANS = (Span(0, 10, "PER", "Mira Oduya"), Span(20, 25, "LOC", "Lagos"))


def _region(span, key="labels", **place):
    place = place or {"start": span.start, "end": span.end}
    labels = [] if span.label in (None, "") else [span.label]
    return {"type": key, "to_name": "text", "value": {**place, "text": span.says, key: labels}}


def _task(regions, text):
    return {"id": 1, "data": {"text": text}, "annotations": [{"id": 1, "completed_by": 1, "result": regions}]}


def _html(span):
    paths = {"start": "/div[1]/text()[1]", "end": "/div[1]/text()[1]"}
    return _region(span, "hypertextlabels", **paths, globalOffsets={"start": span.start, "end": span.end})


def _min(text, spans):
    regions = [_region(span)["value"] for span in spans]
    return {"id": 1, "text": text, "label": regions, "annotator": 1, "annotation_id": 1}


def _turks(text, spans):
    points = [({"start": s.start, "end": s.end - 1, "text": s.says}, s.label) for s in spans]
    return {"content": text, "annotation": [{"label": [label], "points": [point]} for point, label in points]}


def _lighttag(text, spans):
    marks = [{"start": s.start, "end": s.end, "tag": s.label, "value": s.says, "tag_id": "1"} for s in spans]
    return {"example_id": "1", "content": text, "metadata": {}, "annotations": marks}


def _ubiai(text, spans):
    marks = [{"text": s.says, "start": s.start, "end": s.end, "entityLabel": s.label} for s in spans]
    return {"documentName": "a.txt", "document": text, "tokens": marks, "relations": []}


def _lists(spans):
    return [[s.start, s.end, s.label] for s in spans]


def _objects(spans, start="start", end="end"):
    return [{start: s.start, end: s.end, "label": s.label} for s in spans]


#: Forms with offsets in characters: one text with its spans as a row.
OFFSET_FORMS = {
    "Doccano": lambda text, spans: {"id": 1, "text": text, "label": _lists(spans)},
    "Doccano, text under data": lambda text, spans: {"id": 1, "data": text, "labels": _lists(spans)},
    "Doccano with relations": lambda text, spans: {
        "text": text,
        "entities": [{"id": 1, **each} for each in _objects(spans, "start_offset", "end_offset")],
        "relations": [],
    },
    "Prodigy": lambda text, spans: {"text": text, "spans": _objects(spans), "answer": "accept", "_input_hash": 1},
    "Label Studio": lambda text, spans: _task([_region(span) for span in spans], text),
    "Label Studio, hypertext": lambda text, spans: _task([_html(span) for span in spans], text),
    "Label Studio JSON-MIN": _min,
    "spaCy TRAIN_DATA": lambda text, spans: [text, {"entities": _lists(spans)}],
    "spaCy, older": lambda text, spans: [text, _lists(spans)],
    "Doc.to_json": lambda text, spans: {"text": text, "ents": _objects(spans), "tokens": []},
    "DataTurks": _turks,
    "LightTag": _lighttag,
    "UBIAI": _ubiai,
}

_TAGS = ["B-PER", "I-PER", "O", "O", "B-LOC", "O"]


def _v2(tokens, tags):
    made = [{"orth": token, "ner": tag} for token, tag in zip(tokens, tags, strict=False)]
    return {"id": 0, "paragraphs": [{"raw": " ".join(tokens), "sentences": [{"tokens": made}]}]}


#: Forms of tokens with tags: one row.
TAG_FORMS = {
    "tokens and tags": lambda tokens, tags: {"tokens": tokens, "ner_tags": tags},
    "words and labels": lambda tokens, tags: {"words": tokens, "labels": tags},
    "text, tokens and tags": lambda tokens, tags: {"text": TEXT, "tokens": tokens, "ner_tags": tags},
}

_PAIRS = [[0, 1, "PER"], [4, 4, "LOC"]]
#: Forms of tokens with spans that count them: one row.
TOKEN_SPAN_FORMS = {
    "GLiNER": lambda tokens, pairs: {"tokenized_text": tokens, "ner": pairs},
    "SpERT": lambda tokens, pairs: {
        "tokens": tokens,
        "entities": [{"start": s, "end": e + 1, "type": label} for s, e, label in pairs],
    },
}


def _change(index=0, **values):
    """Make a slip in one of the spans."""
    return lambda text, spans: (text, [s._replace(**values) if i == index else s for i, s in enumerate(spans)])


#: Slips in texts and spans: what becomes of them.
SPAN_SLIPS = {
    "none": lambda text, spans: (text, spans),
    "offsets one too high": lambda text, spans: (text, [s._replace(start=s.start + 1, end=s.end + 1) for s in spans]),
    "end one too low": lambda text, spans: (text, [s._replace(end=s.end - 1) for s in spans]),
    "end behind the text": _change(1, end=99),
    "start after end": _change(1, start=25, end=20),
    "half a word": _change(1, start=20, end=23, says="Lag"),
    "white space at the end": _change(0, end=11, says="Mira Oduya "),
    "offset as a string": _change(1, start="20"),
    "label null": _change(1, label=None),
    "label empty": _change(1, label=""),
    "label a number": _change(1, label=7),
    "overlap": lambda text, spans: (text, [*spans, Span(5, 16, "X", "Oduya moved")]),
    "span twice": lambda text, spans: (text, [*spans, spans[0]]),
    "text a number": lambda text, spans: (7, spans),
    "text half a character": lambda text, spans: (text + "\ud83d", spans),
}

#: Slips in tokens and tags.
TAG_SLIPS = {
    "none": lambda tokens, tags: (tokens, tags),
    "a tag too few": lambda tokens, tags: (tokens, tags[:-1]),
    "a tag null": lambda tokens, tags: (tokens, [*tags[:-1], None]),
    "tags as numbers": lambda tokens, tags: (tokens, [1, 2, 0, 0, 3, 0]),
    "prefix unknown": lambda tokens, tags: (tokens, ["X-PER", *tags[1:]]),
    "I- after O": lambda tokens, tags: (tokens, [*tags[:4], "I-LOC", "O"]),
    "a token empty": lambda tokens, tags: (["", *tokens[1:]], tags),
    "a token a number": lambda tokens, tags: ([7, *tokens[1:]], tags),
    "two schemes": lambda tokens, tags: (tokens, ["B-PER", "L-PER", "O", "O", "S-LOC", "O"]),
}

#: Slips in spans that count tokens.
TOKEN_SPAN_SLIPS = {
    "none": lambda tokens, pairs: (tokens, pairs),
    "behind the tokens": lambda tokens, pairs: (tokens, [*pairs, [5, 6, "X"]]),
    "label empty": lambda tokens, pairs: (tokens, [*pairs[:1], [4, 4, ""]]),
    "label a number": lambda tokens, pairs: (tokens, [*pairs[:1], [4, 4, 7]]),
    "overlap": lambda tokens, pairs: (tokens, [*pairs, [1, 2, "X"]]),
    "offset as a string": lambda tokens, pairs: (tokens, [*pairs[:1], ["4", 4, "LOC"]]) if tokens else (tokens, pairs),
    "a token empty": lambda tokens, pairs: (["", *tokens[1:]], pairs),
}


def _cut(data):
    return data[: len(data) * 3 // 4]


#: Slips in the bytes of a file, of any form.
FILE_SLIPS = {
    "none": lambda data: data,
    "file empty": lambda data: b"",
    "file cut off": _cut,
    "last line cut off": lambda data: data + _cut(data),
    "byte order mark": lambda data: b"\xef\xbb\xbf" + data,
    "UTF-16 with a mark": lambda data: data.decode().encode("utf-16"),
    "latin-1": lambda data: data.replace(b"Lagos.", b"Lagos\xe9"),
    "lines end in CR LF": lambda data: data.replace(b"\n", b"\r\n"),
    "blank lines": lambda data: b"\n \n" + data + b"\n\n",
    "packed": gzip.compress,
    "one list": lambda data: b"[" + b",".join(data.splitlines()) + b"]",
    "a list over many lines": lambda data: json.dumps(list(map(json.loads, data.splitlines())), indent=2).encode(),
    "objects over many lines": lambda data: b"\n".join(
        json.dumps(json.loads(line), indent=2).encode() for line in data.splitlines()
    ),
    "a key twice": lambda data: data.replace(b"{", b'{"k": 1, "k": 2, ', 1),
    "NaN": lambda data: data.replace(b"{", b'{"k": NaN, ', 1),
    "a foreign row": lambda data: data + b'{"name": "x", "id": 3}\n',
    "Python's quotes": lambda data: data.replace(b'"', b"'"),
}


def rows_to_bytes(rows):
    """Write rows as lines of JSON."""
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def made(form, slip):
    """Make the file of a form with a slip.

    form (str): A key of one of the tables of forms.
    slip (str): A key of the slips for it, or of FILE_SLIPS.
    RETURNS (bytes): The file, of two rows; the slip is in the second, and the first is right.
    """
    for forms, slips, right in (
        (OFFSET_FORMS, SPAN_SLIPS, (TEXT, list(SPANS))),
        (TAG_FORMS, TAG_SLIPS, (TOKENS, _TAGS)),
        (TOKEN_SPAN_FORMS, TOKEN_SPAN_SLIPS, (TOKENS, _PAIRS)),
    ):
        if form in forms:
            wrong = slips[slip](*right) if slip in slips else right
            data = rows_to_bytes([forms[form](*right), forms[form](*wrong)])
            return FILE_SLIPS[slip](data) if slip in FILE_SLIPS else data
    raise KeyError(form)
