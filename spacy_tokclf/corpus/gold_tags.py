"""Gold tags of any scheme, checked and rewritten in IOB2, sentence by sentence."""

import warnings
from collections.abc import Sequence

from ..errors import Errors, Warnings
from ..tags import UNNAMED, UNSPECIFIED, TagForm, convert_tags, expected_tags, is_tag_of


class GoldTags:
    """Read the tags of one corpus. Tags in an order that the scheme does not allow are read by the rule of conlleval,
    counted, and reported once."""

    def __init__(self, path: str, form: TagForm | str) -> None:
        """Start without a sentence.

        path (str): Name of the corpus, for messages.
        form (TagForm | str): How its tags are written, or their scheme alone.
        """
        self.path = path
        self.scheme, self.spelling = TagForm(form) if isinstance(form, str) else form
        self._known: set[str] = set()
        self._sentences, self._faulty, self._first = 0, 0, ""
        self._unspecified, self._first_unspecified = 0, ""

    def read(self, tags: Sequence[str], lines: int | Sequence[int]) -> list[str]:
        """Rewrite the tags of one sentence.

        tags (Sequence[str]): One tag a token; "-" is a missing value.
        lines (int | Sequence[int]): Line of each token, or number of the row that has them all.
        RETURNS (list[str]): One tag a token, in IOB2.
        RAISES (ValueError): TC101, with the line, if a tag is not of the scheme.
        """
        given, tags = tags, self.spelling.normalize(list(tags))
        for i, tag in enumerate(tags):
            if tag not in self._known:
                if not is_tag_of(tag, self.scheme):
                    where = f"{self.path}:{lines}, token {i}" if isinstance(lines, int) else f"{self.path}:{lines[i]}"
                    raise ValueError(Errors.TC101.format(tag=tag, where=where, expected=expected_tags(self.scheme)))
                self._known.add(tag)
        first = lines if isinstance(lines, int) or not lines else lines[0]
        self._sentences += 1
        if UNSPECIFIED in self.spelling.usual and UNSPECIFIED in given:
            self._unspecified += sum(tag == UNSPECIFIED for tag in given)
            self._first_unspecified = self._first_unspecified or f"{self.path}:{first}"
        read = convert_tags(tags, self.scheme, self.scheme)
        if read != tags:
            self._faulty += 1
            self._first = self._first or f"{self.path}:{first}"
        return read if self.scheme == "IOB2" else convert_tags(read, self.scheme, "IOB2")

    def report(self) -> None:
        """Warn of tags in an order that the scheme does not allow (TW100), of entities without a type (TW113), and of
        tokens of which nothing is said (TW114)."""
        if self._faulty:
            facts = {"path": self.path, "count": self._faulty, "posts": self._sentences, "first": self._first}
            warnings.warn(Warnings.TW100.format(scheme=self.scheme, **facts), stacklevel=3)
        if self.spelling.unnamed:
            warnings.warn(Warnings.TW113.format(path=self.path, label=UNNAMED), stacklevel=3)
        if self._unspecified:
            facts = {"path": self.path, "count": self._unspecified, "first": self._first_unspecified}
            warnings.warn(Warnings.TW114.format(**facts), stacklevel=3)
