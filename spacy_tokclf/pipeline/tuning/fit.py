"""Fit the parameters of a `Tuning` on development data: bias, temperature, and Platt scaling of scores."""

import numpy as np

from ...tags.tuning import Tuning, log_odds, sigmoid
from ...types import Floats64, Ints
from .logits import Predictions, TuningData

#: Biases that are tried, in logits.
BIASES = np.arange(-32, 33) / 4
#: F1 is a step function of the bias: it is smoothed by a Gaussian of this standard deviation, in logits.
SMOOTHING = 1.0
#: F1 values that differ by less than this count as equal.
TOLERANCE = 5e-4
#: Passes of the coordinate search over the types.
ROUNDS = 2
TEMPERATURES = 2.0 ** (np.arange(-16, 49) / 16)
MIN_SLOPE = 0.05


def fit_bias(data: TuningData, texts: Ints, *, per_type: bool) -> dict[str, float]:
    """Find the bias with the best entity F1.

    The F1 of the biases around a bias, smoothed, says more about other texts than its own: the middle of a plateau is
    preferred to a peak. Of biases that are as good, the nearest to none is taken.

    data (TuningData): The texts.
    texts (Ints): Indices of those to fit on.
    per_type (bool): Whether there is one bias per type, found by coordinate search from the common one.
    RETURNS (dict[str, float]): The bias of each type.
    """
    types = data.types
    support = int(data.support[texts].sum())

    def f1(bias: list[float]) -> float:
        tp, predicted = data.count(bias)[texts].sum(axis=0)
        return float(2 * tp / max(predicted + support, 1))

    common = _best_bias(np.array([f1([value] * len(types)) for value in BIASES.tolist()]), prior=0.0)
    bias = [common] * len(types)
    for _ in range(ROUNDS if per_type else 0):
        for i in range(len(types)):
            curve = [f1([*bias[:i], value, *bias[i + 1 :]]) for value in BIASES.tolist()]
            bias[i] = _best_bias(np.array(curve), prior=common)
    return dict(zip(types, bias, strict=True))


def _best_bias(curve: Floats64, *, prior: float) -> float:
    """Choose the bias with the best smoothed F1, of equal ones the nearest to a prior. Shape of `curve`: that of
    BIASES."""
    # (n_biases, n_biases): the kernel regression of Nadaraya and Watson (1964).
    weights = np.exp(-0.5 * ((BIASES[:, None] - BIASES[None, :]) / SMOOTHING) ** 2)
    smooth = (weights @ curve) / weights.sum(axis=1)
    good = BIASES[smooth >= smooth.max() - TOLERANCE]
    return float(good[np.abs(good - prior).argmin()])


def fit_temperature(data: TuningData, texts: Ints, tuning: Tuning) -> float:
    """Find the temperature (Guo et al., 2017) at which the mean probabilities of entities have the least log loss.

    data (TuningData): The texts.
    texts (Ints): Indices of those to fit on.
    tuning (Tuning): The bias.
    RETURNS (float): The temperature; 1.0 if there is nothing to fit it on.
    """
    losses = []
    for value in TEMPERATURES.tolist():
        predictions = data.predict(tuning._replace(temperature=value)).of_texts(texts)
        if not len(predictions.score):
            return 1.0
        losses.append(_log_loss(log_odds(predictions.score), predictions.correct.astype("float64")))
    return float(TEMPERATURES[np.argmin(losses)])


def fit_scores(predictions: Predictions) -> tuple[float, float]:
    """Fit slope and shift of the log-odds of scores by logistic regression (Platt scaling: Platt, 1999, with his
    targets, which are not quite 0 and 1). A weak penalty on the distance of the slope from 1 keeps it finite where the
    scores separate true from false positives perfectly.

    predictions (Predictions): Predicted entities with scores that are not calibrated.
    RETURNS (tuple[float, float]): Slope and shift; 1.0 and 0.0 if there is nothing to fit them on.
    """
    tp = int(predictions.correct.sum())
    fp = len(predictions.correct) - tp
    if not tp + fp:
        return 1.0, 0.0
    target = np.where(predictions.correct, (tp + 1) / (tp + 2), 1 / (fp + 2))
    x = log_odds(predictions.score)
    slope, shift = _regress(x, target, fixed=None)
    if slope < MIN_SLOPE:
        slope, shift = _regress(x, target, fixed=MIN_SLOPE)
    return slope, shift


def _regress(x: Floats64, target: Floats64, *, fixed: float | None) -> tuple[float, float]:
    """Minimise the log loss of slope and shift by Newton's method, with half steps where it would rise; of the shift
    alone if the slope is fixed."""
    weights = np.array([1.0 if fixed is None else fixed, 0.0])  # slope and shift
    columns = np.stack([x if fixed is None else np.zeros_like(x), np.ones_like(x)], axis=1)

    def loss(weights: Floats64) -> float:
        return len(x) * _log_loss(weights[0] * x + weights[1], target) + _penalty(weights[0] - 1.0)

    for _ in range(100):
        probability = sigmoid(weights[0] * x + weights[1])
        pull = (weights[0] - 1.0) if fixed is None else 0.0
        # (2,) and (2, 2): gradient and Hessian of loss and penalty.
        gradient = columns.T @ (probability - target) + [pull, 0.0]
        hessian = (columns.T * (probability * (1 - probability))) @ columns + np.diag([1.0, 1e-9])
        step = np.linalg.solve(hessian, gradient)
        before = loss(weights)
        while loss(weights - step) > before and np.abs(step).max() > 1e-10:
            step /= 2
        weights = weights - step
        if np.abs(step).max() < 1e-9:
            break
    return float(weights[0]), float(weights[1])


def _penalty(distance: float) -> float:
    return 0.5 * distance**2


def _log_loss(odds: Floats64, target: Floats64) -> float:
    """Give the mean log loss of log-odds, in nats."""
    return float((np.logaddexp(0.0, odds) - target * odds).mean())
