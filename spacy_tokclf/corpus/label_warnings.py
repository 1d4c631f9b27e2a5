"""Labels that are right as strings and probably not what was meant: warned of once for a corpus."""

import re
import warnings
from collections.abc import Iterable

from ..errors import Warnings

_TAG = re.compile(r"([BIESLU])-(.+)", re.DOTALL)
_SHOWN = 8


def warn_of_labels(labels: Iterable[str], name: str, *, of_spans: bool = False) -> None:
    """Warn of labels that differ in outer white space only (TW121), and of span labels that look like tags (TW120).

    labels (Iterable[str]): The labels of a corpus, entity types without prefix; each counts once.
    name (str): What the corpus is called.
    of_spans (bool): Whether they are labels of spans, as they stand in the file, and not the types in tags.
    """
    known = sorted(set(labels))
    if of_spans and (tags := labels_like_tags(known)):
        warnings.warn(Warnings.TW120.format(path=name, labels=_show(tags)), stacklevel=3)
    if alike := labels_alike(known):
        warnings.warn(Warnings.TW121.format(path=name, labels=_show(alike)), stacklevel=3)


def labels_like_tags(labels: Iterable[str]) -> list[str]:
    """Find span labels that look like tags of tokens, such as B-PER; "E-mail" among others is a label.

    labels (Iterable[str]): The labels.
    RETURNS (list[str]): Those that have a prefix of a tag scheme, if the rest is in capitals, is a label with another
        prefix, or if all labels begin with B- or I-.
    """
    known = set(labels)
    found = {label: (match[1], match[2]) for label in known if (match := _TAG.fullmatch(label))}
    prefixes: dict[str, set[str]] = {}
    for prefix, rest in found.values():
        prefixes.setdefault(rest, set()).add(prefix)
    all_begin = bool(known) and len(found) == len(known) and all(prefix in "BI" for prefix, _ in found.values())
    return sorted(label for label, (_, rest) in found.items() if all_begin or rest.isupper() or len(prefixes[rest]) > 1)


def labels_alike(labels: Iterable[str]) -> list[str]:
    """Find labels that are the same but for white space at their ends.

    labels (Iterable[str]): The labels.
    RETURNS (list[str]): All that another is like.
    """
    groups: dict[str, set[str]] = {}
    for label in labels:
        groups.setdefault(label.strip(), set()).add(label)
    return sorted(label for group in groups.values() if len(group) > 1 for label in group)


def _show(labels: list[str]) -> str:
    """List labels for a message."""
    return ", ".join(map(repr, labels[:_SHOWN])) + (", ..." if len(labels) > _SHOWN else "")
