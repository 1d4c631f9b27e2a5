"""Where the points of the plots lie; the template draws them as SVG."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from ..metrics.calibration import reliability_bins
from ..metrics.seqeval.counts import count
from ..metrics.seqeval.prf import simple_prf
from .candidates import Candidates

#: Most points of a curve: more would not be seen.
MOST_POINTS = 150


class Frame(NamedTuple):
    """A plot: which values it spans, and where they lie in it, in pixels.

    x0, x1 (float): Values at the left and at the right.
    y0, y1 (float): Values at the bottom and at the top.
    """

    x0: float = 0.0
    x1: float = 1.0
    y0: float = 0.0
    y1: float = 1.0
    left: int = 52
    top: int = 14
    width: int = 356
    height: int = 236

    def x(self, value: float) -> float:
        """RETURNS (float): The pixel of a value on the horizontal axis."""
        return round(self.left + self.width * (value - self.x0) / (self.x1 - self.x0), 1)

    def y(self, value: float) -> float:
        """RETURNS (float): The pixel of a value on the vertical axis."""
        return round(self.top + self.height * (self.y1 - value) / (self.y1 - self.y0), 1)

    def line(self, rows: Iterable[Any], x: str, y: str) -> str:
        """RETURNS (str): The `points` of an SVG polyline, from two attributes of some rows."""
        return " ".join(f"{self.x(getattr(row, x)):g},{self.y(getattr(row, y)):g}" for row in rows)

    def ticks(self, axis: str) -> list[float]:
        """RETURNS (list[float]): About five round values on the axis "x" or "y"."""
        low, high = (self.x0, self.x1) if axis == "x" else (self.y0, self.y1)
        step = 10.0 ** np.floor(np.log10((high - low) / 2))
        step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (step * factor) <= 6)
        return [
            round(float(value), 10) + 0.0 for value in np.arange(np.ceil(low / step - 1e-9) * step, high + 1e-9, step)
        ]


class Point(NamedTuple):
    """Scores at a threshold.

    threshold, precision, recall, f1 (float): All from 0 to 1.
    """

    threshold: float
    precision: float
    recall: float
    f1: float


class Bin(NamedTuple):
    """Entities with scores of about the same size.

    number (int): How many there are.
    score (float): Their mean score.
    right (float): The share of them that is right.
    """

    number: int
    score: float
    right: float


def threshold_curve(candidates: Candidates) -> list[Point]:
    """Score at all thresholds that make a difference, or at MOST_POINTS of them, spread evenly over the predictions.

    candidates (Candidates): Gold and predictions.
    RETURNS (list[Point]): The scores, the lowest threshold first.
    """
    steps = np.unique(candidates.upto[np.isfinite(candidates.upto)])
    if len(steps) > MOST_POINTS:
        steps = steps[np.linspace(0, len(steps) - 1, MOST_POINTS).round().astype(int)]
    points = []
    for threshold in [0.0, *map(float, steps)]:
        counts = count(candidates.at(threshold))
        scores = simple_prf(*(int(column.sum()) for column in (counts.tp, counts.pred, counts.gold)))
        if counts.pred.sum():
            points.append(Point(threshold, *scores))
    return points


def reliability(candidates: Candidates) -> list[Bin]:
    """Put what is predicted at the pipeline's own threshold into bins of scores.

    candidates (Candidates): Gold and predictions.
    RETURNS (list[Bin]): The bins, the lowest scores first.
    """
    bins = reliability_bins(*candidates.scored(candidates.own))
    return [Bin(*row) for row in zip(*(column.tolist() for column in bins), strict=True)]
