"""Fit the numbers of a `Tuning` on annotated texts."""

import numpy as np

from ...tags.tuning import Tuning, log_odds, sigmoid
from ...types import Floats64, Ints
from .logits import Found, Readings

#: Biases that are tried, in logits.
GRID = np.arange(-32, 33) / 4
#: F1 is a step function of the bias: it is smoothed by a Gaussian of this standard deviation, in logits.
WIDTH = 1.0
#: A bias is not worth less F1 than this.
SLACK = 5e-4
ROUNDS = 2
TEMPERATURES = 2.0 ** (np.arange(-16, 49) / 16)
LEAST_SLOPE = 0.05


def fit_bias(readings: Readings, texts: Ints, *, per_type: bool) -> dict[str, float]:
    """Find the bias with the best entity F1.

    The F1 of the biases around a bias, smoothed, says more about other texts than its own: the middle of a plateau is
    preferred to a peak. Of biases that are as good, the nearest to none is taken.

    readings (Readings): The texts.
    texts (Ints): Indices of those to fit on.
    per_type (bool): Whether each type has a bias of its own, found by coordinate search from the common one.
    RETURNS (dict[str, float]): The bias of each type.
    """
    types = readings.table.types
    n_gold = int(readings.n_gold[texts].sum())

    def f1(bias: list[float]) -> float:
        right, predicted = readings.count(bias)[texts].sum(axis=0)
        return float(2 * right / max(predicted + n_gold, 1))

    common = _choose(np.array([f1([value] * len(types)) for value in GRID.tolist()]), near=0.0)
    bias = [common] * len(types)
    for _ in range(ROUNDS if per_type else 0):
        for i in range(len(types)):
            curve = [f1([*bias[:i], value, *bias[i + 1 :]]) for value in GRID.tolist()]
            bias[i] = _choose(np.array(curve), near=common)
    return dict(zip(types, bias, strict=True))


def _choose(curve: Floats64, *, near: float) -> float:
    """Choose a point of GRID."""
    weights = np.exp(-0.5 * ((GRID[:, None] - GRID[None, :]) / WIDTH) ** 2)
    smooth = (weights @ curve) / weights.sum(axis=1)
    good = GRID[smooth >= smooth.max() - SLACK]
    return float(good[np.abs(good - near).argmin()])


def fit_temperature(readings: Readings, texts: Ints, tuning: Tuning) -> float:
    """Find the temperature at which the mean probabilities of entities fit best to what is right: the least log loss.

    readings (Readings): The texts.
    texts (Ints): Indices of those to fit on.
    tuning (Tuning): The bias.
    RETURNS (float): The temperature; 1.0 if there is nothing to fit it on.
    """
    losses = []
    for value in TEMPERATURES.tolist():
        found = select(readings.find(tuning._replace(temperature=value)), texts)
        if not len(found.score):
            return 1.0
        losses.append(_log_loss(log_odds(found.score), found.correct.astype("float64")))
    return float(TEMPERATURES[np.argmin(losses)])


def fit_scores(found: Found) -> tuple[float, float]:
    """Fit slope and shift of the log-odds of scores by logistic regression (Platt, 1999, with his targets, which are
    not quite 0 and 1). A weak pull of the slope towards 1 keeps it finite where right and wrong are told apart
    perfectly.

    found (Found): Predicted entities with scores that are not calibrated.
    RETURNS (tuple[float, float]): Slope and shift; 1.0 and 0.0 if there is nothing to fit them on.
    """
    right = int(found.correct.sum())
    wrong = len(found.correct) - right
    if not right + wrong:
        return 1.0, 0.0
    target = np.where(found.correct, (right + 1) / (right + 2), 1 / (wrong + 2))
    x = log_odds(found.score)
    slope, shift = _regress(x, target, fixed=None)
    if slope < LEAST_SLOPE:
        slope, shift = _regress(x, target, fixed=LEAST_SLOPE)
    return slope, shift


def _regress(x: Floats64, target: Floats64, *, fixed: float | None) -> tuple[float, float]:
    """Minimise the log loss of slope and shift by Newton's method, with half steps where it would rise."""
    weights = np.array([1.0 if fixed is None else fixed, 0.0])
    columns = np.stack([x if fixed is None else np.zeros_like(x), np.ones_like(x)], axis=1)

    def loss(weights: Floats64) -> float:
        return len(x) * _log_loss(weights[0] * x + weights[1], target) + _pull(weights[0] - 1.0)

    for _ in range(100):
        probability = sigmoid(weights[0] * x + weights[1])
        pull = (weights[0] - 1.0) if fixed is None else 0.0
        gradient = columns.T @ (probability - target) + [pull, 0.0]
        curvature = (columns.T * (probability * (1 - probability))) @ columns + np.diag([1.0, 1e-9])
        step = np.linalg.solve(curvature, gradient)
        before = loss(weights)
        while loss(weights - step) > before and np.abs(step).max() > 1e-10:
            step /= 2
        weights = weights - step
        if np.abs(step).max() < 1e-9:
            break
    return float(weights[0]), float(weights[1])


def _pull(distance: float) -> float:
    return 0.5 * distance**2


def _log_loss(odds: Floats64, target: Floats64) -> float:
    """Give the mean log loss of log-odds, in nats."""
    return float((np.logaddexp(0.0, odds) - target * odds).mean())


def select(found: Found, texts: Ints) -> Found:
    """Select the entities of some texts.

    found (Found): Predicted entities.
    texts (Ints): Indices of texts.
    RETURNS (Found): Those in them.
    """
    keep = np.isin(found.text, texts)
    return Found(*(column[keep] for column in found))
