"""BERT and its family over windows in a row: the numbers of Hugging Face without the padding, there and back."""

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch.autograd import Function

from ...runtime.arrays import join_rows, to_tensor
from ...runtime.dropout import DropoutMasks
from ...runtime.threads import count_threads, run_parallel
from ...types import Ints
from ...wordpieces.pack import PackedBatch, split_evenly
from ...wordpieces.pool import pool_tokens
from ...wordpieces.windows import spread
from .attention import Group, plan_groups
from .embeddings import (
    EmbedGradients,
    EmbedTrace,
    Pieces,
    count_positions,
    embed,
    embed_back,
    embed_gradients,
    embed_params,
)
from .flash_attention import Row, is_available, plan_row
from .layer import (
    LayerGradients,
    LayerTrace,
    LayerWeights,
    layer_back,
    layer_gradients,
    layer_params,
    layer_weights,
    run_layer,
)
from .modules import Modules
from .ops import WorkingWeights

if TYPE_CHECKING:
    from torch import Tensor

#: Rows are filled up to a multiple of this, and many rows to one of more, so that products of the same shapes come
#: back: a new one in bf16 is compiled, which takes as long as the product itself, and what is compiled is kept.
STEP, MANY, LARGE_STEP = 32, 512, 128
#: Pieces that are worth a core of their own.
SHARE = 96


class Share(NamedTuple):
    """Windows that are worked on together.

    pieces (Pieces): Their pieces.
    windows (list[Group] | Row): The windows, grouped by length or as one row.
    wanted (Tensor): The pieces that are pooled. Shape: (n_wanted,).
    masks (DropoutMasks | None): Draws what is dropped.
    """

    pieces: Pieces
    windows: "list[Group] | Row"
    wanted: "Tensor"
    masks: DropoutMasks | None


class Plan(NamedTuple):
    """All that a pass needs, but for what flows through it."""

    parts: Modules
    weights: list[LayerWeights]
    shares: list[Share]


class Trace(NamedTuple):
    """What a share keeps for the way back."""

    embedded: EmbedTrace
    layers: list[LayerTrace]


class Gradients(NamedTuple):
    """What the gradients of a share are made of, from the lowest layer on that learns."""

    embedded: EmbedGradients | None
    layers: list[LayerGradients]


def run_packed(
    parts: Modules,
    batch: PackedBatch,
    *,
    weights: WorkingWeights,
    precision: str,
    pooling: str,
    train: bool,
) -> "Tensor":
    """Give one vector for each token of a batch.

    Products run in the precision that is asked for; sums, norms and what leaves are float32. The last layer works on
    the pieces that are pooled alone, since nothing looks at the others any more. On a CPU each core has windows of its
    own, and gradients are worked out by layers.

    parts (Modules): The encoder.
    batch (PackedBatch): The windows.
    weights (WorkingWeights): The weights of the products.
    precision (str): "fp32" or "bf16".
    pooling (str): How a token's pieces become one vector: "first", "mean" or "max".
    train (bool): Whether to drop out.
    RETURNS (Tensor): float32. Shape: (n_tokens, width).
    """
    device = parts.words.weight.device
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    wanted = batch.first if pooling == "first" else spread(batch.first, batch.counts)
    params: list[Tensor] = []
    if torch.is_grad_enabled():
        params = [*embed_params(parts), *(param for block in parts.blocks for param in layer_params(block))]
    learns = any(param.requires_grad for param in params)
    as_row = not train and not learns and is_available(device, dtype)
    shares = _split(batch, wanted, parts, device=device, dtype=dtype, train=train, as_row=as_row)
    jobs = [partial(layer_weights, block, weights, dtype) for block in parts.blocks]
    # Those of the last prediction are at hand, while after a step of training they are made anew.
    plan = Plan(parts, run_parallel(jobs, device) if train else [job() for job in jobs], shares)
    if learns:
        pieces = _Encoder.apply(plan, *params)
    else:
        pieces = join_rows(run_parallel([partial(_run, plan, share) for share in shares], device))
    if pooling == "first":
        return pieces
    counts = to_tensor(batch.counts, device)
    return pool_tokens(pieces, counts.cumsum(0) - counts, counts, pooling=pooling)


def _split(
    batch: PackedBatch,
    wanted: Ints,
    parts: Modules,
    *,
    device: "torch.device",
    dtype: "torch.dtype",
    train: bool,
    as_row: bool,
) -> list[Share]:
    """Split windows among the cores, into shares of about as many pieces."""
    shares = []
    last = 0
    for start, end in split_evenly(batch.lengths, max(1, min(count_threads(device), len(batch.ids) // SHARE))):
        lengths = batch.lengths[start:end]
        first, last = last, last + int(lengths.sum())
        own = wanted[np.searchsorted(wanted, first) : np.searchsorted(wanted, last)] - first
        ids = batch.ids[first:last]
        positions = to_tensor(count_positions(ids, lengths, parts.pad_position), device)
        casings = None
        if parts.casing is not None and batch.casings is not None:
            casings = to_tensor(batch.casings[first:last], device)
        windows: list[Group] | Row
        if as_row:
            windows = plan_row(lengths, device=device)
        else:
            windows = plan_groups(lengths, parts.heads, device=device, dtype=dtype, train=train)
        masks = DropoutMasks(device) if train else None
        shares.append(Share(Pieces(to_tensor(ids, device), positions, casings), windows, to_tensor(own, device), masks))
    return shares


class _Encoder(Function):
    """All of it, as one step for torch."""

    @staticmethod
    def forward(ctx: Any, plan: Plan, *params: "Tensor") -> "Tensor":
        ctx.plan = plan
        ctx.traces = [[] for _ in plan.shares]
        jobs = [partial(_run, plan, share, traces) for share, traces in zip(plan.shares, ctx.traces, strict=True)]
        return join_rows(run_parallel(jobs, params[0].device))

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, dy: "Tensor") -> tuple[Any, ...]:  # type: ignore[override]
        parts, weights, shares = ctx.plan
        needed = ctx.needs_input_grad[1:]
        n_embed = len(embed_params(parts))
        n_layer = (len(needed) - n_embed) // len(parts.blocks)
        lowest = max(0, needed.index(True) - n_embed) // n_layer if not any(needed[:n_embed]) else -1
        outs = dy.split([len(share.wanted) for share in shares])
        done = run_parallel(
            [
                partial(_back, ctx.plan, share, trace, each, lowest)
                for share, (trace,), each in zip(shares, ctx.traces, outs, strict=True)
            ],
            dy.device,
        )
        jobs: list[Any] = []
        if lowest < 0:
            embedded = [gradients.embedded for gradients in done]
            jobs.append(partial(embed_gradients, embedded, [share.pieces for share in shares], parts, needed))
        of_layers = zip(*(gradients.layers for gradients in done), strict=True)
        learning = weights[max(0, lowest) :]
        jobs += [partial(layer_gradients, *each) for each in zip(of_layers, learning, strict=True)]
        found = [grad for grads in run_parallel(jobs, dy.device) for grad in grads]
        found = [None] * (len(needed) - len(found)) + found
        return None, *(grad if need else None for grad, need in zip(found, needed, strict=True))


def _run(plan: Plan, share: Share, traces: list[Trace] | None = None) -> "Tensor":
    """Run a share of a batch. Adds to the traces, if there are any. Gives what is wanted: (n_wanted, width)."""
    parts, weights, _ = plan
    x, embedded = embed(share.pieces, parts, share.masks)
    x = _filled(x)
    kept: list[LayerTrace] | None = None if traces is None else []
    how: dict[str, Any] = {"heads": parts.heads, "masks": share.masks, "traces": kept}
    for block, own in zip(parts.blocks[:-1], weights[:-1], strict=True):
        x = run_layer(x, block, own, share.windows, **how)
    x = run_layer(x, parts.blocks[-1], weights[-1], share.windows, rows=_filled(share.wanted), **how)
    if traces is not None and kept is not None:
        traces.append(Trace(embedded, kept))
    return x[: len(share.wanted)]


def _back(plan: Plan, share: Share, trace: Trace, dy: "Tensor", lowest: int) -> Gradients:
    """Go back through a share, down to the lowest layer that learns; -1 stands for the embeddings. What a layer kept is
    given free as soon as it has been used: there is one way back."""
    parts, weights, _ = plan
    dy = _filled(dy)
    found: list[LayerGradients] = []
    for i in range(len(parts.blocks) - 1, max(0, lowest) - 1, -1):
        dy, gradients = layer_back(
            dy,
            trace.layers.pop(),
            parts.blocks[i],
            weights[i],
            share.windows,
            heads=parts.heads,
            n_wanted=len(share.wanted),
        )
        found.append(gradients)
    embedded = embed_back(dy[: len(share.pieces.ids)], trace.embedded, parts) if lowest < 0 else None
    return Gradients(embedded, found[::-1])


def _filled(rows: "Tensor") -> "Tensor":
    """Add zeros up to a multiple of a step. What is computed for them reaches nothing else, nor does a gradient."""
    missing = -len(rows) % (STEP if len(rows) <= MANY else LARGE_STEP)
    return torch.cat([rows, rows.new_zeros(missing, *rows.shape[1:])]) if missing else rows
