"""How many word pieces an encoder works on at once: by its device, and fewer once that has run out of memory."""

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from ..errors import Warnings
from ..runtime.out_of_memory import free_memory, is_out_of_memory

if TYPE_CHECKING:
    import torch

#: Word pieces in a batch of the encoder, padding included: large enough to keep two to eight cores busy; on a GPU large
#: enough that it works longer than the host takes to tell it what to do.
BATCH_PIECES, GPU_BATCH_PIECES = 2048, 16384

FoundT = TypeVar("FoundT")


def pieces_of(device: "torch.device") -> int:
    """RETURNS (int): Word pieces in a batch of the encoder, where the device has the memory for them."""
    return BATCH_PIECES if device.type == "cpu" else GPU_BATCH_PIECES


class PieceBudget:
    """The word pieces that one encoder works on at once. What a device had no memory for is not tried again."""

    def __init__(self) -> None:
        """Begin with what is good for the device."""
        self._lowered: dict[str, int] = {}

    def on(self, device: "torch.device") -> int:
        """RETURNS (int): Word pieces in a batch."""
        pieces = pieces_of(device)
        return min(pieces, self._lowered.get(device.type, pieces))

    def spend(self, work: Callable[[int], FoundT], device: "torch.device", *, longest: int) -> FoundT:
        """Do something with batches of as many word pieces as the device has memory for. Where that is full, all is
        done again with half of them, down to one window at a time.

        work (Callable[[int], FoundT]): Does it with batches of so many pieces, and leaves nothing where it fails.
        device (torch.device): Where.
        longest (int): Pieces of the longest window: smaller batches than that have one window each.
        RETURNS (FoundT): What it gives.
        """
        while True:
            pieces = self.on(device)
            try:
                return work(pieces)
            except Exception as error:
                if pieces < longest or not is_out_of_memory(error):
                    raise
                free_memory(error)
            # Not before the error is gone, which holds on to what was computed.
            if device.type not in self._lowered:
                warnings.warn(Warnings.TW358.format(device=device, pieces=pieces, half=pieces // 2), stacklevel=2)
            self._lowered[device.type] = pieces // 2
