"""The first phase of an optimizer step: what the parameters of several models have to know of each other."""

from collections.abc import Sequence

from thinc.api import Model, Optimizer


def prepare_step(sgd: Optimizer, models: Sequence[Model], n_tokens: int) -> None:
    """Let an optimizer that clips by the global norm see all gradients before it steps. Other optimizers need nothing.

    sgd (Optimizer): The optimizer.
    models (Sequence[Model]): The models that learn together.
    n_tokens (int): Tokens whose loss was summed since the last step.
    """
    prepare = getattr(sgd, "prepare", None)
    if prepare is not None:
        prepare(models, max(n_tokens, 1))
