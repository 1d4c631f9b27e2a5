"""The encoder of BERT and its family over windows in one row of word pieces: no padding, gradients by hand.

A batch of windows is split into shards, one for each thread. A shard goes through all layers on its own, forward and
backward, with one thread; gradients of weights are then computed layer by layer over all shards. So threads meet twice
a step, where operations that are split themselves meet a few hundred times. For torch it is one operation (`_Encode`).
"""

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch.autograd import Function

from ...runtime.arrays import join_rows, to_tensor
from ...runtime.dropout import DropoutMasks
from ...runtime.products import type_of
from ...runtime.threads import count_threads, run_parallel
from ...types import Ints
from ...wordpieces.pack import PackedBatch, split_evenly
from ...wordpieces.pool import pool_tokens
from ...wordpieces.windows import spread
from .attention import LengthGroup, plan_groups
from .embeddings import (
    EmbeddingFactors,
    Pieces,
    SavedEmbeddings,
    count_positions,
    embed,
    embed_backward,
    embed_gradients,
    embed_params,
)
from .flash_attention import VarlenWindows, is_available, plan_varlen
from .layer import (
    LayerFactors,
    LayerWeights,
    SavedLayer,
    layer_backward,
    layer_forward,
    layer_gradients,
    layer_params,
    layer_weights,
)
from .modules import Modules
from .ops import LinearWeightsCache
from .relative_positions import distance_gradient, distance_scores

if TYPE_CHECKING:
    from torch import Tensor

#: Rows are filled up to a multiple of the first (in training: the second), and many rows to one of more, so that
#: products of the same shapes come back: a new one in bf16 is compiled, which takes as long as the product itself, and
#: what is compiled is kept.
STEP, TRAIN_STEP, MANY, LARGE_STEP = 16, 32, 512, 128
#: Pieces that are worth a thread.
SHARD_PIECES = 96


class Shard(NamedTuple):
    """Windows that one thread works on.

    pieces (Pieces): Their word pieces.
    windows (list[LengthGroup] | VarlenWindows): The windows, for the attention.
    rows (Tensor): The pieces whose vectors are needed. Shape: (n_out,).
    masks (DropoutMasks | None): Draws dropout masks; None for no dropout.
    """

    pieces: Pieces
    windows: "list[LengthGroup] | VarlenWindows"
    rows: "Tensor"
    masks: DropoutMasks | None


class Plan(NamedTuple):
    """All that a pass needs, but for what flows through it."""

    modules: Modules
    weights: list[LayerWeights]
    shards: list[Shard]


class Saved(NamedTuple):
    """What a shard saves for its backward pass."""

    embedded: SavedEmbeddings
    layers: list[SavedLayer]


class Factors(NamedTuple):
    """What the gradients of a shard are made of, from the lowest layer on that learns.

    distances (list[Tensor]): Gradients of what distances add to scores, for each group of windows; none where they are
        not asked for. Shapes: (heads, length, length).
    """

    embedded: EmbeddingFactors | None
    distances: "list[Tensor]"
    layers: list[LayerFactors]


def encode_packed(
    modules: Modules,
    batch: PackedBatch,
    *,
    cache: LinearWeightsCache,
    precision: str,
    pooling: str,
    train: bool,
) -> "Tensor":
    """Give one vector for each token of a batch.

    Products run in the precision that is asked for; sums, norms and what is returned are float32. The last layer works
    on the pieces that are pooled alone, since nothing attends to the others any more.

    modules (Modules): The encoder.
    batch (PackedBatch): The windows.
    cache (LinearWeightsCache): The weights of the products.
    precision (str): "fp32", "bf16" or "fp16".
    pooling (str): How a token's pieces become one vector: "first", "mean" or "max".
    train (bool): Whether to drop out.
    RETURNS (Tensor): float32. Shape: (n_tokens, width).
    """
    device = modules.words.weight.device
    dtype = type_of(precision)
    rows = batch.first if pooling == "first" else spread(batch.first, batch.counts)
    params: list[Tensor] = []
    if torch.is_grad_enabled():
        params = [*embed_params(modules), *_distance_params(modules)]
        params += [param for block in modules.blocks for param in layer_params(block)]
    learns = any(param.requires_grad for param in params)
    # torch's attention of many lengths adds nothing to scores.
    varlen = not train and not learns and modules.distances is None and is_available(device, dtype)
    shards = _split(batch, rows, modules, device=device, dtype=dtype, train=train, varlen=varlen)
    jobs = [partial(layer_weights, block, cache, dtype, ordered=not (train or learns)) for block in modules.blocks]
    # Those of the last prediction are at hand, while after a step of training they are made anew: worth the threads.
    plan = Plan(modules, run_parallel(jobs, device) if train else [job() for job in jobs], shards)
    if learns:
        pieces = _Encode.apply(plan, *params)
    else:
        pieces = join_rows(run_parallel([partial(_forward, plan, shard) for shard in shards], device))
    if pooling == "first":
        return pieces
    counts = to_tensor(batch.counts, device)
    return pool_tokens(pieces, counts.cumsum(0) - counts, counts, pooling=pooling, n_pieces=len(pieces))


def _split(
    batch: PackedBatch,
    rows: Ints,
    modules: Modules,
    *,
    device: "torch.device",
    dtype: "torch.dtype",
    train: bool,
    varlen: bool,
) -> list[Shard]:
    """Split windows among the threads, into shards of about as many pieces."""
    shards = []
    last = 0
    n_shards = max(1, min(count_threads(device), len(batch.ids) // SHARD_PIECES))
    for start, end in split_evenly(batch.lengths, n_shards):
        lengths = batch.lengths[start:end]
        first, last = last, last + int(lengths.sum())  # pieces of the shard
        own = rows[np.searchsorted(rows, first) : np.searchsorted(rows, last)] - first
        ids = batch.ids[first:last]
        positions = to_tensor(count_positions(ids, lengths, modules.pad_position), device)
        casings = None
        if modules.casing is not None and batch.casings is not None:
            casings = to_tensor(batch.casings[first:last], device)
        windows: list[LengthGroup] | VarlenWindows
        if varlen:
            windows = plan_varlen(lengths, device=device)
        else:
            windows = plan_groups(lengths, modules.heads, device=device, dtype=dtype, train=train)
        masks = DropoutMasks(device) if train else None
        shards.append(Shard(Pieces(to_tensor(ids, device), positions, casings), windows, to_tensor(own, device), masks))
    return shards


class _Encode(Function):
    """The whole encoder as one operation of autograd."""

    @staticmethod
    def forward(ctx: Any, plan: Plan, *params: "Tensor") -> "Tensor":
        ctx.plan = plan
        ctx.saved = [[] for _ in plan.shards]
        jobs = [partial(_forward, plan, shard, saved) for shard, saved in zip(plan.shards, ctx.saved, strict=True)]
        return join_rows(run_parallel(jobs, params[0].device))

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, dy: "Tensor") -> tuple[Any, ...]:
        modules, weights, shards = ctx.plan
        needed = ctx.needs_input_grad[1:]  # of `params`: the embeddings', that of distances, then each layer's
        n_embed = len(embed_params(modules))
        n_below = n_embed + len(_distance_params(modules))  # what distances add, they add in all layers
        n_layer = (len(needed) - n_below) // len(modules.blocks)
        # The lowest layer that learns: nothing below it needs a backward pass. -1 stands for the embeddings.
        lowest = max(0, needed.index(True) - n_below) // n_layer if not any(needed[:n_embed]) else -1
        distances = any(needed[n_embed:n_below])
        outs = dy.split([len(shard.rows) for shard in shards])
        factors = run_parallel(
            [
                partial(_backward, ctx.plan, shard, saved, each, lowest, distances)
                for shard, (saved,), each in zip(shards, ctx.saved, outs, strict=True)
            ],
            dy.device,
        )
        jobs: list[Any] = []
        if lowest < 0:
            embedded = [each.embedded for each in factors if each.embedded is not None]
            jobs.append(partial(embed_gradients, embedded, [shard.pieces for shard in shards], modules, needed))
        if lowest <= 0:
            blocks = [block for each in factors for block in each.distances]
            jobs.append(partial(_distance_gradients, blocks, modules))
        by_layer = zip(*(each.layers for each in factors), strict=True)
        jobs += [partial(layer_gradients, *each) for each in zip(by_layer, weights[max(0, lowest) :], strict=True)]
        grads = [grad for found in run_parallel(jobs, dy.device) for grad in found]
        grads = [None] * (len(needed) - len(grads)) + grads
        return None, *(grad if need else None for grad, need in zip(grads, needed, strict=True))


def _forward(plan: Plan, shard: Shard, saved: list[Saved] | None = None) -> "Tensor":
    """Forward pass of a shard: (n_out, width). Adds to `saved` what the backward pass needs, if one follows."""
    modules, weights, _ = plan
    x, embedded = embed(shard.pieces, modules, shard.masks)
    step = STEP if saved is None else TRAIN_STEP
    x = _fill_up(x, step)
    layers: list[SavedLayer] | None = None if saved is None else []
    how: dict[str, Any] = {"heads": modules.heads, "masks": shard.masks, "saved": layers}
    if modules.distances is not None:
        how["added"] = [
            distance_scores(modules.distances, group.shape[1], weights[0].qkv.weight.dtype)
            for group in _groups_of(shard)
        ]
    for block, own in zip(modules.blocks[:-1], weights[:-1], strict=True):
        x = layer_forward(x, block, own, shard.windows, **how)
    x = layer_forward(x, modules.blocks[-1], weights[-1], shard.windows, rows=_fill_up(shard.rows, step), **how)
    if saved is not None and layers is not None:
        saved.append(Saved(embedded, layers))
    return x[: len(shard.rows)]


def _backward(plan: Plan, shard: Shard, saved: Saved, dy: "Tensor", lowest: int, distances: bool) -> Factors:
    """Backward pass of a shard, down to the lowest layer that learns; -1 stands for the embeddings. What a layer saved
    is freed as soon as it was used: there is one backward pass."""
    modules, weights, _ = plan
    groups = _groups_of(shard)
    d_added = []
    if distances:
        sizes = [(modules.heads, group.shape[1], group.shape[1]) for group in groups]
        d_added = [dy.new_zeros(size) for size in sizes]
    how: dict[str, Any] = {"heads": modules.heads, "n_out": len(shard.rows), "d_added": d_added or None}
    dy = _fill_up(dy, TRAIN_STEP)
    found: list[LayerFactors] = []
    for i in range(len(modules.blocks) - 1, max(0, lowest) - 1, -1):
        dy, factors = layer_backward(dy, saved.layers.pop(), modules.blocks[i], weights[i], groups, **how)
        found.append(factors)
    embedded = embed_backward(dy[: len(shard.pieces.ids)], saved.embedded, modules) if lowest < 0 else None
    return Factors(embedded, d_added, found[::-1])


def _groups_of(shard: Shard) -> list[LengthGroup]:
    """Give the groups of windows of a shard that learns, or whose scores something is added to: it has no others."""
    groups: Any = shard.windows
    return list(groups)


def _distance_params(modules: Modules) -> "list[Tensor]":
    """Give what distances learn: one table, or none."""
    return [] if modules.distances is None else [modules.distances.weight]


def _distance_gradients(d_scores: "list[Tensor]", modules: Modules) -> "list[Tensor | None]":
    """Give the gradient of what distances learn; None where it was not asked for."""
    if modules.distances is None:
        return []
    return [distance_gradient(d_scores, modules.distances) if d_scores else None]


def _fill_up(rows: "Tensor", step: int) -> "Tensor":
    """Fill rows up with zeros, to a multiple of a step where they are few."""
    missing = -len(rows) % (step if len(rows) <= MANY else LARGE_STEP)
    return torch.cat([rows, rows.new_zeros(missing, *rows.shape[1:])]) if missing else rows
