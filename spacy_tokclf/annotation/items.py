"""One text on its way through `annotate`."""

import re
from dataclasses import dataclass, field
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from ..corpus.align import bare_doc
from ..corpus.docs import bare_copy, doc_text
from ..corpus.forms.json_spans import is_whole
from ..corpus.records import Record, TextRecord
from ..errors import Errors

_REPLACEMENT = "\ufffd"


@dataclass(frozen=True, slots=True)
class Item:
    """A text to annotate, or a place in the data where one was expected.

    source (Record | TextRecord | Doc | None): The text, or tokens; its annotation is not looked at. None: no text.
    where (str): Where it stands, for messages.
    row (dict[str, Any]): What else the data say of it.
    text_key (str): The key of the text in that row.
    name (str): The name of its file, without suffix, where each text has a file.
    error (str): Why there is no text.
    """

    source: Record | TextRecord | Doc | None
    where: str
    row: dict[str, Any] = field(default_factory=dict)
    text_key: str = "text"
    name: str = ""
    error: str = ""

    @property
    def text(self) -> str:
        """RETURNS (str): The text; "" if there is none."""
        if isinstance(self.source, Record):
            return " ".join(self.source.words)
        if isinstance(self.source, Doc):
            return doc_text(self.source)
        return self.source.text if self.source is not None else ""


@dataclass(frozen=True, slots=True)
class Annotated:
    """A text with its entities.

    item (Item): The text.
    doc (Doc): The annotated text; one without annotation if it failed.
    error (str): Why it failed; "" if it did not.
    """

    item: Item
    doc: Doc
    error: str = ""


def make_doc(item: Item, nlp: Language, *, keep_tokens: bool = False) -> Doc:
    """Make a Doc without annotation: on the tokens of the data where these were annotated, else of the tokenizer.

    item (Item): The text.
    nlp (Language): The pipeline.
    keep_tokens (bool): Whether to take tokens that come with a text, too.
    RETURNS (Doc): The Doc.
    RAISES (ValueError): TC369, TC370, TC170, TC171; what the item says, if it has no text.
    """
    source = item.source
    if source is None:
        raise ValueError(item.error)
    if isinstance(source, Doc):
        return bare_copy(source, nlp.vocab)
    if isinstance(source, Record):
        return Doc(nlp.vocab, words=source.words)
    if not is_whole(source.text):
        at = next(i for i, character in enumerate(source.text) if not is_whole(character))
        raise ValueError(Errors.TC369.format(where=item.where, at=at))
    if len(source.text) > nlp.max_length:
        facts = {"length": len(source.text), "limit": nlp.max_length}
        raise ValueError(Errors.TC370.format(where=item.where, **facts))
    return bare_doc(source, nlp, keep_tokens=keep_tokens)


def blank_doc(item: Item, nlp: Language) -> Doc:
    """Make a Doc that stands in for a text that failed: of its text, as far as that can be, without annotation.

    item (Item): The text.
    nlp (Language): The pipeline.
    RETURNS (Doc): The Doc, in which nothing is known of any token.
    """
    if isinstance(item.source, Record | Doc):  # whose tokens are known
        return make_doc(item, nlp)
    text = whole_text(item.text)
    words = [match.span() for match in re.finditer(r"\S+", text)]
    return bare_doc(TextRecord(text, [], tokens=words, own_tokens=True), nlp)


def whole_text(text: str) -> str:
    """Put a mark in the place of halves of characters.

    text (str): The text.
    RETURNS (str): What can be written in UTF-8.
    """
    return text if is_whole(text) else "".join(each if is_whole(each) else _REPLACEMENT for each in text)
