"""Dropout masks, and torch's random state."""

import contextlib
import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch


def rng_kept() -> contextlib.AbstractContextManager[Any]:
    """Keep torch's random state, so that building a module that is filled from a file draws nothing.

    RETURNS (ContextManager): The state of the CPU generator is restored on leaving.
    """
    import torch

    return torch.random.fork_rng(devices=[])


class DropoutMasks:
    """Draw the masks of dropout: a function of torch's random state, as its own are, and on a CPU several times faster.

    There, the bits come from numpy's PCG64DXSM, seeded by a draw from torch; 16 of them decide on a value, so that the
    rate is right to 1/131072, and what is kept is divided by the exact share that is kept.
    """

    def __init__(self, device: "torch.device") -> None:
        """device (torch.device): Where the masks are needed."""
        import torch

        self.device = device
        self._bits = np.random.PCG64DXSM(int(torch.randint(2**63 - 1, ()))) if device.type == "cpu" else None

    def draw(self, shape: tuple[int, ...], rate: float, dtype: "torch.dtype") -> "torch.Tensor | None":
        """Draw a mask.

        shape (tuple[int, ...]): Its shape.
        rate (float): The share that is dropped, from 0 to 1.
        dtype (torch.dtype): Its precision.
        RETURNS (torch.Tensor | None): 0 where dropped, else 1 / (1 - rate); None if nothing is dropped.
        """
        import torch

        dropped = round(rate * 65536)
        if not dropped:
            return None
        if dropped == 65536:
            return torch.zeros(shape, dtype=dtype, device=self.device)
        if self._bits is None:
            return torch.empty(shape, dtype=dtype, device=self.device).bernoulli_(1 - rate).div_(1 - rate)
        size = math.prod(shape)
        bits = torch.from_numpy(self._bits.random_raw(-(-size // 4)).view("int16"))[:size]
        mask = torch.empty(size, dtype=torch.float32)
        torch.ge(bits, dropped - 32768, out=mask)
        return mask.mul_(65536 / (65536 - dropped)).to(dtype).view(shape)
