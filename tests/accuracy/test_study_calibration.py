"""What scores are worth, beside the definitions written out."""

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.accuracy.calibration import (
    auroc,
    brier_score,
    calibration_error,
    precision_recall_curve,
    reliability_bins,
)

PAIRS = st.lists(st.tuples(st.integers(0, 20).map(lambda n: n / 20), st.booleans()), min_size=1, max_size=60)


def columns(pairs: list[tuple[float, bool]]) -> tuple[numpy.ndarray, numpy.ndarray]:
    scores, right = zip(*pairs, strict=True)
    return numpy.array(scores, dtype=float), numpy.array(right, dtype=bool)


def test_by_hand() -> None:
    scores, right = columns([(0.1, False), (0.3, True), (0.6, True), (0.8, True)])
    bins = reliability_bins(scores, right, n_bins=2)
    assert bins.score == pytest.approx([0.2, 0.7]) and bins.correct == pytest.approx([0.5, 1.0])
    assert bins.count.tolist() == [2, 2]
    assert calibration_error(scores, right, n_bins=2) == pytest.approx(0.3)
    assert brier_score(scores, right) == pytest.approx((0.01 + 0.49 + 0.16 + 0.04) / 4)
    assert auroc(scores, right) == 1.0 and auroc(scores, ~right) == 0.0
    assert auroc(scores, right | True) is None


@given(PAIRS)
def test_auroc_counts_pairs(pairs: list[tuple[float, bool]]) -> None:
    scores, right = columns(pairs)
    wins = [(a > b) + (a == b) / 2 for a in scores[right] for b in scores[~right]]
    found = auroc(scores, right)
    assert found == (pytest.approx(sum(wins) / len(wins)) if wins else None)


@given(PAIRS, st.integers(1, 30))
def test_bins_hold_all(pairs: list[tuple[float, bool]], n_bins: int) -> None:
    scores, right = columns(pairs)
    bins = reliability_bins(scores, right, n_bins=n_bins)
    assert bins.count.sum() == len(pairs) and len(bins.count) <= n_bins and bins.count.min() > 0
    assert (numpy.diff(bins.score) > 0).all(), "equal scores stay together"
    assert bins.count @ bins.score == pytest.approx(scores.sum())
    assert bins.count @ bins.correct == pytest.approx(right.sum())
    if len(set(scores.tolist())) == len(pairs):
        assert bins.count.max() <= -(-len(pairs) // n_bins)


@given(PAIRS, st.integers(0, 9))
def test_precision_and_recall_at_each_threshold(pairs: list[tuple[float, bool]], missed: int) -> None:
    scores, right = columns(pairs)
    n_gold = int(right.sum()) + missed
    curve = precision_recall_curve(scores, right, n_gold)
    assert curve.threshold.tolist() == sorted(set(scores.tolist()), reverse=True)
    for threshold, precision, recall in zip(*curve, strict=True):
        kept = scores >= threshold
        assert precision == pytest.approx(right[kept].mean())
        assert recall == pytest.approx(right[kept].sum() / max(n_gold, 1))
