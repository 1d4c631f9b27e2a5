"""One text as read, before it becomes a Doc: with tokens and tags (Record), or with labelled spans of characters
(TextRecord)."""

from dataclasses import dataclass, field
from typing import NamedTuple

from ..errors import Errors
from ..tags import Span, tags_to_spans

#: Start, end (exclusive) and label, in characters.
CharSpan = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Record:
    """One post with its gold tokens and tags. Records are equal if words and tags are.

    words (list[str]): The tokens.
    tags (list[str]): One IOB2 tag a token; "-" is a missing value.
    path (str): The file it was read from.
    line (int): Line of the first token in that file, from 1; 0 if unknown.
    scores (dict[tuple[int, int, str], float]): Scores of predicted entities, of those that have one.
    """

    words: list[str]
    tags: list[str]
    path: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)
    scores: dict[Span, float] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        """Check the lengths."""
        if len(self.words) != len(self.tags):
            raise ValueError(Errors.TC110.format(where=self.where, words=len(self.words), tags=len(self.tags)))

    @property
    def where(self) -> str:
        """Where the post stands, for messages: "file:line", or its first words."""
        return f"{self.path}:{self.line}" if self.path else repr(" ".join(self.words[:8]))

    @property
    def spans(self) -> list[Span]:
        """The entities: start, end (exclusive), label."""
        return tags_to_spans(self.tags)


class Mark(NamedTuple):
    """Something that is marked in a file and is no entity that can be learned.

    why (str): What it is, or what is wrong with it, for example "no label".
    place (tuple[int, int] | None): The characters of the text that it covers, which have no gold; None for what is no
        mark on the text, such as a relation.
    """

    why: str
    place: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class TextRecord:
    """One text as an annotation tool exported it. Offsets count characters (code points), ends are exclusive. Records
    are equal if all but the place is.

    text (str): The text.
    spans (list[tuple[int, int, str]]): Start, end and label of the entities, in the order of the file.
    missing (list[tuple[int, int]]): Where it is not known whether there is an entity; spans take precedence.
    tokens (list[tuple[int, int]] | None): Start and end of the tokens that the file gives.
    own_tokens (bool): Whether these tokens are what was annotated, so that they are taken in any case.
    unknown_spaces (bool): Whether the white space between the tokens was made up.
    marks (list[Mark]): What is marked and is no entity that can be learned.
    scores (dict[tuple[int, int, str], float]): Scores of spans, of those that have one.
    annotations (int): How many annotations the tool holds for this text. With none, all of it is missing.
    path (str): The file it was read from.
    line (int): Line of that file, from 1; 0 if unknown.
    item (str): Which item of that line it is, for messages, if there are several.
    """

    text: str
    spans: list[CharSpan]
    missing: list[tuple[int, int]] = field(default_factory=list)
    tokens: list[tuple[int, int]] | None = None
    own_tokens: bool = False
    unknown_spaces: bool = False
    marks: list[Mark] = field(default_factory=list)
    scores: dict[CharSpan, float] = field(default_factory=dict)
    annotations: int = 1
    path: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)
    item: str = field(default="", compare=False)

    @property
    def where(self) -> str:
        """Where the text stands, for messages: "file:line", or how it begins."""
        return f"{self.path}:{self.line}{self.item and f', {self.item}'}" if self.path else repr(self.text[:60])

    def show(self, span: CharSpan) -> str:
        """Describe a span for a message.

        span (tuple[int, int, str]): One of the spans.
        RETURNS (str): For example "(4, 8, 'LOC') 'York'".
        """
        start, end, label = span
        shown = self.text[start:end]
        return f"({start}, {end}, {label!r}) {shown if len(shown) <= 40 else shown[:39] + '…'!r}"


def is_whole(text: str) -> bool:
    """Tell whether a string has whole characters only, no half of a surrogate pair.

    text (str): The string.
    RETURNS (bool): Whether it can be written in UTF-8.
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
