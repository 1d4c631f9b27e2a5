"""Trainings that stand still between rounds: all of `spacy tokclf train` or `spacy train` runs in a thread, and its
batcher holds it until an epoch is asked for. So the loops are measured as they are, without loading and saving for each
round, and what a loop records or caches in its first epoch is there in the next."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from queue import Queue
from typing import Any

from spacy.util import load_config, registry

from ..clock import WARM_POSTS, BatcherT
from . import card
from .steps import step_facts

#: From what is wanted of a training to what it answers.
AskT = Callable[[dict[str, Any]], dict[str, Any]]
#: Steps before the first one that is taken apart.
BEFORE = 2


class Gate:
    """What a training and the thread that asks it for epochs know of each other."""

    def __init__(self) -> None:
        self.asked: Queue[dict[str, Any]] = Queue()
        self.answers: Queue[dict[str, Any] | BaseException] = Queue()
        self.is_fresh = True

    def batches(self, batcher: BatcherT, items: list[Any]) -> Iterator[list[Any]]:
        """Cut an epoch into batches, once it is asked for. Before the first one goes a batch to warm up, and with it
        the evaluation of the first step.

        batcher (BatcherT): Cuts it.
        items (list[Any]): The examples.
        YIELDS (list[Any]): The batches.
        """
        if self.is_fresh:
            self.is_fresh = False
            yield items[:WARM_POSTS]
        wanted = self.asked.get()
        if wanted.get("profiled"):
            yield from self._profiled(batcher(items), wanted["profiled"], wanted["trace"])
            return
        posts = steps = 0
        card.wait()
        start = time.perf_counter()
        for batch in batcher(items):
            batch = list(batch)
            posts, steps = posts + len(batch), steps + 1
            yield batch
        card.wait()
        seconds = time.perf_counter() - start
        self.answers.put({"value": posts / seconds, "seconds": seconds, "steps": steps})

    def _profiled(self, batches: Iterable[Any], steps: int, trace: str) -> Iterator[list[Any]]:
        """Write a trace of some steps; the epoch ends after them. What goes wrong with that is told, and the training
        goes on."""
        profiler = card.profiler()
        told: dict[str, Any] = {"steps": 0}
        for number, batch in enumerate(batches):
            if number == BEFORE:
                card.wait()
                told |= _attempt(profiler.start)
            if number == BEFORE + steps or "failed" in told:
                break
            told["steps"] = max(0, number + 1 - BEFORE)
            yield list(batch)
        card.wait()
        if told["steps"] and "failed" not in told:
            told |= _attempt(profiler.stop) or _attempt(lambda: profiler.export_chrome_trace(trace))
        self.answers.put(told)


def _attempt(work: Callable[[], Any]) -> dict[str, str]:
    """RETURNS (dict[str, str]): "failed", if something did."""
    try:
        work()
    except RuntimeError as error:
        return {"failed": str(error)}
    return {}


#: The gate of the training that is being made.
_making: list[Gate] = []


@registry.batchers("bench.Gate.v1")
def make_gate_v1(batcher: BatcherT) -> BatcherT:
    """Make the batcher of a training that stands still between rounds.

    batcher (BatcherT): Cuts the epochs.
    RETURNS (BatcherT): The batcher.
    """
    gate = _making[-1]
    return lambda items: gate.batches(batcher, list(items))


def begin(train: Callable[[dict[str, Any]], Any], config: str, batch_size: int) -> AskT:
    """Begin a training in a thread of its own.

    train (Callable[[dict[str, Any]], Any]): Trains with overrides of the config.
    config (str): The config file.
    batch_size (int): Posts of a batch.
    RETURNS (AskT): Asks for an epoch: gives "value" (posts a second), "seconds"
        and "steps"; or, for "profiled" steps and a file for their "trace", how many "steps" are in it.
    """
    gate = Gate()
    _making.append(gate)
    batcher = {**load_config(config)["training"]["batcher"], "size": batch_size}
    given = {
        "training.max_epochs": 0,
        "training.max_steps": 10**9,
        "training.eval_frequency": 10**9,
        "training.batcher": {"@batchers": "bench.Gate.v1", "batcher": batcher},
    }

    def run() -> None:
        try:
            train(given)
        except BaseException as error:  # noqa: BLE001 (the thread that asks raises it)
            gate.answers.put(error)

    threading.Thread(target=run, daemon=True).start()

    def ask(wanted: dict[str, Any]) -> dict[str, Any]:
        gate.asked.put(wanted)
        answer = gate.answers.get()
        if isinstance(answer, BaseException):
            raise RuntimeError(f"{type(answer).__name__}: {answer}") from answer
        return answer

    return ask


def measured(options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """Get ready to measure epochs of one training of ours. Its first epoch is the warm-up, and told beside.

    options (dict[str, Any]): "config", "overrides" of its values and "batch_size"; "loop", "tokclf" for that of
        `spacy tokclf train` or "spacy"; "gpu_id", -1 for thinc on NumPy; "out", a folder; "profiled", steps that
        are taken apart after the last round, if any are.
    RETURNS (Callable[[int], dict[str, Any]]): The round.
    """
    out = Path(options["out"])
    out.mkdir(parents=True, exist_ok=True)
    if options["gpu_id"] >= 0:
        card.follow_thinc()

    def train(given: dict[str, Any]) -> None:
        overrides = {**given, **options["overrides"]}
        if options["loop"] == "spacy":
            from spacy.cli.train import train

            train(options["config"], None, use_gpu=options["gpu_id"], overrides=overrides)
        else:
            from spacy_tokclf.training.run import train_pipeline

            how = {"overwrite": True, "checkpoints": "none", "silent": True}
            train_pipeline(options["config"], out, overrides=overrides, gpu_id=options["gpu_id"], **how)

    def begun() -> tuple[AskT, dict[str, Any]]:
        ask = begin(train, options["config"], options["batch_size"])
        return ask, ask({})

    (ask, first), memory = card.measured_memory(begun)
    facts = {"first": first["value"], "memory": memory}

    def run(number: int) -> dict[str, Any]:
        return {**ask({}), **facts}

    if options.get("profiled"):
        run.finish = lambda: {"step": take_apart(ask, options["profiled"], out / "trace.json")}  # type: ignore[attr-defined]
    return run


def take_apart(ask: AskT, steps: int, trace: Path) -> dict[str, float] | None:
    """Take training steps apart.

    ask (AskT): Asks the training.
    steps (int): How many steps.
    trace (Path): Where their trace is written.
    RETURNS (dict[str, float] | None): What they are made of; None if that could not be seen, which is said.
    """
    with card.profiler():  # begun in the main thread, as torch wants it
        pass
    taken = ask({"profiled": steps, "trace": str(trace)})
    if not taken["steps"] or "failed" in taken:
        print(f"Steps could not be taken apart: {taken}")
        return None
    try:
        return step_facts(trace, taken["steps"])
    except (OSError, ValueError, KeyError) as error:
        print(f"The trace cannot be read: {error}")
        return None
