"""Gold tags of any scheme, checked and rewritten in IOB2, sentence by sentence."""

import warnings
from collections.abc import Sequence

from ..errors import Errors, Warnings
from ..tags import convert_tags, expected_tags, is_tag_of


class GoldTags:
    """Read the tags of one corpus. Tags in an order that the scheme does not allow are read by the rule of conlleval,
    counted, and reported once."""

    def __init__(self, path: str, scheme: str) -> None:
        """Start without a sentence.

        path (str): Name of the corpus, for messages.
        scheme (str): Scheme that its tags are written in.
        """
        self.path = path
        self.scheme = scheme
        self._known: set[str] = set()
        self._sentences, self._faulty, self._first = 0, 0, ""

    def read(self, tags: Sequence[str], line: int, *, per_token: bool = True) -> list[str]:
        """Rewrite the tags of one sentence.

        tags (Sequence[str]): One tag a token; "-" is a missing value.
        line (int): Line of the first token, or number of the row.
        per_token (bool): Whether every token has its line in the file.
        RETURNS (list[str]): One tag a token, in IOB2.
        RAISES (ValueError): TC101, with the line, if a tag is not of the scheme.
        """
        for i, tag in enumerate(tags):
            if tag not in self._known:
                if not is_tag_of(tag, self.scheme):
                    where = f"{self.path}:{line + i}" if per_token else f"{self.path}:{line}, token {i}"
                    raise ValueError(Errors.TC101.format(tag=tag, where=where, expected=expected_tags(self.scheme)))
                self._known.add(tag)
        self._sentences += 1
        read = convert_tags(tags, self.scheme, self.scheme)
        if read != list(tags):
            self._faulty += 1
            self._first = self._first or f"{self.path}:{line}"
        return read if self.scheme == "IOB2" else convert_tags(read, self.scheme, "IOB2")

    def report(self) -> None:
        """Warn (TW100) if there were tags in an order that the scheme does not allow."""
        if self._faulty:
            facts = {"path": self.path, "count": self._faulty, "posts": self._sentences, "first": self._first}
            warnings.warn(Warnings.TW100.format(scheme=self.scheme, **facts), stacklevel=3)
