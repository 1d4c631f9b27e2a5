"""The next batch, drawn and prepared while a GPU works on the one before."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from spacy.training import Example

if TYPE_CHECKING:
    from .loop import Training


@runtime_checkable
class LooksAhead(Protocol):
    """A component whose work for a batch can be done before its turn, while a device computes. It leaves texts as they
    are when it learns from them.

    meanwhile (Callable[[], None] | None): Called once, in the next update, when the device has all that it needs. Not
        called where the host has nothing to wait for.
    """

    name: str
    meanwhile: Callable[[], None] | None

    def look_ahead(self, examples: Sequence[Example]) -> None:
        """Prepare a batch that the next update is given.

        examples (Sequence[Example]): The batch: the same examples.
        """


def find_ahead(training: "Training") -> LooksAhead | None:
    """Find the component that can look ahead: the only one that learns, if nothing between one batch and the next might
    change it.

    training (Training): The training.
    RETURNS (LooksAhead | None): The component, or None.
    """
    settings = training.settings
    if training.sums is not None or settings["before_update"] or settings["annotating_components"]:
        return None
    if settings["accumulate_gradient"] > 1:
        return None
    pipes = [pipe for name, pipe in training.nlp.pipeline if name not in training.frozen and hasattr(pipe, "update")]
    return pipes[0] if len(pipes) == 1 and isinstance(pipes[0], LooksAhead) else None


def draw_ahead(training: "Training", pipe: LooksAhead) -> None:
    """Draw the next batch, and have it prepared.

    training (Training): The training, which keeps the batch.
    pipe (LooksAhead): What learns.
    """
    training.ahead = next(training.batches, None)
    if training.ahead is not None:
        pipe.look_ahead(training.ahead[1])
