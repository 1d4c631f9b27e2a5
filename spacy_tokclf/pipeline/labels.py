"""The state of a label set: a scheme and an ordered list of tags."""

from collections.abc import Iterable
from typing import Any

from spacy.training import Example

from ..errors import Errors
from ..tags import OUTSIDE, SCHEMES, expected_tags, is_tag_of

LabelData = dict[str, Any]

#: Prefixes of the tags that an entity type has in each scheme, in the order of the classifier's rows.
PREFIXES = {
    "IO": ("",),
    "IOB1": "BI",
    "IOB2": "BI",
    "IOE1": "EI",
    "IOE2": "EI",
    "IOBES": "BIES",
    "BILOU": "BILU",
}


def collect_types(examples: Iterable[Example]) -> list[str]:
    """List the entity types of some examples, sorted, so that the order of the texts changes nothing.

    examples (Iterable[Example]): The examples.
    RETURNS (List[str]): The types.
    """
    return sorted({ent.label_ for eg in examples for ent in eg.reference.ents})


def extend_tags(tags: list[str], types: Iterable[str], scheme: str) -> list[str]:
    """Add the tags of entity types after those that are there.

    tags (List[str]): Tags so far; `O` comes first if there are none.
    types (Iterable[str]): The new types.
    scheme (str): The scheme.
    RETURNS (List[str]): All tags.
    """
    added = [f"{prefix}-{type_}" if prefix else type_ for type_ in types for prefix in PREFIXES[scheme]]
    return list(dict.fromkeys([*(tags or [OUTSIDE]), *added]))


def read_labels(labels: dict[str, Any] | list[str]) -> tuple[str, list[str]]:
    """Read labels that a user or `spacy init labels` gives.

    labels (Union[Dict[str, Any], List[str]]): Entity types; or {"scheme": ..., "tags": [...]}.
    RETURNS (Tuple[str, List[str]]): The scheme and the tags.
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
    if not all(isinstance(label, str) and label and label != OUTSIDE for label in labels):
        raise ValueError(Errors.TC026.format(value=str(labels)[:200]))
    return "IOB2", extend_tags([], labels, "IOB2")
