"""The linear head of a token classifier in torch, with loss and backward pass: how backends end a fused step."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..runtime.arrays import to_tensor
from ..types import Ints

if TYPE_CHECKING:
    from torch import Tensor


class LinearHead(NamedTuple):
    """The classifier as leaf tensors, views of thinc's parameters where they are on the same device.

    weight (Tensor): Shape: (n_tags, width).
    bias (Tensor): Shape: (n_tags,).
    """

    weight: "Tensor"
    bias: "Tensor"


def learn_head(
    vectors: "Sequence[Tensor]",
    tokens: Sequence[Ints],
    gold: Ints,
    head: LinearHead,
    *,
    drop: float,
    label_smoothing: float,
) -> "Tensor | None":
    """Head, loss and backward pass over the vectors of a batch.

    vectors (Sequence[Tensor]): What `Backend.vectors` gave in training. Shapes: (n_here, width).
    tokens (Sequence[Ints]): The tokens that they belong to. Shapes: (n_here,).
    gold (Ints): Tag row of each token, negative where there is none to learn from. Shape: (n_tokens,).
    head (LinearHead): The classifier.
    drop (float): Rate of the dropout before it.
    label_smoothing (float): As in torch.
    RETURNS (Tensor | None): The summed loss, shape (); None if there is nothing to learn from.
    """
    import torch
    from torch.nn import functional

    if not vectors or not (gold >= 0).any():
        return None
    # Rows of tokens without gold are part of the sum with a loss of exactly 0 (`ignore_index`).
    labels = np.maximum(gold[np.concatenate(list(tokens))], -1)
    with torch.enable_grad():
        rows = torch.cat(list(vectors))  # (n_rows, width)
        logits = functional.linear(functional.dropout(rows, drop), head.weight, head.bias)  # (n_rows, n_tags)
        loss = functional.cross_entropy(
            logits, to_tensor(labels, rows.device), ignore_index=-1, reduction="sum", label_smoothing=label_smoothing
        )
    loss.backward()
    return loss.detach()
