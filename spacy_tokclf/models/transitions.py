"""The transition scores of a conditional random field: a layer that holds them, and lets logits pass."""

from collections.abc import Callable
from typing import Any

from thinc.api import Model
from thinc.types import Floats2d

from .optimizer_contract import RATE_FACTOR
from .thinc_params import set_dims

#: Name of the parameter, and of the layer in its model.
TRANSITIONS = "transitions"
#: They learn this many times faster than the rest of the head. A step of Adam is about as long as the rate, and these
#: numbers, like logits and unlike weights, have to go far: with the rate of the classifier they stay near 0.
TRANSITIONS_RATE_FACTOR = 10.0


def make_transitions(nO: int | None = None) -> Model[Floats2d, Floats2d]:
    """Make the layer. Its gradient comes from the loss of whole sequences, not through the logits.

    nO (int | None): The number of tags, set at initialisation.
    RETURNS (Model[Floats2d, Floats2d]): The layer. Its parameter `transitions` is the score of a tag (column) after
        another (row), at first 0. Shape: (n_tags, n_tags). Its attribute `learn_rate_factor` is what
        `spacy-tokclf.AdamW.v1` multiplies the learning rate of that parameter by.
    """
    return Model(
        TRANSITIONS,
        _forward,
        init=_init,
        dims={"nO": nO},
        params={TRANSITIONS: None},
        attrs={RATE_FACTOR: TRANSITIONS_RATE_FACTOR},
    )


def _init(layer: Model[Floats2d, Floats2d], X: Floats2d | None = None, Y: Floats2d | None = None) -> None:
    if X is not None:
        layer.set_dim("nO", X.shape[1], force=True)
    n_tags = layer.get_dim("nO")
    layer.set_param(TRANSITIONS, layer.ops.alloc2f(n_tags, n_tags))


def _forward(
    layer: Model[Floats2d, Floats2d], X: Floats2d, is_train: bool
) -> tuple[Floats2d, Callable[[Floats2d], Floats2d]]:
    return X, lambda dY: dY


def resize_transitions(layer: Model[Floats2d, Floats2d], new_nO: int) -> None:
    """Add tags; the scores that are there keep their bits. A new tag follows, and is followed, like the others' mean.

    layer (Model): The layer.
    new_nO (int): The new number of tags.
    """
    if layer.has_param(TRANSITIONS) is not True:
        layer.set_dim("nO", new_nO, force=True)
        return
    scores: Any = layer.get_param(TRANSITIONS)
    larger: Any = layer.ops.alloc2f(new_nO, new_nO)
    n = len(scores)
    larger[:] = scores.mean()
    larger[:n, n:] = scores.mean(axis=1, keepdims=True)
    larger[n:, :n] = scores.mean(axis=0, keepdims=True)
    larger[:n, :n] = scores
    set_dims(layer, {"nO": new_nO})
    layer.set_param(TRANSITIONS, larger)
