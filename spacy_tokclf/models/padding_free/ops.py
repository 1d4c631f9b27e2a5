"""Operations of the encoder's layers, each with its backward pass by hand.

Autograd would record every operation, copy what it saves and make a pass over memory for each: here a forward function
returns what its backward function needs (a `Saved...`), and nothing else is kept.
"""

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from ... import compat
from ...runtime.dropout import DropoutMasks
from ...runtime.products import in_order, linear_product

if TYPE_CHECKING:
    from torch import Tensor, nn


class LinearWeights(NamedTuple):
    """Weights of one or more linear layers with the same input, stacked to one matrix, in the precision of the product.

    weight (Tensor): As `linear_product` takes it. Shape: (width out, width in).
    bias (Tensor): Shape: (width out,).
    owners (list[Tensor]): The layers' weights and then their biases, float32: what is learned.
    """

    weight: "Tensor"
    bias: "Tensor"
    owners: "list[Tensor]"


class LinearWeightsCache:
    """Stacked and cast weights, kept from call to call until the weights that they were made from change.

    A tensor's version counter does not see every change (a fused optimizer's, or of `.data`): whoever makes one calls
    `clear`.
    """

    def __init__(self) -> None:
        self._kept: dict[Any, tuple[Any, LinearWeights]] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return LinearWeightsCache, ()  # a copy belongs to other weights

    def get(self, layers: "tuple[nn.Linear, ...]", dtype: "torch.dtype", *, ordered: bool = False) -> LinearWeights:
        """Give the weights of some layers that have the same input.

        layers (tuple[nn.Linear, ...]): The layers.
        dtype (torch.dtype): The precision.
        ordered (bool): Whether many products follow, for which the matrix is put in order.
        RETURNS (LinearWeights): Their weights.
        """
        owners = [*(layer.weight for layer in layers), *(layer.bias for layer in layers)]
        if len(layers) == 1 and owners[0].dtype == dtype and not ordered:
            return LinearWeights(owners[0].detach(), owners[1].detach(), owners)
        versions = [compat.version_of(param) for param in owners]
        key = None if None in versions else [(p.data_ptr(), v) for p, v in zip(owners, versions, strict=True)]
        kept = self._kept.get((layers, dtype, ordered))
        if kept is not None and key is not None and kept[0] == key:
            return kept[1]
        # Tensors made in inference mode could not be used in a training step later.
        with torch.inference_mode(False), torch.no_grad():
            weight = _stack_cast([layer.weight for layer in layers], dtype)
            weight = in_order(weight) if ordered else weight
            bias = _stack_cast([layer.bias for layer in layers], dtype)
        made = LinearWeights(weight, bias, owners)
        if key is not None:
            self._kept[layers, dtype, ordered] = (key, made)
        return made

    def clear(self) -> None:
        """Forget all weights."""
        self._kept.clear()


def _stack_cast(parts: "list[Tensor]", dtype: "torch.dtype") -> "Tensor":
    """Concatenate along the first axis and cast, in one pass over memory."""
    stacked = parts[0].new_empty((sum(map(len, parts)), *parts[0].shape[1:]), dtype=dtype)
    for rows, part in zip(stacked.split([len(part) for part in parts]), parts, strict=True):
        rows.copy_(part)
    return stacked


def linear(x: "Tensor", weights: LinearWeights) -> "Tensor":
    """Apply linear layers with the same input.

    x (Tensor): In the precision of the weights. Shape: (n_rows, width in).
    weights (LinearWeights): The weights.
    RETURNS (Tensor): Shape: (n_rows, width out).
    """
    return linear_product(x, weights.weight, weights.bias)


def activate(x: "Tensor", activation: "Callable[[Tensor], Tensor]", *, save: bool = False) -> "Tensor":
    """Apply an activation function to each value.

    x (Tensor): Shape: (n_rows, width).
    activation (Callable[[Tensor], Tensor]): The function, any that Hugging Face has.
    save (bool): Whether `activate_backward` follows. Then autograd records this one operation on `x`.
    RETURNS (Tensor): Shape: (n_rows, width).
    """
    with torch.enable_grad() if save else contextlib.nullcontext():
        x = x.requires_grad_() if save else x
        # In float32 on a CPU torch has oneDNN compile its GELU for every shape, and keeps a thousand of those, 3 MiB
        # each. On a transposed view, whose memory runs in columns, it does not, and is as fast.
        return activation(x.t()).t() if x.dtype == torch.float32 else activation(x)


def activate_backward(dy: "Tensor", x: "Tensor", y: "Tensor") -> "Tensor":
    """Backward pass of `activate`.

    dy (Tensor): Gradient of the output. Shape: (n_rows, width).
    x (Tensor): The input. Shape: (n_rows, width).
    y (Tensor): The output, made with `save`. Shape: (n_rows, width).
    RETURNS (Tensor): Gradient of the input. Shape: (n_rows, width).
    """
    return torch.autograd.grad(y, x, dy)[0]


class SavedNorm(NamedTuple):
    """What `add_norm` saves for its backward pass.

    total (Tensor): The sum that was normalized. Shape: (n_rows, width).
    mean (Tensor): The mean of each row. Shape: (n_rows, 1).
    deviation (Tensor): One over the standard deviation of each row. Shape: (n_rows, 1).
    mask (Tensor | None): The dropout mask. Shape: (n_rows, width).
    dtype (torch.dtype): Precision of the input that was not the residual.
    """

    total: "Tensor"
    mean: "Tensor"
    deviation: "Tensor"
    mask: "Tensor | None"
    dtype: "torch.dtype"


def add_norm(
    x: "Tensor", residual: "Tensor", masks: DropoutMasks | None, rate: float, norm: "nn.LayerNorm"
) -> tuple["Tensor", SavedNorm]:
    """Dropout, residual connection and layer norm.

    x (Tensor): Output of a sublayer. Shape: (n_rows, width).
    residual (Tensor): Its input, float32. Shape: (n_rows, width).
    masks (DropoutMasks | None): Draws the dropout mask; None for no dropout.
    rate (float): Dropout rate.
    norm (nn.LayerNorm): The layer norm.
    RETURNS (tuple[Tensor, SavedNorm]): float32, shape (n_rows, width), and what the backward pass needs.
    """
    mask = masks.draw(tuple(x.shape), rate, x.dtype) if masks else None
    # One fused pass: residual + x * mask. The sum is float32 whatever the precision of x.
    total = residual + x if mask is None else torch.addcmul(residual, x, mask)
    y, mean, deviation = compat.layer_norm(total, norm)
    return y, SavedNorm(total, mean, deviation, mask, x.dtype)


def add_norm_backward(
    dy: "Tensor", saved: SavedNorm, norm: "nn.LayerNorm"
) -> tuple["Tensor", "Tensor", tuple["Tensor", "Tensor"]]:
    """Backward pass of `add_norm`.

    dy (Tensor): Gradient of the output. Shape: (n_rows, width).
    saved (SavedNorm): What `add_norm` gave.
    norm (nn.LayerNorm): The layer norm.
    RETURNS (tuple[Tensor, Tensor, tuple[Tensor, Tensor]]): The gradients of x, in its precision, and of the residual,
        shapes (n_rows, width); and those of the norm's weight and bias, shapes (width,).
    """
    d_total, d_norm = norm_backward(dy, saved.total, saved.mean, saved.deviation, norm)
    dx = d_total if saved.mask is None else d_total * saved.mask
    return dx.type(saved.dtype), d_total, d_norm


def norm_backward(
    dy: "Tensor", x: "Tensor", mean: "Tensor", deviation: "Tensor", norm: "nn.LayerNorm"
) -> tuple["Tensor", tuple["Tensor", "Tensor"]]:
    """Backward pass of a layer norm.

    dy (Tensor): Gradient of the output. Shape: (n_rows, width).
    x (Tensor): The input. Shape: (n_rows, width).
    mean, deviation (Tensor): Mean and inverse standard deviation of its rows. Shapes: (n_rows, 1).
    norm (nn.LayerNorm): The layer norm.
    RETURNS (tuple[Tensor, tuple[Tensor, Tensor]]): Gradient of x, and those of the norm's weight and bias.
    """
    dx, d_weight, d_bias = compat.layer_norm_backward(dy, x, mean, deviation, norm)
    return dx, (d_weight, d_bias)


def sum_pairs(pairs: "list[tuple[Tensor, Tensor]]") -> "list[Tensor]":
    """RETURNS (list[Tensor]): The sums of the first and of the second tensors of some pairs."""
    return [torch.stack(each).sum(0) if len(each) > 1 else each[0] for each in zip(*pairs, strict=True)]
