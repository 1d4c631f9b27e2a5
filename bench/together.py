"""Trainings of one thread each, as the processes of the measurements run them: that train together, or know nothing of
each other."""

import socket
import time
from collections.abc import Callable
from typing import Any

from .scale import at_once

ResultT = dict[str, Any]
#: Steps before the first that is measured.
WARM_STEPS = 3


def epochs(options: dict[str, Any]) -> Callable[[int], ResultT]:
    """Get ready to measure epochs of a training in this process, which may be one of several. Each has the same texts,
    whatever the size of a batch.

    options (dict[str, Any]): "config", and "overrides" of its values.
    RETURNS (Callable[[int], ResultT]): The round; the value is posts a second, of all processes that train together.
    """
    from spacy.training.initialize import init_nlp

    from spacy_tokclf.runtime.group import joined
    from spacy_tokclf.training.config import read_training_config
    from spacy_tokclf.training.loop import make_training, take_step

    held = joined()
    group = held.__enter__()  # until the process ends
    training = make_training(init_nlp(read_training_config(options["config"], options["overrides"])), group=group)
    training.batches.read()
    texts = len(training.batches.place()["order"])
    posts = 0
    while posts < texts:  # the rest of the epoch is passed over
        epoch, batch = next(training.batches)
        posts += len(batch)
        if training.progress.step < WARM_STEPS:
            take_step(training, epoch, batch)

    def run(number: int) -> ResultT:
        group.wait()
        posts = 0
        start = time.perf_counter()
        while posts < texts:
            epoch, batch = next(training.batches)
            take_step(training, epoch, batch)
            posts += len(batch)
        group.wait()
        seconds = time.perf_counter() - start
        return {"value": posts / seconds, "seconds": seconds, "rank": group.rank}

    run.held = held  # type: ignore[attr-defined]  # else it would be left at once
    return run


def trainings(options: dict[str, Any]) -> Callable[[int], ResultT]:
    """Get ready to measure several processes at the same time.

    options (dict[str, Any]): As for `epochs`; "workers", how many; "together", whether they train the same pipeline.
    RETURNS (Callable[[int], ResultT]): The round; the value is posts a second of all together.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environments: list[dict[str, str]] = []
    for rank in range(options["workers"]):
        told = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": options["workers"], "MASTER_PORT": port}
        own = {name: str(value) for name, value in told.items()} | {"MASTER_ADDR": "127.0.0.1"}
        environments.append(own if options["together"] else {})
    run_all = at_once("bench.together:epochs", options, environments)

    def run(number: int) -> ResultT:
        found = run_all(number)
        values = [each["value"] for each in found]
        return {"value": values[0] if options["together"] else sum(values), "seconds": found[0]["seconds"]}

    return run
