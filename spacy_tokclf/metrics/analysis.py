"""Error analysis: one kind of error for every false negative and false positive, and the confusion of types."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..tags import OUTSIDE
from ..types import Bools, Ints
from .seqeval.chunks import Chunks
from .seqeval.compare import Comparison

#: Kinds of error. The middle five pair a wrong prediction with a gold entity that it overlaps.
KINDS = ("missed", "wrong_type", "too_long", "too_short", "shifted", "type_and_boundary", "spurious")


class EntityError(NamedTuple):
    """One error.

    kind (str): One of KINDS.
    gold (int): Index of the gold entity, -1 if none.
    pred (int): Index of the predicted entity, -1 if none.
    """

    kind: str
    gold: int
    pred: int


def find_errors(comparison: Comparison) -> list[EntityError]:
    """Give every false negative and every false positive exactly one kind of error.

    False positives are paired one to one with the false negatives that they overlap: equal spans first,
    then equal types, then the largest overlap. A pair is "wrong_type" (equal spans), "too_long" or "too_short"
    (equal types; one span holds the other), "shifted" (equal types; each has tokens that the other lacks) or
    "type_and_boundary". What stays alone is "missed" or "spurious". So false negatives are the errors that are not
    spurious, and false positives are the errors that are not missed.

    comparison (Comparison): Gold beside prediction.
    RETURNS (list[EntityError]): The errors in the order of the text.
    """
    fn, fp = np.flatnonzero(~comparison.gold_hit), np.flatnonzero(~comparison.pred_hit)
    gold, pred = comparison.gold, comparison.pred
    pairs = _pair(gold.where(~comparison.gold_hit), pred.where(~comparison.pred_hit))
    errors = [EntityError(_kind(gold, pred, int(g), int(p)), int(g), int(p)) for g, p in _index(pairs, fn, fp)]
    paired_gold, paired_pred = {error.gold for error in errors}, {error.pred for error in errors}
    errors += [EntityError("missed", g, -1) for g in fn.tolist() if g not in paired_gold]
    errors += [EntityError("spurious", -1, p) for p in fp.tolist() if p not in paired_pred]
    return sorted(errors, key=lambda error: _place(comparison, error))


def _index(pairs: list[tuple[int, int]], fn: Ints, fp: Ints) -> list[tuple[int, int]]:
    """Turn indices among false negatives and false positives to indices among all entities."""
    return [(int(fn[g]), int(fp[p])) for g, p in pairs]


def _place(comparison: Comparison, error: EntityError) -> tuple[int, int]:
    """Give the sort key of an error: its position in the text, and its kind."""
    chunks, index = (comparison.gold, error.gold) if error.gold >= 0 else (comparison.pred, error.pred)
    return int(chunks.start[index]), KINDS.index(error.kind)


def _pair(gold: Chunks, pred: Chunks) -> list[tuple[int, int]]:
    """Pair overlapping entities one to one, the best candidates first."""
    if not len(gold) or not len(pred):
        return []
    g, p = _overlapping(gold, pred)  # (n_pairs,) each
    overlap = np.minimum(gold.end[g], pred.end[p]) - np.maximum(gold.start[g], pred.start[p]) + 1
    same_span = (gold.start[g] == pred.start[p]) & (gold.end[g] == pred.end[p])
    same_type = gold.type[g] == pred.type[p]
    # The last key of lexsort counts most: equal spans, then equal types, then the largest overlap.
    order = np.lexsort((gold.start[g], pred.start[p], -overlap, ~same_type, ~same_span))
    free_gold, free_pred = set(range(len(gold))), set(range(len(pred)))
    pairs = []
    for one, other in zip(g[order].tolist(), p[order].tolist(), strict=True):
        if one in free_gold and other in free_pred:
            pairs.append((one, other))
            free_gold.remove(one)
            free_pred.remove(other)
    return pairs


def _overlapping(gold: Chunks, pred: Chunks) -> tuple[Ints, Ints]:
    """List all pairs that share a position: indices into gold and pred."""
    # Gold by start; the running maximum of the ends is sorted as well, so both bounds are found by bisection.
    order = np.argsort(gold.start, kind="stable")
    reach = np.maximum.accumulate(gold.end[order])
    first = np.searchsorted(reach, pred.start, side="left")
    last = np.searchsorted(gold.start[order], pred.end, side="right")
    sizes = np.maximum(last - first, 0)  # (n_pred,): candidates of each prediction
    p = np.repeat(np.arange(len(pred)), sizes)
    within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    g = order[np.repeat(first, sizes) + within]
    # A long entity lets shorter ones after it through the bound: those that end too early go.
    touching: Bools = gold.end[g] >= pred.start[p]
    return g[touching], p[touching]


def _kind(gold: Chunks, pred: Chunks, g: int, p: int) -> str:
    """Name the error of a pair."""
    starts_before, ends_after = pred.start[p] - gold.start[g], pred.end[p] - gold.end[g]
    if not starts_before and not ends_after:
        return "wrong_type"
    if gold.type[g] != pred.type[p]:
        return "type_and_boundary"
    if starts_before <= 0 <= ends_after:
        return "too_long"
    return "too_short" if ends_after <= 0 <= starts_before else "shifted"


def count_kinds(comparison: Comparison, errors: Sequence[EntityError]) -> dict[str, dict[str, int]]:
    """Count the kinds of error by type: the gold type, or the predicted one if spurious.

    comparison (Comparison): Gold beside prediction.
    errors (Sequence[EntityError]): Its errors.
    RETURNS (dict[str, dict[str, int]]): Types in code-point order; kinds in the order of KINDS, zeros included.
    """
    kinds = {name: dict.fromkeys(KINDS, 0) for name in _types(comparison)}
    for kind, g, p in errors:
        number = comparison.gold.type[g] if g >= 0 else comparison.pred.type[p]
        kinds[comparison.names[number]][kind] += 1
    return kinds


def confusion(comparison: Comparison, errors: Sequence[EntityError]) -> dict[str, dict[str, int]]:
    """Count which types are taken for which.

    comparison (Comparison): Gold beside prediction.
    errors (Sequence[EntityError]): Its errors.
    RETURNS (dict[str, dict[str, int]]): Gold type to predicted type to count, "O" standing for no entity. A row
        sums up to the gold entities of its type, a column to the predicted ones.
    """
    types = _types(comparison)
    table = {row: dict.fromkeys([*types, OUTSIDE], 0) for row in [*types, OUTSIDE]}
    for name in (comparison.names[kind] for kind in comparison.gold.type[comparison.gold_hit].tolist()):
        table[name][name] += 1
    for _, g, p in errors:
        row = comparison.names[comparison.gold.type[g]] if g >= 0 else OUTSIDE
        column = comparison.names[comparison.pred.type[p]] if p >= 0 else OUTSIDE
        table[row][column] += 1
    return table


def _types(comparison: Comparison) -> list[str]:
    """The types that occur, in code-point order."""
    kinds = np.union1d(comparison.gold.type, comparison.pred.type)
    return sorted(comparison.names[kind] for kind in kinds.tolist())
