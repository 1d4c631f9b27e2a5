"""One training step of a pipeline, for loops of your own."""

from collections.abc import Iterable

from spacy.language import Language
from spacy.training import Example
from spacy.ty import TrainableComponent
from thinc.api import Optimizer


def train_step(
    nlp: Language,
    examples: Iterable[Example],
    optimizer: Optimizer,
    *,
    drop: float = 0.1,
    losses: dict[str, float] | None = None,
) -> dict[str, float]:
    """Update a pipeline as `spacy train` does: gradients of all components first, then their step, then the schedules.

    `nlp.update(..., sgd=optimizer)` steps each component before the next one has seen the batch: an encoder that others
    listen to would always learn one batch late, and the schedules would stand still.

    nlp (Language): The pipeline.
    examples (Iterable[Example]): The batch.
    optimizer (Optimizer): The optimizer.
    drop (float): The dropout rate.
    losses (dict[str, float] | None): Losses by component, added to.
    RETURNS (dict[str, float]): The losses.
    """
    losses = nlp.update(list(examples), drop=drop, sgd=False, losses=losses)  # type: ignore[arg-type]  # False is "no step", for spaCy
    for _, pipe in nlp.pipeline:
        if isinstance(pipe, TrainableComponent) and pipe.is_trainable:
            pipe.finish_update(optimizer)
    optimizer.step_schedules()
    return losses
