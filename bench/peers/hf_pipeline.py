"""`pipeline("ner")` of transformers: one text at a time, in batches, or in batches of texts of like length."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from ..texts import FoundT, measured, measured_points, measured_singly


def load(options: dict[str, Any]) -> Any:
    """Load the pipeline.

    options (dict[str, Any]): "model", and "bf16" whether its weights are bfloat16.
    RETURNS (TokenClassificationPipeline): The pipeline. Words have the label of their first piece, as in training.
    """
    import torch
    from transformers import pipeline

    given = {"dtype": torch.bfloat16} if options.get("bf16") else {}
    device = 0 if torch.cuda.is_available() else -1
    return pipeline("ner", model=options["model"], aggregation_strategy="first", device=device, **given)


def annotate(options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """Get ready to measure the pipeline, from texts to entities.

    options (dict[str, Any]): As for `load` and `measured`; "batch_size", and "sort" whether to sort the texts by
        length.
    RETURNS (Callable[[int], dict[str, Any]]): The round.
    """
    ner = load(options)
    size = options["batch_size"]

    def find(texts: Sequence[str]) -> list[FoundT]:
        order = sorted(range(len(texts)), key=lambda i: len(texts[i])) if options.get("sort") else range(len(texts))
        given = [texts[i] for i in order]
        called = [ner(text) for text in given] if size == 1 else ner(given, batch_size=size)
        found: list[FoundT] = [[] for _ in texts]
        for i, entities in zip(order, called, strict=True):
            found[i] = [(entity["start"], entity["end"], entity["entity_group"]) for entity in entities]
        return found

    return measured(find, options)


def latency(options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """Get ready to measure the pipeline with one text at a time.

    options (dict[str, Any]): As for `load` and `measured_singly`.
    RETURNS (Callable[[int], dict[str, Any]]): The round.
    """
    return measured_singly(load(options), options)


def points(options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """Get ready to measure the pipeline along a curve.

    options (dict[str, Any]): As for `load` and `measured_points`; "one_by_one" whether texts come alone whatever the
        size of a batch.
    RETURNS (Callable[[int], dict[str, Any]]): The round.
    """
    ner = load(options)

    def find(texts: Sequence[str], size: int) -> Any:
        alone = size == 1 or options.get("one_by_one")
        return [ner(text) for text in texts] if alone else ner(texts, batch_size=size)

    return measured_points(find, options)


def stream(options: dict[str, Any]) -> Callable[[Iterable[str]], Iterator[Any]]:
    """RETURNS (Callable[[Iterable[str]], Iterator[Any]]): The pipeline over a generator; options as for `load`."""
    ner = load(options)
    return lambda texts: ner(text for text in texts)
