"""The loss: cross-entropy over the tokens whose gold tag is known."""

from typing import Any

from thinc.api import Ops
from thinc.types import Floats2d


def masked_cross_entropy(
    ops: Ops, logits: Floats2d, gold: Any, *, label_smoothing: float = 0.0
) -> tuple[float, Floats2d]:
    """Sum the cross-entropy over tokens with a known tag. The others have no loss and a gradient of exactly zero.

    ops (Ops): The backend.
    logits (Floats2d): Shape: (n_tokens, n_tags).
    gold (Ints1d): Index of each token's tag, negative where it is not known. Shape: (n_tokens,).
    label_smoothing (float): Share of the gold's probability that is spread over all tags, that of the gold included
        (Szegedy et al., 2016), as in torch.
    RETURNS (tuple[float, Floats2d]): The summed loss in nats, and its gradient. Shape: (n_tokens, n_tags).
    """
    xp = ops.xp
    gradient = ops.alloc2f(*logits.shape)
    rows = xp.flatnonzero(xp.asarray(gold) >= 0)
    if not len(rows):
        return 0.0, gradient
    columns = xp.asarray(gold)[rows]
    shifted = logits[rows] - logits[rows].max(axis=1, keepdims=True)
    exp = xp.exp(shifted)
    total = exp.sum(axis=1, keepdims=True)
    each = xp.arange(len(rows))
    loss = xp.log(total[:, 0]) - shifted[each, columns]
    probabilities = exp / total
    probabilities[each, columns] -= 1.0
    if label_smoothing:
        loss += label_smoothing * (shifted[each, columns] - shifted.mean(axis=1))
        probabilities[each, columns] += label_smoothing
        probabilities -= label_smoothing / logits.shape[1]
    gradient[rows] = probabilities
    return float(loss.sum()), gradient
