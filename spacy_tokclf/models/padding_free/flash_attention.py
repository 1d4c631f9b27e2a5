"""Attention on a GPU over windows that lie in one row of pieces, by torch's FlashAttention for rows of many lengths
(Dao, 2023, "FlashAttention-2"). It has no dropout and is for predictions; training takes the groups of `attention`."""

from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from ...runtime.arrays import to_tensor
from ...types import Ints

if TYPE_CHECKING:
    from torch import Tensor

#: The first generation of GPUs that it runs on.
AMPERE = (8, 0)


class Row(NamedTuple):
    """Windows in a row.

    starts (Tensor): Where each begins, and where the last one ends. int32. Shape: (n_windows + 1,).
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
    if device.type != "cuda" or dtype != torch.bfloat16 or find_spec("torch.nn.attention.varlen") is None:
        return False
    return torch.backends.cuda.is_flash_attention_available() and torch.cuda.get_device_capability(device) >= AMPERE


def plan_row(lengths: Ints, *, device: "torch.device") -> Row:
    """Note where windows lie.

    lengths (Ints): Pieces of each window, longest first.
    device (torch.device): Where the attention runs.
    RETURNS (Row): The windows.
    """
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype("int32")
    return Row(to_tensor(starts, device), int(starts[-1]), int(lengths[0]))


def attend_row(qkv: "Tensor", row: Row, heads: int) -> "Tensor":
    """Let each piece attend to those of its window.

    qkv (Tensor): Queries, keys and values. Shape: (n_rows, 3 * width).
    row (Row): The windows. Rows after the last one's are of no window.
    heads (int): The number of heads.
    RETURNS (Tensor): Zeros in rows of no window. Shape: (n_rows, width).
    """
    from torch.nn.attention.varlen import varlen_attn

    q, k, v = qkv[: row.end].view(row.end, 3, heads, -1).unbind(1)
    out = qkv.new_zeros(len(qkv), qkv.shape[1] // 3)
    found = varlen_attn(q, k, v, row.starts, row.starts, row.longest, row.longest)
    out[: row.end] = found.reshape(row.end, -1)
    return out
