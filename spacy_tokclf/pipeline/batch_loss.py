"""The loss of a batch of texts, with its gradients in the shapes in which models gave their logits."""

from typing import Any, cast

import numpy as np
from thinc.api import Model, Ops
from thinc.types import Floats2d

from ..models.transitions import TRANSITIONS
from ..types import Ints
from .loss import masked_chain_loss, masked_cross_entropy
from .taught import Taught, taught_loss


def token_loss(
    ops: Ops, logits: list[Floats2d], gold: Ints, taught: Taught | None, *, label_smoothing: float
) -> tuple[float, list[Floats2d], int]:
    """Sum the loss over tokens: cross-entropy with gold, mixed with the divergence from a teacher if there is one.

    ops (Ops): The backend.
    logits (list[Floats2d]): Per text (n_tokens, n_tags).
    gold (Ints): As `gold_tags` gives it. Shape: (n_tokens of all texts,).
    taught (Taught | None): The soft targets.
    label_smoothing (float): Share of the gold's probability that is spread over all tags.
    RETURNS (tuple[float, list[Floats2d], int]): The loss in nats, its gradient, and of how many tokens it is.
    """
    rows = ops.xp.concatenate(logits)
    if taught is None:
        loss, gradient = masked_cross_entropy(ops, rows, gold, label_smoothing=label_smoothing)
        n_tokens = int((gold >= 0).sum())
    else:
        loss, gradient, n_tokens = taught_loss(ops, rows, gold, taught, label_smoothing=label_smoothing)
    return loss, ops.unflatten(gradient, _lengths(logits)), n_tokens


def sequence_loss(
    ops: Ops, layer: Model[Floats2d, Floats2d], logits: list[Floats2d], gold: Ints
) -> tuple[float, list[Floats2d], Floats2d]:
    """Sum the loss of a conditional random field over texts. Tokens that the decoder leaves out are not part of them.

    ops (Ops): The backend.
    layer (Model): The transitions.
    logits, gold: As for `token_loss`.
    RETURNS (tuple[float, list[Floats2d], Floats2d]): The loss in nats; its gradients by the logits, and by the
        transitions, (n_tags, n_tags).
    """
    transitions = layer.ops.to_numpy(layer.get_param(TRANSITIONS))
    loss, *gradients = masked_chain_loss([ops.to_numpy(row) for row in logits], gold, transitions)
    # thinc's types of arrays are not numpy's.
    d_logits, d_transitions = (ops.asarray2f(cast(Floats2d, array)) for array in gradients)
    return loss, ops.unflatten(d_logits, _lengths(logits)), d_transitions


def _lengths(rows: list[Floats2d]) -> Any:
    return np.asarray([len(row) for row in rows], dtype="int32")
