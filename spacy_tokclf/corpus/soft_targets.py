"""Soft targets (Hinton et al., 2015): what a teacher says of each token of a text. Examples carry them to the component
that learns from them."""

from dataclasses import dataclass
from typing import Any

from spacy.training import Example

from ..errors import Errors

#: Where the reference of an example has them, in its `user_data`.
KEY = "spacy-tokclf.soft_targets"


@dataclass(frozen=True, slots=True)
class SoftTargets:
    """What a teacher says of one text.

    log_probs (NDArray[np.float16]): Logarithms of the probabilities of tags, for each predicted token of the example. A
        row of zeros: the teacher sees nothing of the token. Shape: (n_tokens, n_tags).
    tags (tuple[str, ...]): The teacher's tags, in the order of the columns.
    temperature (float): By which teacher and student are compared.
    gold_share (float): Share of the gold in the loss of a token that has gold, too.
    """

    log_probs: Any
    tags: tuple[str, ...]
    temperature: float
    gold_share: float


def attach(example: Example, targets: SoftTargets) -> Example:
    """Let an example carry soft targets.

    example (Example): The example.
    targets (SoftTargets): What a teacher says of its predicted tokens.
    RETURNS (Example): The same example.
    """
    example.reference.user_data[KEY] = targets
    return example


def soft_targets(example: Example) -> SoftTargets | None:
    """Give the soft targets of an example.

    example (Example): The example.
    RETURNS (SoftTargets | None): What it carries; None if nothing.
    """
    found: SoftTargets | None = example.reference.user_data.get(KEY)
    return found


def check_mixture(temperature: float, gold_share: float) -> None:
    """Refuse what is no temperature, or no share.

    temperature (float): Above 0, and finite.
    gold_share (float): From 0 to 1.
    RAISES (ValueError): TC031.
    """
    if not 0 < temperature < float("inf"):
        raise ValueError(Errors.TC031.format(name="temperature", value=temperature, expected="a number above 0"))
    if not 0 <= gold_share <= 1:
        raise ValueError(Errors.TC031.format(name="gold_share", value=gold_share, expected="a share from 0 to 1"))
