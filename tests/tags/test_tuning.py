"""What a bias, a temperature, slope and shift do to logits and scores."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_tokclf.tags.decode import Decoder, decode_spans, make_tag_table, softmax
from spacy_tokclf.tags.tuning import UNTUNED, Tuning, bias_of_tags, calibrate, log_odds, read_tuning, tune_logits

TAGS = ["O", "B-a", "I-a", "X", "B-b-c", "I-b-c"]
TABLE = make_tag_table(TAGS, "IOB2")
LOGITS = np.random.default_rng(0).normal(size=(40, 6)).astype("float32") * 3
LENGTHS = np.array([7, 13, 20])


def test_the_defaults_change_nothing() -> None:
    assert read_tuning(None) == read_tuning({}) == UNTUNED and not UNTUNED.calibrates
    assert np.array_equal(tune_logits(LOGITS, UNTUNED, TABLE), LOGITS)
    scores = softmax(LOGITS)[:, 0]
    assert calibrate(scores, UNTUNED) is scores
    assert read_tuning(Tuning({"a": 1.0}, 2.0, 0.5, -1.0)._asdict()) == Tuning({"a": 1.0}, 2.0, 0.5, -1.0)


def test_the_bias_is_added_to_the_tags_of_a_type() -> None:
    tuning = Tuning({"b-c": 1.5, "gone": 9.0}, temperature=2.0)
    assert bias_of_tags(tuning, TABLE).tolist() == [0, 0, 0, 0, 1.5, 1.5]
    expected = (LOGITS + np.array([0, 0, 0, 0, 1.5, 1.5])) / 2
    np.testing.assert_allclose(tune_logits(LOGITS, tuning, TABLE), expected, rtol=1e-6)
    assert tune_logits(LOGITS, tuning, TABLE).dtype == np.float32


@given(st.floats(0.1, 10.0), st.sampled_from([True, False]))
def test_a_temperature_changes_scores_alone(temperature: float, constrained: bool) -> None:
    decoder = Decoder(TABLE, constrained)
    one = decode_spans(LOGITS, LENGTHS, decoder)
    other = decode_spans(LOGITS, LENGTHS, decoder._replace(temperature=temperature))
    for name in ("text", "start", "end", "type"):
        assert np.array_equal(getattr(one, name), getattr(other, name))
    divided = decode_spans(tune_logits(LOGITS, Tuning({}, temperature), TABLE), LENGTHS, decoder)
    np.testing.assert_allclose(other.score, divided.score, atol=1e-6)


@given(st.lists(st.floats(0, 1, width=32), min_size=2, max_size=30), st.floats(0.05, 5.0), st.floats(-5.0, 5.0))
def test_calibration_keeps_the_order(scores: list[float], slope: float, shift: float) -> None:
    before = np.sort(np.array(scores, dtype="float32"))
    after = calibrate(before, Tuning({}, 1.0, slope, shift))
    assert (np.diff(after) >= 0).all() and ((after >= 0) & (after <= 1)).all() and after.dtype == np.float32


def test_calibration_by_hand() -> None:
    # Odds of 4 to 1, twice the log-odds less log 2: 8 to 1.
    after = calibrate(np.array([0.8], dtype="float32"), Tuning({}, 1.0, 2.0, -float(np.log(2))))
    assert after[0] == pytest.approx(8 / 9, abs=1e-6)
    assert np.isfinite(log_odds(np.array([0.0, 1.0]))).all()
