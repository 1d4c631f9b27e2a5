"""The text record: one text with labelled spans of characters, before it is tokenised."""

from dataclasses import dataclass, field

CharSpan = tuple[int, int, str]


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
