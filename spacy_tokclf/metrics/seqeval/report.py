"""Classification reports: seqeval's as text and dictionary, and the dictionary of Hugging Face's `evaluate`."""

from ...errors import Errors
from .counts import Counts
from .prf import precision_recall_fscore

Report = dict[str, dict[str, float | int]]
_HEADERS = ("precision", "recall", "f1-score", "support")


def report_dict(counts: Counts, *, zero_division: str | int = "warn") -> Report:
    """Make seqeval's classification report as a dictionary, with Python floats and ints.

    counts (Counts): Counts by type.
    zero_division (str | int): "warn", 0 or 1.
    RETURNS (dict[str, dict[str, float | int]]): precision, recall, f1-score and support of each type in
        code-point order, then of "micro avg", "macro avg" and "weighted avg".
    """
    return _rows(counts, (None, "micro", "macro", "weighted"), zero_division)


def _rows(counts: Counts, averages: tuple[str | None, ...], zero_division: str | int) -> Report:
    """Score each type (None) and averages."""
    report: Report = {}
    for average in averages:
        columns = precision_recall_fscore(counts, average=average, zero_division=zero_division)
        names = counts.types if average is None else [f"{average} avg"]
        rows = zip(*(column.tolist() for column in columns), strict=True)
        report.update({name: dict(zip(_HEADERS, row, strict=True)) for name, row in zip(names, rows, strict=True)})
    return report


def report_text(counts: Counts, *, digits: int = 2, zero_division: str | int = "warn") -> str:
    """Make seqeval's classification report as text.

    counts (Counts): Counts by type.
    digits (int): Digits after the point.
    zero_division (str | int): "warn", 0 or 1.
    RETURNS (str): The table, ended by a line end.
    RAISES (ValueError): TC210, if there is no entity on either side (seqeval fails there as well).
    """
    if not counts.types:
        raise ValueError(Errors.TC210)
    report = report_dict(counts, zero_division=zero_division)
    width = max(*map(len, counts.types), len("weighted avg"), digits)
    lines = [f"{'':>{width}} " + "".join(f" {header:>9}" for header in _HEADERS), ""]
    for name, row in report.items():
        *scores, support = row.values()
        lines.append(f"{name:>{width}} " + "".join(f" {x:>9.{digits}f}" for x in scores) + f" {support:>9}")
    lines.insert(2 + len(counts.types), "")
    return "\n".join(lines) + "\n"


def evaluate_dict(counts: Counts, *, zero_division: str | int = "warn") -> dict[str, object]:
    """Make the dictionary that Hugging Face's `evaluate.load("seqeval").compute` gives, in its order of keys.

    counts (Counts): Counts by type.
    zero_division (str | int): "warn", 0 or 1.
    RETURNS (dict[str, object]): For each type {precision, recall, f1, number}, number being the gold support;
        then overall_precision, overall_recall, overall_f1 (the micro average) and overall_accuracy.
    """
    report = _rows(counts, (None, "micro"), zero_division)
    overall = report.pop("micro avg")
    keys = ("precision", "recall", "f1", "number")
    scores: dict[str, object] = {name: dict(zip(keys, row.values(), strict=True)) for name, row in report.items()}
    scores["overall_precision"] = overall["precision"]
    scores["overall_recall"] = overall["recall"]
    scores["overall_f1"] = overall["f1-score"]
    scores["overall_accuracy"] = counts.accuracy
    return scores
