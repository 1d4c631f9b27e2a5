"""What stands on the pages of documentation: blocks of code, links, headlines."""

import re
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
HEADLINE = re.compile(r"^#+ (.+)$", re.MULTILINE)


class Code(NamedTuple):
    """A block of code: its language, its text, and the number of its first line."""

    language: str
    text: str
    line: int

    @property
    def commands(self) -> list[str]:
        """RETURNS (list[str]): The commands of a block, without comments."""
        joined = self.text.replace("\\\n", " ")
        return [line.split("  #")[0].split(" # ")[0].strip() for line in joined.splitlines() if line.strip()]


class Page:
    """A page in Markdown.

    path (Path): The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.relative_to(ROOT).as_posix()
        self.text = path.read_text(encoding="utf-8")

    @cached_property
    def blocks(self) -> list[Code]:
        """RETURNS (list[Code]): The blocks that name their language."""
        found = BLOCK.finditer(self.text)
        return [Code(m[1], m[2], self.text[: m.start()].count("\n") + 1) for m in found]

    @cached_property
    def prose(self) -> str:
        """RETURNS (str): The page without its blocks of code."""
        return re.sub(r"^```.*?^```$", "", self.text, flags=re.DOTALL | re.MULTILINE)

    @property
    def links(self) -> list[str]:
        """RETURNS (list[str]): What the page links to, code in a line apart."""
        return LINK.findall(re.sub(r"(?<!\[)`[^`\n]+`(?!\])", "", self.prose))

    @property
    def anchors(self) -> set[str]:
        """RETURNS (set[str]): What links can name on this page."""
        return {anchor(title) for title in HEADLINE.findall(self.prose)}


def anchor(title: str) -> str:
    """Give the anchor that GitHub makes of a headline: lower case, no punctuation, hyphens for blanks."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


README = Page(ROOT / "README.md")
#: The pages whose code is run. docs/errors.md has none but what stands in messages.
RUN = [README, *(Page(path) for path in sorted((ROOT / "docs").glob("*.md")) if path.name != "errors.md")]
FOLDERS = ("bench", "configs", "docs", "sample", "scripts", "spacy_tokclf", "tests")


def all_pages() -> list[Page]:
    """RETURNS (list[Page]): Every page of the repository."""
    paths = [*ROOT.glob("*.md"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.md"))]
    return [Page(path) for path in sorted(paths)]
