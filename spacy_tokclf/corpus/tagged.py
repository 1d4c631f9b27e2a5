"""Files of gold or predicted tags for scoring: columns or a DocBin, with the tags as they stand there."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import Errors
from ..types import Ints
from .forms.columns import read_columns
from .forms.conll import has_several_labels
from .forms.docbin import SUFFIX, read_docbin
from .options import ReadOptions

_PREFIX_FORM = re.compile(r"-|[OBIESLU]|[BIESLU]-.+", re.DOTALL)
_SUFFIX_FORM = re.compile(r"-|[OBIESLU]|.+-[BIESLU]", re.DOTALL)


@dataclass(frozen=True, eq=False)
class TaggedFile:
    """Tokens and tags of a file.

    path (str): The file.
    tokens (list[str]): All tokens, without blanks at their ends. Shape: (n_tokens,).
    tags (list[str]): Their tags as they stand in the file. Shape: (n_tokens,).
    lengths (Ints): Tokens of each sentence. Shape: (n_sentences,).
    where (Callable[[int], str]): Says where a token stands.
    """

    path: str
    tokens: list[str]
    tags: list[str]
    lengths: Ints
    where: Callable[[int], str]


def read_tagged(path: str | Path, options: ReadOptions | None = None, *, suffix: bool = False) -> TaggedFile:
    """Read a file of columns, or a DocBin if its name ends in ".spacy".

    Tokens may be empty, unlike those of training data: predictions for lost tokens are scored on the gold tokens.

    path (str | Path): The file.
    options (ReadOptions | None): How to read it.
    suffix (bool): Whether the prefix letter stands last.
    RETURNS (TaggedFile): Its tokens and tags.
    RAISES (ValueError): TC111, TC112, TC113, TC115, TC116, TC223, with file and line; TC118 if there is no such file.
    """
    if Path(path).suffix == SUFFIX:
        return _read_docbin(Path(path))
    options = options or ReadOptions()
    rows = read_columns(path, (options.token_column, options.tag_column), separator=options.separator)
    tokens, tags = rows.columns
    form = _SUFFIX_FORM if suffix else _PREFIX_FORM
    for tag in dict.fromkeys(tags):
        if has_several_labels(tag):
            raise ValueError(Errors.TC115.format(where=rows.where(tags.index(tag)), tag=tag))
        if not form.fullmatch(tag):
            other = _PREFIX_FORM if suffix else _SUFFIX_FORM
            hint = ", and leave --suffix out" if suffix else ", or pass --suffix for tags like location-B"
            hint = hint if other.fullmatch(tag) else ""
            raise ValueError(Errors.TC223.format(where=rows.where(tags.index(tag)), tag=tag, hint=hint))
    if any(token != token.strip(" \t") for token in set(tokens)):
        tokens = [token.strip(" \t") for token in tokens]
    return TaggedFile(str(path), tokens, tags, rows.lengths, rows.where)


def _read_docbin(path: Path) -> TaggedFile:
    """Read the entities of a DocBin as tags in IOB2."""
    records = list(read_docbin(path))
    lengths = np.array([len(record.words) for record in records], dtype=np.int64)  # (n_docs,)
    ends = np.cumsum(lengths)  # one past the last token of each Doc, (n_docs,)

    def where(token: int) -> str:
        document = int(np.searchsorted(ends, token, side="right"))
        return f"{path}, document {document}, token {token - int(ends[document] - lengths[document])}"

    tokens = [word for record in records for word in record.words]
    tags = [tag for record in records for tag in record.tags]
    if not tokens:
        raise ValueError(Errors.TC116.format(where=path, lines=0))
    return TaggedFile(str(path), tokens, tags, lengths, where)
