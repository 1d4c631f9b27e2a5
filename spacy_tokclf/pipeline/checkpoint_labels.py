"""The labels of checkpoints: which scheme they are of, and what of them cannot be read as it stands.

Hugging Face asks nothing of labels. Those that mix tags and types, or write prefixes in another form, would be decoded
to other entities than they mean; they are refused, with the names that they should have.
"""

import re
import warnings

from ..errors import Errors, Warnings
from ..tags import MISSING, OUTSIDE, detect_scheme, split_tag
from ..tags.schemes import PREFIXES

#: Labels of pieces that are no words, as older training scripts have them.
_SPECIAL = "X [CLS] [SEP] [PAD] [UNK] [MASK] <s> </s> <pad> <unk> <PAD> PAD"
SPECIAL = frozenset(_SPECIAL.split())
#: What others call the outside of entities, in lower case.
_WORDS = "o 0 - _ out outside other others none null nil no_entity not_entity"
OUTSIDE_WORDS = frozenset(_WORDS.split())
#: Prefixes of schemes that we do not have, by those that mean the same.
_SAME = {"M": "I", "W": "S"}
_LETTERS = "".join(sorted(PREFIXES | set(_SAME)))
_PREFIX = re.compile(rf"([{_LETTERS}])[-_:./| ]+(.*\w.*)", re.IGNORECASE)
_SUFFIX = re.compile(rf"(.*\w.*?)[-_:./| ]+([{_LETTERS}])", re.IGNORECASE)
_BARE = re.compile(rf"[{_LETTERS}]")
_UNNAMED = re.compile(r"LABEL_\d+")
_SHOWN = 12


def checkpoint_scheme(tags: list[str], *, given: bool = False) -> str:
    """Tell the scheme of a checkpoint's label set.

    IOB1 and IOB2 have the same labels, so the answer is IOB2 for both, and I-TYPE alone is IOB1. Beside labels with
    prefixes, those of special pieces (`X`, `[CLS]`) count as outside, and are warned of (TW204).

    tags (list[str]): The labels.
    given (bool): Whether the user named them: then labels such as `b-per` are types if no label has a prefix.
    RETURNS (str): The scheme; "IO" if no label has a prefix.
    RAISES (ValueError): TC253, for a label that is there twice; TC104, if the prefixes fit no scheme; TC086, for labels
        of another form, and for types beside tags; TC087, for labels without names.
    """
    twice = sorted({tag for tag in tags if tags.count(tag) > 1})
    if twice:
        raise ValueError(Errors.TC253.format(labels=twice))
    if not given and tags and all(_UNNAMED.fullmatch(tag) for tag in tags):
        raise ValueError(Errors.TC087.format(labels=_listed(tags)))
    with_prefix = [tag for tag in tags if _is_tag(tag)]
    others = [tag for tag in tags if tag != OUTSIDE and not _is_tag(tag)]
    special = [tag for tag in others if tag in SPECIAL] if with_prefix else []
    others = [tag for tag in others if tag not in special]
    if MISSING in others or (others and with_prefix) or (not given and _is_of_other_form(others, tags)):
        raise ValueError(Errors.TC086.format(labels=_listed(others), hint=_hint(tags)))
    if special:
        warnings.warn(Warnings.TW204.format(labels=_listed(special)), stacklevel=3)
    if OUTSIDE not in tags and not special:
        warnings.warn(Warnings.TW203.format(labels=_listed(tags)), stacklevel=3)
    return detect_scheme([tag] for tag in with_prefix) if with_prefix else "IO"


def _is_tag(tag: str) -> bool:
    prefix, type_ = split_tag(tag)
    return prefix in PREFIXES and type_ != "" and type_ == type_.strip()


def _is_of_other_form(others: list[str], tags: list[str]) -> bool:
    """Tell labels with prefixes in another form, or another word for the outside, from types."""
    if OUTSIDE not in tags and any(tag.lower() in OUTSIDE_WORDS for tag in others):
        return True
    if any(not tag.strip() or tag != tag.strip() for tag in others):
        return True
    if all(_BARE.fullmatch(tag) for tag in others) and "B" in others:
        return True
    for form, letter, type_ in ((_PREFIX, 1, 2), (_SUFFIX, 2, 1)):
        found = [match for tag in others if (match := form.fullmatch(tag))]
        pairs = {(match[type_], match[letter].upper()) for match in found}
        if found and (len(found) == len(others) or len({type_ for type_, _ in pairs}) < len(pairs)):
            return True
    return False


def _hint(tags: list[str]) -> str:
    """Propose names, if those that are meant are plain."""
    proposed = [_plain_form(tag, tags) for tag in tags]
    if None in proposed or len(set(proposed)) < len(tags):
        return ""
    return f". If this is what they mean: {','.join(map(str, proposed))}"


def _plain_form(tag: str, tags: list[str]) -> str | None:
    """Write a label as a tag: of a type alone, as Hugging Face reads it beside tags, `I-TYPE`."""
    if tag == OUTSIDE or _is_tag(tag) or tag in SPECIAL:
        return tag
    name = tag.strip()
    if OUTSIDE not in tags and name.lower() in OUTSIDE_WORDS:
        return OUTSIDE
    if _BARE.fullmatch(name):
        return f"{_SAME.get(name, name)}-ENTITY"
    for form, letter, type_ in ((_PREFIX, 1, 2), (_SUFFIX, 2, 1)):
        if match := form.fullmatch(name):
            prefix = match[letter].upper()
            return f"{_SAME.get(prefix, prefix)}-{match[type_].strip()}"
    if not re.search(r"\w", name) or name.endswith("-"):
        return None
    return f"I-{name}" if any(map(_is_tag, tags)) else name


def _listed(labels: list[str]) -> str:
    shown = ", ".join(map(repr, labels[:_SHOWN]))
    return f"{shown}, ..." if len(labels) > _SHOWN else shown
