"""Every number, name, order and type of error equals seqeval's, on random corpora in all modes and schemes."""

import json
import random
import warnings
from typing import Any

import numpy as np
import pytest
from seqeval_cases import Case, agree, evaluate_with_seqeval, outcome, random_case, seqeval_counts

import spacy_tokclf.metrics as ours
from spacy_tokclf.metrics.seqeval.prefixes import is_odd_tag

theirs = pytest.importorskip("seqeval.metrics")
schemes = pytest.importorskip("seqeval.scheme")
their_default = pytest.importorskip("seqeval.metrics.sequence_labeling").precision_recall_fscore_support
their_strict = pytest.importorskip("seqeval.metrics.v1").precision_recall_fscore_support
their_labels = pytest.importorskip("seqeval.metrics.v1").unique_labels


def our_counts(case: Case, scheme: str | None) -> dict[str, tuple[int, int, int]]:
    comparison = ours.compare_tags(
        case.y_true, case.y_pred, mode="strict" if scheme else None, scheme=scheme, suffix=case.suffix
    )
    counts = ours.count(comparison)
    columns = (counts.tp.tolist(), counts.pred.tolist(), counts.gold.tolist())
    return {name: row for name, *row in zip(counts.types, *columns, strict=True)}


def calls(case: Case) -> dict[str, tuple[Any, Any]]:
    """Outcomes of the same calls, theirs and ours."""
    pair = (case.y_true, case.y_pred)
    basic = {"suffix": case.suffix, "zero_division": case.zero_division}
    modes = {**basic, "mode": case.mode}
    both = {}
    for name in ("precision_score", "recall_score", "f1_score"):
        one, other = getattr(theirs, name), getattr(ours, name)
        settings = {**modes, "average": case.average}
        both[name] = (
            outcome(one, *pair, scheme=case.seqeval_scheme, **settings),
            outcome(other, *pair, scheme=case.scheme, **settings),
        )
    for name, settings in (("dict", {"output_dict": True}), ("text", {"digits": 3})):
        both[name] = (
            outcome(theirs.classification_report, *pair, scheme=case.seqeval_scheme, **modes, **settings),
            outcome(ours.classification_report, *pair, scheme=case.scheme, **modes, **settings),
        )
    settings = {**basic, "average": case.average, "beta": case.beta}
    both["support"] = (
        outcome(their_default, *pair, **settings),
        outcome(ours.precision_recall_fscore_support, *pair, **settings),
    )
    if case.scheme:
        both["strict support"] = (
            outcome(their_strict, *pair, scheme=case.seqeval_scheme, **settings),
            outcome(ours.precision_recall_fscore_support, *pair, scheme=case.scheme, mode="strict", **settings),
        )
        both["unique labels"] = (
            outcome(their_labels, *pair, case.seqeval_scheme, case.suffix),
            outcome(ours.unique_labels, *pair, case.scheme, case.suffix),
        )
    both["evaluate"] = (
        outcome(evaluate_with_seqeval, *pair[::-1], scheme=case.scheme, **modes),
        outcome(ours.compute, *pair[::-1], scheme=case.scheme, **modes),
    )
    for name in ("accuracy_score", "performance_measure"):
        both[name] = (outcome(getattr(theirs, name), *pair), outcome(getattr(ours, name), *pair))
    for scheme in {None, case.scheme}:
        both[f"counts {scheme}"] = outcome(seqeval_counts, case, scheme), outcome(our_counts, case, scheme)
    return both


def check_cases(number: int, seed: int) -> None:
    rng = random.Random(seed)
    values = 0
    for _ in range(number):
        case = random_case(rng)
        for name, (their_outcome, our_outcome) in calls(case).items():
            assert agree(their_outcome, our_outcome), (name, case, their_outcome, our_outcome)
            values += our_outcome[0] == "value"
            if our_outcome[0] == "value":
                json.dumps(our_outcome[1])
    assert values > 6 * number  # most calls give numbers, so agreement is not agreement on errors


def test_equal_to_seqeval_on_a_sample() -> None:
    check_cases(1200, seed=0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 3))
def test_equal_to_seqeval_on_20000_pairs(seed: int) -> None:
    check_cases(10_000, seed=seed)


def test_unique_labels_of_sides_of_different_length_and_of_the_default_mode() -> None:
    sides = ([["B-b", "I-b"], ["B-a", "O"]], [["O", "I-c"]])
    for suffix in (False, True):
        y_true, y_pred = ([["-".join(t.split("-")[:: -1 if suffix else 1]) for t in s] for s in side] for side in sides)
        assert ours.unique_labels(y_true, y_pred, suffix=suffix) == ["a", "b", "c"]
        for scheme in (schemes.IOB2, schemes.IOB1):
            expected = their_labels(y_true, y_pred, scheme, suffix)
            assert ours.unique_labels(y_true, y_pred, scheme, suffix) == expected != ["a", "b", "c"]
    assert ours.unique_labels([], [[]], "IOB2") == []


def test_warnings_of_undefined_scores_have_the_same_texts() -> None:
    rng = random.Random(3)
    seen = set()
    for _ in range(150):
        case = random_case(rng)
        for name in ("precision_score", "recall_score", "f1_score", "classification_report"):
            settings: dict[str, Any] = {"average": case.average if case.average != "macro" else "micro"}
            if name == "classification_report":
                settings = {"output_dict": True}
            texts = [
                _recorded(getattr(module, name), case.y_true, case.y_pred, **settings) for module in (theirs, ours)
            ]
            assert texts[0] == texts[1], (name, case)
            seen |= texts[0]
    assert len(seen) == 9


def _recorded(function: Any, *args: Any, **settings: Any) -> set[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        function(*args, **settings)
    undefined = [str(w.message) for w in caught if w.category.__name__ == "UndefinedMetricWarning"]
    return {text.removeprefix("[TW201] ") for text in undefined}


def test_odd_tags_are_those_that_seqeval_warns_of() -> None:
    rng = random.Random(5)
    for _ in range(300):
        case = random_case(rng)
        for tag in {tag for sentence in case.y_true for tag in sentence}:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                theirs.sequence_labeling.get_entities([tag], case.suffix)
            assert bool(caught) == is_odd_tag(tag, case.suffix), tag


def test_entities_of_valid_iob2_do_not_depend_on_the_mode() -> None:
    rng = random.Random(7)
    for _ in range(200):
        sides = [[_valid_sentence(rng) for _ in range(3)] for _ in range(2)]
        lengths = [min(map(len, pair)) for pair in zip(*sides, strict=True)]
        y_true, y_pred = ([tags[:size] for tags, size in zip(side, lengths, strict=True)] for side in sides)
        default = ours.count(ours.compare_tags(y_true, y_pred))
        strict = ours.count(ours.compare_tags(y_true, y_pred, mode="strict", scheme="IOB2"))
        assert default.types == strict.types
        for one, other in ((default.tp, strict.tp), (default.pred, strict.pred), (default.gold, strict.gold)):
            assert np.array_equal(one, other)


def _valid_sentence(rng: random.Random) -> list[str]:
    tags: list[str] = []
    while len(tags) < 10:
        label = rng.choice(("creative-work", "person"))
        tags += rng.choice((["O"], [f"B-{label}"], [f"B-{label}", f"I-{label}"]))
    return tags
