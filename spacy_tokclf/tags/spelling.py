"""How the tags of a corpus are spelled: `B-PER` is the usual way, and `b-per`, `B_PER`, `PER-B`, `"B-PER"`, `M-PER` of
BMES, and a bare `B` are others. They are read where all tags of the corpus agree, and there is evidence beside."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from .schemes import MISSING, OUTSIDE, PREFIXES, split_tag

#: The type of entities whose tags name none.
UNNAMED = "ENTITY"
#: Stands for "nothing is said here" in files with columns that may be empty.
UNSPECIFIED = "_"
_SEPARATORS = "-_:/."
_QUOTES = "\"'`"
# BMES and BMEWO have letters of their own for a middle and for a single token.
_LETTERS = {"M": "I", "W": "S"}
_ALL = "".join(sorted(PREFIXES)) + "".join(_LETTERS)


@dataclass(frozen=True)
class Spelling:
    """A way to write tags.

    usual (Mapping[str, str]): Each tag that is not written in the usual way, and how it would be.
    unnamed (bool): Whether tags are prefixes without a type.
    """

    usual: Mapping[str, str] = field(default_factory=dict)
    unnamed: bool = False

    def normalize(self, tags: list[str]) -> list[str]:
        """Write tags in the usual way.

        tags (list[str]): Tags of this spelling.
        RETURNS (list[str]): As B-TYPE and so on; the same list if they are.
        """
        return [self.usual.get(tag, tag) for tag in tags] if self.usual else tags


USUAL = Spelling()


def is_usual(tag: str) -> bool:
    """Tell whether a tag is written in the usual way.

    tag (str): The tag.
    RETURNS (bool): True for "O", "-", and a known prefix, a hyphen and a type.
    """
    prefix, label = split_tag(tag)
    return tag in (OUTSIDE, MISSING) or (prefix in PREFIXES and label != "")


def looks_like_tag(text: str) -> bool:
    """Tell what is a tag in one of the spellings, whatever stands around it.

    text (str): The text.
    RETURNS (bool): True for "O", "o" and what has a prefix and a type; not for "-", which is much else, too.
    """
    return _TAG.fullmatch(text) is not None


def find_spelling(tags: Collection[str]) -> Spelling | None:
    """Find the spelling that all tags of a corpus have.

    tags (Collection[str]): The distinct tags.
    RETURNS (Spelling | None): The spelling; None if they have none in common, or it might be by chance.
    """
    if all(is_usual(tag) for tag in tags):
        return USUAL
    for quote in _QUOTES:
        if all(len(tag) > 2 and tag[0] == tag[-1] == quote for tag in tags):
            inner = find_spelling({tag[1:-1] for tag in tags})
            usual = {tag: inner.usual.get(tag[1:-1], tag[1:-1]) for tag in tags} if inner else {}
            return Spelling(usual, inner.unnamed) if inner else None
    if {OUTSIDE, UNSPECIFIED} <= set(tags) and not set(tags) <= {OUTSIDE, UNSPECIFIED, MISSING}:
        inner = find_spelling(set(tags) - {UNSPECIFIED})
        return Spelling({**inner.usual, UNSPECIFIED: MISSING}, inner.unnamed) if inner else None
    return _bare(tags) or next((found for way in _ways() if (found := _spelled(tags, *way))), None)


def _ways() -> Iterator[tuple[re.Pattern[str], bool]]:
    """Give the patterns of prefix and label, and whether the prefix stands behind."""
    for separator in map(re.escape, _SEPARATORS):
        for letters in (_ALL, _ALL.lower()):
            yield re.compile(rf"(?P<prefix>[{letters}]){separator}(?P<label>.+)", re.DOTALL), False
            yield re.compile(rf"(?P<label>.+){separator}(?P<prefix>[{letters}])", re.DOTALL), True


_TAG = re.compile("|".join(["[Oo]", *(re.sub(r"\?P<\w+>", "?:", way.pattern) for way, _ in _ways())]), re.DOTALL)


def _spelled(tags: Collection[str], pattern: re.Pattern[str], behind: bool) -> Spelling | None:
    """Read tags by a pattern. That all labels of a corpus without prefixes fit one by chance (vitamin-B, e-mail) has to
    be out of the question."""
    usual, found = {}, set()
    for tag in tags:
        if tag in (OUTSIDE, OUTSIDE.lower(), MISSING):
            usual[tag] = tag.upper()
        elif match := pattern.fullmatch(tag):
            prefix = match["prefix"].upper()
            prefix = _LETTERS.get(prefix, prefix)
            usual[tag] = f"{prefix}-{match['label']}"
            found.add((prefix, match["label"]))
        else:
            return None
    prefixes, labels = {prefix for prefix, _ in found}, {label for _, label in found}
    if len(set(usual.values())) < len(usual) or {OUTSIDE, OUTSIDE.lower()} <= set(tags):
        return None
    is_pair = len(found) > len(labels) and bool(prefixes & {"B", "I"})
    is_likely = not behind and prefixes <= {"B", "I"} and (len(labels) > 1 or OUTSIDE.lower() in tags)
    return Spelling({tag: name for tag, name in usual.items() if tag != name}) if is_pair or is_likely else None


def _bare(tags: Collection[str]) -> Spelling | None:
    """Read prefixes without a type."""
    usual = {}
    for tag in tags:
        letter = tag.upper()
        if tag in (OUTSIDE, OUTSIDE.lower(), MISSING):
            usual[tag] = letter
        elif len(tag) == 1 and letter in _ALL:
            usual[tag] = f"{_LETTERS.get(letter, letter)}-{UNNAMED}"
        else:
            return None
    letters = set(usual) - {OUTSIDE, OUTSIDE.lower(), MISSING}
    is_evident = letters & set("BIbi") and (len(letters) > 1 or len(usual) > len(letters))
    cases = {tag.isupper() for tag in usual if tag != MISSING}
    if not is_evident or len(cases) > 1 or len(set(usual.values())) < len(usual):
        return None
    return Spelling({tag: name for tag, name in usual.items() if tag != name}, unnamed=True)
