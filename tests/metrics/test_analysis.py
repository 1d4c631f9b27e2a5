"""Kinds of error, confusion, and scores of parts."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_tokclf.metrics import (
    Comparison,
    compare_tags,
    confusion,
    count,
    count_kinds,
    describe_errors,
    find_errors,
    scores_by_length,
    scores_by_novelty,
    summarize,
)
from spacy_tokclf.metrics.analysis import KINDS
from spacy_tokclf.metrics.seqeval.chunks import Chunks
from spacy_tokclf.metrics.seqeval.tag_codes import Sentences

TAG = st.sampled_from(["O", "O", "B-A", "I-A", "B-b-c", "I-b-c", "U-A", "B"])
PAIRS = st.lists(st.lists(st.tuples(TAG, TAG), max_size=9), min_size=1, max_size=4)


def kinds(gold: str, pred: str) -> list[str]:
    return [error.kind for error in find_errors(compare_tags([gold.split()], [pred.split()]))]


@pytest.mark.parametrize(
    ("gold", "pred", "expected"),
    [
        ("B-A I-A O", "B-A I-A O", []),
        ("B-A I-A O", "O O O", ["missed"]),
        ("O O O", "O B-A O", ["spurious"]),
        ("B-A I-A O", "B-B I-B O", ["wrong_type"]),
        ("B-A I-A O", "B-A I-A I-A", ["too_long"]),
        ("O B-A O", "B-A I-A O", ["too_long"]),
        ("B-A I-A O", "B-A O O", ["too_short"]),
        ("B-A I-A O", "O B-A O", ["too_short"]),
        ("B-A I-A O", "O B-A I-A", ["shifted"]),
        ("B-A I-A O", "B-B O O", ["type_and_boundary"]),
        ("B-A I-A O", "O B-B I-B", ["type_and_boundary"]),
        # One long gold entity predicted in two parts: the larger one is its pair, the other is left over.
        ("B-A I-A I-A", "B-A I-A B-A", ["too_short", "spurious"]),
        # The equal span wins over the equal type, and the equal type over the larger overlap.
        ("B-A O B-B I-B", "B-B O B-A I-A", ["wrong_type", "wrong_type"]),
        ("B-A I-A I-A", "B-B I-B B-A", ["too_short", "spurious"]),
    ],
)
def test_kinds(gold: str, pred: str, expected: list[str]) -> None:
    assert kinds(gold, pred) == expected


@settings(max_examples=150, deadline=None)
@given(PAIRS)
@pytest.mark.filterwarnings("ignore:.*TW200")
def test_every_error_has_one_kind(pairs: list[list[tuple[str, str]]]) -> None:
    y_true, y_pred = ([[pair[side] for pair in sentence] for sentence in pairs] for side in (0, 1))
    comparison = compare_tags(y_true, y_pred)
    counts, errors = count(comparison), find_errors(comparison)
    tally = Counter(error.kind for error in errors)
    assert sum(tally.values()) - tally["missed"] == counts.pred.sum() - counts.tp.sum()
    assert sum(tally.values()) - tally["spurious"] == counts.gold.sum() - counts.tp.sum()
    golds, preds = (
        [index for index in column if index >= 0] for column in ([e.gold for e in errors], [e.pred for e in errors])
    )
    assert sorted(golds) == np.flatnonzero(~comparison.gold_hit).tolist()
    assert sorted(preds) == np.flatnonzero(~comparison.pred_hit).tolist()
    for kind, g, p in errors:
        if g >= 0 and p >= 0:
            gold, pred = (set(range(c.start[i], c.end[i] + 1)) for c, i in ((comparison.gold, g), (comparison.pred, p)))
            same_type = comparison.gold.type[g] == comparison.pred.type[p]
            assert gold & pred
            assert (gold == pred) == (kind == "wrong_type")
            assert kind == "wrong_type" or (kind == "type_and_boundary") == (not same_type)
            assert kind != "too_long" or gold < pred
            assert kind != "too_short" or pred < gold
            assert kind != "shifted" or (gold - pred and pred - gold)
    table = confusion(comparison, errors)
    for name, gold_number, pred_number in zip(counts.types, counts.gold, counts.pred, strict=True):
        assert sum(table[name].values()) == gold_number
        assert sum(row[name] for row in table.values()) == pred_number
    assert sum(map(sum, (kinds.values() for kinds in count_kinds(comparison, errors).values()))) == len(errors)


def test_overlapping_spans_are_paired_too() -> None:
    chunks = [
        Chunks(*(np.array(column) for column in columns))
        for columns in (([0, 0], [0, 2], [5, 3]), ([0, 1], [1, 2], [4, 3]))
    ]
    comparison = Comparison(["A", "B"], Sentences.of(np.array([8])), *chunks, correct_tokens=0, n_tokens=8)
    assert [error.kind for error in find_errors(comparison)] == ["too_short", "wrong_type"]


def test_equal_predictions_are_right_once() -> None:
    gold, pred = (
        Chunks(*(np.array(column) for column in columns)) for columns in (([0], [1], [2]), ([0, 0], [1, 1], [2, 2]))
    )
    counts = count(Comparison(["A"], Sentences.of(np.array([4])), gold, pred, correct_tokens=0, n_tokens=4))
    assert [counts.tp.tolist(), counts.pred.tolist(), counts.gold.tolist()] == [[1], [2], [1]]


GOLD = [["B-A", "I-A", "O", "B-B"], ["B-A", "O"]]
PRED = [["B-A", "I-A", "O", "B-A"], ["O", "B-A"]]
TOKENS = [["New", "York", "in", "May"], ["York", "rocks"]]


def test_scores_by_length() -> None:
    scores = scores_by_length(compare_tags(GOLD, PRED))
    assert list(scores) == ["1", "2", "3", "4", "5+"]
    assert scores["2"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0, "number": 1, "predicted": 1, "correct": 1}
    assert scores["1"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "number": 2, "predicted": 2, "correct": 0}


def test_long_entities_share_a_group() -> None:
    tags = [["B-A", *["I-A"] * 4, "B-A", *["I-A"] * 8]]
    assert scores_by_length(compare_tags(tags, tags))["5+"]["number"] == 2


def test_scores_by_novelty() -> None:
    scores = scores_by_novelty(compare_tags(GOLD, PRED), TOKENS, {"New York", "may"})
    assert scores["seen"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0, "number": 1, "predicted": 1, "correct": 1}
    assert scores["unseen"]["number"] == 2
    assert scores["unseen"]["predicted"] == 2


def test_summary_and_list_of_errors() -> None:
    comparison = compare_tags(GOLD, PRED)
    summary = summarize(comparison, TOKENS, train_texts=["York"], n_resamples=50)
    details = summary["details"]
    assert list(summary)[:2] == ["A", "B"]
    assert (details["n_sentences"], details["n_gold"], details["n_predicted"], details["n_correct"]) == (2, 3, 3, 1)
    assert list(details["errors"]["B"]) == list(KINDS)
    assert details["errors"]["B"]["wrong_type"] == 1
    assert details["confusion"]["B"] == {"A": 1, "B": 0, "O": 0}
    assert details["by_novelty"]["seen"]["number"] == 1
    assert details["intervals"]["f1"]["value"] == pytest.approx(summary["overall_f1"])
    errors = describe_errors(comparison, TOKENS)
    assert errors[0] == {
        "kind": "wrong_type",
        "sentence": 0,
        "gold": {"type": "B", "start": 3, "end": 4, "text": "May"},
        "pred": {"type": "A", "start": 3, "end": 4, "text": "May"},
    }
    assert [(e["kind"], e["sentence"]) for e in errors[1:]] == [("missed", 1), ("spurious", 1)]


def test_nothing_at_all() -> None:
    summary = summarize(compare_tags([[]], [[]]), [[]], train_texts=[], n_resamples=10)
    assert summary["overall_f1"] == summary["surface_f1"] == summary["overall_accuracy"] == 0.0
    assert summary["details"]["errors"] == {}
    assert summary["details"]["confusion"] == {"O": {"O": 0}}
