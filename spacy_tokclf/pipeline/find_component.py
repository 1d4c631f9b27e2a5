"""A token classifier of a pipeline, by name or because there is only one."""

from spacy.language import Language

from ..errors import Errors
from .token_classifier import TokenClassifier


def find_component(nlp: Language, name: str | None) -> TokenClassifier:
    """Find a token classifier.

    nlp (Language): The pipeline.
    name (str | None): Its name; not needed if there is only one.
    RETURNS (TokenClassifier): The component.
    RAISES (ValueError): TC255, if there is none or the name does not tell which.
    """
    pipes = {each: pipe for each, pipe in nlp.pipeline if isinstance(pipe, TokenClassifier)}
    if name not in pipes and (name is not None or len(pipes) != 1):
        raise ValueError(Errors.TC255.format(name=name or "", found=", ".join(pipes) or "none"))
    return pipes[name] if name is not None else next(iter(pipes.values()))
