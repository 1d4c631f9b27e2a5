"""What scores are worth: whether they are the share that is right, and whether they tell right from wrong."""

from typing import NamedTuple

import numpy as np

from .curves import Bools, Floats

N_BINS = 15


class Bins(NamedTuple):
    """Entities in bins of like score, about as many in each.

    count (Floats): The number of entities in each bin, (n_bins,).
    score (Floats): Their mean score, (n_bins,).
    correct (Floats): The share of them that is right, (n_bins,).
    """

    count: Floats
    score: Floats
    correct: Floats


class Curve(NamedTuple):
    """What is left with at least a score, for each score that occurs.

    threshold (Floats): The score, falling, (n,).
    precision (Floats): Precision of what is left, (n,).
    recall (Floats): Recall of what is left, (n,).
    """

    threshold: Floats
    precision: Floats
    recall: Floats


def reliability_bins(scores: Floats, correct: Bools, *, n_bins: int = N_BINS) -> Bins:
    """Sort entities into bins of equal mass; equal scores stay together, and empty bins are left out.

    scores (Floats): The scores, (n,).
    correct (Bools): What is right, (n,).
    n_bins (int): The number of bins.
    RETURNS (Bins): The bins, by rising score.
    """
    place = np.searchsorted(np.sort(scores), scores) * n_bins // max(len(scores), 1)
    count, total, right = (np.bincount(place, weights, n_bins) for weights in (None, scores, correct))
    filled = count > 0
    return Bins(count[filled], total[filled] / count[filled], right[filled] / count[filled])


def calibration_error(scores: Floats, correct: Bools, *, n_bins: int = N_BINS) -> float:
    """Give the mean distance of score and share of right ones over bins of equal mass (ECE).

    scores (Floats): The scores, (n,).
    correct (Bools): What is right, (n,).
    n_bins (int): The number of bins.
    RETURNS (float): From 0, the best, to 1.
    """
    bins = reliability_bins(scores, correct, n_bins=n_bins)
    return float((bins.count * np.abs(bins.score - bins.correct)).sum() / max(len(scores), 1))


def brier_score(scores: Floats, correct: Bools) -> float:
    """Give the mean squared distance of scores from 1 (right) and 0 (wrong).

    scores (Floats): The scores, (n,).
    correct (Bools): What is right, (n,).
    RETURNS (float): From 0, the best, to 1.
    """
    return float(((scores - correct) ** 2).mean())


def auroc(scores: Floats, correct: Bools) -> float | None:
    """Give the probability that a right entity has a higher score than a wrong one; equal ones count a half.

    scores (Floats): The scores, (n,).
    correct (Bools): What is right, (n,).
    RETURNS (float | None): From 0 to 1; None if all are right, or all wrong.
    """
    n_right = int(correct.sum())
    n_wrong = len(correct) - n_right
    if not n_right or not n_wrong:
        return None
    _, place, times = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(times) - (times - 1) / 2)[place]
    return float((ranks[correct].sum() - n_right * (n_right + 1) / 2) / (n_right * n_wrong))


def precision_recall_curve(scores: Floats, correct: Bools, n_gold: int) -> Curve:
    """Give precision and recall for every threshold.

    scores (Floats): The scores, (n,).
    correct (Bools): What is right, (n,).
    n_gold (int): The number of gold entities.
    RETURNS (Curve): The curve.
    """
    order = np.argsort(-scores, kind="stable")
    ordered, right = scores[order], np.cumsum(correct[order])
    last = np.flatnonzero(np.diff(ordered, append=-1.0))
    return Curve(ordered[last], right[last] / (last + 1), right[last] / max(n_gold, 1))
