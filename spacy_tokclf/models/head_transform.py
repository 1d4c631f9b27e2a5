"""The layer that some token classifiers have before dropout and linear: dense, activation, layer norm.

It is a node of every token classifier and passes its input through until weights arrive with `fill_transform`, so that
one saved format serves the heads with and without it. It belongs to the classifier rather than to the encoder: what
else listens to a shared encoder gets the encoder's own vectors, and the optimizer treats it as part of the head. The
arithmetic is torch's, so that its values are those of Hugging Face for every activation; with the usual one, prediction
does without torch, for pipelines whose encoder does so too; the values are within 1e-5.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from thinc.api import Model
from thinc.types import Floats2d, FloatsXd

from ..runtime.arrays import to_array, to_tensor
from ..runtime.device import current_device, running

if TYPE_CHECKING:
    import torch
    from torch import Tensor

#: Names in a Hugging Face head, and ours.
PARAMS = {"dense.weight": "W", "dense.bias": "b", "norm.weight": "G", "norm.bias": "B"}


def make_transform() -> Model[Floats2d, Floats2d]:
    """RETURNS (Model[Floats2d, Floats2d]): The layer, without weights."""
    params = dict.fromkeys(PARAMS.values())
    return Model("head_transform", forward, params=params, attrs={"activation": "", "eps": 0.0})


def is_filled(layer: Model[Floats2d, Floats2d]) -> bool:
    """RETURNS (bool): Whether the layer has weights."""
    return bool(layer.attrs["activation"])


def fill_transform(
    layer: Model[Floats2d, Floats2d], weights: Mapping[str, FloatsXd], *, activation: str, eps: float
) -> None:
    """Give the layer weights.

    layer (Model[Floats2d, Floats2d]): The layer.
    weights (Mapping[str, FloatsXd]): Arrays by their Hugging Face names, keys of PARAMS; biases may be missing.
    activation (str): A name that Hugging Face knows, such as "gelu".
    eps (float): Added to the variance by the layer norm.
    """
    for name, own in PARAMS.items():
        if name in weights:
            layer.set_param(own, layer.ops.asarray_f(weights[name]).copy())
    layer.attrs["activation"] = activation
    layer.attrs["eps"] = eps


def transform_weights(layer: Model[Floats2d, Floats2d]) -> dict[str, FloatsXd]:
    """RETURNS (dict[str, FloatsXd]): The layer's arrays by their Hugging Face names; empty without weights."""
    return {name: layer.get_param(own) for name, own in PARAMS.items() if layer.has_param(own)}


def forward(
    layer: Model[Floats2d, Floats2d], X: Floats2d, is_train: bool
) -> tuple[Floats2d, Callable[[Floats2d], Floats2d]]:
    """Transform vectors, or pass them on.

    layer (Model[Floats2d, Floats2d]): The layer.
    X (Floats2d): Shape: (n, width).
    is_train (bool): Whether gradients will follow.
    RETURNS (tuple[Floats2d, Callable]): Shape: (n, width), and the backprop callback.
    """
    if not is_filled(layer) or not len(X):
        return X, lambda dY: dY
    if not is_train and layer.attrs["activation"] == "gelu":
        return _predict(layer, X), lambda dY: dY
    import torch

    device = current_device()
    tensors = _tensors(layer, device)
    x = to_tensor(X, device)
    if is_train:
        inputs = [tensor.requires_grad_() for tensor in (x, *tensors.values())]
    with running(device, precision="fp32", train=is_train):
        y = _transform(layer, x, tensors)

    def backprop(dY: Floats2d) -> Floats2d:
        dx, *d_params = torch.autograd.grad(y, inputs, to_tensor(dY, device))
        for name, gradient in zip(tensors, d_params, strict=True):
            layer.inc_grad(name, to_array(gradient, layer.ops))
        return to_array(dx, layer.ops)

    return to_array(y, layer.ops), backprop


def transform_on(layer: Model[Floats2d, Floats2d], device: "torch.device") -> "Callable[[Tensor], Tensor]":
    """Give the layer as a function of tensors on a device. No gradient is recorded.

    layer (Model[Floats2d, Floats2d]): The layer.
    device (torch.device): The device, where its weights are put.
    RETURNS (Callable[[Tensor], Tensor]): Transforms vectors, or passes them on: float32, (n, width).
    """
    if not is_filled(layer):
        return lambda rows: rows
    tensors = _tensors(layer, device)
    return lambda rows: _transform(layer, rows, tensors)


def _tensors(layer: Model[Floats2d, Floats2d], device: "torch.device") -> "dict[str, Tensor]":
    """Give the layer's weights as tensors on a device, by our names."""
    return {name: to_tensor(layer.get_param(name), device) for name in PARAMS.values() if layer.has_param(name)}


def _transform(layer: Model[Floats2d, Floats2d], x: "Tensor", tensors: "dict[str, Tensor]") -> "Tensor":
    """Dense layer, activation and layer norm, with torch: (n, width)."""
    from torch.nn import functional
    from transformers.activations import ACT2FN

    active = ACT2FN[layer.attrs["activation"]](functional.linear(x, tensors["W"], tensors.get("b")))
    return functional.layer_norm(active, (active.shape[1],), tensors["G"], tensors.get("B"), layer.attrs["eps"])


def _predict(layer: Model[Floats2d, Floats2d], X: Floats2d) -> Floats2d:
    """Dense layer, GELU and layer norm, with thinc."""
    ops = layer.ops
    params: dict[str, Any] = {name: layer.get_param(name) for name in PARAMS.values() if layer.has_param(name)}
    x: Any = ops.gelu(ops.gemm(X, params["W"], trans2=True) + params.get("b", 0.0))
    x = x - x.mean(axis=1, keepdims=True)
    x = x / ops.xp.sqrt((x**2).mean(axis=1, keepdims=True) + layer.attrs["eps"])
    return ops.asarray2f(x * params["G"] + params.get("B", 0.0))
