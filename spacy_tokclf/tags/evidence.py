"""Whether a column may be one of labels without prefixes, and what it looks like if not."""

import re
from collections.abc import Mapping

from .schemes import MISSING, OUTSIDE
from .spelling import looks_like_tag as may_be_spelled

_NAME = re.compile(r"[^\W\d_](?:[\w.&/+:-]*\w)?")
_NOTHING = {"none", "null", "nan", "n/a", "na", "outside", "pad", "[pad]", "[cls]", "[sep]", "other-o"}
# Universal Dependencies, then the Penn Treebank.
_PARTS_OF_SPEECH = """
ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X
CC CD DT EX FW IN JJ JJR JJS LS MD NN NNS NNP NNPS PDT POS PRP PRP$ RB RBR RBS RP TO UH VB VBD VBG VBN VBP VBZ WDT WP
WP$ WRB
"""
_BEGINS_OR_ENDS = re.compile(r"[BI][-_:/.].+|.+[-_:/.][BI]", re.DOTALL)
# Words that begin a span, and words that go on with it, before the type or behind it.
_POSITIONS = [
    [
        re.compile(rf"(?:{words})[\W_]+(?P<type>\w.*)", re.IGNORECASE | re.DOTALL),
        re.compile(rf"(?P<type>.*[^\W_])[\W_]+(?:{words})", re.IGNORECASE | re.DOTALL),
    ]
    for words in ("B|BEG|BEGIN|BEGINNING|START|FIRST", "I|IN|INSIDE|INTERMEDIATE|M|MID|MIDDLE|CONT")
]
_HEADINGS = {"y", "class", "type", "category", "target", "gold", "annotation", "label", "labels", "tag", "tags", "ner"}
_MANY, _LONG, _FEW = 8, 60, 50


def why_no_labels(counts: Mapping[str, int]) -> tuple[str, str]:
    """Say why tags, none of which has a prefix, are not taken for labels.

    counts (Mapping[str, int]): How often each tag is there.
    RETURNS (tuple[str, str]): What they look like, and a tag that shows it; "" if they may well be labels.
    """
    labels = {tag: count for tag, count in counts.items() if tag not in (OUTSIDE, MISSING)}
    shown = max(labels, key=lambda label: labels[label], default="")
    odd = next(((why, label) for label in labels if (why := _oddity(label))), None)
    spelled = [label for label in labels if may_be_spelled(label)]
    speech = sorted(labels.keys() & _PARTS_OF_SPEECH.split())
    if len(speech) > 2 and 2 * len(speech) > len(labels):
        return "a column of parts of speech", speech[0]
    if odd:
        return odd
    evident = spelled and (len(spelled) == len(labels) or any(_BEGINS_OR_ENDS.fullmatch(label) for label in spelled))
    if evident or (spelled := _with_positions(labels)):
        return "tags with prefixes in a spelling that is not known, or not the same in all", spelled[0]
    if _may_name_column(counts):
        return "names of columns in the first row", next(iter(counts))
    if OUTSIDE not in counts and MISSING not in counts:
        return "a column that has no O, as if every token were in an entity", shown
    if len(labels) >= _MANY and 2 * len(labels) > sum(labels.values()):
        return "a column whose values are nearly all different", shown
    return "", ""


def _with_positions(labels: Mapping[str, int]) -> list[str]:
    """Find labels that say in words where in its span a token stands, or in letters that no joint divides from the
    type: most labels are such pairs then."""
    begin, inside = (
        {(way, match["type"]): label for label in labels for way in (0, 1) if (match := ways[way].fullmatch(label))}
        for ways in _POSITIONS
    )
    joined = [label for key, label in begin.items() if key in inside]
    pairs = [label for label in labels if label[0] == "B" and len(label) > 2 and f"I{label[1:]}" in labels]
    return joined or (pairs if 4 * len(pairs) > len(labels) else [])


def _may_name_column(counts: Mapping[str, int]) -> bool:
    """Tell a label that is there once, as the very first, and is not like the others."""
    first, *others = [tag for tag in counts if tag != MISSING] or [OUTSIDE]
    if first == OUTSIDE or counts[first] > 1 or next(iter(counts)) != first:
        return False
    cases = {label.isupper() for label in others if label != OUTSIDE}
    is_odd = cases == {True} or (not cases and sum(counts.values()) > _FEW)
    return first.casefold() in _HEADINGS or (first.isidentifier() and not first.isupper() and is_odd)


def _oddity(label: str) -> str:
    """Say why something is no name of a type of entities."""
    if label.strip("_") == "":
        return "a column of another kind, with `_` where nothing is said"
    if "|" in label:
        return "pairs of word and tag"
    if any(char.isspace() for char in label):
        return "text, with white space in it"
    if label.casefold() in _NOTHING or label in ("o", "0"):
        return f"a column in which {label!r} stands for tokens outside of entities, where O is expected"
    if len(label) > _LONG or not _NAME.fullmatch(label):
        return "values that are no names of types (numbers, quotes, punctuation)"
    return ""
