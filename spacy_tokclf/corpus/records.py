"""The record: one post as read, before it becomes a Doc."""

from dataclasses import dataclass, field

from ..errors import Errors
from ..tags import Span, tags_to_spans


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
