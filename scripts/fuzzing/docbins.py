"""DocBins: damaged as bytes, unpacked, and built wrongly. A file is read or refused by a code, and what is read is
written and read back."""

import random
import zlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import spacy
import srsly
from spacy.attrs import IDS
from spacy.tokens import Doc, DocBin, Span, SpanGroup
from spacy.vocab import Vocab

from fuzzing.drawing import LABELS, any_spans, any_text, coded, must
from fuzzing.mutations import BINARY, damage
from spacy_tokclf.corpus.docs import doc_to_record
from spacy_tokclf.corpus.forms.docbin import read_docs, write_docs

#: What may stand where a part of a DocBin is expected.
VALUES = (
    None,
    True,
    -1,
    0,
    1,
    2**40,
    1.5,
    "",
    "x",
    b"",
    b"\x80",
    b"\xff" * 8,
    b"\x00" * 16,
    [],
    [None],
    [b"x"],
    {},
    {"a": 1},
)
NUMBERS = (0, 1, 2, 3, 4, 7, 2**31, 2**63, 2**64 - 1)


@cache
def vocab() -> Vocab:
    """The vocabulary that DocBins are made with; those that are read have one each."""
    return spacy.blank("xx").vocab


def judge(rng: random.Random, folder: Path) -> str:
    """Draw one input and judge it.

    rng (random.Random): Draws it.
    folder (Path): Where files are written to.
    RETURNS (str): What became of it.
    """
    data = make(rng).to_bytes()
    kind = rng.random()
    times = rng.choice((0, 1, 1, 1, 2, 4))
    if kind < 0.2:
        data = damage(rng, data, times, BINARY)
    elif kind < 0.5:
        data = zlib.compress(damage(rng, zlib.decompress(data), times, BINARY), 1)
    else:
        content = srsly.msgpack_loads(zlib.decompress(data))
        for _ in range(times):
            rebuild(rng, content)
        data = zlib.compress(srsly.msgpack_dumps(content), 1)
    path = folder / "x.spacy"
    path.write_bytes(data)
    try:
        docs = list(read_docs(path, Vocab()))
    except ValueError as error:
        return coded(error)
    check_round_trip(docs, path)
    return "read"


def make(rng: random.Random) -> DocBin:
    """Make a DocBin as it should be, with all that one can hold."""
    attrs = rng.choice(
        (("ENT_IOB", "ENT_TYPE"), ("ENT_IOB", "ENT_TYPE", "DEP", "HEAD", "SENT_START", "POS"), ("LEMMA",))
    )
    docbin = DocBin(attrs=attrs, store_user_data=rng.random() < 0.3)
    for _ in range(rng.randint(0, 3)):
        words = ["".join(rng.choices("abé中 ", k=rng.randint(1, 3))) for _ in range(rng.randint(0, 6))]
        doc = Doc(vocab(), words=words, spaces=[rng.random() < 0.5 for _ in words] if rng.random() < 0.5 else None)
        if rng.random() < 0.8:
            doc.set_ents([Span(doc, *span) for span in any_spans(rng, len(words), LABELS)])
        if words and rng.random() < 0.3:
            spans = [Span(doc, *span) for span in any_spans(rng, len(words), LABELS)]
            doc.spans["x"] = SpanGroup(doc, name="x", spans=spans, attrs={"scores": [0.5] * len(spans)})
        if rng.random() < 0.2:
            doc.cats, doc.user_data["x"] = {"a": 0.5}, any_text(rng).encode("utf-8", "replace")
        docbin.add(doc)
    return docbin


def rebuild(rng: random.Random, content: dict[str, Any]) -> None:
    """Build one part wrongly."""
    key = rng.choice(list(content) or ["tokens"])
    kind = rng.random()
    if kind < 0.15:
        content[key] = rng.choice(VALUES)
    elif kind < 0.2:
        content.pop(key, None)
    elif kind < 0.55 and isinstance(content.get("tokens"), bytes):
        content["tokens"] = renumbered(rng, content["tokens"], content)
    elif isinstance(content.get(key), list) and content[key]:
        change_list(rng, key, content[key])
    elif isinstance(content.get(key), bytes):
        content[key] = damage(rng, content[key], 1, BINARY)


def renumbered(rng: random.Random, tokens: bytes, content: dict[str, Any]) -> bytes:
    """Change some numbers of the tokens: hashes, heads, beginnings."""
    flat = np.frombuffer(tokens[: len(tokens) // 8 * 8], dtype="uint64").copy()
    strings = content.get("strings")
    strings = [text for text in strings if isinstance(text, str)] if isinstance(strings, list) else []
    for _ in range(rng.randint(1, 3)):
        if len(flat):
            known = vocab().strings[rng.choice(strings or ["x"])] if rng.random() < 0.3 else rng.choice(NUMBERS)
            flat[rng.randrange(len(flat))] = known if rng.random() < 0.8 else rng.choice(flat.tolist())
    return flat.tobytes()


def change_list(rng: random.Random, key: str, values: list[Any]) -> None:
    """Change one of several values: attributes, strings, categories, flags, groups."""
    i = rng.randrange(len(values))
    if key == "attrs":
        values[i] = rng.choice((*IDS.values(), 10**6, None, "ENT_IOB"))
    elif rng.random() < 0.3:
        values.pop(i)
    elif rng.random() < 0.3:
        values.append(values[i])
    elif isinstance(values[i], bytes) and rng.random() < 0.7:
        values[i] = damage(rng, values[i], 1, BINARY)
    else:
        values[i] = rng.choice((*VALUES, any_text(rng).encode("utf-8", "replace").decode()))


def check_round_trip(docs: list[Doc], path: Path) -> None:
    """Write what was read, and read it back."""
    for doc in docs:
        must(all(0 <= ent.start < ent.end <= len(doc) for ent in doc.ents), lambda: f"{doc.ents} of {len(doc)} tokens")
        must(len(doc_to_record(doc).tags) == len(doc), lambda: f"{doc.text}")
    try:
        write_docs(docs, path)
    except ValueError as error:
        coded(error)
        return
    again = list(read_docs(path, Vocab()))
    before, after = (list(map(facts, some)) for some in (docs, again))
    must(before == after, lambda: f"{before} written, read back as {after}")


def facts(doc: Doc) -> Any:
    """Give the tokens of a text with their tags, and the text, if its white space is known: else that is not kept."""
    text = "" if doc.has_unknown_spaces else doc.text
    return text, doc.has_unknown_spaces, [(token.text, token.ent_iob_, token.ent_type_) for token in doc]
