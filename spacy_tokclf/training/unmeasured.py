"""Scores of frozen components that nothing was measured for: spaCy writes 0.0 into a pipeline's meta.json."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import srsly
from spacy.language import Language

from ..runtime.files import whole_file

META = "meta.json"


def drop_unmeasured(nlp: Language, folders: Iterable[Path]) -> None:
    """Take scores of frozen components out of saved pipelines where the development data have no gold for them. Of a
    component, all scores are 0 then, which says that it is never right.

    nlp (Language): The pipeline, as it was trained.
    folders (Iterable[Path]): Where it was saved.
    """
    config: Any = nlp.config.interpolate()
    frozen = set(config["training"]["frozen_components"])
    learned = {key for name in nlp.component_names if name not in frozen for key in _scores_of(nlp, name)}
    for folder in folders if frozen else ():
        meta = srsly.read_json(folder / META)
        known = meta["performance"]
        stale: set[str] = set()
        for name in frozen:
            keys = {key for key in _scores_of(nlp, name) if key in known} - learned
            if not any(_has_number(known[key]) for key in keys):
                stale |= keys
        if stale:
            meta["performance"] = {key: value for key, value in known.items() if key not in stale}
            with whole_file(folder / META) as made:
                made.write_text(srsly.json_dumps(meta, indent=2), encoding="utf-8")


def _scores_of(nlp: Language, name: str) -> Iterable[str]:
    """RETURNS (Iterable[str]): The keys of a component's scores."""
    return nlp.get_pipe_meta(name).default_score_weights or {}


def _has_number(score: Any) -> bool:
    """Tell whether there is a number other than 0 in a score, which may be a dict of types."""
    if isinstance(score, dict):
        return any(map(_has_number, score.values()))
    return isinstance(score, int | float) and bool(score)
