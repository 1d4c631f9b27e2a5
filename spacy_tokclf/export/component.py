"""Find a token classifier in a pipeline with the encoder that it reads, and refuse what Hugging Face has no equivalent
of."""

from typing import NamedTuple

from spacy.language import Language
from thinc.api import Model

from ..errors import Errors
from ..models.onnx.shim import OnnxShim
from ..models.shim import EncoderShim
from ..pipeline.lookup import find_encoder
from ..pipeline.token_classifier import TokenClassifier, find_component


class Classifier(NamedTuple):
    """A token classifier and its encoder.

    pipe (TokenClassifier): The component.
    node (Model): The layer that holds the encoder, with its settings in `attrs`.
    shim (EncoderShim): The encoder.
    """

    pipe: TokenClassifier
    node: Model
    shim: EncoderShim


def find_classifier(nlp: Language, component: str | None) -> Classifier:
    """Find a token classifier.

    nlp (Language): The pipeline.
    component (str | None): Its name; not needed if there is only one.
    RETURNS (Classifier): The component with its encoder.
    RAISES (ValueError): TC255, if there is none or the name does not tell which; TC256, if it uses no encoder of ours;
        TC310, if that runs in ONNX Runtime; TC012, if it has no weights.
    """
    pipe = find_component(nlp, component)
    node = find_encoder(pipe.model, nlp, pipe.name)
    if node is None:
        slot = pipe.model.get_ref("tok2vec").name
        raise ValueError(Errors.TC256.format(name=pipe.name, found=slot))
    shim = node.shims[0]
    if isinstance(shim, OnnxShim):
        raise ValueError(Errors.TC310.format(name=pipe.name))
    if not isinstance(shim, EncoderShim) or not shim.is_filled:
        raise ValueError(Errors.TC012)
    return Classifier(pipe, node, shim)


def check_equivalent(classifier: Classifier) -> None:
    """Refuse what Hugging Face does not have: a pooling other than of first pieces, links and user names as one word,
    the casing of words, and a conditional random field.

    classifier (Classifier): The component with its encoder.
    RAISES (ValueError): TC257, or TC270 to TC272.
    """
    pooling = classifier.node.attrs["pooling"]
    if pooling != "first":
        raise ValueError(Errors.TC257.format(name=classifier.pipe.name, pooling=pooling))
    if classifier.node.attrs["normalize"]:
        raise ValueError(Errors.TC271.format(name=classifier.pipe.name))
    if classifier.node.attrs["casing"]:
        raise ValueError(Errors.TC270.format(name=classifier.pipe.name))
    if classifier.pipe.transitions is not None:
        raise ValueError(Errors.TC272.format(name=classifier.pipe.name))
