"""Detect the tag scheme of a corpus."""

import re
from collections.abc import Iterable, Sequence

from ..errors import Errors
from .schemes import MISSING, OUTSIDE, PREFIXES, split_tag

_LOOKS_LIKE_PREFIX = re.compile(r"[A-Z](-|$)")


class SchemeDetector:
    """Detects the tag scheme of a corpus in one pass over its sentences; memory grows with the distinct tags only."""

    def __init__(self) -> None:
        """Start without evidence."""
        self._seen: dict[str, str] = {}
        self._bare_start = False
        self._needless_b = False
        self._ends_without_e = False

    def add(self, tags: Sequence[str | None], where: str = "token ", *, first: int = 0) -> None:
        """Take one sentence into account.

        tags (Sequence[str | None]): One tag per token.
        where (str): What stands before the number of a token in messages, for example "train.conll:".
        first (int): Number of the first token, for example its line.
        RAISES (ValueError): TC101 if a tag has an unknown prefix, or a prefix and no type.
        """
        before, label_before = OUTSIDE, ""
        for number, tag in enumerate((*tags, OUTSIDE), first):
            tag = MISSING if tag is None else tag
            if tag not in self._seen:
                self._seen[tag] = f"{where}{number}"
                self._check(tag)
            prefix, label = split_tag(tag)
            inside = label != "" and label == label_before
            self._bare_start |= prefix == "I" and not inside
            self._needless_b |= prefix == "B" and not inside
            self._ends_without_e |= before == "I" and not inside
            before, label_before = prefix, label

    def result(self) -> str:
        """Name the scheme.

        RETURNS (str): A key of SCHEMES; "IO" for labels without prefixes, "IOB2" without evidence.
        RAISES (ValueError): TC104 if the tags fit no single scheme.
        """
        tags = [tag for tag in self._seen if tag not in (OUTSIDE, MISSING)]
        by_prefix = {p: tag for tag in tags if (p := split_tag(tag)[0]) in PREFIXES}
        plain = next((tag for tag in tags if split_tag(tag)[0] not in PREFIXES), None)
        found = set(by_prefix)
        if plain is not None and found:
            raise self._conflict(plain, by_prefix[min(found)])
        for one in sorted(found & set("ES")):
            for other in sorted(found & set("LU")):
                raise self._conflict(by_prefix[one], by_prefix[other])
        if plain is not None:
            return "IO"
        if found & set("LU"):
            return "BILOU"
        if "S" in found or {"B", "E"} <= found:
            return "IOBES"
        if "E" in found:
            return "IOE1" if self._ends_without_e else "IOE2"
        return "IOB1" if self._bare_start and not self._needless_b else "IOB2"

    def _check(self, tag: str) -> None:
        """Refuse a tag that looks like prefix and type but is none that is known."""
        prefix, label = split_tag(tag)
        if tag in (OUTSIDE, MISSING) or (prefix in PREFIXES and label):
            return
        if not tag or _LOOKS_LIKE_PREFIX.match(tag):
            expected = "B-TYPE, I-TYPE (or E, S, L, U), a label without prefix, O, or - for a missing value"
            raise ValueError(Errors.TC101.format(tag=tag, where=self._seen[tag], expected=expected))

    def _conflict(self, one: str, other: str) -> ValueError:
        """Name two tags that cannot stand in one scheme."""
        places = {name: f"{tag!r} ({self._seen[tag]})" for name, tag in (("one", one), ("other", other))}
        return ValueError(Errors.TC104.format(**places))


def detect_scheme(tags: Iterable[Sequence[str | None]]) -> str:
    """Detect the tag scheme of the sentences of a corpus. (That of seqeval, which knows less, is
    `metrics.seqeval.rules.detect_strict_scheme`.)

    An "I-" that begins a span speaks for IOB1, unless a "B-" stands where IOB1 would not write one: then the
    data are IOB2 with faults, which tags_to_spans reads by the rule of conlleval.

    tags (Iterable[Sequence[str | None]]): The tags of many sentences; read once.
    RETURNS (str): A key of SCHEMES; "IO" for labels without prefixes, "IOB2" if nothing is tagged.
    RAISES (ValueError): TC101 if a tag has an unknown prefix or no type, TC104 if the tags fit no scheme.
    """
    detector = SchemeDetector()
    for i, sentence in enumerate(tags):
        detector.add(sentence, f"sentence {i}, token ")
    return detector.result()
