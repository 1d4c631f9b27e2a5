"""Trainings of one thread each, as the processes of the measurements run them: that train together, or know nothing of
each other."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

ResultT = dict[str, Any]
SERVE = "bench.serve"
#: Steps before the first that is measured.
WARM_STEPS = 3


def steps(options: dict[str, Any]) -> Callable[[int], ResultT]:
    """Get ready to measure steps of a training in this process, which may be one of several.

    options (dict[str, Any]): "config", "overrides" of its values, and "steps", how many.
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
    for _ in range(WARM_STEPS):
        take_step(training, *next(training.batches))

    def run(number: int) -> ResultT:
        group.wait()
        posts = 0
        start = time.perf_counter()
        for _ in range(options["steps"]):
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

    options (dict[str, Any]): As for `steps`; "workers", how many; "together", whether they train the same pipeline.
    RETURNS (Callable[[int], ResultT]): The round; the value is posts a second of all together.
    """
    command = [sys.executable, "-m", SERVE, "bench.together:steps", json.dumps(options)]
    streams: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    processes: list[Any] = []
    for rank in range(options["workers"]):
        told = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": options["workers"], "MASTER_PORT": port}
        own = {name: str(value) for name, value in told.items()} | {"MASTER_ADDR": "127.0.0.1"}
        processes.append(subprocess.Popen(command, env=os.environ | (own if options["together"] else {}), **streams))
    for process in processes:
        json.loads(process.stdout.readline())

    def run(number: int) -> ResultT:
        for process in processes:
            process.stdin.write(json.dumps({"round": number}) + "\n")
            process.stdin.flush()
        found = [json.loads(process.stdout.readline()) for process in processes]
        values = [each["value"] for each in found]
        return {"value": values[0] if options["together"] else sum(values), "seconds": found[0]["seconds"]}

    return run
