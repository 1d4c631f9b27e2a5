"""Training losses of a batch and their gradients: cross-entropy of tokens, and the likelihood of a linear-chain CRF."""

from typing import Any

import numpy as np
from thinc.api import Ops
from thinc.types import Floats2d

from ..tags.chain import chain_loss
from ..types import Floats32, Floats64, Ints
from .gold import INVISIBLE


def masked_cross_entropy(
    ops: Ops, logits: Floats2d, gold: Any, *, label_smoothing: float = 0.0, weights: Any = None
) -> tuple[float, Floats2d]:
    """Sum the cross-entropy over tokens with a known tag. The others have no loss and a gradient of exactly zero.

    ops (Ops): The backend.
    logits (Floats2d): Shape: (n_tokens, n_tags).
    gold (Ints1d): Index of each token's tag, negative where it is not known. Shape: (n_tokens,).
    label_smoothing (float): Share of the gold's probability that is spread over all tags, that of the gold included
        (Szegedy et al., 2016), as in torch.
    weights (Floats1d | None): What the loss of each token is multiplied by; None for 1. Shape: (n_tokens,).
    RETURNS (tuple[float, Floats2d]): The summed loss in nats, and its gradient. Shape: (n_tokens, n_tags).
    """
    xp = ops.xp
    gradient = ops.alloc2f(*logits.shape)
    rows = xp.flatnonzero(xp.asarray(gold) >= 0)
    if not len(rows):
        return 0.0, gradient
    columns = xp.asarray(gold)[rows]
    # (n_known, n_tags): log-softmax and softmax, shifted by the maximum so that exp() does not overflow.
    shifted = logits[rows] - logits[rows].max(axis=1, keepdims=True)
    exp = xp.exp(shifted)
    total = exp.sum(axis=1, keepdims=True)
    each = xp.arange(len(rows))
    loss = xp.log(total[:, 0]) - shifted[each, columns]
    # The gradient of the cross-entropy: softmax less the target distribution.
    probabilities = exp / total
    probabilities[each, columns] -= 1.0
    if label_smoothing:
        loss += label_smoothing * (shifted[each, columns] - shifted.mean(axis=1))
        probabilities[each, columns] += label_smoothing
        probabilities -= label_smoothing / logits.shape[1]
    if weights is not None:
        weight = xp.asarray(weights, dtype=logits.dtype)[rows]
        loss, probabilities = loss * weight, probabilities * weight[:, None]
    gradient[rows] = probabilities
    return float(loss.sum()), gradient


def masked_chain_loss(logits: list[Floats32], gold: Ints, transitions: Floats32) -> tuple[float, Floats32, Floats64]:
    """Sum the negative log-likelihood of the gold tag sequences of a conditional random field. Invisible tokens are no
    part of their sequence: they have a gradient of exactly zero.

    logits (list[Floats32]): Logits of each text. Shape: (n_tokens, n_tags) each.
    gold (Ints): As `gold_tags` gives it. Shape: (n_tokens,).
    transitions (Floats32): Score of a tag (column) after another (row). Shape: (n_tags, n_tags).
    RETURNS (tuple[float, Floats32, Floats64]): The summed loss in nats; its gradient by the logits, text after text
        (n_tokens, n_tags), and by the transitions (n_tags, n_tags).
    """
    visible = gold != INVISIBLE
    ends = np.cumsum([len(rows) for rows in logits])
    lengths = np.array([int(part.sum()) for part in np.split(visible, ends[:-1])], dtype="int64")
    gradient = np.concatenate(logits)
    loss, gradient[visible], d_transitions = chain_loss(gradient[visible], lengths, gold[visible], transitions)
    gradient[~visible] = 0.0
    return loss, gradient, d_transitions


def log_softmax(xp: Any, rows: Any) -> Any:
    """Give the logarithms of the probabilities that logits stand for.

    xp (Any): numpy, or cupy.
    rows (Floats2d): The logits. Shape: (n, n_tags).
    RETURNS (Floats2d): The logarithms, in the shape of the logits.
    """
    shifted = rows - rows.max(axis=1, keepdims=True)
    return shifted - xp.log(xp.exp(shifted).sum(axis=1, keepdims=True))
