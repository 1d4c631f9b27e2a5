"""How many updates an epoch has: what a training reads, cut into batches as it will be."""

import contextlib
import math
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from spacy.language import Language
from spacy.training import Example
from spacy.training.initialize import resolve_dot_names
from spacy.training.loop import create_train_batches
from spacy.util import registry

from ..errors import Errors


def count_updates(nlp: Language, epochs: float) -> int:
    """Count the updates of `spacy train` in some epochs. The training corpus is read, augmented, shuffled and cut into
    batches as in training, with its seed: texts that the reader or the batcher leaves out do not count, and copies do.

    nlp (Language): The pipeline, with the whole config of a training whose data are held in memory.
    epochs (float): The number of epochs; the last may be a part of one.
    RETURNS (int): The number of batches, at least 1.
    RAISES (ValueError): TC351, if there is no batch in an epoch.
    """
    config: Any = nlp.config.interpolate()
    training = config["training"]
    (corpus,) = resolve_dot_names(config, [training["train_corpus"]])
    batcher = registry.resolve({"batcher": training["batcher"]})["batcher"]
    with _seeded(training["seed"]):
        sizes = _epoch_sizes(nlp, corpus, batcher, math.ceil(epochs))
    if not all(sizes):
        raise ValueError(Errors.TC351.format(batcher=training["batcher"].get("@batchers", "")))
    part = epochs - (len(sizes) - 1)
    return max(1, sum(sizes[:-1]) + round(sizes[-1] * part))


def _epoch_sizes(
    nlp: Language,
    corpus: Callable[[Language], Iterable[Example]],
    batcher: Callable[[Iterable[Example]], Iterable[Any]],
    epochs: int,
) -> list[int]:
    """Count the batches of each epoch."""
    batches = create_train_batches(nlp, corpus, batcher, epochs)
    counted = Counter(epoch for epoch, _ in batches)
    return [counted[epoch] for epoch in range(epochs)]


@contextlib.contextmanager
def _seeded(seed: int | None) -> Iterator[None]:
    """Draw random numbers as a training with a seed does, and leave those that others draw as they would have been."""
    states = random.getstate(), np.random.get_state()
    if seed is not None:
        random.seed(seed)
        np.random.seed(seed)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
