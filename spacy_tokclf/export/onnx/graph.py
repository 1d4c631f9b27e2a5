"""Make the ONNX layer of an encoder: its graph is our own for BERT and its family, else exported by torch."""

from typing import Any

from thinc.api import Model

from ...errors import Errors
from ...models.onnx.encoder import build_onnx_encoder_v1
from ...models.padding_free.modules import find_modules
from ...models.shim import EncoderShim
from .family import activation_of, family_graph
from .int8 import to_int8
from .module import module_graph

#: Settings that the two architectures share.
SETTINGS = ("pooling", "window", "overlap", "normalize", "casing")
#: Bytes that a graph may have: its format cannot hold more.
LIMIT = 2**31 - 2**20


def onnx_layer(node: Model, precision: str) -> Model:
    """Make the layer that takes the place of an encoder.

    node (Model): A `TransformerEncoder.v1` with weights.
    precision (str): "fp32" or "int8".
    RETURNS (Model): An `OnnxEncoder.v1` with the same settings.
    RAISES (ValueError): TC012, if the encoder has no weights; TC312, if the graph would be too large; TC313, if torch
        cannot export the encoder.
    """
    shim: Any = node.shims[0]
    settings = {key: node.attrs[key] for key in SETTINGS}
    layer = build_onnx_encoder_v1(**settings)
    optimized: Any = layer.shims[0]
    optimized.fill(
        make_graph(shim, precision, casing=settings["casing"]),
        settings={
            "width": shim.width,
            "pad_id": shim.pad_id,
            "max_pieces": shim.max_pieces,
            "precision": precision,
            "model_type": shim.config["model_type"],
        },
        tokenizer_json=shim.tokenizer.to_str(),
    )
    layer.set_dim("nO", shim.width)
    return layer


def make_graph(shim: EncoderShim, precision: str, *, casing: bool) -> bytes:
    """Write the graph of an encoder.

    shim (EncoderShim): The encoder.
    precision (str): "fp32" or "int8".
    casing (bool): Whether it reads casings.
    RETURNS (bytes): The graph.
    RAISES (ValueError): As for `onnx_layer`.
    """
    module, model_type = shim.module.eval(), shim.config["model_type"]
    parts, activation = find_modules(module), activation_of(shim.config)
    if parts is not None and activation is not None:
        model = family_graph(parts, activation)
    else:
        model = module_graph(module, model_type=model_type, casing=casing)
    if precision == "int8":
        model = to_int8(model)
    size = sum(len(tensor.raw_data) for tensor in model.graph.initializer)
    if size > LIMIT:
        raise ValueError(Errors.TC312.format(model_type=model_type, size=f"{size / 1e9:.1f}", precision=precision))
    graph: bytes = model.SerializeToString()
    return graph
