"""The architecture `spacy-tokclf.EncoderListener.v1`: token vectors from an encoder earlier in the pipeline."""

from collections.abc import Callable, Iterable
from typing import Any

from spacy.pipeline.tok2vec import Tok2VecListener
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from ..errors import Errors


class EncoderListener(Tok2VecListener):
    """spaCy's listener, with two differences: its width is that of the encoder it listens to, and a vector that is
    missing or does not fit is an error, never a row of zeros."""

    name = "encoder_listener"

    def __init__(self, upstream_name: str) -> None:
        """upstream_name (str): The component to listen to, or "*" for any."""
        Model.__init__(self, name=self.name, forward=listen, init=take_width, dims={"nO": None})
        self.upstream_name = upstream_name
        self.upstream: Model | None = None
        self._sample: list[Doc] = []
        self._batch_id: int | None = None
        self._outputs: Any = None
        self._backprop: Any = None


def build_encoder_listener_v1(upstream: str = "*") -> Model[list[Doc], list[Floats2d]]:
    """Build a layer that gives the vectors of a `transformer_encoder` (or spaCy `tok2vec`) earlier in the pipeline.

    upstream (str): The component's name, or "*" for any.
    RETURNS (Model[list[Doc], list[Floats2d]]): The listener. Output per text: (n_tokens, width).
    """
    return EncoderListener(upstream)


def take_width(model: EncoderListener, X: Any = None, Y: Any = None) -> None:
    """Take the width of the encoder upstream, and remember the texts of an initialization: the layers after this one
    infer their sizes from its output for them, and those texts have no vectors.

    RAISES (ValueError): TC014, if no component upstream has a width yet.
    """
    model._sample = list(X or ())
    if model.has_dim("nO"):
        return
    if model.upstream is None or not model.upstream.has_dim("nO"):
        raise ValueError(Errors.TC014.format(upstream=model.upstream_name))
    model.set_dim("nO", model.upstream.get_dim("nO"))


def listen(model: EncoderListener, docs: Iterable[Doc], is_train: bool) -> tuple[list[Floats2d], Callable[[Any], Any]]:
    """Give the vectors of a batch: in training those of the encoder's own batch, with its backprop callback; else
    those that the encoder left on the texts.

    RAISES (ValueError): TC015, if a text has no vectors or vectors of another shape.
    """
    docs = list(docs)
    if is_train and model._batch_id is not None:
        model._sample = []
        model.verify_inputs(docs)
        return model._outputs, model._backprop
    outputs = []
    sample = {id(doc) for doc in model._sample}
    for index, doc in enumerate(docs):
        expected = (len(doc), model.get_dim("nO"))
        if doc.tensor.shape == expected:
            tensor: Any = doc.tensor
            outputs.append(model.ops.asarray2f(tensor))
        elif not len(doc) or id(doc) in sample:
            outputs.append(model.ops.alloc2f(*expected))
        else:
            raise ValueError(
                Errors.TC015.format(
                    index=index,
                    text=doc.text[:40],
                    shape=tuple(doc.tensor.shape),
                    expected=expected,
                    upstream=model.upstream_name,
                )
            )
    return outputs, no_backprop


def no_backprop(d_outputs: Any) -> list[Any]:
    """Drop the gradient: the encoder upstream is not being trained."""
    return []
