"""The architecture `spacy-tokclf.TokenClassifier.v1`: token vectors to one row of logits per token."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from spacy.tokens import Doc
from thinc.api import Dropout, Linear, Model, Ops, chain
from thinc.types import Floats2d

from .base_shim import Tok2VecT
from .head_transform import make_transform
from .thinc_params import set_dims
from .transitions import TRANSITIONS, make_transitions, resize_transitions

#: Attribute of a token classifier whose head is a transform, dropout and a linear layer, and nothing else.
PLAIN_HEAD = "plain_head"
#: What all rows that are added at once have of the probability of a token, for one of a row that has the mean logit.
NEW_SHARE = 1e-3
#: Spread of a fresh classifier's weights, as `initializer_range` in the configs of BERT and its family.
INIT_STD = 0.02


def build_token_classifier_v1(
    tok2vec: Model[list[Doc], list[Floats2d]], nO: int | None = None, crf: bool = False
) -> Model[list[Doc], list[Floats2d]]:
    """Build `tok2vec -> dropout -> linear`, the head of Hugging Face's token classifiers, with a place before the
    dropout for the layer that a few families have there.

    The rate of the dropout is `training.dropout`. A token whose vector is all zeros (one without word pieces) gets
    logits that are all zeros: no evidence for any tag.

    tok2vec (Model[list[Doc], list[Floats2d]]): Any layer that gives token vectors.
    nO (int | None): The number of tags, set at initialisation.
    crf (bool): Whether it learns how well a tag follows another, too: a conditional random field.
    RETURNS (Model[list[Doc], list[Floats2d]]): The model. Output per text: (n_tokens, n_tags).
    """
    output_layer = Linear(nO=nO, init_W=_normal_init)
    transform = make_transform()
    layers: list[Model[Any, Any]] = [transform, Dropout(0.1), output_layer]
    if crf:
        layers.append(make_transitions(nO))
    head = on_known_rows(chain(*layers))
    model: Tok2VecT = chain(tok2vec, head)
    model.set_ref("tok2vec", tok2vec)
    model.set_ref("transform", transform)
    model.set_ref("output_layer", output_layer)
    if crf:
        model.set_ref(TRANSITIONS, layers[-1])
    model.attrs["resize_output"] = resize_output
    model.attrs[PLAIN_HEAD] = not crf
    return model


def on_known_rows(layer: Model[Floats2d, Floats2d]) -> Model[list[Floats2d], list[Floats2d]]:
    """Apply a layer to the rows of several arrays that are not all zeros; the others stay zeros.

    layer (Model[Floats2d, Floats2d]): The layer.
    RETURNS (Model[list[Floats2d], list[Floats2d]]): The same for lists of arrays.
    """
    return Model("on_known_rows", _rows_forward, init=_rows_init, layers=[layer], dims={"nI": None, "nO": None})


def _rows_init(model: Model, X: list[Floats2d] | None = None, Y: list[Floats2d] | None = None) -> None:
    layer = model.layers[0]
    layer.initialize(
        X=model.ops.flatten(X) if X is not None else None, Y=model.ops.flatten(Y) if Y is not None else None
    )


def _rows_forward(
    model: Model, X: list[Floats2d], is_train: bool
) -> tuple[list[Floats2d], Callable[[list[Floats2d]], list[Floats2d]]]:
    xp = model.ops.xp
    layer = model.layers[0]
    lengths: Any = np.asarray([len(x) for x in X], dtype="int32")
    flat = xp.concatenate(X) if len(X) else model.ops.alloc2f(0, 0)
    rows = xp.flatnonzero(flat.any(axis=1))
    complete = len(rows) == len(flat)
    # Rows that the head sees: all but those of tokens without word pieces, which stay without logits.
    y, finish = layer(flat if complete else flat[rows], is_train)
    logits: Any = y if complete else _scatter(model.ops, y, rows, len(flat))

    def backprop(dY: list[Floats2d]) -> list[Floats2d]:
        d_flat = xp.concatenate(dY)
        if complete:
            return model.ops.unflatten(finish(d_flat), lengths)
        dX = finish(d_flat[rows])
        return model.ops.unflatten(_scatter(model.ops, dX, rows, len(flat)), lengths)

    return model.ops.unflatten(logits, lengths), backprop


def _scatter(ops: Ops, values: Floats2d, rows: Any, length: int) -> Floats2d:
    out = ops.alloc2f(length, values.shape[1])
    out[rows] = values
    return out


def _normal_init(ops: Ops, shape: Any) -> Any:
    return ops.asarray_f(np.random.normal(0.0, INIT_STD, shape).astype("float32"))


def resize_output(model: Tok2VecT, new_nO: int) -> None:
    """Add rows to the classifier; those that are there keep their bits, and tokens their probabilities.

    A new row is the mean of those that are there, less a constant: on every token its logit is so far below the mean of
    the others that all new rows together have at most a thousandth of what such a row has. Unlike a row of random
    weights, that changes no score, and is the same for all tokens until it is trained.

    model (Model): A token classifier.
    new_nO (int): The new number of tags.
    """
    transitions = transitions_of(model)
    if transitions is not None:
        resize_transitions(transitions, new_nO)
    layer = model.get_ref("output_layer")
    old_nO = layer.get_dim("nO") if layer.has_dim("nO") else None
    if old_nO == new_nO:
        return
    for node in model.walk():
        if node is not layer and node.has_dim("nO") and node.get_dim("nO") == old_nO and layer in node.walk():
            set_dims(node, {"nO": new_nO})
    if old_nO is None or layer.has_param("W") is not True:
        layer.set_dim("nO", new_nO, force=True)
        return
    weights: Any = layer.get_param("W")  # (n_tags, width)
    bias: Any = layer.get_param("b")  # (n_tags,)
    larger = layer.ops.alloc2f(new_nO, weights.shape[1])
    larger_bias = layer.ops.alloc1f(new_nO)
    larger[:] = weights.mean(axis=0)
    larger_bias[:] = bias.mean() + math.log(NEW_SHARE / (new_nO - old_nO))
    larger[:old_nO] = weights
    larger_bias[:old_nO] = bias
    set_dims(layer, {"nO": new_nO})
    layer.set_param("W", larger)
    layer.set_param("b", larger_bias)


def transitions_of(model: Tok2VecT) -> Model[Floats2d, Floats2d] | None:
    """RETURNS (Model[Floats2d, Floats2d] | None): The layer that holds a token classifier's transitions."""
    return model.maybe_get_ref(TRANSITIONS)
