"""The table of heads, and the layer that the deeper ones have before the dropout."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional
from transformers.activations import ACT2FN

from spacy_tokclf.models.classifier import build_token_classifier_v1
from spacy_tokclf.models.encoder import build_transformer_encoder_v1
from spacy_tokclf.models.head_transform import PARAMS, fill_transform, is_filled, make_transform, transform_weights
from spacy_tokclf.models.hf.heads import HEADS, HeadWeights, head_of, read_label_map, use_head

WIDTH = 6


def random_weights(*, biases: bool = True) -> dict[str, Any]:
    shapes = {"dense.weight": (WIDTH, WIDTH), "dense.bias": (WIDTH,), "norm.weight": (WIDTH,), "norm.bias": (WIDTH,)}
    names = [name for name in shapes if biases or name.endswith("weight")]
    return {name: np.random.normal(size=shapes[name]).astype("float32") for name in names}


def test_without_weights_it_passes_on() -> None:
    layer = make_transform()
    X = np.random.normal(size=(3, WIDTH)).astype("float32")
    Y, backprop = layer(X, True)
    assert Y is X
    assert backprop(X) is X
    assert not is_filled(layer)
    assert transform_weights(layer) == {}


@pytest.mark.parametrize("activation", ["gelu", "relu", "silu", "gelu_pytorch_tanh"])
@pytest.mark.parametrize("biases", [True, False])
def test_values_and_gradients_are_those_of_torch(activation: str, biases: bool) -> None:
    weights = random_weights(biases=biases)
    layer = make_transform()
    fill_transform(layer, weights, activation=activation, eps=1e-5)
    X, dY = (np.random.normal(size=(5, WIDTH)).astype("float32") for _ in range(2))
    Y, backprop = layer(X, True)
    x, *own = (torch.tensor(value, requires_grad=True) for value in (X, *weights.values()))
    named = dict(zip(weights, own, strict=True))
    dense = functional.linear(x, named["dense.weight"], named.get("dense.bias"))
    norm = (named["norm.weight"], named.get("norm.bias"), 1e-5)
    expected = functional.layer_norm(ACT2FN[activation](dense), (WIDTH,), *norm)
    np.testing.assert_allclose(Y, expected.detach().numpy(), rtol=0, atol=1e-6)
    np.testing.assert_allclose(layer.predict(X), Y, rtol=0, atol=5e-6)
    expected.backward(torch.tensor(dY))
    np.testing.assert_allclose(backprop(dY), x.grad.numpy(), rtol=0, atol=1e-5)
    for name, tensor in named.items():
        np.testing.assert_allclose(layer.get_grad(PARAMS[name]), tensor.grad.numpy(), rtol=0, atol=1e-5)


def test_it_owns_its_weights_and_keeps_them_in_bytes() -> None:
    weights = random_weights()
    layer = make_transform()
    fill_transform(layer, weights, activation="gelu", eps=1e-12)
    kept = {name: value.copy() for name, value in weights.items()}
    for value in weights.values():
        value += 1.0
    other = make_transform().from_bytes(layer.to_bytes())
    assert other.attrs == {"activation": "gelu", "eps": 1e-12}
    for name, value in transform_weights(other).items():
        assert np.array_equal(value, kept[name])
    assert layer.predict(np.zeros((0, WIDTH), "float32")).shape == (0, WIDTH)


def test_rows_of_a_checkpoint_by_name() -> None:
    model = build_token_classifier_v1(build_transformer_encoder_v1())
    layer = model.get_ref("output_layer")
    layer.set_dim("nI", WIDTH)
    layer.set_dim("nO", 3)
    layer.initialize()
    before = layer.get_param("W").copy()
    weights = np.arange(12, dtype="float32").reshape(2, WIDTH)
    head = HeadWeights({}, "", 0.0, (weights, np.array([5.0, 7.0], "float32")), ["b", "a"], 0.1)
    use_head(model, head, ["a", "new", "b"])
    assert np.array_equal(layer.get_param("W"), [weights[1], before[1], weights[0]])
    assert layer.get_param("b").tolist() == [7.0, 0.0, 5.0]
    use_head(model, head._replace(classifier=None), ["a", "new", "b"])
    assert layer.get_param("b").tolist() == [7.0, 0.0, 5.0]


def test_the_table_and_the_order_of_labels() -> None:
    assert head_of("modernbert", name="x").transform == "head"
    assert {head_of(name, name="x").classifier for name in HEADS} == {"classifier"}
    with pytest.raises(ValueError, match=r"TC250.*some/model.*'xlnet'.*distilbert"):
        head_of("xlnet", name="some/model")


def test_names_of_rows() -> None:
    def read(labels: Any, rows: int = 3, **more: Any) -> list[str]:
        return read_label_map({"id2label": labels, **more}, rows, name="some/model")

    assert read({"2": "c", "1": "b", 0: "a"}) == ["a", "b", "c"]
    assert read(dict(enumerate("abcdefghijk")), 11) == list("abcdefghijk")
    unnamed = {"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"}
    assert read(unnamed) == read(None) == list(unnamed.values())
    assert (
        read(unnamed, label2id={"c": 2, "a": 0, "b": 1}) == read(None, label2id={"c": 2, "a": 0, "b": 1}) == list("abc")
    )
    assert read(None, label2id={"a": 0, "b": 0}) == list(unnamed.values())
    assert read({"0": "a", "1": "b", "2": "c"}, num_labels=5) == list("abc")
    with pytest.warns(UserWarning, match=r"TW205.*'b' is 0.*'a'"):
        assert read({"0": "a", "1": "b", "2": "c"}, label2id={"b": 0, "a": 1, "c": 2}) == list("abc")


@pytest.mark.parametrize(
    "labels",
    [
        {"0": "a", "2": "b", "5": "c"},
        {"1": "a", "2": "b", "3": "c"},
        {"0": "a", "1": "b"},
        {"0": "a", "1": "b", "2": "c", "3": "d"},
        {"0": "a", "1": "b", "2": ""},
        {"0": "a", "1": "b", "2": 2},
        {"0": "a", "1": None, "2": "c"},
        {"a": 0, "b": 1, "c": 2},
        {"0": "a", "00": "b", "1": "c", "2": "d"},
        ["a", "b", "c"],
        "a",
        3,
        {},
    ],
)
def test_names_that_do_not_fit_the_rows(labels: Any) -> None:
    with pytest.raises(ValueError, match=r"TC085.*some/model.*id2label.*3 rows"):
        read_label_map({"id2label": labels}, 3, name="some/model")
