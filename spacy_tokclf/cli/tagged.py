"""Tagged files for the commands: CoNLL columns or a DocBin, and two of them side by side."""

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import Errors, Warnings
from ..tags import MISSING

if TYPE_CHECKING:
    from ..types import Ints

_PREFIX_FORM = re.compile(r"-|[OBIESLU]|[BIESLU]-.+", re.DOTALL)
_SUFFIX_FORM = re.compile(r"-|[OBIESLU]|.+-[BIESLU]", re.DOTALL)
_SEVERAL_LABELS = re.compile(r",(O(,|$)|[BIESLU]-)")


@dataclass(frozen=True, eq=False)
class TaggedFile:
    """Tokens and tags of a file.

    path (str): The file.
    tokens (list[str]): All tokens, (n_tokens,).
    tags (list[str]): Their tags as they stand in the file, (n_tokens,).
    lengths (Ints): Tokens of each sentence, (n_sentences,).
    where (Callable[[int], str]): Says where a token stands.
    """

    path: str
    tokens: list[str]
    tags: list[str]
    lengths: "Ints"
    where: Callable[[int], str]


def read_tagged(
    path: str | Path,
    *,
    token_column: int = 0,
    tag_column: int = -1,
    separator: str | None = None,
    suffix: bool = False,
) -> TaggedFile:
    """Read a file of columns, or a DocBin if its name ends in ".spacy".

    path (str | Path): The file.
    token_column (int): Column of the tokens, from 0, or from the end if negative.
    tag_column (int): Column of the tags.
    separator (str | None): What stands between columns; None: found out.
    suffix (bool): Whether the prefix letter stands last.
    RETURNS (TaggedFile): Its tokens and tags.
    RAISES (ValueError): TC111, TC112, TC113, TC116, TC220, TC223, TC225, with file and line.
    """
    if Path(path).suffix == ".spacy":
        return _read_docbin(Path(path))
    from ..corpus.forms.columns import read_columns

    table = read_columns(path, (token_column, tag_column), separator=separator)
    tokens, tags = table.columns
    file = TaggedFile(str(path), tokens, tags, table.lengths, table.where)
    form = _SUFFIX_FORM if suffix else _PREFIX_FORM
    for tag in dict.fromkeys(tags):
        if _SEVERAL_LABELS.search(tag):
            raise ValueError(Errors.TC225.format(where=file.where(tags.index(tag)), tag=tag))
        if not form.fullmatch(tag):
            other = _PREFIX_FORM if suffix else _SUFFIX_FORM
            hint = ", and leave --suffix out" if suffix else ", or pass --suffix for tags like location-B"
            hint = hint if other.fullmatch(tag) else ""
            raise ValueError(Errors.TC223.format(where=file.where(tags.index(tag)), tag=tag, hint=hint))
    return file


def _read_docbin(path: Path) -> TaggedFile:
    """Read the entities of a DocBin as tags in IOB2."""
    from ..corpus import read_docbin

    if not path.is_file():
        raise ValueError(Errors.TC220.format(path=path))
    records = list(read_docbin(path))
    lengths = np.array([len(record.words) for record in records], dtype=np.int64)
    ends = np.cumsum(lengths)

    def where(token: int) -> str:
        document = int(np.searchsorted(ends, token, side="right"))
        return f"{path}, document {document}, token {token - int(ends[document] - lengths[document])}"

    tokens = [word for record in records for word in record.words]
    tags = [tag for record in records for tag in record.tags]
    if not tokens:
        raise ValueError(Errors.TC116.format(where=path, lines=0))
    return TaggedFile(str(path), tokens, tags, lengths, where)


def check_aligned(gold: TaggedFile, pred: TaggedFile, *, check_tokens: bool = False) -> None:
    """Insist on the same sentences with the same number of tokens; warn (TW202) of tokens spelled differently.

    gold (TaggedFile): The gold file.
    pred (TaggedFile): The file of predictions.
    check_tokens (bool): Whether a token spelled differently is an error.
    RAISES (ValueError): TC221, TC222, TC224.
    """
    names = {"gold": gold.path, "pred": pred.path}
    shared = min(len(gold.lengths), len(pred.lengths))
    different = np.flatnonzero(gold.lengths[:shared] != pred.lengths[:shared])
    if len(gold.lengths) != len(pred.lengths) or len(different):
        sentence = int(different[0]) if len(different) else shared
        places = {f"{side}_where": _sentence_start(file, sentence) for side, file in _sides(gold, pred)}
        if len(gold.lengths) != len(pred.lengths):
            counts = {"gold_count": len(gold.lengths), "pred_count": len(pred.lengths)}
            raise ValueError(Errors.TC221.format(**names, **counts, **places))
        counts = {"gold_count": gold.lengths[sentence], "pred_count": pred.lengths[sentence]}
        raise ValueError(Errors.TC222.format(**counts, **places))
    if gold.tokens == pred.tokens:
        return
    altered = [i for i, (one, other) in enumerate(zip(gold.tokens, pred.tokens, strict=True)) if one != other]
    facts: dict[str, object] = {**names, "count": len(altered), "total": len(gold.tokens)}
    for side, file in _sides(gold, pred):
        facts |= {f"{side}_where": file.where(altered[0]), f"{side}_token": file.tokens[altered[0]]}
    if check_tokens:
        raise ValueError(Errors.TC224.format(**facts))
    warnings.warn(Warnings.TW202.format(**facts), stacklevel=2)


def check_scheme(scheme: str | None, gold: TaggedFile, pred: TaggedFile, *, suffix: bool = False) -> None:
    """Insist on prefixes of a strict scheme.

    scheme (str | None): Its name; None: detected from the gold tags, as seqeval does.
    gold (TaggedFile): The gold file.
    pred (TaggedFile): The file of predictions.
    suffix (bool): Whether the prefix letter stands last.
    RAISES (ValueError): TC206, TC207; TC227 with file and line.
    """
    from ..metrics.seqeval.rules import STRICT, detect_strict_scheme, scheme_name

    place = -1 if suffix else 0
    if scheme is None:
        scheme = detect_strict_scheme(tag[place] for tag in set(gold.tags) - {MISSING})
    allowed = STRICT[scheme_name(scheme)].allowed
    for file in (gold, pred):
        for tag in dict.fromkeys(file.tags):
            if tag[place] not in allowed and tag != MISSING:
                where, letters = file.where(file.tags.index(tag)), ", ".join(allowed)
                raise ValueError(Errors.TC227.format(where=where, tag=tag, scheme=scheme, allowed=letters))


def entity_texts(path: str | Path, *, token_column: int = 0, tag_column: int = -1) -> set[str]:
    """Collect the texts of the entities of a training corpus.

    path (str | Path): A CoNLL file in any scheme, or a DocBin.
    token_column (int): Column of the tokens.
    tag_column (int): Column of the tags.
    RETURNS (set[str]): Tokens of each entity, joined by a space.
    RAISES (ValueError): As read_conll does; TC220.
    """
    from ..corpus import read_conll, read_docbin

    if not Path(path).is_file():
        raise ValueError(Errors.TC220.format(path=path))
    if Path(path).suffix == ".spacy":
        records = read_docbin(path)
    else:
        records = read_conll(path, token_column=token_column, tag_column=tag_column)
    return {" ".join(record.words[start:end]) for record in records for start, end, _ in record.spans}


def _sides(gold: TaggedFile, pred: TaggedFile) -> tuple[tuple[str, TaggedFile], tuple[str, TaggedFile]]:
    """Name both files."""
    return ("gold", gold), ("pred", pred)


def _sentence_start(file: TaggedFile, sentence: int) -> str:
    """Say where a sentence begins, or that the file ended before it."""
    if sentence >= len(file.lengths):
        return f"the end of {file.path}"
    return file.where(int(file.lengths[:sentence].sum())) if file.lengths[sentence] else file.path
