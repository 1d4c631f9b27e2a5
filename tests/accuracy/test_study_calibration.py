"""What scores are worth, beside the definitions written out."""

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.accuracy.calibration import auroc, brier, calibration_error, precision_recall, reliability
from bench.accuracy.curves import Found

PAIRS = st.lists(st.tuples(st.integers(0, 20).map(lambda n: n / 20), st.booleans()), min_size=1, max_size=60)


def columns(pairs: list[tuple[float, bool]]) -> tuple[numpy.ndarray, numpy.ndarray]:
    scores, right = zip(*pairs, strict=True)
    return numpy.array(scores, dtype=float), numpy.array(right, dtype=bool)


def test_by_hand() -> None:
    scores, right = columns([(0.1, False), (0.3, True), (0.6, True), (0.8, True)])
    bins = reliability(scores, right, bins=2)
    assert bins.confidence == pytest.approx([0.2, 0.7]) and bins.accuracy == pytest.approx([0.5, 1.0])
    assert bins.weight == pytest.approx([0.5, 0.5])
    assert calibration_error(scores, right, bins=2) == pytest.approx(0.3)
    assert brier(scores, right) == pytest.approx((0.01 + 0.49 + 0.16 + 0.04) / 4)
    assert auroc(scores, right) == 1.0 and auroc(scores, ~right) == 0.0
    assert auroc(scores, right | True) is None


@given(PAIRS)
def test_auroc_counts_pairs(pairs: list[tuple[float, bool]]) -> None:
    scores, right = columns(pairs)
    wins = [(a > b) + (a == b) / 2 for a in scores[right] for b in scores[~right]]
    found = auroc(scores, right)
    assert found == (pytest.approx(sum(wins) / len(wins)) if wins else None)


@given(PAIRS, st.integers(1, 30))
def test_bins_have_equal_sizes_and_hold_all(pairs: list[tuple[float, bool]], n_bins: int) -> None:
    scores, right = columns(pairs)
    bins = reliability(scores, right, bins=n_bins)
    sizes = numpy.round(bins.weight * len(pairs)).astype(int)
    assert sizes.sum() == len(pairs) and len(sizes) == min(n_bins, len(pairs)) and sizes.max() - sizes.min() <= 1
    assert (numpy.diff(bins.confidence) >= 0).all()
    assert bins.weight @ bins.confidence == pytest.approx(scores.mean())
    assert bins.weight @ bins.accuracy == pytest.approx(right.mean())


@given(PAIRS, st.integers(0, 9))
def test_precision_and_recall_at_each_threshold(pairs: list[tuple[float, bool]], missed: int) -> None:
    scores, right = columns(pairs)
    found = Found(scores, right, int(right.sum()) + missed)
    thresholds, precision, recall = precision_recall(found)
    assert thresholds.tolist() == sorted(set(scores.tolist()), reverse=True)
    for threshold, p, r in zip(thresholds, precision, recall, strict=True):
        kept = scores >= threshold
        assert p == pytest.approx(right[kept].mean())
        assert r == pytest.approx(right[kept].sum() / max(found.gold, 1))
