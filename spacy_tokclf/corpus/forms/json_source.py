"""What is known of a JSON file while its rows are read: how to read it, and what its other rows tell."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from ...errors import Errors
from ...tags import SchemeDetector, TagForm
from ..gold_tags import GoldTags
from ..options import ReadOptions
from .json_rows import JsonRow, read_json_rows
from .json_spans import is_whole

Row = dict[str, Any]


class Source:
    """One file. Facts that a single row does not tell are looked for in the whole file, once."""

    def __init__(self, path: str, options: ReadOptions) -> None:
        """Start without a fact.

        path (str): The file.
        options (ReadOptions): How to read it.
        """
        self.path = path
        self.options = options
        #: Those who annotated, as messages name them, and whether the one that is asked for is among them.
        self.annotators: dict[str, None] = {}
        self.has_annotator = False
        #: Of JSON-MIN: whether any row has a region, and keys of what else is said.
        self.has_regions = False
        self.said_else: set[str] = set()
        self._facts: dict[str, Any] = {}
        self._gold: dict[str, GoldTags] = {}

    def rows(self, *, lenient: bool = False) -> Iterator["Place"]:
        """Stream the rows of the file.

        lenient (bool): As for read_json_rows.
        YIELDS (Place): The rows.
        RAISES (ValueError): As read_json_rows does.
        """
        for row in read_json_rows(self.path, self.options.encoding, lenient=lenient):
            yield Place(self, row)

    def fact(self, name: str, find: Callable[[Iterator["Place"]], Any]) -> Any:
        """Look for a fact in all rows, if that was not yet done.

        name (str): What the fact is called.
        find (Callable[[Iterator[Place]], Any]): Finds it in the rows.
        RETURNS (Any): What was found.
        """
        if name not in self._facts:
            self._facts[name] = find(self.rows())
        return self._facts[name]

    def gold(self, form: TagForm | str) -> GoldTags:
        """Give the reader of tags.

        form (TagForm | str): How they are written, or their scheme alone.
        RETURNS (GoldTags): The same for all rows.
        """
        key = form if isinstance(form, str) else "auto"  # one form is detected in a file
        if key not in self._gold:
            self._gold[key] = GoldTags(self.path, form)
        return self._gold[key]

    def finish(self) -> None:
        """Say, after the last row, what was wrong in more than one of them.

        RAISES (ValueError): TC178, if an annotator is asked for that the file does not have; TC185, if it is JSON-MIN
            in which other things are said, and no region is marked.
        """
        for gold in self._gold.values():
            gold.report()
        if self.said_else and not self.has_regions:
            raise ValueError(Errors.TC185.format(path=self.path, keys=", ".join(sorted(self.said_else)[:8])))
        asked = self.options.annotator
        if asked is not None and not self.has_annotator:
            known = ", ".join(sorted(self.annotators)) or "none, since no annotation says whose it is"
            raise ValueError(Errors.TC178.format(path=self.path, annotator=asked, known=known))

    def is_asked_for(self, annotator: Any) -> bool:
        """Tell whether somebody's annotations are to be read, and take note of who there is.

        annotator (Any): Number, name or address, or an object of Label Studio with several of these.
        RETURNS (bool): Whether it is the one asked for; True if none is.
        """
        names = annotator_names(annotator)
        if names:
            self.annotators[" = ".join(names)] = None
        asked = self.options.annotator
        if asked is None:
            return True
        self.has_annotator |= asked in names
        return asked in names


class Place(NamedTuple):
    """One row in its file.

    source (Source): The file.
    row (JsonRow): The row.
    """

    source: Source
    row: JsonRow

    @property
    def where(self) -> str:
        """Where the row stands, for messages: "file:line"."""
        return f"{self.source.path}:{self.row.line}{self.row.item and f', {self.row.item}'}"

    @property
    def trust(self) -> bool:
        """Whether offsets are taken as they are."""
        return self.source.options.offsets == "trust"

    def text(self, value: Any) -> str:
        """Check a text.

        value (Any): What stands in its place.
        RETURNS (str): The text.
        RAISES (ValueError): TC168.
        """
        if not isinstance(value, str):
            raise ValueError(Errors.TC168.format(where=self.where, found=repr(value)[:60]))
        if not is_whole(value):
            at = next(i for i, character in enumerate(value) if not is_whole(character))
            found = f"broken at character {at}, half of a surrogate pair"
            raise ValueError(Errors.TC168.format(where=self.where, found=found))
        return value

    def unknown(self, hint: str = "") -> ValueError:
        """Say that a row is of no shape that is known.

        hint (str): What may help.
        RETURNS (ValueError): TC161.
        """
        value = self.row.value
        shown = f"an object with the keys {list(value)[:20]}" if isinstance(value, dict) else repr(value)[:60]
        return ValueError(Errors.TC161.format(where=self.where, found=shown, hint=hint))


def annotator_names(annotator: Any) -> list[str]:
    """Give the names of somebody who annotated.

    annotator (Any): Number, name or address, or an object with several of these.
    RETURNS (list[str]): All of them, as strings.
    """
    if isinstance(annotator, dict):
        keys = ("id", "email", "username", "name", "annotator")
        return [str(annotator[key]) for key in keys if isinstance(annotator.get(key), str | int)]
    return [str(annotator)] if isinstance(annotator, str | int) and not isinstance(annotator, bool) else []


def detect_form(source: Source, tagged: Callable[[Place], list[str] | None]) -> TagForm | str:
    """Find how the tags of a file are written.

    source (Source): The file.
    tagged (Callable[[Place], list[str] | None]): Gives the tags of a row, None if it has none.
    RETURNS (TagForm | str): The scheme that is asked for, else the form that fits all rows.
    RAISES (ValueError): TC101, TC104, TC126, and as SchemeDetector and `tagged` do.
    """
    if source.options.scheme != "auto":
        return source.options.scheme

    def find(rows: Iterator[Place]) -> TagForm:
        detector = SchemeDetector()
        for place in rows:
            tags = tagged(place)
            if tags is not None:
                detector.add(tags, f"{place.where}, token ")
        return detector.form()

    form: TagForm = source.fact("tags", find)
    return form
