"""One layer of BERT and its family over windows in a row, there and back."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch

from ...runtime.dropout import DropoutMasks
from ...runtime.products import linear_product
from .attention import AttentionTrace, Group, attend, attend_back
from .flash_attention import Row, attend_row
from .modules import Block
from .ops import (
    NormTrace,
    Working,
    WorkingWeights,
    activate,
    activate_back,
    add_norm,
    add_norm_back,
    linear,
    summed,
)

if TYPE_CHECKING:
    from torch import Tensor


class LayerWeights(NamedTuple):
    """The working weights of a layer's products."""

    qkv: Working
    out: Working
    up: Working
    down: Working


class LayerTrace(NamedTuple):
    """What a layer keeps for the way back: what its products were made with, and the traces of its other steps."""

    x: "Tensor"
    attention: list[AttentionTrace]
    found: "Tensor"
    rows: "Tensor | None"
    first: NormTrace
    middle: "Tensor"
    inner: "Tensor"
    active: "Tensor"
    second: NormTrace


class LayerGradients(NamedTuple):
    """What the gradients of a layer's weights are made of: of a product's, the gradient of what left it and what came
    in; of a norm's, those of its weight and its bias.
    """

    qkv: "tuple[Tensor, Tensor]"
    out: "tuple[Tensor, Tensor]"
    first: "tuple[Tensor, Tensor]"
    up: "tuple[Tensor, Tensor]"
    down: "tuple[Tensor, Tensor]"
    second: "tuple[Tensor, Tensor]"


def layer_weights(block: Block, weights: WorkingWeights, dtype: "torch.dtype") -> LayerWeights:
    """Give the working weights of a layer.

    block (Block): The layer.
    weights (WorkingWeights): Where they are kept.
    dtype (torch.dtype): The precision of products.
    RETURNS (LayerWeights): The weights.
    """
    products = (block.qkv, (block.out,), (block.up,), (block.down,))
    return LayerWeights(*(weights.get(layers, dtype) for layers in products))


def layer_params(block: Block) -> "list[Tensor]":
    """RETURNS (list[Tensor]): What a layer learns, in the order in which `layer_gradients` gives the gradients."""
    qkv = [*(layer.weight for layer in block.qkv), *(layer.bias for layer in block.qkv)]
    others = (block.out, block.out_norm, block.up, block.down, block.down_norm)
    return [*qkv, *(param for part in others for param in (part.weight, part.bias))]


def run_layer(
    x: "Tensor",
    block: Block,
    weights: LayerWeights,
    windows: Sequence[Group] | Row,
    *,
    heads: int,
    masks: DropoutMasks | None = None,
    rows: "Tensor | None" = None,
    traces: list[LayerTrace] | None = None,
) -> "Tensor":
    """Run a layer.

    x (Tensor): float32. Shape: (n_rows, width).
    block (Block): The layer.
    weights (LayerWeights): Its working weights, whose precision is that of the products.
    windows (Sequence[Group] | Row): The windows, in groups or, where nothing is dropped or kept, as one row.
    heads (int): The number of heads.
    masks (DropoutMasks | None): Draws what is dropped; None for nothing.
    rows (Tensor | None): The rows that anything is wanted of; None for all. Shape: (n_wanted,).
    traces (list[LayerTrace] | None): Where to add what the way back needs; None if there is none.
    RETURNS (Tensor): float32. Shape: (n_rows, width), or (n_wanted, width).
    """
    given = x.type(weights.qkv.weight.dtype)
    qkv = linear(given, weights.qkv)
    attention: list[AttentionTrace] | None = None if traces is None else []
    if isinstance(windows, Row):
        found = attend_row(qkv, windows, heads)
    else:
        found = attend(qkv, windows, heads, masks=masks, rate=block.attention_dropout, traces=attention)
    if rows is not None:
        found, x = found.index_select(0, rows), x.index_select(0, rows)
    y, first = add_norm(linear(found, weights.out), x, masks, block.out_dropout, block.out_norm)
    middle = y.type(given.dtype)
    inner = linear(middle, weights.up)
    active = activate(inner, block.activation, keep=traces is not None)
    y, second = add_norm(linear(active, weights.down), y, masks, block.down_dropout, block.down_norm)
    if traces is not None and attention is not None:
        traces.append(LayerTrace(given, attention, found, rows, first, middle, inner, active, second))
    return y


def layer_back(
    dy: "Tensor",
    trace: LayerTrace,
    block: Block,
    weights: LayerWeights,
    groups: Sequence[Group],
    *,
    heads: int,
    n_wanted: int,
) -> "tuple[Tensor, LayerGradients]":
    """Go back through a layer.

    dy (Tensor): The gradient of what left it.
    trace (LayerTrace): What it kept.
    block, weights, groups, heads: As it was run with.
    n_wanted (int): How many of the wanted rows are not there only to fill up; those have no gradient.
    RETURNS (tuple[Tensor, LayerGradients]): The gradient of what came in, and what those of its weights are made of.
    """
    d_out, d_residual, second = add_norm_back(dy, trace.second, block.down_norm)
    down = d_out, trace.active.detach()
    d_inner = activate_back(linear_product(d_out, weights.down.weight.t()), trace.inner, trace.active)
    up = d_inner, trace.middle
    dy = d_residual + linear_product(d_inner, weights.up.weight.t())
    d_out, d_residual, first = add_norm_back(dy, trace.first, block.out_norm)
    out = d_out, trace.found
    d_found = linear_product(d_out, weights.out.weight.t())
    if trace.rows is not None:
        d_found = _scattered(d_found, trace.rows[:n_wanted], len(trace.x))
        d_residual = _scattered(d_residual, trace.rows[:n_wanted], len(trace.x))
    d_qkv = attend_back(d_found, groups, trace.attention, heads)
    dx = d_residual + linear_product(d_qkv, weights.qkv.weight.t())
    return dx, LayerGradients((d_qkv, trace.x), out, first, up, down, second)


def _scattered(values: "Tensor", rows: "Tensor", n_rows: int) -> "Tensor":
    """Put rows back where they came from, and zeros elsewhere."""
    return values.new_zeros(n_rows, values.shape[1]).index_copy_(0, rows, values[: len(rows)])


def layer_gradients(parts: Sequence[LayerGradients], weights: LayerWeights) -> "list[Tensor]":
    """Work out the gradients of a layer's weights.

    parts (Sequence[LayerGradients]): What the parts of a batch gave.
    weights (LayerWeights): The layer's working weights.
    RETURNS (list[Tensor]): One for each of `layer_params`.
    """
    qkv = _of_product([part.qkv for part in parts], weights.qkv)
    out = _of_product([part.out for part in parts], weights.out)
    up = _of_product([part.up for part in parts], weights.up)
    down = _of_product([part.down for part in parts], weights.down)
    first, second = summed([part.first for part in parts]), summed([part.second for part in parts])
    return [*qkv, *out, *first, *up, *down, *second]


def _of_product(pairs: "list[tuple[Tensor, Tensor]]", working: Working) -> "list[Tensor]":
    dy, x = (torch.cat(each) if len(each) > 1 else each[0] for each in zip(*pairs, strict=True))
    half = len(working.owners) // 2
    sizes = [len(owner) for owner in working.owners[:half]]
    dtype = working.owners[0].dtype
    return [*linear_product(dy.t(), x.t()).type(dtype).split(sizes), *dy.sum(0).type(dtype).split(sizes)]
