"""Bootstrap over sentences: confidence intervals of micro-averaged scores, and a paired test of two systems.

Sentences are drawn with replacement, as in B. Efron and R. Tibshirani 1993, "An Introduction to the Bootstrap".
Sentences with equal counts are interchangeable, so a resample is one multinomial draw over the distinct rows of
counts: the same distribution as drawing sentence by sentence, at a fraction of the cost.
"""

import numpy as np

from ..errors import Errors
from ..types import Floats64, Ints
from .seqeval.compare import Comparison
from .seqeval.counts import count_by_sentence


def bootstrap_scores(
    comparison: Comparison, *, n_resamples: int = 1000, confidence: float = 0.95, seed: int = 0
) -> dict[str, dict[str, float]]:
    """Compute percentile intervals of the micro-averaged scores.

    comparison (Comparison): Gold beside prediction.
    n_resamples (int): Number of resamples.
    confidence (float): Probability mass of the interval, between 0 and 1.
    seed (int): Seed of the random draws.
    RETURNS (dict[str, dict[str, float]]): value, low and high for precision, recall and f1.
    RAISES (ValueError): TC213.
    """
    _check(n_resamples, confidence)
    counts = count_by_sentence(comparison)  # (n_sentences, 3)
    values = _prf(counts.sum(axis=0)[None])  # (3, 1)
    drawn = _prf(_resample(counts, n_resamples, seed))  # (3, n_resamples)
    limits = np.quantile(drawn, _tails(confidence), axis=1)  # (2, 3): low and high of each score
    names = ("precision", "recall", "f1")
    return {
        name: {"value": float(values[i, 0]), "low": float(limits[0, i]), "high": float(limits[1, i])}
        for i, name in enumerate(names)
    }


def paired_bootstrap(
    one: Comparison, other: Comparison, *, n_resamples: int = 1000, confidence: float = 0.95, seed: int = 0
) -> dict[str, float]:
    """Test whether two systems differ in micro F1 on the same gold.

    Both are scored on the same resamples. The p-value is two-sided: the share of resamples whose difference is
    further from the observed difference than that is from zero, i.e. the distribution shifted to no difference
    (T. Berg-Kirkpatrick et al. 2012, "An Empirical Investigation of Statistical Significance in NLP"), with one
    added above and below so that it is never 0.

    one (Comparison): First system.
    other (Comparison): Second system.
    n_resamples (int): Number of resamples.
    confidence (float): Probability mass of the interval of the difference.
    seed (int): Seed of the random draws.
    RETURNS (dict[str, float]): f1_one, f1_other, difference (one - other), low, high, p_value.
    RAISES (ValueError): TC213, TC214.
    """
    return paired_bootstrap_counts(
        count_by_sentence(one),
        count_by_sentence(other),
        n_resamples=n_resamples,
        confidence=confidence,
        seed=seed,
    )


def paired_bootstrap_counts(
    one: Ints, other: Ints, *, n_resamples: int = 1000, confidence: float = 0.95, seed: int = 0
) -> dict[str, float]:
    """Test whether two systems differ in micro F1, given their counts: as `paired_bootstrap`.

    Counts of several runs of one system may be added up first, sentence by sentence. A resample then draws a sentence
    with all its runs, so that runs on the same sentences do not pass for more sentences.

    one (Ints): Columns tp, pred, gold of the first system, as `count_by_sentence` gives them. Shape: (n_sentences, 3).
    other (Ints): Those of the second system. Shape: (n_sentences, 3).
    n_resamples (int): Number of resamples.
    confidence (float): Probability mass of the interval of the difference.
    seed (int): Seed of the random draws.
    RETURNS (dict[str, float]): f1_one, f1_other, difference (one - other), low, high, p_value.
    RAISES (ValueError): TC213, TC214.
    """
    _check(n_resamples, confidence)
    if not np.array_equal(one[:, 2], other[:, 2]):
        raise ValueError(Errors.TC214.format(one=_describe(one), other=_describe(other)))
    # (n_sentences, 6): a sentence is drawn with the counts of both systems, which makes the test a paired one.
    both = np.concatenate([one, other], axis=1)
    totals = both.sum(axis=0)[None]
    drawn = _resample(both, n_resamples, seed)  # (n_resamples, 6)
    f1_one, f1_other = (float(_prf(part)[2, 0]) for part in (totals[:, :3], totals[:, 3:]))
    difference = f1_one - f1_other
    differences = _prf(drawn[:, :3])[2] - _prf(drawn[:, 3:])[2]
    low, high = np.quantile(differences, _tails(confidence))  # of (n_resamples,)
    extreme = np.count_nonzero(np.abs(differences - difference) >= abs(difference))
    return {
        "f1_one": f1_one,
        "f1_other": f1_other,
        "difference": difference,
        "low": float(low),
        "high": float(high),
        "p_value": (1 + int(extreme)) / (1 + n_resamples),
    }


def _resample(rows: Ints, n_resamples: int, seed: int) -> Ints:
    """Draw sentences with replacement and sum their rows: (n_sentences, n_columns) to (n_resamples, n_columns)."""
    if not len(rows):
        return np.zeros((n_resamples, rows.shape[1]), dtype=np.int64)
    # (n_distinct, n_columns), and how many sentences have such a row: (n_distinct,).
    distinct, times = np.unique(rows, axis=0, return_counts=True)
    # (n_resamples, n_distinct): how often each row was drawn.
    drawn = np.random.default_rng(seed).multinomial(len(rows), times / len(rows), size=n_resamples)
    return drawn @ distinct


def _prf(counts: Ints) -> Floats64:
    """Compute precision, recall and F1 of rows of tp, pred, gold: (n, 3) to (3, n)."""
    tp, pred, gold = counts.T
    pairs = ((tp, pred), (tp, gold), (2 * tp, pred + gold))
    return np.stack([top / np.maximum(bottom, 1) for top, bottom in pairs])


def _tails(confidence: float) -> tuple[float, float]:
    """Give the two quantiles that enclose a probability mass."""
    return (1 - confidence) / 2, (1 + confidence) / 2


def _describe(counts: Ints) -> str:
    """Say how much gold there is."""
    return f"{len(counts)} sentences with {counts[:, 2].sum()} gold entities"


def _check(n_resamples: int, confidence: float) -> None:
    """Refuse settings that mean nothing."""
    if n_resamples < 1:
        raise ValueError(Errors.TC213.format(name="n_resamples", value=n_resamples, expected="at least 1"))
    if not 0 < confidence < 1:
        raise ValueError(Errors.TC213.format(name="confidence", value=confidence, expected="0 < value < 1"))
