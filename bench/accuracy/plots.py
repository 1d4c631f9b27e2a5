"""The pictures of the page."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spacy_tokclf.metrics.calibration import precision_recall_curve, reliability_bins

from .curves import Found
from .results import SPLITS, Results
from .tables import Row

COLOURS = {"dev": "#0072b2", "test": "#d55e00"}
GREY = "#777777"


def plot_f1(results: Results, rows: Sequence[Row], path: Path) -> None:
    """Show the F1 of systems on dev and test: a dot for each seed, a line for their mean.

    results (Results): The results.
    rows (Sequence[Row]): The systems.
    path (Path): The .png file.
    """
    figure = Figure(figsize=(9, 1.1 + 0.34 * len(rows)), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for axis, split in zip(axes, SPLITS, strict=True):
        for place, row in enumerate(rows):
            values = [line[f"{split}_f1"] for line in results.seeds(row.name).values()]
            values = [100 * value for value in values if value is not None]
            if values:
                axis.plot(values, [place] * len(values), "o", color=COLOURS[split], alpha=0.55, markersize=4)
                mean = sum(values) / len(values)
                axis.plot([mean, mean], [place - 0.3, place + 0.3], color=COLOURS[split], linewidth=2)
        axis.set_title(f"{split}: F1", fontsize=10)
        axis.grid(axis="x", color="#dddddd")
        axis.set_axisbelow(True)
        axis.spines[["top", "right", "left"]].set_visible(False)
    axes[0].set_yticks(range(len(rows)), [row.title for row in rows], fontsize=8)
    axes[0].tick_params(axis="y", length=0)
    axes[1].tick_params(axis="y", length=0)
    axes[0].set_ylim(len(rows) - 0.5, -0.5)
    save(figure, path)


def plot_scores(found: dict[str, Found], path: Path) -> None:
    """Show what scores are worth: precision and recall for every threshold, and the share that is right by score.

    found (dict[str, Found]): What was found, by split.
    path (Path): The .png file.
    """
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    for split, each in found.items():
        curve = precision_recall_curve(*each)
        left.plot(100 * curve.recall, 100 * curve.precision, color=COLOURS[split], label=split)
        left.plot(100 * curve.recall[-1:], 100 * curve.precision[-1:], "o", color=COLOURS[split])
        bins = reliability_bins(each.scores, each.right)
        right.plot(bins.score, 100 * bins.correct, "o-", color=COLOURS[split], label=split, markersize=4)
    right.plot([0, 1], [0, 100], color=GREY, linewidth=1, linestyle="--", label="as it should be")
    _describe(left, "Threshold on the score", "recall (dot: without threshold)", "precision")
    left.set(xlim=(0, None), ylim=(None, 101))
    _describe(right, "Reliability, 15 bins of equal size", "mean score of the bin", "right, percent")
    save(figure, path)


def _describe(axis: Axes, title: str, x: str, y: str) -> None:
    axis.set_title(title, fontsize=10)
    axis.set(xlabel=x, ylabel=y)
    axis.grid(color="#dddddd")
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False, fontsize=9)


def save(figure: Figure, path: Path) -> None:
    """Write a picture; the same values give the same file.

    figure (Figure): The picture.
    path (Path): The .png file; its folder is made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None})
