"""Rows on their way from a device to the host: asked for later, so that nobody waits for the device."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch


class ArrivingRows:
    """Rows of numbers that a device computes, in one transfer."""

    def __init__(self, rows: "torch.Tensor") -> None:
        """Send them off.

        rows (torch.Tensor): float32, without history, on any device. Shape: (n, width).
        """
        import torch

        self._rows, self._event = rows, None
        if rows.is_cuda:
            with torch.cuda.device(rows.device):
                host = torch.empty(rows.shape, dtype=rows.dtype, pin_memory=True)
                self._rows = host.copy_(rows, non_blocking=True)
                event: Any = torch.cuda.Event()
                event.record()
                self._event = event

    def read(self) -> "npt.NDArray[np.float32]":
        """RETURNS (NDArray): The rows. Where they have not arrived yet, they are waited for, and nothing after them;
        their array has memory of its own. Shape: (n, width)."""
        if self._event is None:
            return self._rows.numpy()
        self._event.synchronize()
        return self._rows.numpy().copy()  # pinned memory is for transfers: what is kept would be kept from them
