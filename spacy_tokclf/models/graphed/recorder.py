"""What records the work that a function gives to a device, and plays it back in one launch (CUDA graphs)."""

import gc
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import torch


class Recorder(Protocol):
    """Records functions that read and write tensors at places that do not change."""

    def record(self, function: Callable[[], None]) -> Callable[[], None]:
        """Record what a function does on the device, without doing it.

        function (Callable[[], None]): The function, which has run before. It waits for nothing.
        RETURNS (Callable[[], None]): Does it again.
        RAISES (RuntimeError): If some of it cannot be recorded.
        """


class CudaRecorder:
    """Records CUDA graphs, which share their memory: they are played one at a time, in one stream."""

    def __init__(self, device: "torch.device") -> None:
        """device (torch.device): The GPU."""
        self.device = device
        self._pool: Any = None
        self._stream: Any = None  # one for all: libraries keep memory to work in for each stream

    def __reduce__(self) -> tuple[Any, ...]:
        return CudaRecorder, (self.device,)

    def record(self, function: Callable[[], None]) -> Callable[[], None]:
        """As for `Recorder`."""
        import torch

        with torch.cuda.device(self.device):
            if self._pool is None:
                self._pool, self._stream = torch.cuda.graph_pool_handle(), torch.cuda.Stream()
            graph: Any = torch.cuda.CUDAGraph()
            current, own = torch.cuda.current_stream(), self._stream
            own.wait_stream(current)
            # Garbage may be other graphs, which cannot be freed while one is recorded.
            collects = gc.isenabled()
            gc.disable()
            try:
                with torch.cuda.stream(own):
                    graph.capture_begin(pool=self._pool, capture_error_mode="thread_local")
                    try:
                        function()
                    finally:
                        graph.capture_end()
            finally:
                if collects:
                    gc.enable()
            current.wait_stream(own)
        replay: Callable[[], None] = graph.replay
        return replay
