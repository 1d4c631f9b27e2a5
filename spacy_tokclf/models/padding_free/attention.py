"""Attention over windows that lie in one row of pieces: padded among windows of like length only."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from ... import compat
from ...runtime.arrays import to_tensor
from ...runtime.dropout import DropoutMasks
from ...types import Ints

if TYPE_CHECKING:
    from torch import Tensor

#: The longest window of a group has at most so many times the pieces of its shortest: more in the small batches of
#: training, where many small groups cost more than padding.
SLACK, TRAIN_SLACK = 1.25, 2.0
#: Blocks are as many pieces long as a multiple of this, so that the same shapes come back: for a new one products in
#: bf16 are compiled anew, which takes as long as a product, and what is compiled is kept.
STEP, TRAIN_STEP = 16, 8
#: Bytes of scores that are worked on at once where no gradient follows: about what a core's cache holds. On windows of
#: 512 pieces this is half as fast again as all heads at once.
CACHED = 600_000


class Group(NamedTuple):
    """Windows of like length, and the moves between pieces in a row and heads in a padded block.

    start, end (int): Which pieces.
    shape (tuple[int, int]): Of one block, of queries, keys or values: windows times heads, and pieces.
    into (Tensor): For each row of three blocks, the head of a piece in the row. Shape: (3 * windows * heads * pieces,).
    into_one (Tensor): The same for one block. Shape: (windows * heads * pieces,).
    back (Tensor): For each head of each piece, its row in one block. Shape: (n_pieces * heads,).
    back_three (Tensor): The same for three. Shape: (n_pieces * 3 * heads,).
    holes (Tensor | None): Rows of one block that pad; None if there are none.
    bias (Tensor | None): Minus infinity where a key pads. Shape: (windows * heads, 1, pieces).
    """

    start: int
    end: int
    shape: tuple[int, int]
    into: "Tensor"
    into_one: "Tensor"
    back: "Tensor"
    back_three: "Tensor"
    holes: "Tensor | None"
    bias: "Tensor | None"


def plan_groups(
    lengths: Ints, heads: int, *, device: "torch.device", dtype: "torch.dtype", train: bool = False
) -> list[Group]:
    """Group windows by length.

    lengths (Ints): Pieces of each window, longest first.
    heads (int): The number of heads.
    device (torch.device): Where the attention runs.
    dtype (torch.dtype): Its precision.
    train (bool): Whether it is for training.
    RETURNS (list[Group]): The groups, in the order of the windows.
    """
    groups = []
    slack, step = (TRAIN_SLACK, TRAIN_STEP) if train else (SLACK, STEP)
    start = piece = 0
    while start < len(lengths):
        end = start + int(np.count_nonzero(lengths[start:] * slack >= lengths[start]))
        groups.append(_group(lengths[start:end], piece, heads, step, device, dtype))
        start, piece = end, groups[-1].end
    return groups


def _group(lengths: Ints, start: int, heads: int, step: int, device: "torch.device", dtype: "torch.dtype") -> Group:
    longest = -(-int(lengths[0]) // step) * step
    begins = start + np.cumsum(lengths) - lengths
    place = np.arange(longest)
    real = place < lengths[:, None]
    # What pads is a copy of the last piece: any finite value does.
    pieces = begins[:, None] + np.minimum(place, lengths[:, None] - 1)
    head = np.arange(heads)[:, None]
    parts = np.arange(3)[:, None]
    into = (pieces[:, None] * 3 * heads + head).ravel()
    window, row = np.nonzero(real)
    back = (window[:, None] * heads + head.T) * longest + row[:, None]
    size = len(lengths) * heads * longest
    holes = bias = None
    if not real.all():
        window, row = np.nonzero(~real)
        holes = to_tensor(((window[:, None] * heads + head.T) * longest + row[:, None]).ravel(), device)
        lowest = np.where(real, 0.0, -np.inf).astype("float32")
        bias = to_tensor(np.repeat(lowest, heads, axis=0)[:, None], device).type(dtype)
    return Group(
        start,
        start + int(lengths.sum()),
        (len(lengths) * heads, longest),
        to_tensor((into + parts * heads).ravel(), device),
        to_tensor((pieces[:, None] * heads + head).ravel(), device),
        to_tensor(back.ravel(), device),
        to_tensor((back[:, None] + parts * size).ravel(), device),
        holes,
        bias,
    )


class AttentionTrace(NamedTuple):
    """What the attention of a group keeps: queries, keys and values, the weights that queries give to keys, and what
    these were multiplied by."""

    q: "Tensor"
    k: "Tensor"
    v: "Tensor"
    p: "Tensor"
    mask: "Tensor | None"


def attend(
    qkv: "Tensor",
    groups: Sequence[Group],
    heads: int,
    *,
    masks: DropoutMasks | None = None,
    rate: float = 0.0,
    traces: list[AttentionTrace] | None = None,
) -> "Tensor":
    """Let each piece attend to those of its window.

    qkv (Tensor): Queries, keys and values. Shape: (n_rows, 3 * width).
    groups (Sequence[Group]): The groups of the windows, at least one. Rows after the last one's are of no window.
    heads (int): The number of heads.
    masks (DropoutMasks | None): Draws what is dropped of the probabilities; None for nothing.
    rate (float): The share that is dropped.
    traces (list[AttentionTrace] | None): Where to add what the way back needs; None if there is none.
    RETURNS (Tensor): Zeros in rows of no window. Shape: (n_rows, width).
    """
    width = qkv.shape[1] // 3
    size = width // heads
    rows = qkv.reshape(-1, size)
    out = qkv.new_empty(len(qkv), width)
    out[groups[-1].end :] = 0.0
    for group in groups:
        q, k, v = rows.index_select(0, group.into).view(3, *group.shape, size)
        if traces is None and masks is None:
            found = _mix(q, k, v, group.bias, heads)
        else:
            p = _weights(q, k, group.bias)
            mask = masks.draw(tuple(p.shape), rate, p.dtype) if masks else None
            dropped = (p if mask is None else p * mask).type(qkv.dtype)
            found = torch.bmm(dropped, v)
            if traces is not None:
                traces.append(AttentionTrace(q, k, v, p, mask))
        torch.index_select(found.view(-1, size), 0, group.back, out=out[group.start : group.end].view(-1, size))
    return out


def attend_back(d_out: "Tensor", groups: Sequence[Group], traces: Sequence[AttentionTrace], heads: int) -> "Tensor":
    """Go back through the attention.

    d_out (Tensor): The gradient of what left it. Shape: (n_rows, width).
    groups (Sequence[Group]): The groups of the windows.
    traces (Sequence[AttentionTrace]): What it kept of each.
    heads (int): The number of heads.
    RETURNS (Tensor): The gradient of queries, keys and values. Shape: (n_rows, 3 * width).
    """
    size = d_out.shape[1] // heads
    rows = d_out.reshape(-1, size)
    d_qkv = d_out.new_empty(len(d_out), 3 * d_out.shape[1])
    for group, trace in zip(groups, traces, strict=True):
        q, k, v, p, mask = trace
        dropped = (p if mask is None else p * mask).type(q.dtype)  # long windows would take much memory to keep
        d_found = rows.index_select(0, group.into_one)
        if group.holes is not None:
            d_found.index_fill_(0, group.holes, 0.0)
        d_found = d_found.view(*group.shape, size)
        block = d_found.new_empty(3, *group.shape, size)
        torch.bmm(dropped.transpose(1, 2), d_found, out=block[2])
        dp = torch.bmm(d_found, v.transpose(1, 2)).type(p.dtype)
        if mask is not None:
            dp *= mask
        d_scores = compat.softmax_backward(dp, p).mul_(size**-0.5).type(q.dtype)
        torch.bmm(d_scores, k, out=block[0])
        torch.bmm(d_scores.transpose(1, 2), q, out=block[1])
        d_rows = d_qkv[group.start : group.end].view(-1, size)
        torch.index_select(block.view(-1, size), 0, group.back_three, out=d_rows)
    d_qkv[groups[-1].end :] = 0.0
    return d_qkv


def _mix(q: "Tensor", k: "Tensor", v: "Tensor", bias: "Tensor | None", heads: int) -> "Tensor":
    """Mix values by the weights that queries give to keys, some heads at a time. All shapes: (windows * heads, pieces,
    size)."""
    found = torch.empty_like(q)
    pieces = q.shape[1]
    for part in split_heads(len(q), heads, CACHED // (pieces * pieces * q.element_size())):
        p = _weights(q[part], k[part], None if bias is None else bias[part])
        torch.bmm(p.type(v.dtype), v[part], out=found[part])
    return found


def split_heads(total: int, heads: int, most: int) -> Iterator[slice]:
    """Split the heads of a group, the largest parts first: each a power of two, of windows or, where one is too much,
    of heads. So few shapes come up, each again and again: see STEP.

    total (int): Windows times heads.
    heads (int): The number of heads.
    most (int): Heads in a part at most; but one at least.
    YIELDS (slice): The parts.
    """
    unit = heads if most >= heads else 1
    size = unit << (max(1, most // unit).bit_length() - 1)
    start = 0
    while start < total:
        while size > total - start:
            size //= 2
        yield slice(start, start + size)
        start += size


def _weights(q: "Tensor", k: "Tensor", bias: "Tensor | None") -> "Tensor":
    """Give the weight of each key for each query. The softmax is in float32 at least: in bf16 torch takes up to seven
    times as long for it, and up to ten times for its gradient."""
    scores = torch.bmm(q, k.transpose(1, 2)).mul_(q.shape[-1] ** -0.5)
    if bias is not None:
        scores += bias
    return torch.softmax(scores, -1, dtype=torch.promote_types(q.dtype, torch.float32))
