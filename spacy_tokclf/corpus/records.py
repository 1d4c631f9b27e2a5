"""One text as read, before it becomes a Doc: with tokens and tags (Record), or with labelled spans of characters
(TextRecord)."""

from dataclasses import dataclass, field

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
    """

    words: list[str]
    tags: list[str]
    path: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)

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


@dataclass(frozen=True, slots=True)
class TextRecord:
    """One text as an annotation tool exported it. Offsets count characters (code points), ends are exclusive. Records
    are equal if all but the place is.

    text (str): The text.
    spans (list[tuple[int, int, str]]): Start, end and label of the entities, in the order of the file.
    missing (list[tuple[int, int]]): Where it is not known whether there is an entity; spans take precedence.
    tokens (list[tuple[int, int]] | None): Start and end of the tokens that the file gives.
    unknown_spaces (bool): Whether the white space between the tokens was made up.
    annotations (int): How many annotations the tool holds for this text. With none, all of it is missing.
    path (str): The file it was read from.
    line (int): Line of that file, from 1; 0 if unknown.
    """

    text: str
    spans: list[CharSpan]
    missing: list[tuple[int, int]] = field(default_factory=list)
    tokens: list[tuple[int, int]] | None = None
    unknown_spaces: bool = False
    annotations: int = 1
    path: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)

    @property
    def where(self) -> str:
        """Where the text stands, for messages: "file:line", or how it begins."""
        return f"{self.path}:{self.line}" if self.path else repr(self.text[:60])

    def show(self, span: CharSpan) -> str:
        """Describe a span for a message.

        span (tuple[int, int, str]): One of the spans.
        RETURNS (str): For example "(4, 8, 'LOC') 'York'".
        """
        start, end, label = span
        shown = self.text[start:end]
        return f"({start}, {end}, {label!r}) {shown if len(shown) <= 40 else shown[:39] + '…'!r}"
