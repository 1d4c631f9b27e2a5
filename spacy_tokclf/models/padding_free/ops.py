"""Steps of the packed forward pass, and the ways back through them: without torch's record of what was computed, which
saves copies, passes over memory, zero fills and most of the calls."""

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from ... import compat
from ...runtime.dropout import DropoutMasks
from ...runtime.products import linear_product

if TYPE_CHECKING:
    from torch import Tensor, nn


class Working(NamedTuple):
    """The weights that a product is made with: those of one or more linear layers, one below the other, in the
    precision of the product.

    weight (Tensor): Shape: (width out, width in).
    bias (Tensor): Shape: (width out,).
    owners (list[Parameter]): The layers' weights and then their biases; these are what is learned.
    """

    weight: "Tensor"
    bias: "Tensor"
    owners: "list[nn.Parameter]"


class WorkingWeights:
    """Keep working weights from call to call, until the weights that they were made from change.

    A tensor does not notice all changes (a fused optimizer's, or of `.data`): whoever makes them calls `clear`.
    """

    def __init__(self) -> None:
        self._kept: dict[Any, tuple[Any, Working]] = {}

    def get(self, layers: "tuple[nn.Linear, ...]", dtype: "torch.dtype") -> Working:
        """Give the working weights of some layers that have the same input.

        layers (tuple[nn.Linear, ...]): The layers.
        dtype (torch.dtype): The precision.
        RETURNS (Working): Their weights.
        """
        owners = [*(layer.weight for layer in layers), *(layer.bias for layer in layers)]
        if len(layers) == 1 and owners[0].dtype == dtype:
            return Working(owners[0].detach(), owners[1].detach(), owners)
        stamp = [(param.data_ptr(), compat.version_of(param)) for param in owners]
        held = self._kept.get((layers, dtype))
        if held is None or held[0] != stamp:
            # Made in inference mode, they could not be learned with later.
            with torch.inference_mode(False), torch.no_grad():
                weight = _stacked([layer.weight for layer in layers], dtype)
                bias = _stacked([layer.bias for layer in layers], dtype)
            held = self._kept[layers, dtype] = (stamp, Working(weight, bias, owners))
        return held[1]

    def clear(self) -> None:
        """Forget all, since weights were exchanged in a way that tensors do not notice."""
        self._kept.clear()


def _stacked(parts: "list[Tensor]", dtype: "torch.dtype") -> "Tensor":
    """Put tensors below each other in another precision, in one pass over memory."""
    stacked = parts[0].new_empty((sum(map(len, parts)), *parts[0].shape[1:]), dtype=dtype)
    for rows, part in zip(stacked.split([len(part) for part in parts]), parts, strict=True):
        rows.copy_(part)
    return stacked


def linear(x: "Tensor", working: Working) -> "Tensor":
    """Apply linear layers.

    x (Tensor): In the precision of the weights. Shape: (n_rows, width in).
    working (Working): The weights.
    RETURNS (Tensor): Shape: (n_rows, width out).
    """
    return linear_product(x, working.weight, working.bias)


def activate(x: "Tensor", activation: "Callable[[Tensor], Tensor]", *, keep: bool = False) -> "Tensor":
    """Apply an activation to each value.

    On a CPU, torch has oneDNN compile its GELU in float32 for every shape, and keeps a thousand of those, about 3 MiB
    each. It does not where the memory runs in columns, and is as fast.

    x (Tensor): Shape: (n_rows, width).
    activation (Callable[[Tensor], Tensor]): The activation.
    keep (bool): Whether `activate_back` follows. Then torch records this step on `x`.
    RETURNS (Tensor): Shape: (n_rows, width).
    """
    with torch.enable_grad() if keep else contextlib.nullcontext():
        x = x.requires_grad_() if keep else x
        return activation(x.t()).t() if x.dtype == torch.float32 else activation(x)


def activate_back(dy: "Tensor", x: "Tensor", y: "Tensor") -> "Tensor":
    """Go back through an activation.

    dy (Tensor): The gradient of what left it.
    x (Tensor): What came in.
    y (Tensor): What left it.
    RETURNS (Tensor): The gradient of what came in.
    """
    return torch.autograd.grad(y, x, dy)[0]


class NormTrace(NamedTuple):
    """What `add_norm` keeps: the sum, its rows' mean and inverse deviation, and the mask of what was dropped."""

    total: "Tensor"
    mean: "Tensor"
    deviation: "Tensor"
    mask: "Tensor | None"
    dtype: "torch.dtype"


def add_norm(
    x: "Tensor", residual: "Tensor", masks: DropoutMasks | None, rate: float, norm: "nn.LayerNorm"
) -> tuple["Tensor", NormTrace]:
    """Drop out, add, and normalize.

    x (Tensor): Shape: (n_rows, width).
    residual (Tensor): float32. Shape: (n_rows, width).
    masks (DropoutMasks | None): Draws what is dropped; None for nothing.
    rate (float): The share that is dropped.
    norm (nn.LayerNorm): The layer.
    RETURNS (tuple[Tensor, NormTrace]): float32, shape (n_rows, width), and what the way back needs.
    """
    mask = masks.draw(tuple(x.shape), rate, x.dtype) if masks else None
    total = residual + x if mask is None else torch.addcmul(residual, x, mask)
    y, mean, deviation = compat.layer_norm(total, norm)
    return y, NormTrace(total, mean, deviation, mask, x.dtype)


def add_norm_back(
    dy: "Tensor", trace: NormTrace, norm: "nn.LayerNorm"
) -> tuple["Tensor", "Tensor", tuple["Tensor", "Tensor"]]:
    """Go back through `add_norm`.

    dy (Tensor): The gradient of what left it.
    trace (NormTrace): What it kept.
    norm (nn.LayerNorm): The layer.
    RETURNS (tuple[Tensor, Tensor, tuple[Tensor, Tensor]]): The gradients of x, in its precision, and of the residual;
        and those of the layer's weight and bias.
    """
    d_total, of_norm = norm_back(dy, trace.total, trace.mean, trace.deviation, norm)
    dx = d_total if trace.mask is None else d_total * trace.mask
    return dx.type(trace.dtype), d_total, of_norm


def norm_back(
    dy: "Tensor", x: "Tensor", mean: "Tensor", deviation: "Tensor", norm: "nn.LayerNorm"
) -> tuple["Tensor", tuple["Tensor", "Tensor"]]:
    """Go back through a layer norm.

    dy (Tensor): The gradient of what left it. Shape: (n_rows, width).
    x (Tensor): What came in.
    mean, deviation (Tensor): The mean and the inverse deviation of its rows.
    norm (nn.LayerNorm): The layer.
    RETURNS (tuple[Tensor, tuple[Tensor, Tensor]]): The gradient of x, and those of the layer's weight and bias.
    """
    dx, d_weight, d_bias = compat.layer_norm_backward(dy, x, mean, deviation, norm)
    return dx, (d_weight, d_bias)


def summed(pairs: "list[tuple[Tensor, Tensor]]") -> "list[Tensor]":
    """RETURNS (list[Tensor]): The sums of the first and of the second ones of some pairs."""
    return [torch.stack(each).sum(0) if len(each) > 1 else each[0] for each in zip(*pairs, strict=True)]
