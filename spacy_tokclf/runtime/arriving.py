"""A truth value on its way from a device to the host: asked for later, so that nobody waits for the device."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


class Arriving:
    """A truth value that a device computes."""

    def __init__(self, value: "torch.Tensor") -> None:
        """Send it off.

        value (torch.Tensor): A bool on any device. Shape: ().
        """
        import torch

        self._value, self._event = value, None
        if value.is_cuda:
            with torch.cuda.device(value.device):
                host = torch.empty((), dtype=torch.bool, pin_memory=True)
                self._value = host.copy_(value, non_blocking=True)
                event: Any = torch.cuda.Event()
                event.record()
                self._event = event

    def read(self) -> bool:
        """RETURNS (bool): The value. Where it has not arrived yet, it is waited for, and nothing after it."""
        if self._event is not None:
            self._event.synchronize()
        return bool(self._value)
