"""Detect how the tags of a corpus are written: their scheme, and their spelling."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from ..errors import Errors
from .evidence import why_no_labels
from .schemes import MISSING, OUTSIDE, PREFIXES, split_tag
from .spelling import USUAL, Spelling, find_spelling, is_usual

_LOOKS_LIKE_PREFIX = re.compile(r"[A-Z](-|$)")
#: Distinct tags above which a column is certainly none of tags.
_TOO_MANY = 10_000


class TagForm(NamedTuple):
    """How tags are written.

    scheme (str): Their scheme.
    spelling (Spelling): How they are spelled.
    """

    scheme: str
    spelling: Spelling = USUAL


class SchemeDetector:
    """Detects the tag scheme of a corpus in one pass over its sentences; memory grows with the distinct tags only."""

    def __init__(self) -> None:
        """Start without evidence."""
        self._counts: Counter[str] = Counter()
        self._places: dict[str, str] = {}
        self._neighbours: set[tuple[str, str]] = set()

    def add(self, tags: Sequence[str | None], where: str = "token ", *, first: int = 0) -> None:
        """Take one sentence into account.

        tags (Sequence[str | None]): One tag per token.
        where (str): What stands before the number of a token in messages, for example "train.conll:".
        first (int): Number of the first token, for example its line.
        RAISES (ValueError): TC126 if there are so many distinct tags that they cannot be tags.
        """
        known = [MISSING if tag is None else tag for tag in tags]
        self.add_many(known, [len(known)], lambda token: f"{where}{first + token}")

    def add_many(self, tags: Sequence[str], lengths: Iterable[int], where: Callable[[int], str]) -> None:
        """Take many sentences into account.

        tags (Sequence[str]): The tags of all of them. Shape: (n_tokens,).
        lengths (Iterable[int]): Tokens of each sentence. Shape: (n_sentences,).
        where (Callable[[int], str]): Says where a token stands.
        RAISES (ValueError): TC126 if there are so many distinct tags that they cannot be tags.
        """
        if new := set(tags) - self._places.keys():
            at = dict(zip(reversed(tags), range(len(tags) - 1, -1, -1), strict=True))  # where each is first
            for tag in sorted(new, key=lambda tag: at[tag])[: _TOO_MANY + 1]:
                self._places[tag] = where(at[tag])
        self._counts.update(tags)
        apart = [OUTSIDE]  # all tags, an O before and after each sentence
        start = 0
        for length in lengths:
            apart += tags[start : start + length]
            apart.append(OUTSIDE)
            start += length
        self._neighbours.update(pairwise(apart))
        if len(self._places) > _TOO_MANY:
            raise self._no_evidence("a column whose values are nearly all different", next(iter(self._places)))

    def result(self) -> str:
        """Name the scheme of tags that are spelled in the usual way.

        RETURNS (str): A key of SCHEMES; "IO" for labels without prefixes, "IOB2" without evidence.
        RAISES (ValueError): TC101 if a tag has an unknown prefix, or no type; TC104 if the tags fit no single scheme;
            TC126 if they are not of a form that is known.
        """
        for tag in self._counts:
            self._check(tag)
        return self._scheme(USUAL)

    def form(self) -> TagForm:
        """Say how the tags are written.

        RETURNS (TagForm): Scheme and spelling.
        RAISES (ValueError): As `result`.
        """
        spelling = find_spelling(self._counts.keys())
        if spelling is None:
            return TagForm(self.result())
        return TagForm(self._scheme(spelling), spelling)

    def _scheme(self, spelling: Spelling) -> str:
        """Name the scheme."""
        names = {tag: spelling.usual.get(tag, tag) for tag in self._counts}
        by_prefix = {p: tag for tag in names if (p := split_tag(names[tag])[0]) in PREFIXES and is_usual(names[tag])}
        plain = next((tag for tag in names if not is_usual(names[tag])), None)
        found = set(by_prefix)
        if plain is not None and found:
            raise self._conflict(plain, by_prefix[min(found)])
        for one in sorted(found & set("ES")):
            for other in sorted(found & set("LU")):
                raise self._conflict(by_prefix[one], by_prefix[other])
        if plain is not None:
            looks, tag = why_no_labels(self._counts)
            if looks:
                raise self._no_evidence(looks, tag)
            return "IO"
        if found & set("LU"):
            return "BILOU"
        if "S" in found or {"B", "E"} <= found:
            return "IOBES"
        return self._scheme_by_order(spelling, found)

    def _scheme_by_order(self, spelling: Spelling, found: set[str]) -> str:
        """Name the scheme by what follows what."""
        bare_start = needless_b = ends_without_e = False
        for pair in self._neighbours:
            (before, label_before), (prefix, label) = (split_tag(spelling.usual.get(tag, tag)) for tag in pair)
            inside = label != "" and label == label_before
            bare_start |= prefix == "I" and not inside
            needless_b |= prefix == "B" and not inside
            ends_without_e |= before == "I" and not inside
        if "E" in found:
            return "IOE1" if ends_without_e else "IOE2"
        return "IOB1" if bare_start and not needless_b else "IOB2"

    def _check(self, tag: str) -> None:
        """Refuse a tag that looks like prefix and type but is none that is known."""
        if not is_usual(tag) and (not tag or _LOOKS_LIKE_PREFIX.match(tag)):
            expected = "B-TYPE, I-TYPE (or E, S, L, U), a label without prefix, O, or - for a missing value"
            raise ValueError(Errors.TC101.format(tag=tag, where=self._places[tag], expected=expected))

    def _conflict(self, one: str, other: str) -> ValueError:
        """Name two tags that cannot stand in one scheme."""
        places = {name: f"{tag!r} ({self._places[tag]})" for name, tag in (("one", one), ("other", other))}
        return ValueError(Errors.TC104.format(**places))

    def _no_evidence(self, looks: str, tag: str) -> ValueError:
        """Say that this is no column of tags."""
        return ValueError(Errors.TC126.format(tag=tag, where=self._places[tag], looks=looks))


def detect_scheme(tags: Iterable[Sequence[str | None]]) -> str:
    """Detect the tag scheme of the sentences of a corpus. (That of seqeval, which knows less, is
    `metrics.seqeval.rules.detect_strict_scheme`.)

    An "I-" that begins a span speaks for IOB1, unless a "B-" stands where IOB1 would not write one: then the
    data are IOB2 with faults, which tags_to_spans reads by the rule of conlleval.

    tags (Iterable[Sequence[str | None]]): The tags of many sentences; read once.
    RETURNS (str): A key of SCHEMES; "IO" for labels without prefixes, "IOB2" if nothing is tagged.
    RAISES (ValueError): TC101 if a tag has an unknown prefix or no type, TC104 if the tags fit no scheme, TC126 if they
        are not of a form that is known.
    """
    detector = SchemeDetector()
    for i, sentence in enumerate(tags):
        detector.add(sentence, f"sentence {i}, token ")
    return detector.result()
