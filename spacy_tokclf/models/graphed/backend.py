"""The padding-free backend, with training steps on a GPU that are recorded and played back."""

from typing import TYPE_CHECKING, Any

import torch

from ...runtime.device import device_of
from ...types import Ints
from ...wordpieces.sequences import Sequences
from ..padding_free.backend import PaddingFreeBackend
from ..padding_free.modules import find_modules
from ..torch_head import LinearHead
from .forward import Rates
from .recorder import CudaRecorder, Recorder
from .rectangles import rectangles
from .step import RecordedSteps

if TYPE_CHECKING:
    from torch import Tensor


class GraphedBackend(PaddingFreeBackend):
    """On a GPU a training step of the padding-free backend is hundreds of launches, and the GPU waits for the host that
    makes them. Here it is one: padded to one of few shapes, with a recording of each (`RecordedSteps`). All else, and
    what has no such step (other poolings, encoders that were changed), is as in the padding-free backend.
    """

    _steps: RecordedSteps | None = None

    def fused_step(
        self, sequences: Sequences, gold: Ints, head: LinearHead, *, drop: float, label_smoothing: float, **options: Any
    ) -> "Tensor | None":
        """As for `Backend`."""
        modules = find_modules(self.module) if options["pooling"] == "first" else None
        steps = self._steps_on(device_of(self.module))
        if modules is None or steps is None:
            return super().fused_step(sequences, gold, head, drop=drop, label_smoothing=label_smoothing, **options)
        batch = list(rectangles(sequences, gold, self.tokenizer, pad=self.pad_id, pad_position=modules.pad_position))
        if not batch:
            return None
        dtype = torch.bfloat16 if options["precision"] == "bf16" else torch.float32
        rates = Rates(dtype, drop, label_smoothing, cased=sequences.casings is not None)
        return steps.run(modules, head, batch, rates)

    def _steps_on(self, device: "torch.device") -> RecordedSteps | None:
        """Give the steps of the device that the encoder is on, where there is something to record them."""
        if self._steps is None or self._steps.device != device:
            recorder = make_recorder(device)
            self._steps = None if recorder is None else RecordedSteps(recorder, device)
        return self._steps


def make_recorder(device: "torch.device") -> Recorder | None:
    """RETURNS (Recorder | None): What records steps on a device; None where nothing does."""
    return CudaRecorder(device) if device.type == "cuda" else None
