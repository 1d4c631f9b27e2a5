"""Precision, recall and F-beta from counts: the arithmetic of seqeval 1.2.2 step by step, so that floats are equal."""

import warnings

import numpy as np

from ...errors import Errors, Warnings
from ...types import Floats64, Ints
from .counts import Counts

AVERAGES = (None, "micro", "macro", "weighted")
ALL_THREE = ("precision", "recall", "f-score")


class UndefinedMetricWarning(UserWarning):
    """A score whose denominator is zero was set to 0.0; the twin of scikit-learn's warning of this name."""


def precision_recall_fscore(
    counts: Counts,
    *,
    average: str | None = None,
    beta: float = 1.0,
    zero_division: str | int = "warn",
    warn_for: tuple[str, ...] = ALL_THREE,
) -> tuple[Floats64, Floats64, Floats64, Ints]:
    """Compute precision, recall and F-beta by type or averaged. Averages come as arrays of one element.

    A zero denominator gives 0.0 for zero_division "warn" or 0, and 1.0 for anything else; F is computed from
    the precision and recall so set. The macro average of no types is nan, with numpy's RuntimeWarning; the
    weighted average without support is decided by zero_division alone. All this is seqeval's doing.

    counts (Counts): Counts by type.
    average (str | None): None (one value per type), "micro", "macro" or "weighted" (by support).
    beta (float): Weight of recall.
    zero_division (str | int): "warn", 0 or 1.
    warn_for (tuple[str, ...]): Scores to warn of (TW201).
    RETURNS (tuple[Floats64, Floats64, Floats64, Ints]): Precision, recall, F, support. Shape: (n_types,) or (1,) each.
    RAISES (ValueError): TC208, TC209.
    """
    if beta < 0:
        raise ValueError(Errors.TC209.format(beta=beta))
    if average not in AVERAGES:
        raise ValueError(Errors.TC208.format(average=average))
    tp, pred, gold = counts.tp, counts.pred, counts.gold
    support = gold
    if average is not None:
        support = np.array([gold.sum()])
    if average == "micro":
        tp, pred, gold = (np.array([column.sum()]) for column in (tp, pred, gold))
    warns = zero_division == "warn"
    zero = 0.0 if warns or zero_division == 0 else 1.0
    precision = _divide(tp, pred, zero, _warning("precision", "predicted", warn_for) if warns else "")
    recall = _divide(tp, gold, zero, _warning("recall", "true", warn_for) if warns else "")
    if warns and warn_for == ("f-score",) and (pred[gold == 0] == 0).any():
        _warn("F-score is", "true nor predicted", len(gold))
    fscore = _fscore(precision, recall, beta)
    if average == "weighted" and not gold.sum():
        nothing = zero if not pred.sum() else 0.0
        precision, recall, fscore = np.array([nothing]), np.array([zero]), np.array([nothing])
    elif average is not None:
        weights = gold if average == "weighted" else None
        averages = (np.average(values, weights=weights) for values in (precision, recall, fscore))
        precision, recall, fscore = (np.array([value], dtype=np.float64) for value in averages)
    return precision, recall, fscore, support


def simple_prf(tp: int, pred: int, gold: int) -> tuple[float, float, float]:
    """Compute precision, recall and F1 of three counts.

    tp (int): True positives.
    pred (int): Predictions.
    gold (int): Gold entities (the support).
    RETURNS (tuple[float, float, float]): Precision, recall, F1; 0.0 for a zero denominator.
    """
    precision = tp / pred if pred else 0.0
    recall = tp / gold if gold else 0.0
    total = precision + recall
    return precision, recall, 2 * precision * recall / total if total else 0.0


def _fscore(precision: Floats64, recall: Floats64, beta: float) -> Floats64:
    """F-beta in the order of operations of seqeval; 0 where both are 0."""
    if np.isposinf(beta):
        return recall
    beta2 = beta**2
    denominator = beta2 * precision + recall
    denominator[denominator == 0.0] = 1
    return (1 + beta2) * precision * recall / denominator


def _divide(numerator: Ints, denominator: Ints, zero: float, warning: str) -> Floats64:
    """Divide; put `zero` where the denominator is 0, and warn of it if there is a warning."""
    empty = denominator == 0
    result = numerator / np.where(empty, 1, denominator)
    result[empty] = zero
    if empty.any() and warning:
        start, _, modifier = warning.partition("|")
        _warn(start, modifier, len(result))
    return result


def _warning(metric: str, modifier: str, warn_for: tuple[str, ...]) -> str:
    """Begin the text of a warning, or give "" where none is wanted."""
    if metric not in warn_for:
        return ""
    start = f"{metric.title()} and F-score are" if "f-score" in warn_for else f"{metric.title()} is"
    return f"{start}|{modifier}"


def _warn(start: str, modifier: str, size: int) -> None:
    """Warn of an undefined score in seqeval's words."""
    where = f"{'due to' if size == 1 else 'in labels with'} no {modifier} samples"
    warnings.warn(Warnings.TW201.format(what=start, where=where), UndefinedMetricWarning, stacklevel=4)
