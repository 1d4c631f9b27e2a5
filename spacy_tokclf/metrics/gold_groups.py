"""Gold entities of annotated texts: in `doc.ents`, or in the span group of a component that shares its texts with
others. Training, scoring, tuning and evaluation all read gold by `gold_entities`."""

import warnings
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..errors import Errors, Warnings
from ..types import SCORES, Bools

if TYPE_CHECKING:
    from spacy.tokens import Doc, Span, SpanGroup
    from spacy.training import Example


class GoldEntities(NamedTuple):
    """The gold of one text.

    spans (list[Span]): The entities, each once, in the order of the text, without overlap.
    missing (Bools): Which tokens have no gold annotation. Shape: (n_tokens,).
    """

    spans: "list[Span]"
    missing: Bools


def gold_group(doc: "Doc", spans_key: str | None, *, annotate_ents: bool = False) -> "SpanGroup | None":
    """Give the span group that holds the gold of a component, if a text has it; else its gold is in `doc.ents`.

    A text that was predicted and then corrected in `doc.ents` still has the group that was predicted, with scores. For
    a component that sets `doc.ents`, such a group is no gold.

    doc (Doc): The gold text.
    spans_key (str | None): Key of the component's group.
    annotate_ents (bool): Whether the component sets `doc.ents`.
    RETURNS (SpanGroup | None): The group.
    """
    group = doc.spans.get(spans_key) if spans_key else None
    if group is not None and annotate_ents and SCORES in group.attrs:
        return None
    return group


def gold_key(examples: Iterable["Example"], spans_key: str | None, *, annotate_ents: bool) -> str | None:
    """Tell where the gold of a component is.

    examples (Iterable[Example]): The examples.
    spans_key (str | None): Key of the component's group.
    annotate_ents (bool): Whether the component sets `doc.ents`.
    RETURNS (str | None): The key, if any text has that group or the component does not set `doc.ents`; else None,
        for `doc.ents`.
    """
    if spans_key is None or not annotate_ents:
        return spans_key
    found = any(gold_group(eg.reference, spans_key, annotate_ents=True) is not None for eg in examples)
    return spans_key if found else None


def gold_entities(
    doc: "Doc", spans_key: str | None = None, *, annotate_ents: bool = False, labels: Collection[str] = ()
) -> GoldEntities:
    """Read the gold entities of a text: from the group that `gold_group` gives, else from `doc.ents`. In a group, a
    span without label marks tokens without annotation, spans that are there twice count once, and empty ones not.

    doc (Doc): The gold text.
    spans_key (str | None): Key of the component's group.
    annotate_ents (bool): Whether the component sets `doc.ents`.
    labels (Collection[str]): Entity types of the component that has the key: of `doc.ents` others are left out, since
        they belong to other components. All count if there are none, or no key.
    RETURNS (GoldEntities): The entities, and which tokens have no annotation.
    RAISES (ValueError): TC051, if two spans of the group overlap.
    """
    group = gold_group(doc, spans_key, annotate_ents=annotate_ents)
    if group is not None:
        return _group_entities(group)
    spans = [ent for ent in doc.ents if spans_key is None or not labels or ent.label_ in labels]
    return GoldEntities(spans, doc.to_array(["ENT_IOB"]).reshape(-1) == 0)


def _group_entities(group: "SpanGroup") -> GoldEntities:
    """Sort the spans of a gold group into entities and tokens without annotation. RAISES (ValueError): TC051."""
    distinct = {(span.start, span.end, span.label): span for span in group if span.start < span.end}
    ordered = [span for _, span in sorted(distinct.items(), key=lambda item: item[0])]
    for one, other in pairwise(ordered):
        if one.end > other.start:
            pair = {name: str((span.start, span.end, span.label_)) for name, span in (("one", one), ("other", other))}
            raise ValueError(Errors.TC051.format(key=group.name, text=group.doc.text[:60], **pair))
    missing = np.zeros(len(group.doc), dtype=bool)
    for span in ordered:
        missing[span.start : span.end] = not span.label
    return GoldEntities([span for span in ordered if span.label], missing)


def gold_types(examples: Iterable["Example"], spans_key: str | None, *, annotate_ents: bool) -> list[str]:
    """List the entity types of a component's gold, sorted, so that the order of the texts changes nothing. If any text
    has the component's group, the entities of texts without it belong to other components.

    examples (Iterable[Example]): The examples.
    spans_key (str | None): Key of the component's group.
    annotate_ents (bool): Whether the component sets `doc.ents`.
    RETURNS (list[str]): The types.
    RAISES (ValueError): TC051, if two spans of a group overlap.
    """
    references = [eg.reference for eg in examples]
    with_group = [doc for doc in references if gold_group(doc, spans_key, annotate_ents=annotate_ents) is not None]
    golds = (gold_entities(doc, spans_key, annotate_ents=annotate_ents) for doc in with_group or references)
    return sorted({span.label_ for gold in golds for span in gold.spans})


def check_groups(
    examples: Sequence["Example"], spans_key: str, labels: Collection[str], *, annotate_ents: bool
) -> None:
    """Refuse gold in which some texts have the group of a component, and others have foreign entities in its place:
    whether those have no entity of the component, or nobody looked for any, cannot be told. Warn (TW015) of a group
    that has other entities of the component's types than doc.ents: it may be what was predicted once.

    examples (Sequence[Example]): The examples.
    spans_key (str): Key of the component's group.
    labels (Collection[str]): The component's entity types.
    annotate_ents (bool): Whether the component sets `doc.ents`.
    RAISES (ValueError): TC050.
    """
    without = [
        eg.reference for eg in examples if gold_group(eg.reference, spans_key, annotate_ents=annotate_ents) is None
    ]
    if len(without) == len(examples):
        return
    if annotate_ents:
        _warn_of_differences([eg.reference for eg in examples], spans_key, set(labels))
    foreign = [(doc, sorted({ent.label_ for ent in doc.ents} - set(labels))) for doc in without]
    foreign = [(doc, found) for doc, found in foreign if found]
    if foreign:
        doc, found = foreign[0]
        facts = {"count": len(foreign), "total": len(examples), "text": doc.text[:60], "labels": found}
        raise ValueError(Errors.TC050.format(key=spans_key, **facts))


def _warn_of_differences(docs: "Sequence[Doc]", spans_key: str, labels: set[str]) -> None:
    """Warn (TW015) of texts whose group and doc.ents both have entities of a component, but not the same."""
    differ = []
    for doc in docs:
        group = gold_group(doc, spans_key, annotate_ents=True)
        found, ents = (
            {(span.start, span.end, span.label_) for span in spans if span.label_ in labels}
            for spans in (group or (), doc.ents)
        )
        if group is not None and ents and found != ents:
            differ.append(doc)
    if differ:
        facts = {"count": len(differ), "total": len(docs), "text": differ[0].text[:60], "labels": sorted(labels)}
        warnings.warn(Warnings.TW015.format(key=spans_key, **facts), stacklevel=2)
