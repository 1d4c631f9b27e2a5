"""`pipeline("ner")` of transformers: one text at a time, in batches, or in batches of texts of like length."""

from collections.abc import Callable, Sequence
from typing import Any

from ..texts import FoundT, measured


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
