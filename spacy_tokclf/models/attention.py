"""Attention over windows that lie in one row of pieces: padded among windows of like length only."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy
import torch
from torch.autograd import Function

from ..device import to_tensor
from ..wordpieces.windows import Ints

if TYPE_CHECKING:
    from torch import Tensor

#: The longest window of a group has at most so many times the pieces of its shortest.
SLACK = 1.25
#: Bytes of scores that are worked on at once where no gradient follows: about what a core's cache holds. On windows of
#: 512 pieces this is half as fast again as all heads at once.
CACHED = 600_000


class Group(NamedTuple):
    """Windows of like length, and the moves between pieces in a row and heads in a padded block.

    start, end (int): Which pieces.
    shape (Tuple[int, int]): Of one block, of queries, keys or values: windows times heads, and pieces.
    into (Tensor): For each row of three blocks, the head of a piece in the row. Shape: (3 * windows * heads * pieces,).
    into_one (Tensor): The same for one block. Shape: (windows * heads * pieces,).
    back (Tensor): For each head of each piece, its row in one block. Shape: (n_pieces * heads,).
    back_three (Tensor): The same for three. Shape: (n_pieces * 3 * heads,).
    holes (Optional[Tensor]): Rows of one block that pad; None if there are none.
    bias (Optional[Tensor]): Minus infinity where a key pads. Shape: (windows * heads, 1, pieces).
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

    def mask_shape(self) -> tuple[int, int, int]:
        """RETURNS (Tuple[int, int, int]): The shape of the attention's probabilities."""
        return self.shape[0], self.shape[1], self.shape[1]


def plan_groups(lengths: Ints, heads: int, *, device: "torch.device", dtype: "torch.dtype") -> list[Group]:
    """Group windows by length.

    lengths (Ints): Pieces of each window, longest first.
    heads (int): The number of heads.
    device (torch.device): Where the attention runs.
    dtype (torch.dtype): Its precision.
    RETURNS (List[Group]): The groups, in the order of the windows.
    """
    groups = []
    start = piece = 0
    while start < len(lengths):
        end = start + int(numpy.count_nonzero(lengths[start:] * SLACK >= lengths[start]))
        groups.append(_group(lengths[start:end], piece, heads, device, dtype))
        start, piece = end, groups[-1].end
    return groups


def _group(lengths: Ints, start: int, heads: int, device: "torch.device", dtype: "torch.dtype") -> Group:
    longest = int(lengths[0])
    begins = start + numpy.cumsum(lengths) - lengths
    place = numpy.arange(longest)
    real = place < lengths[:, None]
    # What pads is a copy of the last piece: any finite value does.
    pieces = begins[:, None] + numpy.minimum(place, lengths[:, None] - 1)
    head = numpy.arange(heads)[:, None]
    parts = numpy.arange(3)[:, None]
    into = (pieces[:, None] * 3 * heads + head).ravel()
    window, row = numpy.nonzero(real)
    back = (window[:, None] * heads + head.T) * longest + row[:, None]
    size = len(lengths) * heads * longest
    holes = bias = None
    if not real.all():
        window, row = numpy.nonzero(~real)
        holes = to_tensor(((window[:, None] * heads + head.T) * longest + row[:, None]).ravel(), device)
        lowest = numpy.where(real, 0.0, -numpy.inf).astype("float32")
        bias = to_tensor(numpy.repeat(lowest, heads, axis=0)[:, None], device).type(dtype)
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


def attend(qkv: "Tensor", groups: Sequence[Group], masks: "Sequence[Tensor | None]", heads: int) -> "Tensor":
    """Let each piece attend to those of its window.

    qkv (Tensor): Queries, keys and values. Shape: (n_pieces, 3 * width).
    groups (Sequence[Group]): The groups of the windows.
    masks (Sequence[Optional[Tensor]]): Per group, what the probabilities are multiplied by; None for no dropout.
    heads (int): The number of heads.
    RETURNS (Tensor): Shape: (n_pieces, width).
    """
    return _Attention.apply(qkv, groups, masks, heads)


class _Attention(Function):
    @staticmethod
    def forward(
        ctx: Any, qkv: "Tensor", groups: Sequence[Group], masks: "Sequence[Tensor | None]", heads: int
    ) -> "Tensor":
        width = qkv.shape[1] // 3
        size = width // heads
        rows = qkv.reshape(-1, size)
        out = qkv.new_empty(len(qkv), width)
        if not ctx.needs_input_grad[0] and all(mask is None for mask in masks):
            for group in groups:
                q, k, v = rows.index_select(0, group.into).view(3, *group.shape, size)
                found = _mix(q, k, v, group.bias).view(-1, size)
                torch.index_select(found, 0, group.back, out=out[group.start : group.end].view(-1, size))
            return out
        saved: list[Any] = []
        for group, mask in zip(groups, masks, strict=True):
            q, k, v = rows.index_select(0, group.into).view(3, *group.shape, size)
            scores = torch.bmm(q, k.transpose(1, 2)).mul_(size**-0.5)
            if group.bias is not None:
                scores += group.bias
            p = torch.softmax(scores, -1)
            dropped = p if mask is None else p * mask
            found = torch.bmm(dropped, v).view(-1, size)
            torch.index_select(found, 0, group.back, out=out[group.start : group.end].view(-1, size))
            saved += [q, k, v, p, dropped]
        ctx.save_for_backward(*saved)
        ctx.plan = groups, masks, heads
        return out

    @staticmethod
    def backward(ctx: Any, d_out: "Tensor") -> tuple[Any, ...]:  # type: ignore[override]
        groups, masks, heads = ctx.plan
        size = d_out.shape[1] // heads
        rows = d_out.reshape(-1, size)
        d_qkv = d_out.new_empty(len(d_out), 3 * d_out.shape[1])
        saved = iter(ctx.saved_tensors)
        for group, mask in zip(groups, masks, strict=True):
            q, k, v, p, dropped = (next(saved) for _ in range(5))
            d_found = rows.index_select(0, group.into_one)
            if group.holes is not None:
                d_found.index_fill_(0, group.holes, 0.0)
            d_found = d_found.view(*group.shape, size)
            block = d_found.new_empty(3, *group.shape, size)
            torch.bmm(dropped.transpose(1, 2), d_found, out=block[2])
            dp = torch.bmm(d_found, v.transpose(1, 2))
            if mask is not None:
                dp *= mask
            d_scores = torch.ops.aten._softmax_backward_data(dp, p, -1, p.dtype).mul_(size**-0.5)
            torch.bmm(d_scores, k, out=block[0])
            torch.bmm(d_scores.transpose(1, 2), q, out=block[1])
            d_rows = d_qkv[group.start : group.end].view(-1, size)
            torch.index_select(block.view(-1, size), 0, group.back_three, out=d_rows)
        return d_qkv, None, None, None


def _mix(q: "Tensor", k: "Tensor", v: "Tensor", bias: "Tensor | None") -> "Tensor":
    """Mix values by the scores of queries and keys, some heads at a time. Shapes: (windows * heads, pieces, size)."""
    found = torch.empty_like(q)
    heads, pieces, size = q.shape
    step = max(1, CACHED // (pieces * pieces * q.element_size()))
    for start in range(0, heads, step):
        part = slice(start, start + step)
        scores = torch.bmm(q[part], k[part].transpose(1, 2)).mul_(size**-0.5)
        if bias is not None:
            scores += bias[part]
        torch.bmm(torch.softmax(scores, -1), v[part], out=found[part])
    return found
