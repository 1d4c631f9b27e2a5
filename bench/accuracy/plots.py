"""The plots of the page. The same values give the same file."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from spacy_tokclf.metrics.calibration import precision_recall_curve, reliability_bins

from .scoring import EntityScores

COLOURS = {"dev": "#0072b2", "test": "#d55e00"}


def plot_f1(titles: Sequence[str], f1: Mapping[str, Sequence[Sequence[float]]], path: Path) -> None:
    """Show the F1 of systems, by split for each system those of its seeds: a dot for each, a line for their mean."""
    figure = Figure(figsize=(9, 1.1 + 0.34 * len(titles)), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for axis, (split, systems) in zip(axes, f1.items(), strict=True):
        for place, values in enumerate(systems):
            if values:
                dots = {"color": COLOURS[split], "alpha": 0.55, "markersize": 4}
                axis.plot([100 * value for value in values], [place] * len(values), "o", **dots)
                mean = 100 * statistics.mean(values)
                axis.plot([mean, mean], [place - 0.3, place + 0.3], color=COLOURS[split], linewidth=2)
        axis.set_title(f"{split} F1 (axis not from 0)", fontsize=10)
        axis.grid(axis="x", color="#dddddd")
        axis.set_axisbelow(True)
        axis.spines[["top", "right", "left"]].set_visible(False)
        axis.tick_params(axis="y", length=0)
    seeds = [Line2D([], [], linestyle="", marker="o", color=COLOURS[split], label=f"{split}, a seed") for split in f1]
    mean = Line2D([], [], linestyle="", marker="|", color="#555555", markersize=9, markeredgewidth=2, label="mean")
    figure.legend(handles=[*seeds, mean], loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    axes[0].set_yticks(range(len(titles)), titles, fontsize=8)
    axes[0].set_ylim(len(titles) - 0.5, -0.5)
    _save(figure, path)


def plot_scores(found: Mapping[str, EntityScores], path: Path) -> None:
    """Show what the scores of entities are worth, by title: precision and recall for every threshold, reliability."""
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    for colour, (title, (scores, correct, gold)) in zip(COLOURS.values(), found.items(), strict=False):
        curve = precision_recall_curve(scores, correct, gold)
        left.plot(100 * curve.recall, 100 * curve.precision, color=colour, label=title)
        left.plot(100 * curve.recall[-1:], 100 * curve.precision[-1:], "o", color=colour)
        bins = reliability_bins(scores, correct)
        right.plot(bins.score, 100 * bins.correct, "o-", color=colour, label=title, markersize=4)
    right.plot([0, 1], [0, 100], color="#777777", linewidth=1, linestyle="--", label="as it should be")
    left.set(
        xlabel="recall, percent (dot: without threshold)", ylabel="precision, percent", xlim=(0, 100), ylim=(0, 101)
    )
    right.set(xlabel="mean score of the bin", ylabel="correct, percent", xlim=(0, 1), ylim=(0, 101))
    for axis, title in ((left, "Threshold on the score"), (right, "Reliability, 15 bins of equal size")):
        axis.set_title(title, fontsize=10)
        axis.grid(color="#dddddd")
        axis.set_axisbelow(True)
        axis.spines[["top", "right"]].set_visible(False)
        axis.legend(frameon=False, fontsize=9)
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None})
