"""From a training to its checkpoint, and back: the next step is then the one that would have followed, bit by bit."""

import math
from itertools import islice
from typing import Any

import numpy as np

from ..corpus.digest import digest_examples
from ..errors import Errors
from ..runtime import random_state
from .checkpoint import FOLDER, Checkpoint, well_formed
from .fingerprint import check_fingerprint, check_same_training, make_fingerprint
from .loop import Progress, Training, advance_schedules
from .state import RATES, Learned, cannot_be_kept, check_same_weights, put_learned, take_learned

#: What of the progress JSON holds as it is.
_PLAIN = ("step", "words", "rows", "score_keys", "performance")


def why_not_resumable(training: Training) -> str:
    """Say why no checkpoint of a training could be gone on from.

    training (Training): The training.
    RETURNS (str): Why; empty if it can.
    """
    batcher: Any = training.nlp.config["training"]["batcher"]
    if not training.batches.sizes and any(isinstance(each, dict) for each in batcher.values()):
        return f"the batcher {batcher.get('@batchers')} may have a state of its own, which is not known"
    return cannot_be_kept(training.nlp, training.optimizer)


def read_data(training: Training, found: Checkpoint | None) -> dict[str, Any]:
    """Read the training data, drawing the random numbers that were drawn when the training began, and say what it is
    of.

    training (Training): The training, as it was made.
    found (Checkpoint | None): Where it is to go on, if it is.
    RETURNS (dict[str, Any]): Its fingerprint, and under "start" the random states before the data were read.
    """
    if found is not None:
        with well_formed():
            random_state.put_states(found.numbers["fingerprint"]["start"])
    start = random_state.take_states()
    with random_state.kept_states():
        dev = digest_examples(training.dev_corpus(training.nlp))
    training.batches.read()
    return {
        **make_fingerprint(training.nlp, train=training.batches.digest(), dev=dev, processes=training.group.size),
        "start": start,
    }


def read_data_together(training: Training, found: Checkpoint | None) -> dict[str, Any]:
    """Read the training data as `read_data` does, and refuse processes that would not train the same.

    training (Training): The training, as it was made.
    found (Checkpoint | None): Where it is to go on, if it is.
    RETURNS (dict[str, Any]): Its fingerprint, as of `read_data`.
    RAISES (ValueError): TC543, if they would not; TC544, if they begin with other weights.
    RAISES (ConnectionError): TC542, if a process is gone.
    """
    fingerprint = read_data(training, found)
    if not training.group.is_alone:
        check_same_training(fingerprint, training.group)
        check_same_weights(training.nlp, training.group, after="the initialization")
    return fingerprint


def take_checkpoint(training: Training, fingerprint: dict[str, Any], *, seconds: float) -> Checkpoint:
    """Take all that a training needs to go on, at the end of a step.

    training (Training): The training.
    fingerprint (dict[str, Any]): What `read_data` gave.
    seconds (float): How long it has taken.
    RETURNS (Checkpoint): To be written before the next step.
    """
    progress = training.progress
    learned = take_learned(training.nlp, training.optimizer)
    numbers = {
        **{name: getattr(progress, name) for name in _PLAIN},
        "results": [[float(score), step] for score, step in progress.results],
        "losses": {name: _number_to_json(value) for name, value in progress.losses.items()},
        "seconds": seconds,
        "place": training.batches.place(),
        "random": random_state.take_states(),
        "strings": sorted(islice(training.nlp.vocab.strings, training.n_strings, None)),
        "learned": learned.numbers,
        "fingerprint": fingerprint,
    }
    return Checkpoint(numbers, learned.tensors)


@well_formed()
def go_on_from(training: Training, found: Checkpoint, fingerprint: dict[str, Any]) -> None:
    """Bring a training to where a checkpoint was.

    training (Training): The training before its first step, its data read.
    found (Checkpoint): The checkpoint.
    fingerprint (dict[str, Any]): What the training is of now.
    RAISES (ValueError): TC451, if that is something else; TC457, if the pipeline is; TC458, if it was changed by hand;
        TC459, if rates differ.
    """
    numbers = found.numbers
    check_fingerprint(numbers["fingerprint"], fingerprint)
    _check_counts(training, numbers)
    plain = {name: numbers[name] for name in _PLAIN}
    training.progress = Progress(
        **plain,
        results=[(score, step) for score, step in numbers["results"]],
        losses={name: _number_from_json(value) for name, value in numbers["losses"].items()},
        seconds=numbers["seconds"],
    )
    for string in numbers["strings"]:  # what was only tokenized is read by nobody again, and saved
        training.nlp.vocab.strings.add(string)
    training.nlp.meta["performance"] = dict(training.progress.performance)
    advance_schedules(training, training.progress.step + 1)
    _check_rates(training, numbers["learned"]["rates"])
    put_learned(training.nlp, training.optimizer, Learned(found.tensors, numbers["learned"]))
    if not training.batches.go_to(numbers["place"]):
        name = training.nlp.config["training"]["train_corpus"]
        raise ValueError(Errors.TC451.format(changes=f"the training data ({name}) are others"))
    random_state.put_states(numbers["random"])


def _check_counts(training: Training, numbers: dict[str, Any]) -> None:
    """Refuse counts that contradict each other: what is drawn again so many times would never end. RAISES (ValueError):
    TC458."""
    step, place = numbers["step"], numbers["place"]
    texts = numbers["words"] + len(place["order"]) * (place["epoch"] + 1)  # as many as were drawn, at most
    wrong = {
        "step": len(numbers["results"]) != step // training.settings["eval_frequency"] + 1,
        "epoch": not 0 <= place["epoch"] <= step,
        "done": not 0 <= place["done"] <= step + 1,
        "sizes": any(not 0 <= size <= texts + 2 * (step + 1) for size in place["sizes"]),
    }
    for name, is_wrong in wrong.items():
        if is_wrong:
            detail = f"Its {name} contradicts its other counts: it was changed by hand."
            raise ValueError(Errors.TC458.format(path=FOLDER, detail=detail))


def _check_rates(training: Training, rates: dict[str, float]) -> None:
    """Refuse schedules whose values do not follow from the step. RAISES (ValueError): TC459."""
    for name in RATES:
        now = float(getattr(training.optimizer, name))
        if now != rates[name] and not (math.isnan(now) and math.isnan(rates[name])):
            raise ValueError(Errors.TC459.format(name=name, step=training.progress.step, then=rates[name], now=now))


def _number_to_json(value: Any) -> list[Any]:
    """RETURNS (list[Any]): A number with the name of its type: sums go on in its precision."""
    return [str(getattr(value, "dtype", "")), float(value)]


def _number_from_json(data: list[Any]) -> Any:
    kind, value = data
    return np.dtype(kind).type(value) if kind else value
