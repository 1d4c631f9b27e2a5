"""Rehearsal: keep a model near to what it was when its training was resumed, on texts that need no gold."""

from collections.abc import Callable, Sequence
from typing import Any

from spacy.tokens import Doc
from thinc.api import Model, Ops, Optimizer
from thinc.types import Floats2d

from .. import compat
from ..errors import Errors
from ..models.classifier import transitions_of
from ..models.listener import EncoderListener
from ..models.transitions import TRANSITIONS
from .home import Home
from .loss import log_softmax

BackpropT = Callable[[list[Floats2d]], Any]


def run_alone(model: Model, docs: Sequence[Doc], name: str, *, train: bool) -> tuple[list[Floats2d], BackpropT]:
    """Run the model of a component without the rest of its pipeline: a layer that listens runs what it listens to.

    model (Model): The model.
    docs (Sequence[Doc]): The texts.
    name (str): The component's name, for messages.
    train (bool): Whether gradients will follow.
    RETURNS (tuple[list[Floats2d], Callable]): Logits per text (n_tokens, n_tags), and the backprop callback.
    RAISES (ValueError): TC040, for a listener that does not know what it listens to.
    """
    upstream = shared_encoder(model, name)
    layers = [model] if upstream is None else [upstream, model.layers[-1]]
    rows: Any = docs
    callbacks = []
    for layer in layers:
        rows, backprop = layer(rows, train)
        callbacks.append(backprop)

    def finish(d_logits: list[Floats2d]) -> None:
        gradient: Any = d_logits
        for backprop in reversed(callbacks):
            gradient = backprop(gradient)

    return rows, finish


def shared_encoder(model: Model, name: str) -> Model | None:
    """Find the encoder that a model listens to.

    model (Model): The model of a component.
    name (str): The component's name, for messages.
    RETURNS (Model | None): The encoder; None if it is inline.
    RAISES (ValueError): TC040, if it is not known.
    """
    listeners = [node for node in model.walk() if node.name.endswith("listener")]
    if not listeners:
        return None
    listener = listeners[0]
    if not isinstance(listener, EncoderListener) or listener.upstream is None:
        raise ValueError(Errors.TC040.format(name=name))
    return listener.upstream


def distillation_loss(ops: Ops, logits: list[Floats2d], targets: list[Floats2d]) -> tuple[float, list[Floats2d], int]:
    """Compare distributions over tags with those of an earlier model: their Kullback-Leibler divergence (knowledge
    distillation, Hinton et al., 2015), summed over the tokens that both see. Tags that the earlier model did not have
    take no part.

    ops (Ops): The backend.
    logits (list[Floats2d]): Of the model that learns. Per text (n_tokens, n_tags).
    targets (list[Floats2d]): Of the earlier one. Per text (n_tokens, n_earlier_tags).
    RETURNS (tuple[float, list[Floats2d], int]): The loss in nats, its gradient in the shape of the logits, and the
        number of tokens.
    """
    xp = ops.xp
    rows, wanted = xp.concatenate(logits), xp.concatenate(targets)
    seen = xp.flatnonzero(rows.any(axis=1) & wanted.any(axis=1))
    gradient = ops.alloc2f(*rows.shape)
    n_tags = wanted.shape[1]
    one, other = log_softmax(xp, rows[seen, :n_tags]), log_softmax(xp, wanted[seen])
    gradient[seen, :n_tags] = xp.exp(one) - xp.exp(other)
    loss = float((xp.exp(other) * (other - one)).sum())
    lengths: Any = ops.asarray1i([len(each) for each in logits])
    return loss, ops.unflatten(gradient, lengths), len(seen)


def hold_transitions(model: Model, earlier: Model, n_tokens: int) -> None:
    """Add a gradient that pulls the transitions of a conditional random field to what they were.

    model (Model): The model that learns.
    earlier (Model): The earlier one, which may have fewer tags.
    n_tokens (int): Number of tokens, since gradients are sums over them.
    """
    layer, old = transitions_of(model), transitions_of(earlier)
    if layer is not None and old is not None:
        now: Any = layer.get_param(TRANSITIONS)
        before: Any = old.get_param(TRANSITIONS)
        gradient = layer.ops.alloc2f(*now.shape)
        n = len(before)
        gradient[:n, :n] = (now[:n, :n] - before) * n_tokens
        layer.inc_grad(TRANSITIONS, gradient)


def real_optimizer(sgd: Any, home: Home, name: str) -> Optimizer:
    """Find the optimizer to step with. `nlp.rehearse` gives a function that only collects gradients, and steps each
    parameter alone afterwards, which would take the encoder for a part of the head.

    sgd (Any): What `rehearse` was called with.
    home (Home): The component's pipeline.
    name (str): The component's name, for messages.
    RETURNS (Optimizer): The optimizer: that itself, or the pipeline's own.
    RAISES (ValueError): TC041, if it cannot be found.
    """
    found = sgd if isinstance(sgd, Optimizer) else compat.optimizer_of(home.nlp)
    if not isinstance(found, Optimizer) or found.learn_rate != sgd.learn_rate:
        raise ValueError(Errors.TC041.format(name=name))
    return found
