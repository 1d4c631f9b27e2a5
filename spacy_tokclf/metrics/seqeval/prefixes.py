"""Prefix and type of one tag, split as seqeval 1.2.2 splits them, and the tags that it warns of."""

import warnings

import numpy as np

from ...errors import Warnings
from ...types import Ints32
from .tag_codes import TagVocab

#: Prefixes that seqeval knows. The code of a prefix is its index here; "." and all others have the two codes after.
PREFIXES_BY_CODE = "OIBESUL"
DOT = len(PREFIXES_BY_CODE)
OTHER = DOT + 1
N_PREFIX_CODES = OTHER + 1
_PLAIN = {"O", "B", "I", "E", "S"}
_SHOWN = 5


def split_default(tag: str, suffix: bool = False) -> tuple[str, str]:
    """Split a tag as seqeval's default mode does: first character, and what follows the next hyphen.

    A tag without hyphen loses its first character ("PER" is P with type "ER"); "ORG" counts as outside.

    tag (str): The tag.
    suffix (bool): Whether the prefix stands last ("PER-B").
    RETURNS (tuple[str, str]): Prefix and type.
    """
    if suffix:
        return tag[-1], tag[:-1].rsplit("-", maxsplit=1)[0] or "_"
    return tag[0], tag[1:].split("-", maxsplit=1)[-1] or "_"


def split_strict(tag: str, suffix: bool = False) -> tuple[str, str]:
    """Split a tag as seqeval's strict mode does: hyphens are stripped from both ends of the type.

    tag (str): The tag.
    suffix (bool): Whether the prefix stands last ("PER-B").
    RETURNS (tuple[str, str]): Prefix and type.
    """
    if suffix:
        return tag[-1], tag[:-1].strip("-") or "_"
    return tag[0], tag[1:].strip("-") or "_"


def prefix_code(prefix: str) -> int:
    """Give the code of a prefix.

    prefix (str): One character.
    RETURNS (int): Its index in PREFIXES_BY_CODE, or DOT, or OTHER.
    """
    return PREFIXES_BY_CODE.index(prefix) if prefix in PREFIXES_BY_CODE else DOT if prefix == "." else OTHER


def is_odd_tag(tag: str, suffix: bool = False) -> bool:
    """Tell whether seqeval would warn that a tag "seems not to be NE tag".

    tag (str): The tag.
    suffix (bool): Whether the prefix stands last ("PER-B").
    RETURNS (bool): True for anything but a bare prefix or a prefix of B, I, E, S with a hyphen.
    """
    parts = tag[-2:] if suffix else tag[:2][::-1]
    return tag not in _PLAIN and not (len(parts) == 2 and parts[0] == "-" and parts[1] in "BIES")


def count_odd_tags(vocab: TagVocab, *codes: Ints32, suffix: bool = False) -> dict[str, int]:
    """Count the tokens whose tags are odd.

    vocab (TagVocab): The distinct tags.
    codes (Ints32): Codes of tags. Shape: (n_tokens,) each.
    suffix (bool): Whether the prefix stands last ("PER-B").
    RETURNS (dict[str, int]): Tokens by odd tag.
    """
    odd = [(tag, code) for tag, code in vocab.items() if is_odd_tag(tag, suffix)]
    counts = {tag: sum(int(np.count_nonzero(part == code)) for part in codes) for tag, code in odd}
    return {tag: number for tag, number in counts.items() if number}


def warn_odd_tags(vocab: TagVocab, *codes: Ints32, suffix: bool = False) -> None:
    """Warn once (TW200) of all odd tags together; seqeval warns token by token.

    vocab (TagVocab): The distinct tags.
    codes (Ints32): Codes of tags. Shape: (n_tokens,) each.
    suffix (bool): Whether the prefix stands last ("PER-B").
    """
    counts = count_odd_tags(vocab, *codes, suffix=suffix)
    if counts:
        shown = ", ".join(f"{tag!r} ({count})" for tag, count in list(counts.items())[:_SHOWN])
        more = f" and {len(counts) - _SHOWN} more" if len(counts) > _SHOWN else ""
        warnings.warn(Warnings.TW200.format(count=sum(counts.values()), tags=shown + more), stacklevel=3)
