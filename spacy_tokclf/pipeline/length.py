"""Warnings about a training whose length does not fit its evaluations: `spacy train` says nothing, and keeps a pipeline
that has learned too little, or nothing, as its best."""

import warnings
from typing import Any
from weakref import WeakSet

from spacy.language import Language
from thinc.api import Optimizer

from .. import compat
from ..corpus.epochs import count_updates
from ..errors import Warnings

#: The pipelines whose training was looked at.
_SEEN: WeakSet[Language] = WeakSet()


def check_length(nlp: Language | None, sgd: Optimizer) -> None:
    """Warn, at the first step of a training by `spacy train`, of evaluations that do not fit its length.

    nlp (Language | None): The pipeline, if it is known.
    sgd (Optimizer): What steps it. `spacy train` makes one of its own after `nlp.initialize`, whose optimizer steps in
        loops of other people: those evaluate when they like.
    """
    if nlp is None or nlp in _SEEN:
        return
    _SEEN.add(nlp)
    if compat.optimizer_of(nlp) in (None, sgd):
        return
    config: Any = nlp.config.interpolate()
    training, frequency = config["training"], config["training"]["eval_frequency"]
    last, setting = _last_step(nlp, training)
    stopped, stopper = min((last, setting), (training["patience"] or last, "patience"))
    if stopped == float("inf"):
        text = Warnings.TW356
    elif stopped < frequency:
        text = Warnings.TW350.format(setting=stopper, last=stopped, frequency=frequency)
    elif last < float("inf") and last % frequency:
        text = Warnings.TW351.format(setting=setting, last=last, frequency=frequency, lost=last % frequency)
    else:
        return
    warnings.warn(text, stacklevel=4)


def _last_step(nlp: Language, training: dict[str, Any]) -> tuple[float, str]:
    """Give the number of the last step, counted from 0, if scores do not end the training before; and the setting that
    makes it the last."""
    steps, epochs = training["max_steps"] or float("inf"), training["max_epochs"]
    if epochs < 1:
        return steps, "max_steps"
    return min((steps, "max_steps"), (count_updates(nlp, epochs) - 1, "max_epochs"))
