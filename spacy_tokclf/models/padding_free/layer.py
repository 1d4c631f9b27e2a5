"""One layer of BERT and its family over word pieces in one row: forward pass, backward pass, gradients of its weights.

The backward pass goes through a layer in two parts. `layer_backward` gives the gradient of the layer's input and, of
each weight, the two matrices whose product is its gradient; `layer_gradients` multiplies them, once for all shards of a
batch, so that a weight's gradient is one product however many threads shared the batch.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from ...runtime.dropout import DropoutMasks
from ...runtime.products import linear_product
from .attention import LengthGroup, SavedAttention, attend, attend_backward
from .flash_attention import VarlenWindows, attend_varlen
from .modules import Block
from .ops import (
    LinearWeights,
    LinearWeightsCache,
    SavedNorm,
    activate,
    activate_backward,
    add_norm,
    add_norm_backward,
    linear,
    sum_pairs,
)

if TYPE_CHECKING:
    from torch import Tensor


class LayerWeights(NamedTuple):
    """The weights of a layer's four products, as `LinearWeightsCache` gives them."""

    qkv: LinearWeights
    out: LinearWeights
    up: LinearWeights
    down: LinearWeights


class SavedLayer(NamedTuple):
    """What a layer saves for its backward pass.

    x (Tensor): Its input, in the precision of products. Shape: (n_rows, width).
    attention (list[SavedAttention]): Of each group of windows.
    context (Tensor): Output of the attention. Shape: (n_out, width).
    rows (Tensor | None): The rows that were asked for; None for all. Shape: (n_out,).
    first (SavedNorm): Of the norm after the attention.
    middle (Tensor): What that norm gave, in the precision of products. Shape: (n_out, width).
    hidden (Tensor): Input of the activation. Shape: (n_out, width of the feed-forward layer).
    active (Tensor): Output of the activation, in the same shape.
    second (SavedNorm): Of the norm at the end.
    """

    x: "Tensor"
    attention: list[SavedAttention]
    context: "Tensor"
    rows: "Tensor | None"
    first: SavedNorm
    middle: "Tensor"
    hidden: "Tensor"
    active: "Tensor"
    second: SavedNorm


class LayerFactors(NamedTuple):
    """What the gradients of a layer's weights are made of: of a product, the gradient of its output and its input,
    shapes (n_rows, width out) and (n_rows, width in); of a norm, the gradients of its weight and its bias.
    """

    qkv: "tuple[Tensor, Tensor]"
    out: "tuple[Tensor, Tensor]"
    first: "tuple[Tensor, Tensor]"
    up: "tuple[Tensor, Tensor]"
    down: "tuple[Tensor, Tensor]"
    second: "tuple[Tensor, Tensor]"


def layer_weights(
    block: Block, cache: LinearWeightsCache, dtype: "torch.dtype", *, ordered: bool = False
) -> LayerWeights:
    """Give the weights of a layer's products.

    block (Block): The layer.
    cache (LinearWeightsCache): Where they are kept.
    dtype (torch.dtype): The precision of products.
    ordered (bool): Whether matrices are put in order for many products. They serve forward passes alone then.
    RETURNS (LayerWeights): The weights.
    """
    products = (block.qkv, (block.out,), (block.up,), (block.down,))
    return LayerWeights(*(cache.get(layers, dtype, ordered=ordered) for layers in products))


def layer_params(block: Block) -> "list[Tensor]":
    """RETURNS (list[Tensor]): What a layer learns, in the order in which `layer_gradients` gives the gradients."""
    qkv = [*(layer.weight for layer in block.qkv), *(layer.bias for layer in block.qkv)]
    others = (block.out, block.out_norm, block.up, block.down, block.down_norm)
    return [*qkv, *(param for part in others for param in (part.weight, part.bias))]


def layer_forward(
    x: "Tensor",
    block: Block,
    weights: LayerWeights,
    windows: Sequence[LengthGroup] | VarlenWindows,
    *,
    heads: int,
    masks: DropoutMasks | None = None,
    rows: "Tensor | None" = None,
    saved: list[SavedLayer] | None = None,
    added: "Sequence[Tensor] | None" = None,
) -> "Tensor":
    """Run a layer: attention and feed-forward layer, each followed by dropout, residual connection and layer norm.

    x (Tensor): float32. Shape: (n_rows, width).
    block (Block): The layer.
    weights (LayerWeights): Its weights, whose precision is that of the products.
    windows (Sequence[LengthGroup] | VarlenWindows): The windows: in groups or, where nothing is dropped or saved, with
        attention of many lengths.
    heads (int): The number of heads.
    masks (DropoutMasks | None): Draws dropout masks; None for no dropout.
    rows (Tensor | None): The rows whose output is needed; None for all. Shape: (n_out,).
    saved (list[SavedLayer] | None): Where to add what the backward pass needs; None if there is none.
    added (Sequence[Tensor] | None): What is added to the scores of each group, as for `attend`.
    RETURNS (Tensor): float32. Shape: (n_rows, width), or (n_out, width).
    """
    cast = x.type(weights.qkv.weight.dtype)
    qkv = linear(cast, weights.qkv)  # (n_rows, 3 * width)
    attention: list[SavedAttention] = []
    if isinstance(windows, VarlenWindows):
        context = attend_varlen(qkv, windows, heads)
    else:
        kept = None if saved is None else attention
        how: dict[str, Any] = {"masks": masks, "rate": block.attention_dropout, "saved": kept, "added": added}
        context = attend(qkv, windows, heads, **how)
    if rows is not None:
        # Keys and values were needed of all pieces; from here on each row is on its own.
        context, x = context.index_select(0, rows), x.index_select(0, rows)
    y, first = add_norm(linear(context, weights.out), x, masks, block.out_dropout, block.out_norm)
    middle = y.type(cast.dtype)
    hidden = linear(middle, weights.up)  # (n_out, width of the feed-forward layer)
    active = activate(hidden, block.activation, save=saved is not None)
    y, second = add_norm(linear(active, weights.down), y, masks, block.down_dropout, block.down_norm)
    if saved is not None:
        saved.append(SavedLayer(cast, attention, context, rows, first, middle, hidden, active, second))
    return y


def layer_backward(
    dy: "Tensor",
    saved: SavedLayer,
    block: Block,
    weights: LayerWeights,
    groups: Sequence[LengthGroup],
    *,
    heads: int,
    n_out: int,
    d_added: "Sequence[Tensor] | None" = None,
) -> "tuple[Tensor, LayerFactors]":
    """Backward pass of `layer_forward`.

    dy (Tensor): Gradient of the output. Shape: (n_rows or n_out, width).
    saved (SavedLayer): What the forward pass saved.
    block, weights, groups, heads: As in the forward pass.
    n_out (int): How many of `rows` were needed; what follows them filled up a shape and has no gradient.
    d_added (Sequence[Tensor] | None): Where to sum up the gradients of what was added, as for `attend_backward`.
    RETURNS (tuple[Tensor, LayerFactors]): Gradient of the input, shape (n_rows, width), and the factors of the
        gradients of the weights.
    """
    # The steps of the forward pass, last to first.
    d_out, d_residual, second = add_norm_backward(dy, saved.second, block.down_norm)
    down = d_out, saved.active.detach()
    d_hidden = activate_backward(linear_product(d_out, weights.down.weight.t()), saved.hidden, saved.active)
    up = d_hidden, saved.middle
    dy = d_residual + linear_product(d_hidden, weights.up.weight.t())
    d_out, d_residual, first = add_norm_backward(dy, saved.first, block.out_norm)
    out = d_out, saved.context
    d_context = linear_product(d_out, weights.out.weight.t())
    if saved.rows is not None:
        d_context = _scatter_rows(d_context, saved.rows[:n_out], len(saved.x))
        d_residual = _scatter_rows(d_residual, saved.rows[:n_out], len(saved.x))
    d_qkv = attend_backward(d_context, groups, saved.attention, heads, d_added=d_added)
    dx = d_residual + linear_product(d_qkv, weights.qkv.weight.t())
    return dx, LayerFactors((d_qkv, saved.x), out, first, up, down, second)


def _scatter_rows(values: "Tensor", rows: "Tensor", n_rows: int) -> "Tensor":
    """Put rows where they were selected from, and zeros elsewhere: (n_rows, width)."""
    return values.new_zeros(n_rows, values.shape[1]).index_copy_(0, rows, values[: len(rows)])


def layer_gradients(shards: Sequence[LayerFactors], weights: LayerWeights) -> "list[Tensor]":
    """Compute the gradients of a layer's weights.

    shards (Sequence[LayerFactors]): What `layer_backward` gave for each shard of a batch.
    weights (LayerWeights): The layer's weights.
    RETURNS (list[Tensor]): One for each of `layer_params`.
    """
    qkv = _linear_gradients([shard.qkv for shard in shards], weights.qkv)
    out = _linear_gradients([shard.out for shard in shards], weights.out)
    up = _linear_gradients([shard.up for shard in shards], weights.up)
    down = _linear_gradients([shard.down for shard in shards], weights.down)
    first, second = sum_pairs([shard.first for shard in shards]), sum_pairs([shard.second for shard in shards])
    return [*qkv, *out, *first, *up, *down, *second]


def _linear_gradients(pairs: "list[tuple[Tensor, Tensor]]", weights: LinearWeights) -> "list[Tensor]":
    """dW = dy^T x and db = sum of dy, split among the layers that were stacked."""
    dy, x = (torch.cat(each) if len(each) > 1 else each[0] for each in zip(*pairs, strict=True))
    half = len(weights.owners) // 2
    sizes = [len(owner) for owner in weights.owners[:half]]
    dtype = weights.owners[0].dtype
    return [*linear_product(dy.t(), x.t()).type(dtype).split(sizes), *dy.sum(0).type(dtype).split(sizes)]
