"""The encoder whose vectors a component reads: its own, or that of a component upstream."""

from typing import Any

from spacy.language import Language
from spacy.pipeline.tok2vec import Tok2Vec
from thinc.api import Model

from ..models.base_shim import held_encoder_nodes


def find_encoder(model: Model, nlp: Language | None, name: str) -> Model | None:
    """Find the encoder whose vectors a component reads.

    model (Model): The component's model.
    nlp (Language | None): The pipeline that the component is in.
    name (str): The component's name.
    RETURNS (Model | None): The node that holds the encoder; None if the component uses none of ours.
    """
    nodes = held_encoder_nodes(model)
    for _, pipe in nlp.pipeline if nlp is not None else ():
        if not nodes and isinstance(pipe, Tok2Vec) and name in pipe.listener_map:
            nodes = held_encoder_nodes(pipe.model)
    return nodes[0] if nodes else None


def pipes_with_model(nlp: Language) -> dict[str, Any]:
    """RETURNS (dict[str, Any]): The components of a pipeline that have a model, by name."""
    return {name: pipe for name, pipe in nlp.pipeline if isinstance(getattr(pipe, "model", None), Model)}
