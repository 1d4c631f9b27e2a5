"""Look up in a pipeline: the encoder that a component reads, its head, and the tokenizer of the language."""

import warnings
import weakref
from typing import Any

from spacy.language import Language
from spacy.pipeline.tok2vec import Tok2Vec
from spacy.tokenizer import Tokenizer
from thinc.api import Model

from ..errors import Warnings
from ..models.base_shim import BaseEncoderShim, encoder_nodes
from ..models.hf.heads import HeadWeights
from ..models.shim import EncoderShim

#: spaCy's own tokenizer, by rules; the default of most languages.
RULES = "spacy.Tokenizer.v1"
#: Pipelines that there was a warning about.
_WARNED: "weakref.WeakSet[Language]" = weakref.WeakSet()


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


def check_tokenizer(nlp: Language | None) -> None:
    """Warn (TW011), once a pipeline, if its language has a tokenizer of its own and the pipeline reads texts with that
    of the others: in Japanese or Chinese, which have no spaces, a whole sentence is one token then.

    nlp (Language | None): The pipeline.
    """
    if nlp is None or nlp in _WARNED:
        return
    own = nlp.default_config["nlp"]["tokenizer"]["@tokenizers"]
    if own != RULES and type(nlp.tokenizer) is Tokenizer:
        _WARNED.add(nlp)
        warnings.warn(Warnings.TW011.format(lang=nlp.lang, own=own, found=RULES), stacklevel=2)
