"""Steps that are refused, since a loss or a gradient is not a finite number: no weight, moment or average changes, and
the texts are named."""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, Protocol, runtime_checkable

from spacy.tokens import Doc
from thinc.api import Model, Optimizer

from ..errors import Errors
from ..models.gradients import drop_gradients, has_finite_gradients
from ..models.optimizer_contract import prepare_step
from .finite import blame_weights, name_texts
from .home import Home

#: Texts of a step that are remembered.
REMEMBERED = 1024


class StepGuard:
    """Takes the first phase of the steps of a component, and refuses those that would change weights to what is no
    number."""

    def __init__(self) -> None:
        """Begin with no texts."""
        self._docs: deque[Doc] = deque(maxlen=REMEMBERED)

    def __reduce__(self) -> tuple[Any, ...]:
        return StepGuard, ()

    def saw(self, docs: Iterable[Doc]) -> None:
        """Remember texts whose gradients are part of the next step.

        docs (Iterable[Doc]): The texts.
        """
        self._docs.extend(docs)

    def forget(self) -> None:
        """Forget the texts: there is no step."""
        self._docs.clear()

    def prepare(self, pipe: "Refusing", sgd: Optimizer, models: Sequence[Model], n_tokens: int) -> None:
        """Take the first phase of a step, or refuse it.

        pipe (Refusing): The component.
        sgd (Optimizer): Any optimizer.
        models (Sequence[Model]): The models that learn together, the one to be stepped next first.
        n_tokens (int): Tokens whose loss was summed since the last step.
        RAISES (ValueError): TC470, for a step that is refused.
        """
        refused = prepare_step(sgd, models, n_tokens)
        if refused is None:
            refused = not has_finite_gradients(models)
        docs = list(self._docs)
        self._docs.clear()
        if refused:
            refuse_step(pipe)
            texts, weights = name_texts(docs), blame_weights(models)
            raise ValueError(Errors.TC470.format(name=pipe.name, texts=texts, weights=weights))


@runtime_checkable
class Refusing(Protocol):
    """A component whose step can be refused."""

    name: str
    model: Model
    home: Home

    def forget_step(self) -> None:
        """Forget what was counted and kept of the batches since the last step. Gradients are dropped beside it."""


def refuse_step(pipe: Refusing) -> None:
    """Drop what a pipeline has learned since its last step, in all components: a batch is learned by all, or by none.

    pipe (Refusing): The component that refuses it.
    """
    nlp = pipe.home.nlp
    pipes: list[Any] = [pipe, *(other for _, other in nlp.components if other is not pipe)] if nlp else [pipe]
    for each in pipes:
        model = getattr(each, "model", None)
        if isinstance(model, Model):
            drop_gradients([model])
        if isinstance(each, Refusing):
            each.forget_step()
