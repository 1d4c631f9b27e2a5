"""Calibration of the scores of predicted entities: is a score of 0.8 correct in four of five cases?"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..types import Floats64, Ints

N_BINS = 15


class Bins(NamedTuple):
    """A reliability diagram: predictions in the order of their scores, in bins of the same size.

    number (Ints): Predictions in each bin. Shape: (n_bins,).
    score (Floats64): Their mean score. Shape: (n_bins,).
    correct (Floats64): The share of them that is correct. Shape: (n_bins,).
    """

    number: Ints
    score: Floats64
    correct: Floats64


class Curve(NamedTuple):
    """A precision-recall curve, one row for each score that occurs.

    threshold (Floats64): The score, falling. Shape: (n,).
    precision (Floats64): Of the predictions with at least that score. Shape: (n,).
    recall (Floats64): Of these. Shape: (n,).
    f1 (Floats64): Of these. Shape: (n,).
    """

    threshold: Floats64
    precision: Floats64
    recall: Floats64
    f1: Floats64


def reliability_bins(scores: npt.ArrayLike, correct: npt.ArrayLike, *, n_bins: int = N_BINS) -> Bins:
    """Put predictions into bins of equal mass. Equal scores go into one bin, so that the order of predictions changes
    nothing; a bin that is left empty is left out.

    scores (ArrayLike): The scores. Shape: (n,).
    correct (ArrayLike): Which predictions are true positives. Shape: (n,).
    n_bins (int): Number of bins.
    RETURNS (Bins): The bins.
    """
    scores, hits = _columns(scores, correct)
    ordered = np.sort(scores)
    # (n,): the bin of each prediction, from the rank of its score; equal scores have equal ranks.
    place = np.searchsorted(ordered, scores, side="left") * n_bins // max(len(scores), 1)
    number = np.bincount(place, minlength=n_bins)
    sums = (np.bincount(place, weights=values, minlength=n_bins) for values in (scores, hits))
    filled = number > 0
    score, share = (total[filled] / number[filled] for total in sums)
    return Bins(number[filled], score, share)


def calibration_error(scores: npt.ArrayLike, correct: npt.ArrayLike, *, n_bins: int = N_BINS) -> float:
    """Compute the expected calibration error (Naeini et al., 2015) over bins of equal mass: the mean distance between
    the mean score of a bin and the share that is correct.

    Chance makes it larger than it is: see `chance_error`.

    scores (ArrayLike): The scores. Shape: (n,).
    correct (ArrayLike): Which predictions are true positives. Shape: (n,).
    n_bins (int): Number of bins.
    RETURNS (float): The error; 0.0 without predictions.
    """
    bins = reliability_bins(scores, correct, n_bins=n_bins)
    distance = np.abs(bins.score - bins.correct)
    return float((bins.number * distance).sum() / max(bins.number.sum(), 1))


def chance_error(scores: npt.ArrayLike, *, n_bins: int = N_BINS) -> float:
    """Compute the calibration error that scores have by chance if each is just the probability of being correct: what
    an error has to be compared with. Scores of 600 entities have one of about 0.05 in 15 bins.

    The share that is correct varies around the mean score of a bin; its mean distance is that of a normal distribution.

    scores (ArrayLike): The scores. Shape: (n,).
    n_bins (int): Number of bins.
    RETURNS (float): The error; 0.0 without predictions.
    """
    scores, _ = _columns(scores, scores)
    bins = reliability_bins(scores, scores * (1 - scores), n_bins=n_bins)
    deviation = np.sqrt(bins.number * bins.correct)
    return float(np.sqrt(2 / np.pi) * deviation.sum() / max(bins.number.sum(), 1))


def brier_score(scores: npt.ArrayLike, correct: npt.ArrayLike) -> float:
    """Compute the mean squared distance between a score and its outcome, 1 or 0 (Brier, 1950).

    scores (ArrayLike): The scores. Shape: (n,).
    correct (ArrayLike): Which predictions are true positives. Shape: (n,).
    RETURNS (float): The score, smaller is better; 0.0 without predictions.
    """
    scores, hits = _columns(scores, correct)
    return float(((scores - hits) ** 2).sum() / max(len(scores), 1))


def constant_brier(correct: npt.ArrayLike) -> float:
    """Compute the Brier score of one score for all, the share of true positives: what scores have to beat.

    correct (ArrayLike): Which predictions are true positives. Shape: (n,).
    RETURNS (float): The score; 0.0 without predictions.
    """
    hits = np.asarray(correct, dtype="float64")
    share = hits.sum() / max(len(hits), 1)
    return float(share * (1.0 - share))


def auroc(scores: npt.ArrayLike, correct: npt.ArrayLike) -> float | None:
    """Compute the area under the ROC curve: the chance that a true positive scores more than a false positive, equal
    scores counted as half.

    scores (ArrayLike): The scores. Shape: (n,).
    correct (ArrayLike): Which predictions are true positives. Shape: (n,).
    RETURNS (float | None): The area; None if all predictions are true positives, or none.
    """
    scores, hits = _columns(scores, correct)
    positive = hits > 0
    negative = np.sort(scores[~positive])
    pairs = positive.sum() * len(negative)
    if not pairs:
        return None
    # (n_positive,) each: false positives with a lower score, and with one that is not higher.
    below, upto = (np.searchsorted(negative, scores[positive], side=side) for side in ("left", "right"))
    return float((below + upto).sum() / (2 * pairs))


def precision_recall_curve(scores: npt.ArrayLike, correct: npt.ArrayLike, n_gold: int) -> Curve:
    """Compute precision, recall and F1 at every threshold.

    scores (ArrayLike): The scores of predicted entities. Shape: (n,).
    correct (ArrayLike): Which of them are true positives. Shape: (n,).
    n_gold (int): Number of gold entities; those that are not predicted at all are false negatives at every threshold.
    RETURNS (Curve): The curve; empty without predictions.
    """
    scores, hits = _columns(scores, correct)
    threshold, inverse = np.unique(-scores, return_inverse=True)
    # (n_thresholds,) each: predictions and true positives with at least that score.
    kept = np.cumsum(np.bincount(inverse.reshape(-1), minlength=len(threshold)))
    tp = np.cumsum(np.bincount(inverse.reshape(-1), weights=hits, minlength=len(threshold)))
    f1 = 2 * tp / (kept + n_gold)
    return Curve(-threshold, tp / kept, tp / max(n_gold, 1), f1)


def calibration_report(scores: npt.ArrayLike, correct: npt.ArrayLike) -> dict[str, Any]:
    """Report how well scores are calibrated.

    scores (ArrayLike): The scores of predicted entities. Shape: (n,).
    correct (ArrayLike): Which of them are true positives. Shape: (n,).
    RETURNS (dict[str, Any]): number, ece (15 bins of equal mass), ece_chance (what perfect scores would have), brier,
        brier_constant, auroc (None if all predictions are true positives, or none). Plain Python values.
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
