"""Gold in span groups: where a component has its gold entities beside those of others on one text."""

from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from ..errors import Errors
from ..types import SCORES

if TYPE_CHECKING:
    from spacy.tokens import Doc, Span, SpanGroup
    from spacy.training import Example


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


def gold_entities(group: "SpanGroup") -> tuple[list["Span"], list["Span"]]:
    """Sort the spans of a gold group into entities and parts of the text that nobody annotated: spans without label.

    group (SpanGroup): The group.
    RETURNS (tuple[list[Span], list[Span]]): The entities, each once, in the order of the text; and the other spans.
    RAISES (ValueError): TC051, if two spans overlap.
    """
    spans = {(span.start, span.end, span.label): span for span in group if span.start < span.end}
    ordered = [span for _, span in sorted(spans.items(), key=lambda item: item[0])]
    for one, other in pairwise(ordered):
        if one.end > other.start:
            facts = {"one": str(_plain(one)), "other": str(_plain(other))}
            raise ValueError(Errors.TC051.format(key=group.name, text=group.doc.text[:60], **facts))
    return [span for span in ordered if span.label], [span for span in ordered if not span.label]


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
    groups = [gold_group(doc, spans_key, annotate_ents=annotate_ents) for doc in references]
    in_groups = [span.label_ for group in groups if group is not None for span in gold_entities(group)[0]]
    if any(group is not None for group in groups):
        return sorted(set(in_groups))
    return sorted({ent.label_ for doc in references for ent in doc.ents})


def check_groups(
    examples: Sequence["Example"], spans_key: str, labels: Collection[str], *, annotate_ents: bool
) -> None:
    """Refuse gold in which some texts have the group of a component, and others have foreign entities in its place:
    whether those have no entity of the component, or nobody looked for any, cannot be told.

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
    foreign = [(doc, sorted({ent.label_ for ent in doc.ents} - set(labels))) for doc in without]
    foreign = [(doc, found) for doc, found in foreign if found]
    if foreign:
        doc, found = foreign[0]
        facts = {"count": len(foreign), "total": len(examples), "text": doc.text[:60], "labels": found}
        raise ValueError(Errors.TC050.format(key=spans_key, **facts))


def _plain(span: "Span") -> tuple[int, int, str]:
    return span.start, span.end, span.label_
