"""Intervals and the paired test, against the slow way of drawing sentence by sentence."""

import random

import numpy as np
import pytest

from spacy_tokclf.metrics import (
    Comparison,
    bootstrap_scores,
    compare_tags,
    compute,
    count_by_sentence,
    paired_bootstrap,
    paired_bootstrap_counts,
)


def corpus(seed: int, size: int = 200) -> list[list[str]]:
    rng = random.Random(seed)
    return [[rng.choice(["O", "O", "B-A", "B-B", "I-A"]) for _ in range(rng.randrange(1, 9))] for _ in range(size)]


def spoilt(tags: list[list[str]], rate: float, seed: int) -> list[list[str]]:
    rng = random.Random(seed)
    return [[rng.choice(["O", "B-A"]) if rng.random() < rate else tag for tag in sentence] for sentence in tags]


def test_counts_by_sentence_add_up() -> None:
    gold = corpus(0)
    comparison = compare_tags(gold, spoilt(gold, 0.2, 1))
    rows = count_by_sentence(comparison)
    assert rows.shape == (200, 3)
    for i in (0, 17, 199):
        alone = compare_tags(gold[i : i + 1], spoilt(gold, 0.2, 1)[i : i + 1])
        assert rows[i].tolist() == [alone.pred_hit.sum(), len(alone.pred), len(alone.gold)]
    assert rows.sum(axis=0).tolist() == [comparison.pred_hit.sum(), len(comparison.pred), len(comparison.gold)]


def test_interval_equals_resampling_sentence_by_sentence() -> None:
    gold = corpus(2)
    pred = spoilt(gold, 0.2, 3)
    comparison = compare_tags(gold, pred)
    scores = bootstrap_scores(comparison, n_resamples=4000, seed=4)
    for name in ("precision", "recall", "f1"):
        assert scores[name]["value"] == pytest.approx(compute(pred, gold)[f"overall_{name}"], abs=1e-12)
        assert scores[name]["low"] < scores[name]["value"] < scores[name]["high"]
    rows, rng = count_by_sentence(comparison), np.random.default_rng(5)
    drawn = [rows[rng.integers(len(rows), size=len(rows))].sum(axis=0) for _ in range(4000)]
    low, high = np.quantile([2 * tp / (pred + gold) for tp, pred, gold in drawn], [0.025, 0.975])
    assert scores["f1"]["low"] == pytest.approx(low, abs=0.004)
    assert scores["f1"]["high"] == pytest.approx(high, abs=0.004)


def test_seed_and_confidence() -> None:
    gold = corpus(6)
    comparison = compare_tags(gold, spoilt(gold, 0.3, 7))
    assert bootstrap_scores(comparison, seed=1) == bootstrap_scores(comparison, seed=1)
    assert bootstrap_scores(comparison, seed=1) != bootstrap_scores(comparison, seed=2)
    wide, narrow = (bootstrap_scores(comparison, confidence=mass)["f1"] for mass in (0.99, 0.5))
    assert wide["low"] < narrow["low"] < narrow["high"] < wide["high"]


def test_paired() -> None:
    gold = corpus(8, size=300)
    good, bad = (compare_tags(gold, spoilt(gold, rate, 9)) for rate in (0.05, 0.4))
    result = paired_bootstrap(good, bad)
    assert result["difference"] == pytest.approx(result["f1_one"] - result["f1_other"])
    assert 0 < result["low"] < result["difference"] < result["high"]
    assert result["p_value"] == pytest.approx(1 / 1001)
    back = paired_bootstrap(bad, good)
    assert back["difference"] == -result["difference"]
    same = paired_bootstrap(good, good)
    assert (same["difference"], same["p_value"]) == (0.0, 1.0)


def test_paired_over_several_runs() -> None:
    """Runs on the same sentences are no further sentences: five equal runs are as certain as one."""
    gold = corpus(12)
    one, other = (count_by_sentence(compare_tags(gold, spoilt(gold, rate, 13))) for rate in (0.2, 0.25))
    alone = paired_bootstrap_counts(one, other)
    assert alone == paired_bootstrap(
        compare_tags(gold, spoilt(gold, 0.2, 13)), compare_tags(gold, spoilt(gold, 0.25, 13))
    )
    assert paired_bootstrap_counts(5 * one, 5 * other) == pytest.approx(alone)
    apart = paired_bootstrap_counts(np.tile(one, (5, 1)), np.tile(other, (5, 1)))
    assert apart["high"] - apart["low"] < 0.6 * (alone["high"] - alone["low"])
    with pytest.raises(ValueError, match="TC214"):
        paired_bootstrap_counts(one, other[::-1])


def test_p_values_of_equal_systems_are_not_small() -> None:
    small = 0
    for seed in range(120):
        gold = corpus(seed, size=60)
        systems = [compare_tags(gold, spoilt(gold, 0.2, 1000 * seed + i)) for i in (1, 2)]
        small += paired_bootstrap(*systems, n_resamples=200)["p_value"] < 0.05
    assert small <= 14  # 6 are expected; more than 14 have a probability of 0.1 %


def test_refused() -> None:
    gold = corpus(10, size=20)
    comparison = compare_tags(gold, gold)
    for settings in ({"n_resamples": 0}, {"confidence": 1.0}, {"confidence": 0.0}):
        with pytest.raises(ValueError, match="TC213"):
            bootstrap_scores(comparison, **settings)
        with pytest.raises(ValueError, match="TC213"):
            paired_bootstrap(comparison, comparison, **settings)
    for other in (corpus(10, size=21), corpus(11, size=20)):
        with pytest.raises(ValueError, match="TC214"):
            paired_bootstrap(comparison, compare_tags(other, other))


def test_no_sentences() -> None:
    empty: Comparison = compare_tags([[]], [[]])
    assert bootstrap_scores(empty, n_resamples=5)["f1"] == {"value": 0.0, "low": 0.0, "high": 0.0}
