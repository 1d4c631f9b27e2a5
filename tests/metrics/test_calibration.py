"""How far scores can be believed, against scikit-learn and against counting by hand."""

from collections.abc import Callable

import numpy as np
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, Span, SpanGroup
from spacy.training import Example

from spacy_tokclf.metrics.calibration import (
    auroc,
    brier_score,
    calibration_error,
    calibration_report,
    chance_error,
    constant_brier,
    precision_recall_curve,
    reliability_bins,
)
from spacy_tokclf.metrics.examples import scored_entities

#: Scores with many ties, and whether each is right.
ROWS = st.lists(st.tuples(st.integers(0, 12).map(lambda n: n / 12), st.booleans()), min_size=1, max_size=60)
RowsT = list[tuple[float, bool]]


def columns(rows: RowsT) -> tuple[np.ndarray, np.ndarray]:
    return np.array([score for score, _ in rows]), np.array([right for _, right in rows])


@given(ROWS)
def test_against_sklearn(rows: RowsT) -> None:
    sklearn = pytest.importorskip("sklearn.metrics")
    scores, correct = columns(rows)
    expected = sklearn.brier_score_loss(correct, scores, pos_label=True)
    assert brier_score(scores, correct) == pytest.approx(expected, abs=1e-12)
    share = np.full(len(scores), correct.mean())
    assert constant_brier(correct) == pytest.approx(brier_score(share, correct), abs=1e-12)
    if correct.all() or not correct.any():
        assert auroc(scores, correct) is None
    else:
        assert auroc(scores, correct) == pytest.approx(sklearn.roc_auc_score(correct, scores), abs=1e-12)


@given(ROWS, st.integers(0, 20))
def test_the_curve_against_sklearn_and_by_hand(rows: RowsT, missed: int) -> None:
    sklearn = pytest.importorskip("sklearn.metrics")
    scores, correct = columns(rows)
    n_gold = int(correct.sum()) + missed
    curve = precision_recall_curve(scores, correct, n_gold)
    assert (np.diff(curve.threshold) < 0).all() and set(curve.threshold) == set(scores)
    for threshold, precision, recall, f1 in zip(*curve, strict=True):
        kept = scores >= threshold
        right = int((kept & correct).sum())
        assert precision == right / kept.sum() and recall == pytest.approx(right / max(n_gold, 1))
        assert f1 == pytest.approx(2 * right / (kept.sum() + n_gold))
    if correct.any() and not missed:
        precision, recall, threshold = sklearn.precision_recall_curve(correct, scores)
        np.testing.assert_allclose(curve.precision[::-1], precision[:-1])
        np.testing.assert_allclose(curve.recall[::-1], recall[:-1])
        np.testing.assert_allclose(curve.threshold[::-1], threshold)


@given(ROWS, st.integers(1, 20), st.randoms())
def test_bins(rows: RowsT, n_bins: int, random: Callable) -> None:
    scores, correct = columns(rows)
    bins = reliability_bins(scores, correct, n_bins=n_bins)
    assert bins.number.sum() == len(rows) and (bins.number > 0).all() and len(bins.number) <= n_bins
    assert (np.diff(bins.score) > 0).all()
    assert (bins.number * bins.correct).sum() == pytest.approx(correct.sum())
    shuffled = list(rows)
    random.shuffle(shuffled)
    error = calibration_error(scores, correct, n_bins=n_bins)
    assert error == pytest.approx(calibration_error(*columns(shuffled), n_bins=n_bins), abs=1e-12)
    assert abs(scores.mean() - correct.mean()) - 1e-12 <= error <= 1.0


def test_bins_are_of_equal_mass() -> None:
    scores = np.random.default_rng(0).random(1500)
    assert reliability_bins(scores, scores > 0.5).number.tolist() == [100] * 15
    by_hand = 0.0
    for part in np.array_split(np.sort(scores), 15):
        by_hand += len(part) / 1500 * abs(part.mean() - (part > 0.5).mean())
    assert calibration_error(scores, scores > 0.5) == pytest.approx(by_hand)


@pytest.mark.parametrize("n", [150, 600, 3000])
def test_chance(n: int) -> None:
    """The error of scores that are just the probabilities, on average over many draws."""
    rng = np.random.default_rng(n)
    scores = rng.beta(3, 1.5, n)
    drawn = [calibration_error(scores, rng.random(n) < scores) for _ in range(300)]
    assert chance_error(scores) == pytest.approx(np.mean(drawn), rel=0.05)


def test_nothing_predicted() -> None:
    report = calibration_report([], [])
    assert report == {
        "number": 0,
        "ece": 0.0,
        "ece_chance": 0.0,
        "brier": 0.0,
        "brier_constant": 0.0,
        "auroc": None,
    }
    assert len(precision_recall_curve([], [], 3).threshold) == 0
    values = calibration_report([0.9, 0.2], [True, False]).values()
    assert all(type(value) in (int, float) for value in values)


def test_entities_with_scores() -> None:
    vocab = spacy.blank("en").vocab
    words = ["Ada", "and", "Bo", "saw", "Rome", "and", "Oslo"]
    gold = Doc(vocab, words=words, ents=["B-person", "O", "B-person", "O", "B-location", "O", "O"])
    gold.set_ents(list(gold.ents), missing=[gold[6:7]])
    pred = Doc(vocab, words=words)
    found = [(0, 1, "person", 0.9), (2, 3, "location", 0.4), (4, 5, "location", 0.7), (6, 7, "location", 0.8)]
    spans = [Span(pred, start, end, label=label) for start, end, label, _ in found]
    pred.spans["names"] = SpanGroup(pred, spans=spans, attrs={"scores": [score for *_, score in found]})
    pred.spans["empty"] = []
    pred.set_ents([*spans, Span(pred, 3, 4, label="verb")])
    unseen = Example(Doc(vocab, words=["Ada"], ents=["B-person"]), Doc(vocab, words=["Ada"]))
    scored = scored_entities([Example(pred, gold), unseen], ["names", "empty", "other"])
    assert scored.scores.tolist() == [0.9, 0.4, 0.7] and scored.correct.tolist() == [True, False, True]
    assert scored.n_gold == 3
    assert len(scored_entities([Example(pred, gold)]).scores) == 0
