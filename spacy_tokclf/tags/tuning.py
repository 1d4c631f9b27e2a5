"""Post-hoc tuning: a bias of each entity type, a temperature, and Platt scaling of scores, fitted after training."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..types import Floats32, Floats64
from .decode import TagTable

#: Scores are kept this far from 0 and 1 before their log-odds are taken.
EDGE = 1e-6


class Tuning(NamedTuple):
    """Parameters fitted after training that change how logits are decoded and scored. The defaults change nothing.

    bias (Mapping[str, float]): By entity type, what is added to the logits of its tags: above 0, more is found.
    temperature (float): What logits are divided by, bias included, to give probabilities (temperature scaling, Guo et
        al., 2017). It changes no decision.
    slope, shift (float): An entity's score is sigmoid(slope * log-odds + shift), over the log-odds of the mean
        probability of its type (Platt scaling: Platt, 1999). The order of scores stays.
    texts (str): A digest of the texts that they were fitted on, empty if that is not known. It changes nothing.
    """

    bias: Mapping[str, float] = {}
    temperature: float = 1.0
    slope: float = 1.0
    shift: float = 0.0
    texts: str = ""

    @property
    def calibrates(self) -> bool:
        """RETURNS (bool): Whether slope and shift change anything."""
        return (self.slope, self.shift) != (1.0, 0.0)


UNTUNED = Tuning()


def read_tuning(saved: Mapping[str, Any] | None) -> Tuning:
    """Read what a component has stored.

    saved (Mapping[str, Any] | None): The fields of a `Tuning`, or None.
    RETURNS (Tuning): The parameters.
    """
    return Tuning(**saved) if saved else UNTUNED


def bias_of_tags(tuning: Tuning, table: TagTable) -> Floats32:
    """Give the bias of each tag; that of `O` is 0.

    tuning (Tuning): The parameters.
    table (TagTable): The tags.
    RETURNS (Floats32): Shape: (n_tags,).
    """
    by_type = np.array([*(tuning.bias.get(name, 0.0) for name in table.types), 0.0], dtype="float32")
    return by_type[table.type_of]


def tune_logits(logits: Floats32, tuning: Tuning, table: TagTable) -> Floats32:
    """Turn raw logits into those of an exported checkpoint, whose softmax gives the probabilities of tags.

    logits (Floats32): Raw logits. Shape: (n, n_tags).
    tuning (Tuning): The parameters.
    table (TagTable): The tags.
    RETURNS (Floats32): (logits + bias) / temperature. Shape: (n, n_tags).
    """
    return (logits + bias_of_tags(tuning, table)) / np.float32(tuning.temperature)


def log_odds(scores: NDArray[Any]) -> Floats64:
    """Give the log-odds of probabilities.

    scores (NDArray[Any]): Probabilities.
    RETURNS (Floats64): Finite numbers.
    """
    inside = np.clip(np.asarray(scores, dtype="float64"), EDGE, 1.0 - EDGE)
    return np.log(inside) - np.log1p(-inside)


def sigmoid(values: Floats64) -> Floats64:
    """Turn log-odds into probabilities.

    values (Floats64): Log-odds.
    RETURNS (Floats64): Probabilities.
    """
    return np.exp(-np.logaddexp(0.0, -values))


def calibrate(scores: Floats32, tuning: Tuning) -> Floats32:
    """Calibrate the scores of entities (Platt scaling), so that a score is the share of correct entities among those
    that have it.

    scores (Floats32): Mean probabilities of the type. Shape: (n,).
    tuning (Tuning): The parameters.
    RETURNS (Floats32): The scores, in the same order of size. Shape: (n,).
    """
    if not tuning.calibrates:
        return scores
    return sigmoid(tuning.slope * log_odds(scores) + tuning.shift).astype("float32")
