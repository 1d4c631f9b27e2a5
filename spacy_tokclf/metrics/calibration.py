"""How far the scores of predicted entities can be believed: what share of those with a score of 0.8 is right?"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..types import Floats64, Ints

N_BINS = 15


class Bins(NamedTuple):
    """Predictions in the order of their scores, in bins of the same size.

    number (NDArray): Predictions in each bin, (n_bins,).
    score (Floats64): Their mean score, (n_bins,).
    correct (Floats64): The share of them that is right, (n_bins,).
    """

    number: Ints
    score: Floats64
    correct: Floats64


class Curve(NamedTuple):
    """What is gained and lost by leaving out what scores less than a threshold, one row for each score that occurs.

    threshold (Floats64): The score, falling, (n,).
    precision (Floats64): Of the predictions with at least that score, (n,).
    recall (Floats64): Of these, (n,).
    f1 (Floats64): Of these, (n,).
    """

    threshold: Floats64
    precision: Floats64
    recall: Floats64
    f1: Floats64


def reliability_bins(scores: npt.ArrayLike, correct: npt.ArrayLike, *, n_bins: int = N_BINS) -> Bins:
    """Put predictions into bins of equal mass. Equal scores go into one bin, so that the order of predictions changes
    nothing; a bin that is left empty is left out.

    scores (ArrayLike): The scores, (n,).
    correct (ArrayLike): Which predictions are right, (n,).
    n_bins (int): Number of bins.
    RETURNS (Bins): The bins.
    """
    scores, right = _columns(scores, correct)
    ordered = np.sort(scores)
    place = np.searchsorted(ordered, scores, side="left") * n_bins // max(len(scores), 1)
    number = np.bincount(place, minlength=n_bins)
    sums = (np.bincount(place, weights=values, minlength=n_bins) for values in (scores, right))
    filled = number > 0
    score, share = (total[filled] / number[filled] for total in sums)
    return Bins(number[filled], score, share)


def calibration_error(scores: npt.ArrayLike, correct: npt.ArrayLike, *, n_bins: int = N_BINS) -> float:
    """Compute the expected calibration error (Naeini et al., 2015) over bins of equal mass: the mean distance between
    the mean score of a bin and the share that is right.

    Chance makes it larger than it is: see `chance_error`.

    scores (ArrayLike): The scores, (n,).
    correct (ArrayLike): Which predictions are right, (n,).
    n_bins (int): Number of bins.
    RETURNS (float): The error; 0.0 without predictions.
    """
    bins = reliability_bins(scores, correct, n_bins=n_bins)
    distance = np.abs(bins.score - bins.correct)
    return float((bins.number * distance).sum() / max(bins.number.sum(), 1))


def chance_error(scores: npt.ArrayLike, *, n_bins: int = N_BINS) -> float:
    """Compute the calibration error that scores have by chance if each is just the probability of being right: what an
    error has to be compared with. Scores of 600 entities have one of about 0.05 in 15 bins.

    The share that is right varies around the mean score of a bin; its mean distance is that of a normal distribution.

    scores (ArrayLike): The scores, (n,).
    n_bins (int): Number of bins.
    RETURNS (float): The error; 0.0 without predictions.
    """
    scores, _ = _columns(scores, scores)
    bins = reliability_bins(scores, scores * (1 - scores), n_bins=n_bins)
    deviation = np.sqrt(bins.number * bins.correct)
    return float(np.sqrt(2 / np.pi) * deviation.sum() / max(bins.number.sum(), 1))


def brier_score(scores: npt.ArrayLike, correct: npt.ArrayLike) -> float:
    """Compute the mean squared distance between the score and what came true: 1 or 0 (Brier, 1950).

    scores (ArrayLike): The scores, (n,).
    correct (ArrayLike): Which predictions are right, (n,).
    RETURNS (float): The score, smaller is better; 0.0 without predictions.
    """
    scores, right = _columns(scores, correct)
    return float(((scores - right) ** 2).sum() / max(len(scores), 1))


def constant_brier(correct: npt.ArrayLike) -> float:
    """Compute the Brier score of one score for all, the share of right predictions: what scores have to beat.

    correct (ArrayLike): Which predictions are right, (n,).
    RETURNS (float): The score; 0.0 without predictions.
    """
    right = np.asarray(correct, dtype="float64")
    share = right.sum() / max(len(right), 1)
    return float(share * (1.0 - share))


def auroc(scores: npt.ArrayLike, correct: npt.ArrayLike) -> float | None:
    """Compute the chance that a right prediction scores more than a wrong one, equal scores counted as half (the area
    under the ROC curve).

    scores (ArrayLike): The scores, (n,).
    correct (ArrayLike): Which predictions are right, (n,).
    RETURNS (float | None): The chance; None if all are right or all are wrong.
    """
    scores, right = _columns(scores, correct)
    positive = right > 0
    wrong = np.sort(scores[~positive])
    pairs = positive.sum() * len(wrong)
    if not pairs:
        return None
    below, upto = (np.searchsorted(wrong, scores[positive], side=side) for side in ("left", "right"))
    return float((below + upto).sum() / (2 * pairs))


def precision_recall_curve(scores: npt.ArrayLike, correct: npt.ArrayLike, n_gold: int) -> Curve:
    """Compute precision, recall and F1 at every threshold.

    scores (ArrayLike): The scores of predicted entities, (n,).
    correct (ArrayLike): Which of them are right, (n,).
    n_gold (int): Number of gold entities; those that are not predicted at all count as missed at every threshold.
    RETURNS (Curve): The curve; empty without predictions.
    """
    scores, right = _columns(scores, correct)
    threshold, inverse = np.unique(-scores, return_inverse=True)
    kept = np.cumsum(np.bincount(inverse.reshape(-1), minlength=len(threshold)))
    found = np.cumsum(np.bincount(inverse.reshape(-1), weights=right, minlength=len(threshold)))
    f1 = 2 * found / (kept + n_gold)
    return Curve(-threshold, found / kept, found / max(n_gold, 1), f1)


def calibration_report(scores: npt.ArrayLike, correct: npt.ArrayLike) -> dict[str, Any]:
    """Say how far scores can be believed.

    scores (ArrayLike): The scores of predicted entities, (n,).
    correct (ArrayLike): Which of them are right, (n,).
    RETURNS (dict[str, Any]): number, ece (15 bins of equal mass), ece_chance (what perfect scores would have), brier,
        brier_constant, auroc (None if all are right or all are wrong). Plain Python values.
    """
    return {
        "number": len(np.asarray(scores)),
        "ece": calibration_error(scores, correct),
        "ece_chance": chance_error(scores),
        "brier": brier_score(scores, correct),
        "brier_constant": constant_brier(correct),
        "auroc": auroc(scores, correct),
    }


def _columns(scores: npt.ArrayLike, correct: npt.ArrayLike) -> tuple[Floats64, Floats64]:
    return np.asarray(scores, dtype="float64"), np.asarray(correct, dtype="float64")
