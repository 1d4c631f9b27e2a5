"""Our systems, as the processes of the measurements run them."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .clock import measured_epochs
from .texts import measured_pipe, measured_points, measured_singly


def train(options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """Get ready to measure one epoch of `spacy train` a round.

    options (dict[str, Any]): "config" and "overrides" of its values.
    RETURNS (Callable[[int], dict[str, Any]]): The round.
    """
    return measured_epochs(options["config"], options["overrides"])


def load(options: dict[str, Any]) -> Any:
    """Load a pipeline in a process that asked for `tune_malloc`, as a service is advised to.

    options (dict[str, Any]): "model", and "precision" if it is another than that in its config.
    RETURNS (Language): The pipeline.
    """
    import spacy

    import spacy_tokclf

    spacy_tokclf.tune_malloc()
    nlp = spacy.load(options["model"])
    if options.get("precision"):
        for _, pipe in nlp.pipeline:
            for node in pipe.model.walk() if hasattr(pipe, "model") else ():
                if "precision" in node.attrs:
                    node.attrs["precision"] = options["precision"]
    return nlp


def annotate(options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """Get ready to measure `nlp.pipe`, from texts to `doc.ents`.

    options (dict[str, Any]): As for `load`, and "texts" (a JSON file), and "words", the number to count.
    RETURNS (Callable[[int], dict[str, Any]]): The round. The first one also gives the entities.
    """
    return measured_pipe(load(options), options)


def latency(options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """Get ready to measure `nlp(text)`.

    options (dict[str, Any]): As for `load` and `measured_singly`.
    RETURNS (Callable[[int], dict[str, Any]]): The round.
    """
    return measured_singly(load(options), options)


def points(options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """Get ready to measure `nlp.pipe` along a curve.

    options (dict[str, Any]): As for `load` and `measured_points`; "whole" whether the pipeline's own size of a batch is
        taken at all points.
    RETURNS (Callable[[int], dict[str, Any]]): The round.
    """
    nlp = load(options)
    whole = {"batch_size": nlp.batch_size} if options["whole"] else {}
    return measured_points(lambda texts, size: list(nlp.pipe(texts, **{"batch_size": size, **whole})), options)


def tokenizer(options: dict[str, Any]) -> Callable[[Iterable[str]], Iterator[Any]]:
    """RETURNS (Callable[[Iterable[str]], Iterator[Any]]): `nlp.pipe` of an empty pipeline, whatever the options."""
    import spacy

    return spacy.blank("en").pipe


def stream(options: dict[str, Any]) -> Callable[[Iterable[str]], Iterator[Any]]:
    """RETURNS (Callable[[Iterable[str]], Iterator[Any]]): `nlp.pipe` of a pipeline; options as for `load`."""
    return load(options).pipe
