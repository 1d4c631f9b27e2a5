"""Tell data apart by a digest, without keeping them."""

import hashlib
import json
from collections.abc import Iterable

from spacy.tokens import Doc
from spacy.training import Example

from .soft_targets import soft_targets

#: What of a text is no annotation, and the names of what is, which come in any order.
_LEFT_OUT = ("tensor", "user_data", "user_hooks", "strings")


def digest_texts(docs: Iterable[Doc], *, gold: bool = False) -> str:
    """Compute a digest of texts with entity annotation: the same for the same texts in any order and any file.

    docs (Iterable[Doc]): The texts. Those without entity annotation play no part, nor do spaces.
    gold (bool): Whether texts with other entities are others.
    RETURNS (str): SHA-256 in hexadecimal digits; empty without texts.
    """
    found = sorted(
        json.dumps([[token.text for token in doc], _entities(doc) if gold else []])
        for doc in docs
        if doc.has_annotation("ENT_IOB")
    )
    return hashlib.sha256("\n".join(found).encode("ascii")).hexdigest() if found else ""


def _entities(doc: Doc) -> list[tuple[int, int, str]]:
    return [(ent.start, ent.end, ent.label_) for ent in doc.ents]


def digest_examples(examples: Iterable[Example]) -> str:
    """Compute a digest of all that is in examples, in their order: words, spaces, every annotation, and soft targets.

    examples (Iterable[Example]): The examples.
    RETURNS (str): SHA-256 in hexadecimal digits.
    """
    found = hashlib.sha256()
    for example in examples:
        found.update(example.predicted.to_array(["ORTH", "SPACY"]).tobytes())
        found.update(example.reference.to_bytes(exclude=_LEFT_OUT))
        targets = soft_targets(example)
        if targets is not None:
            found.update(json.dumps(targets.tags).encode("ascii") + targets.log_probs.tobytes())
    return found.hexdigest()
