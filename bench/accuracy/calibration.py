"""What scores are worth: whether they are the share that is right, and whether they tell right from wrong."""

from typing import NamedTuple

import numpy as np

from .curves import Bools, Floats, Found

BINS = 15


class Reliability(NamedTuple):
    """Entities in bins of like score, as many in each.

    confidence (Floats): The mean score of each bin, (n_bins,).
    accuracy (Floats): The share of each bin that is right, (n_bins,).
    weight (Floats): The share of the entities that is in each bin, (n_bins,).
    """

    confidence: Floats
    accuracy: Floats
    weight: Floats


def reliability(scores: Floats, correct: Bools, bins: int = BINS) -> Reliability:
    """Sort entities into bins by their scores.

    scores (Floats): The scores, (n,).
    correct (Bools): What is right, (n,).
    bins (int): The number of bins; fewer if there are not as many entities.
    RETURNS (Reliability): The bins, by rising score.
    """
    order = np.argsort(scores, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    columns = [[scores[part].mean(), correct[part].mean(), len(part) / len(scores)] for part in parts]
    return Reliability(*np.array(columns, dtype=float).reshape(-1, 3).T)


def calibration_error(scores: Floats, correct: Bools, bins: int = BINS) -> float:
    """Give the mean distance of score and share of right ones over bins of equal mass (ECE).

    scores (Floats): The scores, (n,).
    correct (Bools): What is right, (n,).
    bins (int): The number of bins.
    RETURNS (float): From 0, the best, to 1.
    """
    found = reliability(scores, correct, bins)
    return float((found.weight * np.abs(found.confidence - found.accuracy)).sum())


def brier(scores: Floats, correct: Bools) -> float:
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


def precision_recall(found: Found) -> tuple[Floats, Floats, Floats]:
    """Give precision and recall for every threshold.

    found (Found): What was found.
    RETURNS (tuple[Floats, Floats, Floats]): Falling thresholds, and precision and recall of what has at least that
        score, (n_thresholds,) each.
    """
    order = np.argsort(-found.scores, kind="stable")
    scores, right = found.scores[order], np.cumsum(found.right[order])
    last = np.flatnonzero(np.diff(scores, append=-1.0))
    return scores[last], right[last] / (last + 1), right[last] / max(found.gold, 1)
