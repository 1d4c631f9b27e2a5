"""Spans in the span groups of Docs that have no entities: marked, and yet not what is learned from `doc.ents`."""

import warnings
from collections import Counter
from collections.abc import Iterable, Iterator

from spacy.tokens import Doc, Span

from ...errors import Errors, Warnings
from ...types import SCORES


def mask_groups(docs: Iterable[Doc], name: str) -> Iterator[Doc]:
    """Take the gold from tokens that a span group marks, where a Doc says of all its tokens that they are outside of
    entities: the group says otherwise. A group with scores is a prediction, and may be stale.

    docs (Iterable[Doc]): The Docs; they are changed.
    name (str): What the corpus is called in the warning (TW122).
    YIELDS (Doc): The Docs.
    """
    facts = _Facts()
    for doc in docs:
        if doc.has_annotation("ENT_IOB") and (found := _lonely_spans(doc)):
            doc.set_ents([], missing=[span for spans in found.values() for span in spans], default="unmodified")
            facts.add(found)
        facts.texts += 1
        yield doc
    if facts.count:
        warnings.warn(Warnings.TW122.format(path=name, **facts.said), stacklevel=2)


def check_groups(docs: Iterable[Doc], name: str) -> Iterator[Doc]:
    """Pass Docs on to where span groups are lost, and say so if their spans are in no other place.

    docs (Iterable[Doc]): The Docs.
    name (str): What the corpus is called in messages.
    YIELDS (Doc): The Docs.
    RAISES (ValueError): TC175, after the last one, if no Doc has any gold beside its groups. If some have: TW122.
    """
    facts, known = _Facts(), False
    for doc in docs:
        annotated = bool(len(doc)) and doc.has_annotation("ENT_IOB")
        known = known or annotated
        if not annotated and (found := _lonely_spans(doc)):
            facts.add(found)
        facts.texts += 1
        yield doc
    if facts.count and not known:
        raise ValueError(Errors.TC175.format(path=name, **facts.said))
    if facts.count:
        warnings.warn(Warnings.TW122.format(path=name, **facts.said), stacklevel=2)


class _Facts:
    """Counts of Docs with such groups."""

    def __init__(self) -> None:
        self.texts, self.count, self.spans = 0, 0, 0
        self.groups: Counter[str] = Counter()

    def add(self, found: dict[str, list[Span]]) -> None:
        """Count one Doc."""
        self.count += 1
        self.spans += sum(map(len, found.values()))
        self.groups.update(found.keys())

    @property
    def said(self) -> dict[str, object]:
        """The counts, for a message."""
        groups = ", ".join(repr(key) for key, _ in self.groups.most_common(5))
        return {"texts": self.texts, "count": self.count, "spans": self.spans, "groups": groups}


def _lonely_spans(doc: Doc) -> dict[str, list[Span]]:
    """Find the spans of groups by key, if a Doc has no entities. Where it says that it has none, scored groups are left
    out."""
    if not doc.spans or doc.ents:
        return {}
    annotated = doc.has_annotation("ENT_IOB")
    found = {
        key: [span for span in group if span.start < span.end]
        for key, group in doc.spans.items()
        if not (annotated and SCORES in group.attrs)
    }
    return {key: spans for key, spans in found.items() if spans}
