"""Steps of the packed forward pass with gradients of our own, which save copies, passes over memory and zero fills."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch.autograd import Function

if TYPE_CHECKING:
    from torch import Tensor, nn


class Working(NamedTuple):
    """The weights that a product is made with: those of one or more linear layers, one below the other, in the
    precision of the product.

    weight (Tensor): Shape: (width out, width in).
    bias (Tensor): Shape: (width out,).
    owners (List[Parameter]): The layers' weights and then their biases; these are what is learned.
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

        layers (Tuple[nn.Linear, ...]): The layers.
        dtype (torch.dtype): The precision.
        RETURNS (Working): Their weights.
        """
        owners = [*(layer.weight for layer in layers), *(layer.bias for layer in layers)]
        if len(layers) == 1 and owners[0].dtype == dtype:
            return Working(owners[0].detach(), owners[1].detach(), owners)
        stamp = [(param.data_ptr(), param._version) for param in owners]
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

    x (Tensor): Shape: (n_rows, width in).
    working (Working): The weights.
    RETURNS (Tensor): In the precision of the weights. Shape: (n_rows, width out).
    """
    return _Linear.apply(x, working.weight, working.bias, *working.owners)


def activate(x: "Tensor", activation: "Callable[[Tensor], Tensor]") -> "Tensor":
    """Apply an activation to each value.

    On a CPU, torch has oneDNN compile its GELU in float32 for every shape, and keeps a thousand of those, about 3 MiB
    each. It does not where the memory runs in columns, and is as fast.

    x (Tensor): Shape: (n_rows, width).
    activation (Callable[[Tensor], Tensor]): The activation.
    RETURNS (Tensor): Shape: (n_rows, width).
    """
    return activation(x.t()).t() if x.dtype == torch.float32 else activation(x)


def add_norm(x: "Tensor", residual: "Tensor", mask: "Tensor | None", norm: "nn.LayerNorm") -> "Tensor":
    """Drop out, add, and normalize.

    x (Tensor): Shape: (n_rows, width).
    residual (Tensor): float32. Shape: (n_rows, width).
    mask (Optional[Tensor]): What `x` is multiplied by: zeros where it is dropped. Shape: (n_rows, width).
    norm (nn.LayerNorm): The layer.
    RETURNS (Tensor): float32. Shape: (n_rows, width).
    """
    return _AddNorm.apply(x, residual, mask, norm.weight, norm.bias, norm.eps)


class _Linear(Function):
    @staticmethod
    def forward(ctx: Any, x: "Tensor", weight: "Tensor", bias: "Tensor", *owners: "Tensor") -> "Tensor":
        ctx.dtype = x.dtype
        ctx.sizes = [len(owner) for owner in owners[: len(owners) // 2]]
        x = x.type(weight.dtype)
        ctx.save_for_backward(x, weight)
        return torch.addmm(bias, x, weight.t())

    @staticmethod
    def backward(ctx: Any, dy: "Tensor") -> tuple[Any, ...]:  # type: ignore[override]
        x, weight = ctx.saved_tensors
        dx = dy.mm(weight).type(ctx.dtype) if ctx.needs_input_grad[0] else None
        grads: list[Any] = [None] * (2 * len(ctx.sizes))
        if any(ctx.needs_input_grad[3:]):
            grads = [*dy.t().mm(x).float().split(ctx.sizes), *dy.sum(0).float().split(ctx.sizes)]
        return dx, None, None, *grads


class _AddNorm(Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: "Tensor",
        residual: "Tensor",
        mask: "Tensor | None",
        weight: "Tensor",
        bias: "Tensor",
        eps: float,
    ) -> "Tensor":
        total = residual + x if mask is None else torch.addcmul(residual, x, mask)
        y, mean, deviation = torch.native_layer_norm(total, [total.shape[-1]], weight, bias, eps)
        ctx.dtype = x.dtype
        ctx.save_for_backward(total, mean, deviation, weight, bias, mask)
        return y

    @staticmethod
    def backward(ctx: Any, dy: "Tensor") -> tuple[Any, ...]:  # type: ignore[override]
        total, mean, deviation, weight, bias, mask = ctx.saved_tensors
        d_total, d_weight, d_bias = torch.ops.aten.native_layer_norm_backward(
            dy, total, [total.shape[-1]], mean, deviation, weight, bias, [True, True, True]
        )
        dx = d_total if mask is None else d_total * mask
        return dx.type(ctx.dtype), d_total, None, d_weight, d_bias, None
