"""The callback `spacy-tokclf.epochs.v1` of `spacy train`: the length of training in epochs."""

import math
import warnings
from collections.abc import Callable
from typing import Any

from spacy.language import DEFAULT_CONFIG, Language
from spacy.training.initialize import resolve_dot_names
from spacy.util import logger

from ..corpus.epochs import count_updates
from ..errors import Errors, Warnings

STEPS = ("max_steps", "eval_frequency")


def make_epochs_v1(epochs: float, evaluations: float = 1.0) -> Callable[[Language], Language]:
    """Make a callback for `initialize.after_init` that sets `training.max_steps` and `training.eval_frequency` from the
    training data and the batcher. The last step is an evaluation.

    `spacy train` reads both, and what refers to them, after it has initialized the pipeline. What the config has in
    their places is not used. Where no training data are named, as in a saved pipeline, nothing is set.

    epochs (float): How often training goes through the data.
    evaluations (float): Evaluations in an epoch; 0.5 is one in two epochs.
    RETURNS (Callable[[Language], Language]): The callback.
    RAISES (ValueError): TC031, for a number that is not above 0.
    """
    for name, value in {"epochs": epochs, "evaluations": evaluations}.items():
        if not 0 < value < math.inf:
            raise ValueError(Errors.TC031.format(name=name, value=value, expected="a number above 0"))

    def set_steps(nlp: Language) -> Language:
        """Set the steps. RAISES (ValueError): TC350, for data that are streamed, or another limit of epochs."""
        given: Any = nlp.config.interpolate()["training"]
        if given["max_epochs"] != 0:
            raise ValueError(Errors.TC350.format(max_epochs=given["max_epochs"], epochs=epochs))
        if not _has_data(nlp):
            return nlp
        updates = count_updates(nlp, epochs)
        planned = dict(zip(STEPS, plan_steps(updates, math.ceil(round(epochs * evaluations, 6))), strict=True))
        defaults = DEFAULT_CONFIG["training"]
        for name, value in planned.items():
            if given[name] not in (value, defaults[name], 0):
                text = Warnings.TW352.format(name=name, given=given[name], value=value, epochs=epochs)
                warnings.warn(text, stacklevel=2)
        nlp.config["training"].update(planned)
        logger.info("%g epochs are %d updates: %s", epochs, updates, planned)
        return nlp

    return set_steps


def _has_data(nlp: Language) -> bool:
    """Tell whether there are training data. `spacy train` opened them before; a pipeline that is initialized elsewhere
    (by `nlp.initialize`, `spacy assemble`) may name none, as a saved one does."""
    config: Any = nlp.config.interpolate()
    try:
        resolve_dot_names(config, [config["training"]["train_corpus"]])
    except ValueError as error:
        logger.info("No training data, and so no steps: %s", error)
        return False
    return True


def plan_steps(updates: int, evaluations: int) -> tuple[int, int]:
    """Choose the steps of a training so that `spacy train` evaluates the last of them. It counts steps from 0, and
    evaluates those that are multiples of a frequency.

    updates (int): About how many updates there are to be, at least 1.
    evaluations (int): About how many evaluations there are to be, beside that of step 0; at least 1.
    RETURNS (tuple[int, int]): The number of the last step, and the steps from one evaluation to the next, which divide
        it.
    """
    frequency = max(1, round(updates / evaluations))
    return max(1, round(updates / frequency)) * frequency, frequency
