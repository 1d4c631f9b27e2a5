"""The contract between components and an optimizer that steps in two phases: see all gradients first, then step.

thinc's optimizers step one parameter at a time, so that none of them can clip by the norm of all gradients. One that
does, such as `spacy-tokclf.AdamW.v1`, keeps to `TwoPhaseOptimizer`; components and shims ask for that class alone and
treat every other optimizer as thinc does.
"""

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from thinc.api import Model, Optimizer

from ..errors import Warnings

if TYPE_CHECKING:
    from torch import nn

#: Attribute of a thinc layer whose parameters learn at a multiple of the learning rate, in steps that were prepared. 1
#: where there is none.
RATE_FACTOR = "learn_rate_factor"

#: The highest learning rate that pretrained encoders of usual kinds are fine-tuned with, small ones included.
HIGHEST_RATE = 3e-4


@runtime_checkable
class TwoPhaseOptimizer(Protocol):
    """An optimizer that sees the gradients of all models that learn together before it steps any of them."""

    def prepare(self, models: Sequence[Model], n_tokens: int) -> bool | None:
        """First phase: work out by what each gradient is multiplied in this step, from the norm of all of them. Reads
        `RATE_FACTOR` from the layers. The first model is stepped next; when the others ask to be prepared in the same
        step, they have been.

        A step with a norm that is not finite is refused: nothing is prepared, and nobody asks for the second phase.

        models (Sequence[Model]): The models that learn together.
        n_tokens (int): Tokens whose loss the gradients sum, at least 1.
        RETURNS (bool | None): Whether the step is refused; None from optimizers that do not look.
        """

    def step_module(self, shim_id: int, module: "nn.Module") -> None:
        """Second phase, for a torch module: step all its parameters and drop their gradients. thinc's own parameters
        are stepped by calling the optimizer.

        shim_id (int): The id of the shim that holds the module.
        module (nn.Module): The module.
        """


@runtime_checkable
class CountsTokens(Protocol):
    """A component that counts the tokens it has learned from since its last step: none of them, no step.

    n_learned (int): The count.
    """

    n_learned: int


@runtime_checkable
class BackpropagatesLate(Protocol):
    """A component whose backward pass may wait until its step, for gradients that others send."""

    def backpropagate(self) -> None:
        """Run the backward pass of the last batch, if it has not run yet."""


def prepare_step(sgd: Optimizer, models: Sequence[Model], n_tokens: int) -> bool | None:
    """Take the first phase of a step, where the optimizer has one.

    sgd (Optimizer): Any optimizer.
    models (Sequence[Model]): The models that learn together, the one to be stepped next first.
    n_tokens (int): Tokens whose loss was summed since the last step.
    RETURNS (bool | None): Whether the step is refused; None where the optimizer does not look, as thinc's.
    """
    return sgd.prepare(models, max(n_tokens, 1)) if isinstance(sgd, TwoPhaseOptimizer) else None


def has_learned(pipe: object) -> bool:
    """Tell whether a component may have gradients.

    pipe (object): Any component.
    RETURNS (bool): Whether it counts no tokens, or has counted some.
    """
    return not isinstance(pipe, CountsTokens) or pipe.n_learned > 0


def most_learned(pipes: Sequence[object]) -> int:
    """Give the number of tokens that a step of several components is the mean over: the largest of their counts.

    pipes (Sequence[object]): The components.
    RETURNS (int): The largest count; 1 if none of them counts.
    """
    return max((pipe.n_learned for pipe in pipes if isinstance(pipe, CountsTokens)), default=1)


def suits_encoder(sgd: Optimizer) -> bool:
    """Warn of an optimizer by which a pretrained encoder forgets what it knows, or learns little.

    sgd (Optimizer): Any optimizer, at any step.
    RETURNS (bool): Whether there was nothing to warn of at this step.
    """
    if sgd.learn_rate > HIGHEST_RATE * (1 + 1e-6):  # a schedule may round up
        text = Warnings.TW354.format(rate=sgd.learn_rate, highest=HIGHEST_RATE, optimizer=type(sgd).__name__)
    elif not isinstance(sgd, TwoPhaseOptimizer):
        text = Warnings.TW355.format(optimizer=type(sgd).__name__)
    else:
        return True
    warnings.warn(text, stacklevel=5)
    return False
