"""Export any encoder as an ONNX graph with `torch.onnx`: from word pieces to the vectors of those asked for."""

import contextlib
import logging
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ...errors import Errors
from ...models.casing import cased_embeddings
from ...runtime.device import copy_to_host
from .nodes import CASINGS, OPSET, OUTPUT, own_operators

if TYPE_CHECKING:
    from onnx import ModelProto


def module_graph(module: Any, *, model_type: str, casing: bool) -> "ModelProto":
    """Export an encoder with torch.

    module (nn.Module): The encoder.
    model_type (str): Its type, for the message.
    casing (bool): Whether it reads casings.
    RETURNS (ModelProto): The graph, in float32.
    RAISES (ValueError): TC313, if torch cannot export it.
    """
    import torch

    class Vectors(torch.nn.Module):
        """From pieces to the vectors of some of them."""

        def __init__(self, encoder: Any) -> None:
            super().__init__()
            self.encoder = encoder

        def forward(self, ids: Any, mask: Any, rows: Any, casings: Any = None) -> Any:
            embedded = None if casings is None else cased_embeddings(self.encoder, ids, casings)
            given = {"input_ids": ids} if embedded is None else {"inputs_embeds": embedded}
            hidden = self.encoder(**given, attention_mask=mask).last_hidden_state  # (windows, pieces, width)
            return hidden.flatten(0, 1).index_select(0, rows)

    names = ["ids", "mask", *([CASINGS] if casing else [])]  # one tensor for two of them would make them one input
    inputs = {name: torch.ones((2, 9), dtype=torch.long) for name in names} | {"rows": torch.arange(1, 8)}
    axes = {name: dict.fromkeys(range(tensor.ndim), torch.export.Dim.DYNAMIC) for name, tensor in inputs.items()}
    try:
        with _quiet(), torch.inference_mode(False), torch.no_grad():
            program = torch.onnx.export(
                Vectors(_plain(module)).eval(),
                kwargs=inputs,
                input_names=list(inputs),
                output_names=[OUTPUT],
                dynamic_shapes=axes,
                opset_version=OPSET,
                dynamo=True,
                verbose=False,
            )
    except (RuntimeError, ValueError, TypeError) as error:
        detail = " ".join(str(error).split())[:300]
        raise ValueError(Errors.TC313.format(model_type=model_type, detail=detail)) from error
    model: ModelProto = program.model_proto  # type: ignore[union-attr]  # None with dynamo=False alone
    model.opset_import.append(own_operators())
    del model.metadata_props[:]
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    return model


def _plain(module: Any) -> Any:
    """Copy an encoder to the CPU, with attention in plain operators, which every exporter knows."""
    module = copy_to_host(module)
    if hasattr(module, "set_attn_implementation"):
        module.set_attn_implementation("eager")
    else:
        module.config._attn_implementation = "eager"
    return module


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's notes about itself from people who have no use for them."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
