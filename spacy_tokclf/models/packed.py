"""The forward pass of BERT and its family over windows in a row: the numbers of Hugging Face without the padding."""

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from ..device import DropoutMasks, to_tensor
from ..wordpieces.pack import PackedBatch
from ..wordpieces.pool import pool_tokens
from ..wordpieces.windows import spread
from .anatomy import Anatomy, Block
from .attention import Group, attend, plan_groups
from .kernels import WorkingWeights, activate, add_norm, linear

if TYPE_CHECKING:
    from torch import Tensor

#: Rows are filled up to a multiple of this, so that products of the same shapes come back: for a new one those in bf16
#: are compiled anew, which takes as long as the product.
STEP = 32


def run_packed(
    parts: Anatomy,
    batch: PackedBatch,
    *,
    weights: WorkingWeights,
    precision: str,
    pooling: str,
    train: bool,
) -> "Tensor":
    """Give one vector for each token of a batch.

    Products run in the precision that is asked for; sums, norms and what leaves are float32. The last layer works on
    the pieces that are pooled alone, since nothing looks at the others any more.

    parts (Anatomy): The encoder.
    batch (PackedBatch): The windows.
    weights (WorkingWeights): The weights of the products.
    precision (str): "fp32" or "bf16".
    pooling (str): How a token's pieces become one vector: "first", "mean" or "max".
    train (bool): Whether to drop out.
    RETURNS (Tensor): float32. Shape: (n_tokens, width).
    """
    device = parts.words.weight.device
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    masks = DropoutMasks(device) if train else None
    groups = plan_groups(batch.lengths, parts.heads, device=device, dtype=dtype, train=train)
    x = _embed(parts, batch, weights, masks, dtype)
    for block in parts.blocks[:-1]:
        x = _layer(x, block, weights, groups, masks, parts.heads, dtype)
    wanted = batch.first if pooling == "first" else spread(batch.first, batch.counts)
    rows = _filled(to_tensor(wanted, device))
    pieces = _layer(x, parts.blocks[-1], weights, groups, masks, parts.heads, dtype, rows)[: len(wanted)]
    if pooling == "first":
        return pieces
    counts = to_tensor(batch.counts, device)
    return pool_tokens(pieces, counts.cumsum(0) - counts, counts, pooling=pooling)


def _embed(
    parts: Anatomy, batch: PackedBatch, weights: WorkingWeights, masks: DropoutMasks | None, dtype: "torch.dtype"
) -> "Tensor":
    ids = to_tensor(batch.ids, parts.words.weight.device)
    positions = _positions(ids, to_tensor(batch.lengths, ids.device), parts.pad_position)
    x = parts.words(_filled(ids))
    if parts.casing is not None and batch.casings is not None:
        x = x + parts.casing(_filled(to_tensor(batch.casings, ids.device)))
    if parts.types is not None:
        x = x + parts.types.weight[0]
    x = x + parts.positions(_filled(positions))
    x = functional.layer_norm(x, [x.shape[-1]], parts.norm.weight, parts.norm.bias, parts.norm.eps)
    mask = masks.draw(tuple(x.shape), parts.dropout, x.dtype) if masks else None
    x = x if mask is None else x * mask
    return x if parts.project is None else linear(x, weights.get((parts.project,), dtype)).float()


def _filled(rows: "Tensor") -> "Tensor":
    """Add zeros up to a multiple of STEP. What is computed for them reaches nothing else, nor does a gradient."""
    return functional.pad(rows, (0, -len(rows) % STEP))


def _positions(ids: "Tensor", lengths: "Tensor", pad: int | None) -> "Tensor":
    """Count positions in each window. With an offset, pieces that are the padding's id do not count, as in RoBERTa."""
    starts = lengths.cumsum(0) - lengths
    if pad is None:
        return torch.arange(len(ids), device=ids.device) - starts.repeat_interleave(lengths)
    real = ids != pad
    counted = real.cumsum(0)
    before = (counted - real.long())[starts].repeat_interleave(lengths)
    return (counted - before) * real + pad


def _layer(
    x: "Tensor",
    block: Block,
    weights: WorkingWeights,
    groups: list[Group],
    masks: DropoutMasks | None,
    heads: int,
    dtype: "torch.dtype",
    rows: "Tensor | None" = None,
) -> "Tensor":
    """Run one layer, on some rows only if they are given."""

    def mask(shape: tuple[int, ...], rate: float, dtype: "torch.dtype" = dtype) -> "Tensor | None":
        return masks.draw(shape, rate, dtype) if masks else None

    attention_masks = [mask(group.mask_shape(), block.attention_dropout, torch.float32) for group in groups]
    found = attend(linear(x, weights.get(block.qkv, dtype)), groups, attention_masks, heads)
    if rows is not None:
        found, x = found.index_select(0, rows), x.index_select(0, rows)
    found = linear(found, weights.get((block.out,), dtype))
    x = add_norm(found, x, mask(tuple(found.shape), block.out_dropout), block.out_norm)
    inner = activate(linear(x, weights.get((block.up,), dtype)), block.activation)
    inner = linear(inner, weights.get((block.down,), dtype))
    return add_norm(inner, x, mask(tuple(inner.shape), block.down_dropout), block.down_norm)
