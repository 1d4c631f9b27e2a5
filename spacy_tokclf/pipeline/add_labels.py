"""The callback `spacy-tokclf.add_labels.v1` of `spacy train`: more entity types for a trained component."""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from spacy.language import Language
from spacy.training import Example
from spacy.training.initialize import resolve_dot_names
from spacy.util import logger

from ..errors import Errors
from ..metrics.gold_groups import gold_types
from .token_classifier import TokenClassifier

#: Texts that spaCy looks at for labels where the data are streamed (`training.max_epochs = -1`).
STREAMED = 100


def make_add_labels_v1(component: str | None = None, labels: list[str] | None = None) -> Callable[[Language], Language]:
    """Make a callback for `initialize.after_init` (or `before_init`) that adds entity types to a component that comes
    trained, from a `source`: spaCy does not initialize such a one, so that data with a new type would be refused.

    component (str | None): Name of the `token_classifier`; not needed if there is only one.
    labels (list[str] | None): The entity types; those of the training data if not given.
    RETURNS (Callable[[Language], Language]): The callback.
    """

    def add_labels(nlp: Language) -> Language:
        """Add the labels. RAISES (ValueError): TC038, if there is no such component; TC037, for what is no label."""
        pipe = _find(nlp, component)
        found = labels if labels is not None else gold_types(_training_data(nlp), **pipe.gold_at)
        added = [label for label in found if pipe.add_label(label)]
        logger.info("Labels added to %r: %s", pipe.name, ", ".join(added) or "none")
        return nlp

    return add_labels


def _find(nlp: Language, name: str | None) -> TokenClassifier:
    """Find the component, also if it is disabled, as what is sourced is while others are initialized."""
    pipes = {each: pipe for each, pipe in nlp.components if isinstance(pipe, TokenClassifier)}
    if name not in pipes and (name is not None or len(pipes) != 1):
        raise ValueError(Errors.TC038.format(name=name or "", found=", ".join(pipes) or "none"))
    return pipes[name] if name is not None else next(iter(pipes.values()))


def _training_data(nlp: Language) -> Iterable[Example]:
    """Read the training data as `spacy train` does."""
    config: Any = nlp.config.interpolate()
    training = config["training"]
    (corpus,) = resolve_dot_names(config, [training["train_corpus"]])
    return islice(corpus(nlp), STREAMED if training["max_epochs"] == -1 else None)
