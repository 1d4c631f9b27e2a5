"""Multi-head attention (Vaswani et al., 2017) over windows whose word pieces lie in one row, with its backward pass.

Windows of like length make a group. Within a group they are padded to one length and multiplied as one block;
everything outside the attention works on the row, without padding. `into` and `out_of` are the moves between the two.

How libraries add up hangs on the shape of a product, and so the last bits of what attention gives on the length that a
window is padded to. In predictions that is a length of the window's own, whatever windows are beside it.
"""

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

#: In training, the longest window of a group has at most so many times the pieces of its shortest: there batches are
#: small, and many small groups cost more than padding.
TRAIN_SLACK = 2.0
#: Blocks are as many pieces long as a multiple of this, so that the same shapes come back: for a new one products in
#: bf16 are compiled anew, which takes as long as a product, and what is compiled is kept.
STEP, TRAIN_STEP = 16, 8
#: Bytes of scores that are worked on at once where no gradient follows: about what a core's cache holds. On windows of
#: 512 pieces this is half as fast again as all heads at once.
CACHED = 600_000
#: The same on a GPU, where each part is a few launches.
CACHED_ON_GPU = 64_000_000


class LengthGroup(NamedTuple):
    """Windows of like length, and the moves between the row of pieces and a padded block of heads.

    A block holds queries, keys or values, one row for each (window, head, piece). The row of pieces is seen as one row
    of `width / heads` values for each (piece, query or key or value, head).

    start, end (int): The pieces of the group in the row.
    shape (tuple[int, int]): Of one block: (n_windows * heads, padded length).
    into (Tensor): For each row of the three blocks, the row of the pieces it is read from.
        Shape: (3 * n_windows * heads * length,).
    into_one (Tensor): The same for one block, from rows of one value each. Shape: (n_windows * heads * length,).
    out_of (Tensor): For each head of each piece, its row in one block. Shape: (n_pieces * heads,).
    out_of_three (Tensor): The same for the three blocks. Shape: (n_pieces * 3 * heads,).
    padding (Tensor | None): Rows of one block that are padding; None if there are none.
    bias (Tensor | None): Minus infinity where a key is padding, else 0. Shape: (n_windows * heads, 1, length).
    """

    start: int
    end: int
    shape: tuple[int, int]
    into: "Tensor"
    into_one: "Tensor"
    out_of: "Tensor"
    out_of_three: "Tensor"
    padding: "Tensor | None"
    bias: "Tensor | None"


def plan_groups(
    lengths: Ints, heads: int, *, device: "torch.device", dtype: "torch.dtype", train: bool = False
) -> list[LengthGroup]:
    """Group windows by length: in predictions those of the same padded length, in training those of similar length.

    lengths (Ints): Pieces of each window, longest first. Shape: (n_windows,).
    heads (int): The number of heads.
    device (torch.device): Where the attention runs.
    dtype (torch.dtype): Its precision.
    train (bool): Whether it is for training.
    RETURNS (list[LengthGroup]): The groups, in the order of the windows.
    """
    groups: list[LengthGroup] = []
    step = TRAIN_STEP if train else STEP
    padded = -(-lengths // step) * step
    start = piece = 0
    while start < len(lengths):
        left = lengths[start:] * TRAIN_SLACK >= lengths[start] if train else padded[start:] == padded[start]
        end = start + int(np.count_nonzero(left))
        groups.append(_plan_group(lengths[start:end], piece, heads, step, device, dtype))
        start, piece = end, groups[-1].end
    return groups


def _plan_group(
    lengths: Ints, start: int, heads: int, step: int, device: "torch.device", dtype: "torch.dtype"
) -> LengthGroup:
    n_windows = len(lengths)
    length = -(-int(lengths[0]) // step) * step  # the longest, rounded up
    begins = start + np.cumsum(lengths) - lengths  # first piece of each window in the row
    column = np.arange(length)
    real = column < lengths[:, None]  # (n_windows, length)
    # Padding reads the last piece of its window: any finite value does, since its keys are masked.
    pieces = begins[:, None] + np.minimum(column, lengths[:, None] - 1)  # (n_windows, length)
    head = np.arange(heads)[:, None]
    qkv = np.arange(3)[:, None]
    # Row of (piece, query, head) among rows of (piece, q/k/v, head); `+ qkv * heads` makes it the key's or the value's.
    into = (pieces[:, None] * 3 * heads + head).ravel()  # from (n_windows, heads, length)
    window, place = np.nonzero(real)  # the n_pieces of the group, in the order of the row
    out_of = (window[:, None] * heads + head.T) * length + place[:, None]  # (n_pieces, heads)
    size = n_windows * heads * length  # rows of one block
    padding = bias = None
    if not real.all():
        window, place = np.nonzero(~real)
        padding = to_tensor(((window[:, None] * heads + head.T) * length + place[:, None]).ravel(), device)
        lowest = np.where(real, 0.0, -np.inf).astype("float32")
        bias = to_tensor(np.repeat(lowest, heads, axis=0)[:, None], device).type(dtype)
    return LengthGroup(
        start,
        start + int(lengths.sum()),
        (n_windows * heads, length),
        to_tensor((into + qkv * heads).ravel(), device),
        to_tensor((pieces[:, None] * heads + head).ravel(), device),
        to_tensor(out_of.ravel(), device),
        to_tensor((out_of[:, None] + qkv * size).ravel(), device),
        padding,
        bias,
    )


class SavedAttention(NamedTuple):
    """What the attention of a group saves for its backward pass.

    q, k, v (Tensor): Queries, keys and values. Shapes: (n_windows * heads, length, width per head).
    p (Tensor): Attention probabilities before dropout, float32. Shape: (n_windows * heads, length, length).
    mask (Tensor | None): Their dropout mask, in the same shape.
    """

    q: "Tensor"
    k: "Tensor"
    v: "Tensor"
    p: "Tensor"
    mask: "Tensor | None"


def attend(
    qkv: "Tensor",
    groups: Sequence[LengthGroup],
    heads: int,
    *,
    masks: DropoutMasks | None = None,
    rate: float = 0.0,
    saved: list[SavedAttention] | None = None,
    added: "Sequence[Tensor] | None" = None,
) -> "Tensor":
    """Let each piece attend to those of its window.

    qkv (Tensor): Queries, keys and values. Shape: (n_rows, 3 * width).
    groups (Sequence[LengthGroup]): The groups of the windows, at least one. Rows after the last one's belong to none.
    heads (int): The number of heads.
    masks (DropoutMasks | None): Draws dropout masks of the probabilities; None for no dropout.
    rate (float): Dropout rate.
    saved (list[SavedAttention] | None): Where to add what the backward pass needs; None if there is none.
    added (Sequence[Tensor] | None): For each group what is added to the scores of its windows; None for nothing.
        Shapes: (heads, length, length).
    RETURNS (Tensor): Zeros in rows of no window. Shape: (n_rows, width).
    """
    width = qkv.shape[1] // 3
    size = width // heads
    rows = qkv.reshape(-1, size)  # (n_rows * 3 * heads, size)
    out = qkv.new_empty(len(qkv), width)
    out[groups[-1].end :] = 0.0
    for i, group in enumerate(groups):
        q, k, v = rows.index_select(0, group.into).view(3, *group.shape, size)
        own = None if added is None else added[i]
        if saved is None and masks is None:
            context = _attend_by_parts(q, k, v, group.bias, heads, own)
        else:
            p = _probabilities(q, k, group.bias, own)
            mask = masks.draw(tuple(p.shape), rate, p.dtype) if masks else None
            dropped = (p if mask is None else p * mask).type(qkv.dtype)
            context = torch.bmm(dropped, v)  # (n_windows * heads, length, size)
            if saved is not None:
                saved.append(SavedAttention(q, k, v, p, mask))
        # Straight into the rows of the group: the heads of a piece lie next to each other there.
        torch.index_select(context.view(-1, size), 0, group.out_of, out=out[group.start : group.end].view(-1, size))
    return out


def attend_backward(
    d_out: "Tensor",
    groups: Sequence[LengthGroup],
    saved: Sequence[SavedAttention],
    heads: int,
    *,
    d_added: "Sequence[Tensor] | None" = None,
) -> "Tensor":
    """Backward pass of `attend`.

    d_out (Tensor): Gradient of the output. Shape: (n_rows, width).
    groups (Sequence[LengthGroup]): The groups of the windows.
    saved (Sequence[SavedAttention]): What `attend` saved of each.
    heads (int): The number of heads.
    d_added (Sequence[Tensor] | None): For each group where to sum up the gradient of what was added to its scores; None
        if nobody asks for it. Shapes: (heads, length, length).
    RETURNS (Tensor): Gradient of queries, keys and values. Shape: (n_rows, 3 * width).
    """
    size = d_out.shape[1] // heads
    rows = d_out.reshape(-1, size)  # (n_rows * heads, size)
    d_qkv = d_out.new_empty(len(d_out), 3 * d_out.shape[1])
    for i, (group, (q, k, v, p, mask)) in enumerate(zip(groups, saved, strict=True)):
        # Made again rather than saved: of long windows it would take much memory.
        dropped = (p if mask is None else p * mask).type(q.dtype)
        d_context = rows.index_select(0, group.into_one)
        if group.padding is not None:
            d_context.index_fill_(0, group.padding, 0.0)  # padding read a real piece's gradient
        d_context = d_context.view(*group.shape, size)
        d_block = d_context.new_empty(3, *group.shape, size)  # of q, k and v
        torch.bmm(dropped.transpose(1, 2), d_context, out=d_block[2])  # dv = p^T dc
        dp = torch.bmm(d_context, v.transpose(1, 2)).type(p.dtype)  # (n_windows * heads, length, length)
        if mask is not None:
            dp *= mask
        d_scores = compat.softmax_backward(dp, p)
        if d_added is not None:
            d_added[i].add_(d_scores.view(-1, heads, *d_scores.shape[1:]).sum(0))
        d_scores = d_scores.mul_(size**-0.5).type(q.dtype)
        torch.bmm(d_scores, k, out=d_block[0])  # dq = ds k
        torch.bmm(d_scores.transpose(1, 2), q, out=d_block[1])  # dk = ds^T q
        d_rows = d_qkv[group.start : group.end].view(-1, size)
        torch.index_select(d_block.view(-1, size), 0, group.out_of_three, out=d_rows)
    d_qkv[groups[-1].end :] = 0.0
    return d_qkv


def _attend_by_parts(
    q: "Tensor", k: "Tensor", v: "Tensor", bias: "Tensor | None", heads: int, added: "Tensor | None"
) -> "Tensor":
    """Attend without saving anything, some heads at a time. All shapes: (n_windows * heads, length, size)."""
    context = torch.empty_like(q)
    length = q.shape[1]
    most = CACHED if q.device.type == "cpu" else CACHED_ON_GPU
    for part in split_heads(len(q), heads, most // (length * length * q.element_size())):
        p = _probabilities(q[part], k[part], None if bias is None else bias[part], added, first=part.start)
        torch.bmm(p.type(v.dtype), v[part], out=context[part])
    return context


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


def _probabilities(
    q: "Tensor", k: "Tensor", bias: "Tensor | None", added: "Tensor | None", *, first: int = 0
) -> "Tensor":
    """Give the attention probabilities: (n, length, length), float32 at least. In bf16 torch takes up to seven times as
    long for a softmax, and up to ten times for its gradient. `first` says which head of which window comes first."""
    scores = torch.bmm(q, k.transpose(1, 2))
    scale = q.shape[-1] ** -0.5
    if added is None:
        scores.mul_(scale)
    else:
        _scale_and_add(scores, scale, added, first)
    if bias is not None:
        scores += bias
    return torch.softmax(scores, -1, dtype=torch.promote_types(q.dtype, torch.float32))


def _scale_and_add(scores: "Tensor", scale: float, added: "Tensor", first: int) -> None:
    """Multiply scores (n, length, length) by a number, and add what their heads add (heads, length, length). One pass
    over memory."""
    heads = len(added)
    if len(scores) % heads == 0:  # whole windows
        windows = scores.view(-1, heads, *scores.shape[1:])
        torch.add(added, windows, alpha=scale, out=windows)
        return
    done = 0
    while done < len(scores):  # fewer heads than one window has, of one window or of two
        head = (first + done) % heads
        part = scores[done : done + heads - head]
        torch.add(added[head : head + len(part)], part, alpha=scale, out=part)
        done += len(part)
