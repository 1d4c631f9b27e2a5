"""Sentences as lines of pairs, `word|tag` or `word|pos|tag` with blanks between them: spaCy's .iob form and its kin."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ...errors import Errors
from ...tags import MISSING, OUTSIDE, looks_like_tag
from .column_names import choose_columns
from .columns import is_docstart
from .lines import read_line_blocks
from .rows import Rows

_SEPARATORS = "|/_"
_SAMPLE = 200


def find_pairs(lines: Sequence[str], separator: str | None) -> str | None:
    """Tell lines of pairs from rows of columns.

    lines (Sequence[str]): The first lines of a file.
    separator (str | None): What is said to stand between word and tag.
    RETURNS (str | None): What stands between word and tag; None if these are no lines of pairs.
    """
    sentences = [pieces for line in lines[:_SAMPLE] if (pieces := _pieces(line))]
    if not any(len(pieces) > 1 for pieces in sentences):
        return None
    for mark in [separator] if separator else _SEPARATORS:
        pieces = [piece for sentence in sentences for piece in sentence]
        if not mark.strip() or not all(mark in piece for piece in pieces):
            continue
        tags = [piece.rpartition(mark)[2] for piece in pieces]
        is_tagged = any(map(looks_like_tag, tags)) and all(tag == MISSING or looks_like_tag(tag) for tag in tags)
        if separator or is_tagged or (mark == "|" and OUTSIDE in tags):
            return mark
    return None


def stream_pairs(
    path: str | Path, columns: Sequence[int | str], separator: str, *, encoding: str | None = None
) -> Iterator[Rows]:
    """Stream the sentences of a file of pairs.

    path (str | Path): The file.
    columns (Sequence[int | str]): Which parts of a pair: that of the tokens, then those of tags.
    separator (str): What stands between the parts.
    encoding (str | None): The encoding, as for read_line_blocks.
    YIELDS (Rows): Rows that follow each other; those of one sentence have one line.
    RAISES (ValueError): TC111, TC112, TC113, TC116, with file and line, after the sentences before it.
    """
    width, number = 0, 0
    chosen = choose_columns(columns, None, [], path)
    for lines in read_line_blocks(path, encoding):
        sentences = [(number + i, pieces) for i, line in enumerate(lines, 1) if (pieces := _pieces(line))]
        number += len(lines)
        if not sentences:
            continue
        width = width or _width([piece for _, pieces in sentences[:_SAMPLE] for piece in pieces], separator)
        if len({range(width)[i] for i in chosen if -width <= i < width}) < len(chosen):
            facts = {"where": f"{path}:{sentences[0][0]}", "width": width, "separator": repr(separator)}
            raise ValueError(Errors.TC112.format(token=chosen[0], tag=chosen[-1], **facts))
        good, fault = _cells(sentences, separator, width)
        if good:
            lengths = np.array([len(cells) for _, cells in good], dtype=np.int64)
            places = np.repeat(np.array([line for line, _ in good], dtype=np.int64), lengths)
            yield Rows(str(path), [[cell[i] for _, cells in good for cell in cells] for i in chosen], places, lengths)
        if fault:
            line, piece = fault
            facts = {"separator": repr(separator), "line": piece, "width": width, "found": piece.count(separator) + 1}
            raise ValueError(Errors.TC113.format(where=f"{path}:{line}", **facts))
    if not width:
        raise ValueError(Errors.TC116.format(where=path, lines=number))


def _pieces(line: str) -> list[str]:
    """Split a line where blanks are, and nowhere else; a comment or a -DOCSTART- line has no pairs."""
    pieces = [piece for piece in line.replace("\t", " ").split(" ") if piece]
    if pieces and (pieces[0] == "#" or is_docstart(line, pieces[0][len("-DOCSTART-") :][:1] or None)):
        return []
    return pieces if line.strip() else []


def _width(pieces: list[str], separator: str) -> int:
    """Say of how many parts most pairs are; a word may hold the separator, so of several the fewest."""
    counts = Counter(piece.count(separator) + 1 for piece in pieces)
    most = max(counts.values())
    return min(width for width, count in counts.items() if 2 * count >= most and width > 1)


def _cells(
    sentences: list[tuple[int, list[str]]], separator: str, width: int
) -> tuple[list[tuple[int, list[list[str]]]], tuple[int, str] | None]:
    """Split the pairs of sentences, up to one that has too few parts."""
    good: list[tuple[int, list[list[str]]]] = []
    for line, pieces in sentences:
        cells = [piece.rsplit(separator, width - 1) for piece in pieces]
        wrong = next((piece for piece, parts in zip(pieces, cells, strict=True) if len(parts) < width), None)
        if wrong is not None:
            return good, (line, wrong)
        good.append((line, cells))
    return good, None
