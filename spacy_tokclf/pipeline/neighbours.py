"""Several token classifiers in one pipeline: what they must not share."""

from typing import Any

from spacy.language import Language

from ..errors import Errors
from .scorer import SeqevalScorer


def check_neighbours(component: Any, nlp: Language | None) -> None:
    """Refuse two token classifiers that would replace each other's entities or scores.

    component (TokenClassifier): The component that is being initialized.
    nlp (Language | None): Its pipeline.
    RAISES (ValueError): TC052, for a span group of two components; TC053, for scores of the same names.
    """
    for name, other in nlp.components if nlp is not None else ():
        if other is component or not isinstance(other, type(component)):
            continue
        if other.cfg["spans_key"] == component.cfg["spans_key"]:
            raise ValueError(Errors.TC052.format(one=name, other=component.name, key=component.cfg["spans_key"]))
        prefixes = [pipe.scorer.score_prefix for pipe in (component, other) if isinstance(pipe.scorer, SeqevalScorer)]
        if len(prefixes) == 2 and prefixes[0] == prefixes[1]:
            raise ValueError(Errors.TC053.format(one=name, other=component.name, prefix=prefixes[0]))
