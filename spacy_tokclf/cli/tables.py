"""What the commands print of a summary: short tables, percentages with two decimals."""

from collections.abc import Iterable
from typing import Any

from ..metrics.analysis import KINDS
from ._printer import msg
from ._table import print_table, print_title

_RIGHT = "r"
#: Measures of entity scores, and the headers for them.
SCORED = {
    "ece": "ECE",
    "ece_chance": "by chance",
    "brier": "Brier",
    "brier_constant": "of a constant",
    "auroc": "AUROC",
}

#: What they mean.
LEGEND = (
    "ECE: how far scores are from the share that is right, on average; 0 is best.",
    "by chance: the ECE that scores without any fault have on so few entities.",
    "Brier: squared distance of scores from right (1) or wrong (0); 0 is best.",
    "of a constant: the Brier score of one and the same score for all.",
    "AUROC: how often a right entity scores more than a wrong one; 50 is chance.",
)


def print_summary(summary: dict[str, Any], *, title: str) -> None:
    """Print scores and error analysis.

    summary (dict[str, Any]): As metrics.summary.summarize gives it.
    title (str): What was scored.
    """
    details = summary["details"]
    print_title(title)
    msg.text("{n_sentences} texts, {n_tokens} tokens".format(**details))
    msg.text("{n_gold} gold entities, {n_predicted} predicted, {n_correct} right".format(**details))
    if details["n_ignored"]:
        msg.text(f"{details['n_ignored']} predictions ignored: they touch tokens without gold annotation")
    scheme = f"strict, {details['scheme']}" if details["scheme"] else "default (as conlleval)"
    msg.text(f"Mode: {scheme}")
    _print_scores(summary)
    _print_types(summary)
    _print_kinds(details["errors"])
    for name, key in (("length", "by_length"), ("novelty", "by_novelty")):
        if key in details:
            _print_groups(name, details[key])
    if "calibration" in details:
        rows = [(details["calibration"]["number"], *scored_row(details["calibration"], SCORED))]
        print_table(rows, header=("entities with scores", *SCORED.values()), aligns=[_RIGHT] * 6)
        print_legend()
    if "paired" in details:
        _print_paired(details["paired"])


def print_legend() -> None:
    """Say what the measures of entity scores are."""
    for line in LEGEND:
        msg.text(line)


def percent(value: float) -> str:
    """Write a share as a percentage.

    value (float): Between 0 and 1.
    RETURNS (str): For example "41.86".
    """
    return f"{100 * value:.2f}"


def scored_row(scores: dict[str, Any], keys: Iterable[str]) -> list[str]:
    """Format measures as percentages; "-" for one that is not defined.

    scores (dict[str, Any]): The values.
    keys (Iterable[str]): Which of them.
    RETURNS (list[str]): Percentages.
    """
    return ["-" if scores[key] is None else percent(scores[key]) for key in keys]


def _print_scores(summary: dict[str, Any]) -> None:
    """Entity and surface scores, and the interval of F1."""
    rows = []
    for name, prefix in (("entity", "overall"), ("surface", "surface")):
        rows.append((name, *(percent(summary[f"{prefix}_{key}"]) for key in ("precision", "recall", "f1"))))
    print_table(rows, header=("", "P", "R", "F1"), aligns=("l", _RIGHT, _RIGHT, _RIGHT))
    msg.text(f"Token accuracy: {percent(summary['overall_accuracy'])}")
    interval = summary["details"].get("intervals", {}).get("f1")
    if interval:
        msg.text(f"Entity F1, 95% interval: {percent(interval['low'])} to {percent(interval['high'])}")


def _print_types(summary: dict[str, Any]) -> None:
    """Scores by type; the types are those that errors were counted for."""
    rows = []
    for name in summary["details"]["errors"]:
        scores = summary[name]
        shares = (percent(scores[key]) for key in ("precision", "recall", "f1"))
        rows.append((name, *shares, scores["number"]))
    if rows:
        print_table(rows, header=("type", "P", "R", "F1", "gold"), aligns=("l", *_RIGHT * 4))


def _print_kinds(errors: dict[str, dict[str, int]]) -> None:
    """Kinds of error by type."""
    rows: list[tuple[Any, ...]] = [(name, *kinds.values()) for name, kinds in errors.items()]
    if not rows:
        return
    rows.append(("all", *(sum(column) for column in list(zip(*rows, strict=True))[1:])))
    header = ("errors", *(kind.replace("_", " ") for kind in KINDS))
    print_table(rows, header=header, aligns=("l", *_RIGHT * len(KINDS)))


def _print_groups(name: str, groups: dict[str, dict[str, Any]]) -> None:
    """Scores by group."""
    rows = [
        (group, *(percent(scores[key]) for key in ("precision", "recall", "f1")), scores["number"])
        for group, scores in groups.items()
    ]
    print_table(rows, header=(name, "P", "R", "F1", "gold"), aligns=("l", *_RIGHT * 4))


def _print_paired(paired: dict[str, float]) -> None:
    """The paired test."""
    one, other = percent(paired["f1_one"]), percent(paired["f1_other"])
    low, high = percent(paired["low"]), percent(paired["high"])
    msg.text(f"Against the other system: F1 {one} and {other}, difference {percent(paired['difference'])}")
    msg.text(f"95% interval of the difference: {low} to {high}; paired bootstrap p = {paired['p_value']:.4f}")
