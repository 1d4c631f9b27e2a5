"""One epoch of `spacy train`, timed by its batcher. Ours and the peers that train through spaCy use it alike."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

BatcherT = Callable[[Iterable[Any]], Iterable[list[Any]]]
WARM_POSTS = 16


class EpochClock:
    """A batcher around another one that measures the epoch: from when the first batch is asked for until the loop
    comes back after its last step. A batch to warm up goes before, and with it the evaluation that spaCy makes at its
    first step. Reading the data and all that follows the epoch are outside."""

    def __init__(self, batcher: BatcherT) -> None:
        self.batcher = batcher
        self.seconds = 0.0
        self.posts = self.steps = 0

    def __call__(self, items: Iterable[Any]) -> Iterator[list[Any]]:
        """Cut an epoch into batches.

        items (Iterable[Any]): The examples.
        YIELDS (list[Any]): The batch to warm up, then the batches of the batcher.
        """
        items = list(items)
        yield items[:WARM_POSTS]
        start = time.perf_counter()
        for batch in self.batcher(items):
            batch = list(batch)
            self.posts += len(batch)
            self.steps += 1
            yield batch
        self.seconds = time.perf_counter() - start


def epoch_of(config: str, overrides: dict[str, Any]) -> EpochClock:
    """Run one epoch of `spacy train`.

    config (str): The config file.
    overrides (dict[str, Any]): Values of the config, as on the command line.
    RETURNS (EpochClock): What was measured.
    """
    from spacy.cli.train import train
    from spacy.util import load_config, registry

    made: list[EpochClock] = []

    @registry.batchers("bench.EpochClock.v1")
    def make_epoch_clock_v1(batcher: BatcherT) -> EpochClock:
        made.append(EpochClock(batcher))
        return made[-1]

    given = {
        "training.max_epochs": 1,
        "training.eval_frequency": 10**9,
        "training.batcher": {"@batchers": "bench.EpochClock.v1", "batcher": load_config(config)["training"]["batcher"]},
    }
    train(config, None, overrides={**given, **overrides})
    return max(made, key=lambda clock: clock.seconds)  # others only counted the batches (warnings about lengths)


def measured_epochs(config: str, overrides: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """Get ready to measure one epoch of `spacy train` a round.

    config (str): The config file.
    overrides (dict[str, Any]): Values of the config.
    RETURNS (Callable[[int], dict[str, Any]]): The round. Its number is the seed.
    """

    def run(number: int) -> dict[str, Any]:
        clock = epoch_of(config, {**overrides, "system.seed": number})
        return {"value": clock.posts / clock.seconds, "seconds": clock.seconds, "steps": clock.steps}

    epoch_of(config, {**overrides, "corpora.train.limit": 3 * WARM_POSTS})
    return run
