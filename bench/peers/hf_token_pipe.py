"""`hf_token_pipe` of spacy-huggingface-pipelines: `pipeline("ner")` as a component of spaCy."""

import warnings
from collections.abc import Callable
from typing import Any

from ..texts import measured_pipe, measured_singly


def load(options: dict[str, Any]) -> Any:
    """Make the pipeline.

    options (dict[str, Any]): "model", and "batch_size" of the pipeline inside.
    RETURNS (Language): The pipeline.
    """
    import spacy

    warnings.filterwarnings("ignore", message="Skipping annotation")
    nlp = spacy.blank("en")
    # By default, what does not fall on spaCy's tokens is lost; "expand" keeps it.
    settings = {"model": options["model"], "aggregation_strategy": "first", "alignment_mode": "expand"}
    nlp.add_pipe("hf_token_pipe", config={**settings, "kwargs": {"batch_size": options["batch_size"]}})
    return nlp


def annotate(options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """Get ready to measure `nlp.pipe`, from texts to `doc.ents`.

    options (dict[str, Any]): As for `load` and `measured`.
    RETURNS (Callable[[int], dict[str, Any]]): The round.
    """
    return measured_pipe(load(options), options)


def latency(options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """Get ready to measure `nlp(text)`.

    options (dict[str, Any]): As for `load` and `measured_singly`.
    RETURNS (Callable[[int], dict[str, Any]]): The round.
    """
    return measured_singly(load(options), options)
