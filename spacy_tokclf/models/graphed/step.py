"""Training steps that are recorded once for each shape of a batch, and then played back: one launch for hundreds."""

import warnings
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from ... import compat
from ...errors import Warnings
from ...runtime.arrays import to_tensor
from ...runtime.blame import short
from ..padding_free.modules import Modules
from ..torch_head import LinearHead
from .forward import Rates, make_inputs, summed_loss
from .recorder import Recorder
from .rectangles import Rectangle
from .weights import Places, parameters

if TYPE_CHECKING:
    from torch import Tensor

#: Shapes whose recordings are kept.
KEPT = 32


@dataclass
class Recording:
    """The step of one shape.

    values (Tensor): Where it reads `Rectangle.values`.
    run (Callable[[], None]): Takes it, operation by operation.
    replay (Callable[[], None] | None): Takes it by playing it back, once it was recorded.
    seen (bool): Whether it was taken before.
    """

    values: "Tensor"
    run: Callable[[], None]
    replay: Callable[[], None] | None = None
    seen: bool = False


class RecordedSteps:
    """Takes the steps of one encoder with its head: those of a new shape operation by operation, those of a shape that
    comes back by playing a recording, whose numbers are the same."""

    def __init__(self, recorder: Recorder, device: "torch.device") -> None:
        """Begin with no recordings.

        recorder (Recorder): Records for the device.
        device (torch.device): Where the encoder is.
        """
        self._recorder, self.device = recorder, device
        self._known: Any = None
        self._places: Places | None = None
        self._recordings: OrderedDict[Any, Recording] = OrderedDict()
        self._records = True

    def __reduce__(self) -> tuple[Any, ...]:
        return RecordedSteps, (self._recorder, self.device)  # a copy belongs to other weights

    def run(self, modules: Modules, head: LinearHead, batch: Sequence[Rectangle], rates: Rates) -> "Tensor":
        """Take a step up to the gradients: those of the encoder are added to the `grad` of its parameters, those of the
        head are in the `grad` of its tensors.

        modules (Modules): The encoder, on the device.
        head (LinearHead): The classifier, on the device.
        batch (Sequence[Rectangle]): The windows, one rectangle at least.
        rates (Rates): What is computed.
        RETURNS (Tensor): The summed loss. Shape: ().
        """
        try:
            return self._run(modules, head, batch, rates)
        except torch.cuda.OutOfMemoryError:
            self.forget()  # another attempt, with less, finds the memory of all recordings
            raise

    def _run(self, modules: Modules, head: LinearHead, batch: Sequence[Rectangle], rates: Rates) -> "Tensor":
        places = self._find_places(modules, head, rates.dtype)
        with torch.no_grad():
            compat.copy_all(places.weights.head, [each.detach() for each in head])
            earlier = [(i, param.grad.clone()) for i, param in enumerate(places.params) if param.grad is not None]
            summed = _Sum()
            for rectangle in batch:
                self._take(modules, places, rectangle, rates)
                summed.add([places.loss, *places.head_grad], places.flat if len(batch) > 1 else None)
            if summed.flat is not None:
                places.flat.copy_(summed.flat)
            for param, grad in zip(places.params, places.grads, strict=True):
                param.grad = grad
            if earlier:
                compat.add_all([places.grads[i] for i, _ in earlier], [grad for _, grad in earlier])
        loss, *head_grads = summed.small
        for tensor, grad in zip(head, head_grads, strict=True):
            tensor.grad = grad
        return loss

    def _take(self, modules: Modules, places: Places, rectangle: Rectangle, rates: Rates) -> None:
        """Take the step of one rectangle, which leaves its loss and its gradients in their places."""
        key = (rectangle.n_windows, rectangle.length, rates)
        recording = self._recordings.get(key)
        if recording is None:
            recording = self._recordings[key] = _prepare(modules, places, rectangle, rates)
            if len(self._recordings) > KEPT:
                self._recordings.popitem(last=False)
        self._recordings.move_to_end(key)
        recording.values.copy_(to_tensor(rectangle.values, recording.values.device), non_blocking=True)
        if recording.seen and recording.replay is None and self._records:
            recording.replay = self._record(recording.run)
        (recording.replay or recording.run)()
        recording.seen = True

    def _record(self, run: Callable[[], None]) -> Callable[[], None] | None:
        """Record a step; None, with one warning, where this torch or this device cannot."""
        try:
            return self._recorder.record(run)
        except torch.cuda.OutOfMemoryError:
            raise
        except RuntimeError as error:
            self._records = False
            warnings.warn(Warnings.TW009.format(error=short(error, limit=100)), stacklevel=2)
            return None

    def forget(self) -> None:
        """Drop all recordings and their memory."""
        self._known = self._places = None
        self._recordings.clear()

    def _find_places(self, modules: Modules, head: LinearHead, dtype: "torch.dtype") -> Places:
        """Give the places of the weights; new ones, without recordings, if weights have moved or others learn."""
        params = list(parameters(modules))
        known = (
            dtype,
            [(param.data_ptr(), param.requires_grad) for param in params],
            [each.shape for each in head],
            _dropout_rates(modules),
        )
        if self._places is None or self._known != known:
            self.forget()
            self._known, self._places = known, Places(modules, head, dtype)
        return self._places


class _Sum:
    """The sums of what the rectangles of a batch gave, which the next one writes over.

    small (list[Tensor]): The loss, and the gradients of the head.
    flat (Tensor | None): The gradients of the encoder, where there are several rectangles.
    """

    def __init__(self) -> None:
        self.small: list[Tensor] = []
        self.flat: Tensor | None = None

    def add(self, small: "list[Tensor]", flat: "Tensor | None") -> None:
        """Add what one rectangle gave."""
        if not self.small:
            self.small = [each.clone() for each in small]
            self.flat = None if flat is None else flat.clone()
            return
        compat.add_all(self.small, small)
        if self.flat is not None and flat is not None:
            self.flat += flat


def _prepare(modules: Modules, places: Places, rectangle: Rectangle, rates: Rates) -> Recording:
    """Make the step of a shape."""
    values = torch.empty(len(rectangle.values), dtype=torch.int32, device=places.flat.device)
    inputs = make_inputs(values, rectangle.n_windows, rectangle.length)

    def run() -> None:
        places.refresh()
        with torch.enable_grad():
            loss = summed_loss(modules, places.weights, inputs, rates)
        places.learn(loss)

    return Recording(values, run)


def _dropout_rates(modules: Modules) -> list[float]:
    """RETURNS (list[float]): All rates of dropout in an encoder."""
    blocks = [(block.attention_dropout, block.out_dropout, block.down_dropout) for block in modules.blocks]
    return [modules.dropout, *(rate for block in blocks for rate in block)]
