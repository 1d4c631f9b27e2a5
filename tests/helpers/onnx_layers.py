"""Layers in ONNX Runtime beside the encoders that they are made of."""

from pathlib import Path
from typing import Any

import torch
from hf_reference import make_encoder_model
from thinc.api import Model

from spacy_tokclf.export.onnx.graph import onnx_layer


def make_pair(folder: Path, precision: str = "fp32", **settings: Any) -> tuple[Model, Model]:
    """RETURNS (tuple[Model, Model]): The encoder of a folder in torch, and in ONNX Runtime."""
    layer = make_encoder_model(folder, **settings)
    if settings.get("casing"):
        torch.nn.init.normal_(layer.shims[0].module.casing.weight, std=0.5)
    return layer, onnx_layer(layer, precision)
