"""Attention without padding on a GPU, for predictions: torch's FlashAttention over windows of many lengths (Dao, 2023,
"FlashAttention-2"). It has no dropout, so training takes the length groups of `attention`."""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from ...runtime.arrays import to_tensor
from ...types import Ints

if TYPE_CHECKING:
    from torch import Tensor

#: Compute capability of the first generation of GPUs that it runs on.
AMPERE = (8, 0)


class VarlenWindows(NamedTuple):
    """Where windows begin and end in the row of their word pieces.

    starts (Tensor): First piece of each, and the end of the last one. int32. Shape: (n_windows + 1,).
    end (int): Pieces of all windows.
    longest (int): Pieces of the longest one.
    """

    starts: "Tensor"
    end: int
    longest: int


def is_available(device: "torch.device", dtype: "torch.dtype") -> bool:
    """Tell whether torch has it for a device and a precision.

    device (torch.device): Where the attention runs.
    dtype (torch.dtype): Its precision.
    RETURNS (bool): Whether it can be used.
    """
    if device.type != "cuda" or dtype == torch.float32 or find_spec("torch.nn.attention.varlen") is None:
        return False
    return torch.backends.cuda.is_flash_attention_available() and torch.cuda.get_device_capability(device) >= AMPERE


def plan_varlen(lengths: Ints, *, device: "torch.device") -> VarlenWindows:
    """Note where windows lie.

    lengths (Ints): Pieces of each window, longest first. Shape: (n_windows,).
    device (torch.device): Where the attention runs.
    RETURNS (VarlenWindows): The windows.
    """
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype("int32")
    return VarlenWindows(to_tensor(starts, device), int(starts[-1]), int(lengths[0]))


def attend_varlen(qkv: "Tensor", windows: VarlenWindows, heads: int) -> "Tensor":
    """Let each piece attend to those of its window.

    qkv (Tensor): Queries, keys and values. Shape: (n_rows, 3 * width).
    windows (VarlenWindows): The windows. Rows after the end of the last one belong to none.
    heads (int): The number of heads.
    RETURNS (Tensor): Zeros in rows of no window. Shape: (n_rows, width).
    """
    from torch.nn.attention.varlen import varlen_attn

    q, k, v = qkv[: windows.end].view(windows.end, 3, heads, -1).unbind(1)  # each (end, heads, width per head)
    out = qkv.new_zeros(len(qkv), qkv.shape[1] // 3)
    context: Any = varlen_attn(q, k, v, windows.starts, windows.starts, windows.longest, windows.longest)
    out[: windows.end] = context.reshape(windows.end, -1)
    return out
