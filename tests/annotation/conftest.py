"""A pipeline that scores entities without a model, and one that stumbles over some texts."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span, SpanGroup

from spacy_tokclf.types import SCORES


@Language.component("capitals")
def capitals(doc: Doc) -> Doc:
    """Find words that begin with a capital letter, with a score that hangs on the word alone."""
    spans = [Span(doc, token.i, token.i + 1, label="creative-work") for token in doc if token.text[:1].isupper()]
    scores = [1 / (1 + len(span.text)) + 0.123456789012345e-3 for span in spans]
    doc.spans["entities"] = SpanGroup(doc, name="entities", attrs={SCORES: scores}, spans=spans)
    doc.set_ents(spans)
    return doc


class Stumbling:
    """Fails at texts with the word "bad", all of a batch at once, as spaCy's trainable components do."""

    def __init__(self) -> None:
        self.handler: Callable[..., None] | None = None

    def set_error_handler(self, handler: Callable[..., None]) -> None:
        self.handler = handler

    def get_error_handler(self) -> Callable[..., None]:
        return self.handler or spacy.util.raise_error

    def __call__(self, doc: Doc) -> Doc:
        if "bad" in doc.text:
            raise ValueError(f"a bad text: {doc.text}")
        return doc

    def pipe(self, stream: Iterator[Doc], batch_size: int = 4) -> Iterator[Doc]:
        for docs in spacy.util.minibatch(stream, batch_size):
            try:
                docs = [self(doc) for doc in docs]
            except ValueError as error:
                self.get_error_handler()("stumbling", self, docs, error)
            else:
                yield from docs


@Language.factory("stumbling")
def make_stumbling(nlp: Language, name: str) -> Stumbling:
    return Stumbling()


@pytest.fixture
def finder() -> Language:
    """A pipeline that finds capitals, and fails at bad texts."""
    nlp = spacy.blank("en")
    nlp.add_pipe("stumbling")
    nlp.add_pipe("capitals")
    return nlp


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Give a function that writes a file and returns its path."""

    def write_file(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path

    return write_file


@pytest.fixture
def read_rows() -> Callable[..., list[Any]]:
    """Give a function that reads JSON lines."""
    import json

    def read(path: Path) -> list[Any]:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]

    return read
