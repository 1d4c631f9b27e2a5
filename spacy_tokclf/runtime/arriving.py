"""Values on their way from a device to the host: asked for later, so that nobody waits for the device."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch


class Arriving:
    """A truth value that a device computes."""

    def __init__(self, value: "torch.Tensor") -> None:
        """Send it off.

        value (torch.Tensor): A bool on any device. Shape: ().
        """
        self._value, self._event = _send(value)

    def read(self) -> bool:
        """RETURNS (bool): The value. Where it has not arrived yet, it is waited for, and nothing after it."""
        if self._event is not None:
            self._event.synchronize()
        return bool(self._value)


class ArrivingRows:
    """Rows of numbers that a device computes, in one transfer."""

    def __init__(self, rows: "torch.Tensor") -> None:
        """Send them off.

        rows (torch.Tensor): float32, without history, on any device. Shape: (n, width).
        """
        self._rows, self._event = _send(rows)

    def read(self) -> "npt.NDArray[np.float32]":
        """RETURNS (NDArray): The rows. Where they have not arrived yet, they are waited for, and nothing after them;
        their array has memory of its own. Shape: (n, width)."""
        if self._event is None:
            return self._rows.numpy()
        self._event.synchronize()
        return self._rows.numpy().copy()  # pinned memory is for transfers: what is kept would be kept from them


def _send(value: "torch.Tensor") -> "tuple[torch.Tensor, Any]":
    """Give a tensor in the memory of the host that gets a value, and the event that says when it is there; a value of
    the host as it is, and None."""
    import torch

    if not value.is_cuda:
        return value, None
    with torch.cuda.device(value.device):
        host = torch.empty(value.shape, dtype=value.dtype, pin_memory=True)
        host.copy_(value, non_blocking=True)
        event: Any = torch.cuda.Event()
        event.record()
    return host, event
