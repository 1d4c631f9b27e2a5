"""A pipeline that knows some of its texts, another one, and gold whose texts and labels try to be more than text."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import spacy
from pipeline_posts import add_ner, initialize, overfit, read_posts
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.util import fix_random_seed

EVIL = "</script><script>alert(1)</script>"
ODD_WORDS = (
    [EVIL, "<!--", "<b>bold</b>", "a\u2028b", "&lt;", "is", "here"],
    ["\U0001f600", "Wibble", "\U0001f44d\U0001f3fd", "and", "'\"`${x}", "at", "Quorn", "Falls"],
)


@pytest.fixture(scope="session")
def half_trained(make_encoder: Callable[..., Path]) -> bytes:
    """A pipeline that knows some of the posts."""
    fix_random_seed(0)
    nlp = spacy.blank("en")
    add_ner(nlp)
    initialize(nlp, make_encoder(), read_posts(nlp), owners=("ner",))
    overfit(nlp, steps=13)
    return nlp.to_bytes()


@pytest.fixture
def nlp(half_trained: bytes) -> Language:
    """The same, to be changed."""
    nlp = spacy.blank("en")
    add_ner(nlp)
    return nlp.from_bytes(half_trained)


@pytest.fixture
def ruled() -> Language:
    """A pipeline without scores, whose types have odd names, too."""
    nlp = spacy.blank("en")
    ruler: Any = nlp.add_pipe("entity_ruler")
    found = {
        "Zorblax": "person",
        "Quorn Falls": "location",
        "The Night": "creative-work",
        "rain": "weather",
        EVIL: EVIL,
    }
    ruler.add_patterns([{"label": label, "pattern": text} for text, label in found.items()])
    return nlp


@pytest.fixture
def references() -> list[Doc]:
    """The posts; texts with odd words; one that is annotated in part, and one that is not at all."""
    nlp = spacy.blank("en")
    docs = [eg.reference for eg in read_posts(nlp)]
    script, faces = (Doc(nlp.vocab, words=words) for words in ODD_WORDS)
    script.set_ents([Span(script, 0, 1, EVIL), Span(script, 3, 5, "product")])
    faces.set_ents([Span(faces, 1, 3, "product"), Span(faces, 6, 8, "location")])
    part = nlp.make_doc("Zorblax saw Mira Okafor in Quorn Falls, they say.")
    part.set_ents([Span(part, 0, 1, "person")], missing=[part[2:4]], default="outside")
    return [*docs[:3], Doc(nlp.vocab, words=["nobody", "looked"]), *docs[3:], script, faces, part]
