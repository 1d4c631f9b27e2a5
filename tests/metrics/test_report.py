"""The numbers of the specification, the two forms of the report, plain Python types, and what is refused."""

import json
import math
from typing import Any

import numpy as np
import pytest

import spacy_tokclf.metrics as metrics

UPSTREAM = ([["B-A", "B-B", "O", "B-A"]], [["O", "B-B", "B-C", "B-A"]])
README = (
    [["O", "O", "O", "B-MISC", "I-MISC", "I-MISC", "O"], ["B-PER", "I-PER", "O"]],
    [["O", "O", "B-MISC", "I-MISC", "I-MISC", "I-MISC", "O"], ["B-PER", "I-PER", "O"]],
)


def row(precision: float, recall: float, f1: float, support: int) -> dict[str, Any]:
    return {"precision": precision, "recall": recall, "f1-score": pytest.approx(f1), "support": support}


@pytest.mark.parametrize("settings", [{}, {"mode": "strict", "scheme": "IOB2"}, {"mode": "strict"}])
def test_upstream_values(settings: dict[str, Any]) -> None:
    report = metrics.classification_report(*UPSTREAM, output_dict=True, zero_division=0, **settings)
    assert list(report) == ["A", "B", "C", "micro avg", "macro avg", "weighted avg"]
    assert report == {
        "A": row(1, 0.5, 2 / 3, 2),
        "B": row(1, 1, 1, 1),
        "C": row(0, 0, 0, 0),
        "micro avg": row(2 / 3, 2 / 3, 2 / 3, 3),
        "macro avg": row(pytest.approx(2 / 3), 0.5, 5 / 9, 3),
        "weighted avg": row(1, pytest.approx(2 / 3), 7 / 9, 3),
    }


def test_evaluate_dictionary_and_its_order() -> None:
    scores = metrics.compute(predictions=README[1], references=README[0])
    wrong = {"precision": 0.0, "recall": 0.0, "f1": 0.0, "number": 1}
    right = {"precision": 1.0, "recall": 1.0, "f1": 1.0, "number": 1}
    overall = {"overall_precision": 0.5, "overall_recall": 0.5, "overall_f1": 0.5, "overall_accuracy": 0.8}
    assert list(scores.items()) == list({"MISC": wrong, "PER": right, **overall}.items())


def test_the_first_trap_a_scheme_decides() -> None:
    y_true, y_pred = [["B-ORG", "I-ORG"]], [["I-ORG", "I-ORG"]]
    assert metrics.f1_score(y_true, y_pred) == 1.0
    assert metrics.f1_score(y_true, y_pred, mode="strict") == 1.0  # no scheme: the default mode, silently
    assert metrics.f1_score(y_true, y_pred, mode="strict", scheme="IOB2", zero_division=0) == 0.0
    assert metrics.f1_score(y_true, y_pred, scheme="IOB2") == 1.0  # not strict: the scheme is ignored, silently
    report = metrics.classification_report(y_true, y_pred, mode="strict", output_dict=True, zero_division=0)
    assert report["micro avg"]["f1-score"] == 0.0  # type: ignore  # the report detects IOB2


def test_text_report() -> None:
    lines = [
        "              precision    recall  f1-score   support",
        "",
        "        MISC       0.00      0.00      0.00         1",
        "         PER       1.00      1.00      1.00         1",
        "",
        "   micro avg       0.50      0.50      0.50         2",
        "   macro avg       0.50      0.50      0.50         2",
        "weighted avg       0.50      0.50      0.50         2",
    ]
    assert metrics.classification_report(*README) == "\n".join(lines) + "\n"


def test_performance_measure() -> None:
    y_true = [["O", "O", "O", "B-MISC", "I-MISC", "O", "B-ORG"], ["B-PER", "I-PER", "O", "B-PER"]]
    y_pred = [["O", "O", "B-MISC", "I-MISC", "I-MISC", "O", "O"], ["B-PER", "I-PER", "O", "B-MISC"]]
    assert metrics.performance_measure(y_true, y_pred) == {"TP": 3, "FP": 3, "FN": 1, "TN": 4}


def test_values_are_plain_python() -> None:
    report = metrics.classification_report(*UPSTREAM, output_dict=True, zero_division=0)
    support = metrics.precision_recall_fscore_support(*UPSTREAM, zero_division=0)
    for value in (report, metrics.compute(*UPSTREAM, zero_division=0), support):
        assert plain(value)
        assert json.loads(json.dumps(value)) == (list(value) if isinstance(value, tuple) else value)


def plain(value: Any) -> bool:
    """Whether a value and all within it are exactly str, float or int: numpy.float64 is a float, but not these."""
    if isinstance(value, dict):
        return all(type(key) is str and plain(item) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return all(map(plain, value))
    return type(value) in (float, int, str)


def test_all_outside() -> None:
    tags = [["O", "O"], ["O"]]
    with pytest.warns(RuntimeWarning):
        report = metrics.classification_report(tags, tags, output_dict=True, zero_division=0)
    assert report["micro avg"] == {"precision": 0.0, "recall": 0.0, "f1-score": 0.0, "support": 0}  # type: ignore
    assert math.isnan(report["macro avg"]["precision"])  # type: ignore
    overall = {"overall_precision": 0.0, "overall_recall": 0.0, "overall_f1": 0.0, "overall_accuracy": 1.0}
    assert metrics.compute(tags, tags, zero_division=0) == overall
    with pytest.raises(ValueError, match="TC210"):
        metrics.classification_report(tags, tags)
    with pytest.raises(ValueError, match="TC206"):
        metrics.compute(tags, tags, mode="strict")


@pytest.mark.parametrize(
    ("code", "error", "arguments", "settings"),
    [
        ("TC200", ValueError, ([["O"]], [["O"], ["O"]]), {}),
        ("TC201", ValueError, ([["O"], ["O", "O"]], [["O"], ["O"]]), {}),
        ("TC202", TypeError, ([("O",)], [["O"]]), {}),
        ("TC202", AttributeError, ([["O"]], [np.array(["O"])]), {}),
        ("TC202", TypeError, ([], []), {}),
        ("TC202", TypeError, (["B-A", "O"], ["B-A", "O"]), {}),
        ("TC203", ValueError, ([["O", None]], [["O", "O"]]), {}),
        ("TC203", ValueError, ([["O"], ["O", ""]], [["O"], ["O", "O"]]), {}),
        ("TC204", ValueError, ([["S-A"]], [["S-A"]]), {"mode": "strict", "scheme": "IOB2"}),
        ("TC205", KeyError, ([["X-A"]], [["X-A"]]), {"mode": "strict", "scheme": "IOB2"}),
        ("TC206", ValueError, ([["I-A"]], [["I-A"]]), {"mode": "strict"}),
        ("TC207", ValueError, ([["O"]], [["O"]]), {"scheme": "BIOES"}),
    ],
)
def test_refused(code: str, error: type[Exception], arguments: Any, settings: dict[str, Any]) -> None:
    with pytest.raises(error, match=code):
        metrics.classification_report(*arguments, **settings)


def test_messages_say_where() -> None:
    with pytest.raises(ValueError, match="Tag 1 of sentence 2 is None"):
        metrics.f1_score([["O"], [], ["O", None]], [["O"], [], ["O", "O"]])  # type: ignore
    with pytest.raises(ValueError, match="sentence 1, token 2"):
        metrics.get_entities([["O"], ["O", "O", "L-A"]], scheme="IOB2")
    with pytest.raises(ValueError, match="got BIO"):
        metrics.f1_score([["O"]], [["O"]], scheme="BIO", mode="strict")


def test_refused_settings_and_empty_data() -> None:
    with pytest.raises(ValueError, match="TC208"):
        metrics.f1_score(*UPSTREAM, average="samples")
    with pytest.raises(ValueError, match="TC209"):
        metrics.precision_recall_fscore_support(*UPSTREAM, beta=-1)
    for function in (metrics.accuracy_score, metrics.compute):
        with pytest.raises(ZeroDivisionError, match="TC211"):
            function([[]], [[]])  # type: ignore


def test_odd_tags_get_one_warning() -> None:
    with pytest.warns(UserWarning, match=r"TW200.*4 tag.*'PER' \(3\), 'b-A' \(1\)") as caught:
        metrics.f1_score([["PER", "O"], ["PER"]], [["PER", "O"], ["b-A"]], zero_division=0)
    assert len(caught) == 1


def test_a_class_of_seqeval_is_taken_for_its_name() -> None:
    IOBES = pytest.importorskip("seqeval.scheme").IOBES

    tags = [["B-A", "E-A", "S-B"]]
    assert metrics.f1_score(tags, tags, mode="strict", scheme=IOBES) == 1.0


def test_missing_values_are_left_out_of_files_only() -> None:
    gold, lengths = ["B-A", "-", "I-A", "B-B", "O"], np.array([3, 2])
    pred = ["B-A", "I-A", "I-A", "B-B", "-"]
    comparison = metrics.compare_columns(gold, pred, lengths)
    counts = metrics.count(comparison)
    # The prediction over the missing token is ignored; gold has two entities of type A around it.
    assert counts.types == ["A", "B"]
    assert [counts.tp.tolist(), counts.pred.tolist(), counts.gold.tolist()] == [[0, 1], [0, 1], [2, 1]]
    assert (counts.correct_tokens, counts.n_tokens, comparison.n_ignored) == (4, 4, 1)
    strict = metrics.count(metrics.compare_columns(gold, pred, lengths, mode="strict", scheme="IOB2"))
    assert strict.gold.tolist() == [1, 1]
