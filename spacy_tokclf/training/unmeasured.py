"""Scores of frozen components that nothing was measured for: spaCy writes 0.0 into a pipeline's meta.json."""

from collections.abc import Iterable
from typing import Any

from spacy.language import Language


def measured(nlp: Language, performance: dict[str, Any]) -> dict[str, Any]:
    """Take scores of frozen components out of what meta.json is to say, where the development data have no gold for
    them. Of a component, all scores are 0 then, which says that it is never right.

    nlp (Language): The pipeline, as it is trained.
    performance (dict[str, Any]): The scores.
    RETURNS (dict[str, Any]): Those that were measured.
    """
    config: Any = nlp.config.interpolate()
    frozen = set(config["training"]["frozen_components"])
    learned = {key for name in nlp.component_names if name not in frozen for key in _scores_of(nlp, name)}
    stale: set[str] = set()
    for name in frozen:
        keys = {key for key in _scores_of(nlp, name) if key in performance} - learned
        if not any(_has_number(performance[key]) for key in keys):
            stale |= keys
    return {key: value for key, value in performance.items() if key not in stale}


def _scores_of(nlp: Language, name: str) -> Iterable[str]:
    """RETURNS (Iterable[str]): The keys of a component's scores."""
    return nlp.get_pipe_meta(name).default_score_weights or {}


def _has_number(score: Any) -> bool:
    """Tell whether there is a number other than 0 in a score, which may be a dict of types."""
    if isinstance(score, dict):
        return any(map(_has_number, score.values()))
    return isinstance(score, int | float) and bool(score)
