"""Look up in a pipeline: the encoder that a component reads, and other token classifiers that it must not disturb."""

from typing import Any

from spacy.language import Language
from spacy.pipeline.tok2vec import Tok2Vec
from thinc.api import Model

from ..errors import Errors
from ..models.base_shim import BaseEncoderShim, encoder_nodes
from ..models.hf.heads import HeadWeights
from ..models.shim import EncoderShim
from .scorer import SeqevalScorer


def pipes_with_model(nlp: Language) -> dict[str, Any]:
    """RETURNS (dict[str, Any]): The components of a pipeline that have a model, by name."""
    return {name: pipe for name, pipe in nlp.pipeline if isinstance(getattr(pipe, "model", None), Model)}


def find_encoder(model: Model, nlp: Language | None, name: str) -> Model | None:
    """Find the encoder whose vectors a component reads: its own, or that of the component it listens to.

    model (Model): The component's model.
    nlp (Language | None): The pipeline that the component is in.
    name (str): The component's name.
    RETURNS (Model | None): The node that holds the encoder; None if the component uses none of ours.
    """
    nodes = encoder_nodes(model)
    for _, pipe in nlp.pipeline if nlp is not None else ():
        if not nodes and isinstance(pipe, Tok2Vec) and name in pipe.listener_map:
            nodes = encoder_nodes(pipe.model)
    return nodes[0] if nodes else None


def find_head(model: Model, nlp: Language | None, name: str) -> HeadWeights | None:
    """Find what the checkpoint of a component's encoder had between encoder and labels.

    model, nlp, name: As for `find_encoder`.
    RETURNS (HeadWeights | None): The head; None if the checkpoint had none, or there is no encoder of ours.
    """
    node = find_encoder(model, nlp, name)
    shims = node.shims if node is not None else []
    return next((shim.head for shim in shims if isinstance(shim, BaseEncoderShim)), None)


def all_filled(model: Model) -> bool:
    """Tell whether the Hugging Face encoders in a model have their weights.

    model (Model): Any model.
    RETURNS (bool): Whether all of them do, if there are any.
    """
    shims = (shim for node in model.walk() for shim in node.shims)
    return all(shim.is_filled for shim in shims if isinstance(shim, EncoderShim))


def check_neighbours(component: Any, nlp: Language | None) -> None:
    """Refuse two token classifiers in one pipeline that would replace each other's entities or scores.

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
