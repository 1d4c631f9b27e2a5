"""Tag schemes (IOB1, IOB2, IOE1, IOE2, IOBES, BILOU, IO) as data, and the conversion between tags and spans.

A span is `(start, end, label)`: token indices, `end` exclusive. A missing value is `None` or "-" in the input
and "-" in the output. Tags are read by the rule of conlleval (the scorer of CoNLL-2000), which gives every
token that has a label to exactly one span.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from ..errors import Errors

OUTSIDE = "O"
MISSING = "-"

Span = tuple[int, int, str]


class Scheme(NamedTuple):
    """The prefixes that one tag scheme writes at each place of a span.

    single (str): Prefix of a span of one token.
    first (str): Prefix of the first token of a longer span.
    middle (str): Prefix of the tokens between first and last.
    last (str): Prefix of the last token of a longer span.
    touching_first (str): Prefix of the first token right after a span of the same label ("" = as usual).
    touching_last (str): Prefix of the last token right before a span of the same label ("" = as usual).
    """

    single: str
    first: str
    middle: str
    last: str
    touching_first: str = ""
    touching_last: str = ""

    @property
    def prefixes(self) -> frozenset[str]:
        """The prefixes of this scheme, "O" left out; none where labels stand without prefixes."""
        return frozenset(self) - {""}


SCHEMES: dict[str, Scheme] = {
    "IOB1": Scheme("I", "I", "I", "I", touching_first="B"),
    "IOB2": Scheme("B", "B", "I", "I"),
    "IOE1": Scheme("I", "I", "I", "I", touching_last="E"),
    "IOE2": Scheme("E", "I", "I", "E"),
    "IOBES": Scheme("S", "B", "I", "E"),
    "BILOU": Scheme("U", "B", "I", "L"),
    "IO": Scheme("", "", "", ""),
}
#: Prefixes of all schemes; those that always begin an entity, and those that always end one.
PREFIXES = frozenset("BIESLU")
BEGIN_PREFIXES = frozenset("BSU")
END_PREFIXES = frozenset("ESLU")


def get_scheme(name: str) -> Scheme:
    """Look a scheme up by its name.

    name (str): One of the keys of SCHEMES.
    RETURNS (Scheme): The prefixes of that scheme.
    RAISES (ValueError): TC100 if there is no such scheme.
    """
    if name not in SCHEMES:
        raise ValueError(Errors.TC100.format(scheme=name, known=", ".join(SCHEMES)))
    return SCHEMES[name]


def is_missing(tag: str | None) -> bool:
    """Tell whether a tag stands for a missing value.

    tag (str | None): A tag as found in data.
    RETURNS (bool): True for None and "-".
    """
    return tag is None or tag == MISSING


def split_tag(tag: str) -> tuple[str, str]:
    """Split a tag on its first hyphen, so that "B-creative-work" keeps its whole type.

    tag (str): A tag with a prefix, "O" or "-".
    RETURNS (tuple[str, str]): Prefix and type; the type of "O" and of "-" is "".
    """
    if tag == MISSING:
        return MISSING, ""
    prefix, _, label = tag.partition("-")
    return prefix, label


def is_tag_of(tag: str | None, scheme: str) -> bool:
    """Tell whether a tag by itself may stand in a scheme, whatever its neighbours are.

    tag (str | None): A tag as found in data.
    scheme (str): Name of the scheme.
    RETURNS (bool): True for "O", for a missing value and for a prefix of the scheme with a type.
    RAISES (ValueError): TC100 if there is no such scheme.
    """
    known = get_scheme(scheme)
    if tag is None or tag in (OUTSIDE, MISSING):
        return True
    prefixes = known.prefixes
    if not prefixes:
        return tag != ""
    prefix, label = split_tag(tag)
    return prefix in prefixes and label != ""


def tags_to_spans(tags: Sequence[str | None], scheme: str = "IOB2") -> list[Span]:
    """Read the spans of one sentence.

    A span begins at a prefix that begins one (B, S, U), after a span that ended, and wherever the label
    changes; it ends at a prefix that ends one (E, L, S, U), before "O", before a missing value and at the
    end of the sentence. So an "I-" that follows nothing begins a span, as in conlleval.

    tags (Sequence[str | None]): One tag per token.
    scheme (str): Name of the scheme of the tags.
    RETURNS (list[tuple[int, int, str]]): Spans in order: start, end (exclusive), label.
    RAISES (ValueError): TC100 if there is no such scheme, TC101 if a tag does not belong to it.
    """
    has_prefixes = bool(get_scheme(scheme).prefixes)
    spans: list[Span] = []
    start, open_label = 0, ""
    for i, tag in enumerate(tags):
        prefix, label = "", ""
        if tag is not None and tag not in (OUTSIDE, MISSING):
            if not is_tag_of(tag, scheme):
                raise ValueError(Errors.TC101.format(tag=tag, where=f"token {i}", expected=expected_tags(scheme)))
            prefix, label = split_tag(tag) if has_prefixes else ("", tag)
        if open_label and (prefix in BEGIN_PREFIXES or label != open_label):
            spans.append((start, i, open_label))
            open_label = ""
        if label and not open_label:
            start, open_label = i, label
        if prefix in END_PREFIXES:
            spans.append((start, i + 1, open_label))
            open_label = ""
    if open_label:
        spans.append((start, len(tags), open_label))
    return spans


def spans_to_tags(
    spans: Iterable[Span], length: int, scheme: str = "IOB2", *, missing: Iterable[int] = ()
) -> list[str]:
    """Write spans as tags.

    spans (Iterable[tuple[int, int, str]]): Spans without overlap: start, end (exclusive), label.
    length (int): Number of tokens of the sentence.
    scheme (str): Name of the scheme to write. "IO" cannot tell two touching spans of one label apart.
    missing (Iterable[int]): Tokens whose value is missing; they get "-".
    RETURNS (list[str]): One tag per token.
    RAISES (ValueError): TC100 if there is no such scheme, TC102 if a span is empty, has no label or reaches
        outside the sentence, TC103 if two spans overlap, TC480 if a label without prefix would mean something else.
    """
    rules = get_scheme(scheme)
    ordered = sorted(spans)
    _check_spans(ordered, length, scheme)
    tags = [OUTSIDE] * length
    for i in missing:
        tags[i] = MISSING
    previous: Span | None = None
    for start, end, label in ordered:
        prefixes = [rules.single]
        if end - start > 1:
            prefixes = [rules.first, *[rules.middle] * (end - start - 2), rules.last]
        touches = previous is not None and previous[1:] == (start, label)
        if touches and rules.touching_first:
            prefixes[0] = rules.touching_first
        if touches and rules.touching_last:
            tags[start - 1] = f"{rules.touching_last}-{label}"
        tags[start:end] = [f"{prefix}-{label}" if prefix else label for prefix in prefixes]
        previous = (start, end, label)
    return tags


def convert_tags(tags: Sequence[str | None], source: str, target: str) -> list[str]:
    """Rewrite the tags of one sentence in another scheme; missing values stay missing.

    tags (Sequence[str | None]): One tag per token.
    source (str): Name of the scheme of the tags.
    target (str): Name of the scheme to write.
    RETURNS (list[str]): One tag per token.
    RAISES (ValueError): TC100 or TC101, as tags_to_spans does.
    """
    missing = [i for i, tag in enumerate(tags) if is_missing(tag)]
    return spans_to_tags(tags_to_spans(tags, source), len(tags), target, missing=missing)


def expected_tags(scheme: str) -> str:
    """Describe the tags of a scheme for a message.

    scheme (str): Name of the scheme.
    RETURNS (str): For example "IOB2: B-TYPE, I-TYPE, O, or - for a missing value".
    """
    prefixes = sorted(get_scheme(scheme).prefixes)
    forms = [f"{prefix}-TYPE" for prefix in prefixes] or ["TYPE"]
    return f"{scheme}: {', '.join(forms)}, O, or - for a missing value"


def _check_spans(ordered: Sequence[Span], length: int, scheme: str) -> None:
    """Check sorted spans for sense and for overlap."""
    taken = () if SCHEMES[scheme].prefixes else (OUTSIDE, MISSING)
    for start, end, label in ordered:
        if not (0 <= start < end <= length and label):
            raise ValueError(Errors.TC102.format(start=start, end=end, label=label, length=length))
        if label in taken:
            raise ValueError(Errors.TC480.format(label=label, scheme=scheme))
    for one, other in pairwise(ordered):
        if one[1] > other[0]:
            raise ValueError(Errors.TC103.format(one=one, other=other))
