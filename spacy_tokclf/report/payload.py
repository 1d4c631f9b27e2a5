"""What the page computes with: texts, gold and predictions as compact JSON that is safe inside a script element."""

import json
from collections.abc import Collection
from itertools import groupby
from typing import Any

import numpy as np

from ..metrics.seqeval.chunks import Chunks
from ..metrics.surface import surfaces
from .candidates import Candidates

#: What would end a script element or open a comment, and what was no part of JavaScript's strings once.
_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def script_json(value: Any) -> str:
    """Write JSON that stays data inside of a script element, whatever texts and labels hold.

    value (Any): Plain values.
    RETURNS (str): The JSON.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for one, escaped in _UNSAFE.items():
        text = text.replace(one, escaped)
    return text


def text_rows(
    candidates: Candidates,
    types: list[str],
    *,
    other: Candidates | None = None,
    train_texts: Collection[str] | None = None,
) -> list[dict[str, Any]]:
    """Give the texts that have an entity, gold or predicted at any threshold; the others change no score.

    candidates (Candidates): Gold and predictions.
    types (list[str]): The types; entities name theirs by its index.
    other (Candidates | None): Those of another pipeline, whose own threshold stays.
    train_texts (Collection[str] | None): Texts of the entities of the training corpus.
    RETURNS (list[dict[str, Any]]): Place in the data (i); words (w), and what stands after each where that is known
        (s: 1 for a space); token ranges without annotation (m). Gold (g): start, end, type; 1 if the training corpus
        has its text; the score that it would have. Predictions (p): start, end, type; the score; the thresholds above
        which and up to which it is there; 1 if the training corpus has its text. Those of the other pipeline (o):
        start, end, type.
    """
    gold, pred = (_by_text(candidates, chunks, types) for chunks in (candidates.gold, candidates.pred))
    seen_gold, seen_pred = (_seen(candidates, chunks, train_texts) for chunks in (candidates.gold, candidates.pred))
    limits = np.stack([candidates.score, candidates.above, candidates.upto], axis=1)
    others: list[list[tuple[int, list[int]]]] = [[] for _ in candidates.references]
    if other is not None:
        others = _by_text(other, other.at(other.own).pred, types)
    rows = []
    for text, doc in enumerate(candidates.references):
        if not (gold[text] or pred[text] or others[text]):
            continue
        row: dict[str, Any] = {"i": candidates.places[text], "w": [token.text for token in doc]}
        if not doc.has_unknown_spaces:
            row["s"] = "".join("1" if token.whitespace_ else "0" for token in doc)
        if missing := _missing(candidates, text):
            row["m"] = missing
        row["g"] = [[*entity, seen_gold[index], _short(candidates.gold_score[index])] for index, entity in gold[text]]
        row["p"] = [[*entity, *map(_short, limits[index]), seen_pred[index]] for index, entity in pred[text]]
        if other is not None:
            row["o"] = [entity for _, entity in others[text]]
        rows.append(row)
    return rows


def _by_text(candidates: Candidates, chunks: Chunks, types: list[str]) -> list[list[tuple[int, list[int]]]]:
    """Give the entities of each text: index, and start, end (exclusive) and type; none that does not count."""
    found: list[list[tuple[int, list[int]]]] = [[] for _ in candidates.references]
    number = {name: index for index, name in enumerate(types)}
    texts = candidates.sentences.find(chunks.start)
    offsets = candidates.sentences.offsets[texts]
    columns = (texts.tolist(), (chunks.start - offsets).tolist(), (chunks.end - offsets + 1).tolist())
    for index, (text, start, end) in enumerate(zip(*columns, strict=True)):
        first = int(chunks.start[index])
        if not candidates.unknown[first : first + end - start].any():
            found[text].append((index, [start, end, number[candidates.names[chunks.type[index]]]]))
    return found


def _seen(candidates: Candidates, chunks: Chunks, train_texts: Collection[str] | None) -> list[int]:
    """Tell which entities have a text that the training corpus has; 0 for all if there is none."""
    if train_texts is None:
        return [0] * len(chunks)
    texts = surfaces(chunks, candidates.at(candidates.own), candidates.words)
    return [int(text in train_texts) for text, _ in texts]


def _missing(candidates: Candidates, text: int) -> list[list[int]]:
    """Give the ranges of tokens without gold annotation in a text: start and exclusive end."""
    first, length = candidates.sentences.offsets[text], candidates.sentences.lengths[text]
    mask = candidates.unknown[first : first + length].tolist()
    ranges = []
    for unknown, group in groupby(range(len(mask)), key=mask.__getitem__):
        if unknown:
            places = list(group)
            ranges.append([places[0], places[-1] + 1])
    return ranges


def _short(value: np.float32) -> float | None:
    """Give the shortest number that is this one in single precision; None for what JSON has no number for."""
    return float(str(np.float32(value))) if np.isfinite(value) else None
