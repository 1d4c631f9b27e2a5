"""The forward pass of BERT and its family over a rectangle, in torch's operations. Nothing in it waits for the device,
or reads the memory of the host, so that all of it, with its backward pass, can be recorded."""

import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch.nn import functional

from ...runtime.arrays import to_tensor
from ..padding_free.modules import Block, Modules
from ..padding_free.relative_positions import distance_buckets
from .rectangles import NO_GOLD
from .weights import Affine, Layer, Weights

if TYPE_CHECKING:
    from torch import Tensor


class Inputs(NamedTuple):
    """What a step reads, on the device: what a rectangle holds, and what follows from its shape.

    ids, positions, casings, gold (Tensor): int32. Shapes: (n_windows, length).
    lengths (Tensor): int32, pieces of each window. Shape: (n_windows,).
    buckets (Tensor): Of the distance of each key (column) from each query (row), as `distance_buckets` numbers them.
        Shape: (length, length).
    """

    ids: "Tensor"
    positions: "Tensor"
    casings: "Tensor"
    gold: "Tensor"
    lengths: "Tensor"
    buckets: "Tensor"


class Rates(NamedTuple):
    """What a step is recorded with, beside its shape: precision of products, rate of the dropout before the head, share
    of the gold's probability that is spread over all tags, and whether the casing of words is read."""

    dtype: "torch.dtype"
    drop: float
    label_smoothing: float
    cased: bool


def make_inputs(values: "Tensor", n_windows: int, length: int) -> Inputs:
    """Give the parts of `Rectangle.values`, as views, and what is the same for all rectangles of a shape.

    values (Tensor): The place of the values, on the device. Shape: (4 * n_windows * length + n_windows,).
    n_windows, length (int): The shape.
    RETURNS (Inputs): The inputs.
    """
    size = n_windows * length
    ids, positions, casings, gold = (values[i * size : (i + 1) * size].view(n_windows, length) for i in range(4))
    places = np.arange(length)
    buckets = distance_buckets(length)[places - places[:, None] + length - 1]  # the first is the distance 1 - length
    return Inputs(ids, positions, casings, gold, values[4 * size :], to_tensor(buckets, values.device))


def summed_loss(modules: Modules, weights: Weights, inputs: Inputs, rates: Rates) -> "Tensor":
    """Give the loss of a rectangle, as `torch_head.learn_head` does of packed windows: dropout, head, cross-entropy.

    modules (Modules): The encoder: dropout rates, norms' epsilons, activations.
    weights (Weights): Its weights, and the head's.
    inputs (Inputs): The windows.
    rates (Rates): The rest.
    RETURNS (Tensor): The loss summed over all pieces that have gold. Shape: ().
    """
    rows = encode(modules, weights, inputs, rates).flatten(0, 1)  # (n_windows * length, width)
    logits = functional.linear(_dropped(rows, rates.drop), weights.head.weight, weights.head.bias)
    return functional.cross_entropy(
        logits,
        inputs.gold.flatten().long(),
        ignore_index=NO_GOLD,
        reduction="sum",
        label_smoothing=rates.label_smoothing,
    )


def encode(modules: Modules, weights: Weights, inputs: Inputs, rates: Rates) -> "Tensor":
    """Give a vector for each piece, with dropout. Sums and norms are float32.

    modules, weights, inputs, rates: As for `summed_loss`.
    RETURNS (Tensor): float32. Shape: (n_windows, length, width).
    """
    tables = weights.tables
    x = functional.embedding(inputs.ids, tables["words"], modules.words.padding_idx)
    x = x + functional.embedding(inputs.positions, tables["positions"], modules.positions.padding_idx)
    if "casing" in tables and rates.cased:
        x = x + functional.embedding(inputs.casings, tables["casing"])
    if "types" in tables:
        x = x + tables["types"][0]  # one text a window: all pieces are of the first type
    x = _dropped(_normed(x, weights.norm, modules.norm.eps), modules.dropout)
    if weights.project is not None:
        x = functional.linear(x, *weights.project)
    added = _added(inputs, tables.get("distances"), rates.dtype)
    for block, layer in zip(modules.blocks, weights.layers, strict=True):
        x = _layer(x, block, layer, added, heads=modules.heads, dtype=rates.dtype)
    return x


def _layer(x: "Tensor", block: Block, layer: Layer, added: "Tensor", *, heads: int, dtype: "torch.dtype") -> "Tensor":
    """One layer: (n_windows, length, width)."""
    n_windows, length, width = x.shape
    qkv = functional.linear(x.type(dtype), *layer.qkv).view(n_windows, length, 3, heads, width // heads)
    q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)  # each (n_windows, heads, length, width per head)
    with _attention_kernels():
        context = functional.scaled_dot_product_attention(q, k, v, attn_mask=added, dropout_p=block.attention_dropout)
    context = functional.linear(context.transpose(1, 2).reshape(n_windows, length, width), *layer.out)
    x = _normed(x + _dropped(context, block.out_dropout), layer.out_norm, block.out_norm.eps)
    up = block.activation(functional.linear(x.type(dtype), *layer.up))
    down = _dropped(functional.linear(up, *layer.down), block.down_dropout)
    return _normed(x + down, layer.down_norm, block.down_norm.eps)


def _added(inputs: Inputs, distances: "Tensor | None", dtype: "torch.dtype") -> "Tensor":
    """Give what is added to the scores of attention: minus infinity for padding, and what distances add. Shape:
    (n_windows, 1 or heads, length, length)."""
    n_windows, length = inputs.ids.shape
    places = torch.arange(length, device=inputs.ids.device)
    padding = (places >= inputs.lengths[:, None]).view(n_windows, 1, 1, length)
    added = torch.zeros(padding.shape, dtype=dtype, device=padding.device).masked_fill(padding, float("-inf"))
    if distances is None:
        return added.expand(n_windows, 1, length, length)
    return added + functional.embedding(inputs.buckets, distances).permute(2, 0, 1).type(dtype)


def _normed(x: "Tensor", norm: Affine, eps: float) -> "Tensor":
    return functional.layer_norm(x, (x.shape[-1],), norm.weight, norm.bias, eps)


def _dropped(x: "Tensor", rate: float) -> "Tensor":
    return functional.dropout(x, rate) if rate else x


def _attention_kernels() -> contextlib.AbstractContextManager[Any]:
    """Leave out the kernels that are built anew for each shape (cuDNN's), which takes longer than they save."""
    from torch.nn.attention import SDPBackend, sdpa_kernel

    kinds: Any = [SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]
    context: contextlib.AbstractContextManager[Any] = sdpa_kernel(kinds)
    return context
