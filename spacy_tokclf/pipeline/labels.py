"""Label sets: a tag scheme and an ordered list of tags, one for each row of the classifier."""

from collections.abc import Iterable
from typing import Any

from ..errors import Errors
from ..models.hf.heads import HeadWeights
from ..tags import OUTSIDE, SCHEMES, expected_tags, is_tag_of, split_tag
from .checkpoint_labels import checkpoint_scheme

LabelData = dict[str, Any]

#: Prefixes of the tags that an entity type has in each scheme, in the order of the classifier's rows.
PREFIXES_OF_SCHEME = {
    "IO": ("",),
    "IOB1": "BI",
    "IOB2": "BI",
    "IOE1": "EI",
    "IOE2": "EI",
    "IOBES": "BIES",
    "BILOU": "BILU",
}


def extend_tags(tags: list[str], types: Iterable[str], scheme: str) -> list[str]:
    """Add the tags of entity types after those that are there.

    tags (list[str]): Tags so far; `O` comes first if there are none.
    types (Iterable[str]): The new types.
    scheme (str): The scheme.
    RETURNS (list[str]): All tags.
    """
    added = [f"{prefix}-{type_}" if prefix else type_ for type_ in types for prefix in PREFIXES_OF_SCHEME[scheme]]
    return list(dict.fromkeys([*(tags or [OUTSIDE]), *added]))


def tag_rows(tags: list[str], scheme: str) -> dict[str, int]:
    """Give the classifier's row of every tag that gold entities can be written with. Where a type lacks a prefix of its
    scheme, as in a checkpoint that has B-TYPE alone, the first of its tags stands in.

    tags (list[str]): The tags.
    scheme (str): Their scheme.
    RETURNS (dict[str, int]): Rows by tag.
    """
    rows = {tag: row for row, tag in enumerate(tags)}
    for tag, row in list(rows.items()):
        prefix, type_ = split_tag(tag)
        if prefix in PREFIXES_OF_SCHEME[scheme] and type_:
            for other in PREFIXES_OF_SCHEME[scheme]:
                rows.setdefault(f"{other}-{type_}", row)
    return rows


def choose_labels(
    labels: dict[str, Any] | list[str] | None,
    types: Iterable[str],
    *,
    scheme: str,
    tags: list[str],
    head: HeadWeights | None,
) -> tuple[str, list[str]]:
    """Choose the labels of a component that is being initialized: those given; else a checkpoint's, with what the
    examples have beyond them; else those that the component has; else the examples'.

    labels (dict[str, Any] | list[str] | None): As for `read_labels`.
    types (Iterable[str]): The entity types of the training data.
    scheme (str): The component's scheme.
    tags (list[str]): The component's tags.
    head (HeadWeights | None): The checkpoint's head.
    RETURNS (tuple[str, list[str]]): The scheme and the tags.
    RAISES (ValueError): As `read_labels` and `checkpoint_scheme`.
    """
    if labels is not None:
        return read_labels(labels)
    if head is not None and head.tags:
        scheme = head.scheme or checkpoint_scheme(head.tags)
        return scheme, extend_tags(head.tags, types, scheme)
    return scheme, tags or extend_tags([], types, scheme)


def is_entity_type(label: Any) -> bool:
    """Tell whether something can be an entity type.

    label (Any): A label.
    RETURNS (bool): Whether it is a string that is not empty, is not `O`, has no white space around it, and can be
        printed.
    """
    return (
        isinstance(label, str) and bool(label) and label != OUTSIDE and label == label.strip() and label.isprintable()
    )


def read_labels(labels: dict[str, Any] | list[str]) -> tuple[str, list[str]]:
    """Read labels that a user or `spacy init labels` gives.

    labels (dict[str, Any] | list[str]): Entity types; or {"scheme": ..., "tags": [...]}.
    RETURNS (tuple[str, list[str]]): The scheme and the tags.
    RAISES (ValueError): TC026, if they are neither, or a tag is not of the scheme.
    """
    if isinstance(labels, dict):
        scheme, tags = labels.get("scheme"), labels.get("tags")
        if scheme not in SCHEMES or not tags:
            raise ValueError(Errors.TC026.format(value=str(labels)[:200]))
        wrong = [tag for tag in tags if not is_tag_of(tag, scheme)]
        if wrong:
            raise ValueError(Errors.TC027.format(tags=wrong, scheme=scheme, expected=expected_tags(scheme)))
        return str(scheme), list(tags)
    if not all(map(is_entity_type, labels)):
        raise ValueError(Errors.TC026.format(value=str(labels)[:200]))
    return "IOB2", extend_tags([], labels, "IOB2")
