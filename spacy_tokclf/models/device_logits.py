"""Logits of an inline encoder with a head of ours, computed where the encoder is: one transfer a batch to the host.

The slot hands every token's vector to thinc. With thinc on numpy that is hundreds of numbers a token, where a dozen
logits are asked for, and the host waits for them before it does anything else.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from spacy.tokens import Doc
from thinc.api import Ops
from thinc.types import Floats2d

from ..runtime.arrays import join_rows, to_tensor
from ..runtime.arriving import ArrivingRows
from ..runtime.device import current_device, running
from ..types import Floats32
from .base_shim import Tok2VecT
from .classifier import PLAIN_HEAD
from .encoder import prepare_pieces
from .head_transform import transform_on
from .shim import EncoderShim

if TYPE_CHECKING:
    from torch import Tensor

#: Gives what a device computes for each text, once it is there: (n_tokens, n).
Begun = Callable[[], list[Floats32]]


def torch_shim(node: Tok2VecT) -> EncoderShim | None:
    """RETURNS (EncoderShim | None): The shim of a layer that is an encoder in torch, if that is filled."""
    shim = node.shims[0] if len(node.shims) == 1 else None
    return shim if isinstance(shim, EncoderShim) and shim.is_filled else None


def inline_shim(model: Tok2VecT) -> EncoderShim | None:
    """Find the encoder of a token classifier.

    model (Model): A token classifier.
    RETURNS (EncoderShim | None): The shim of its encoder, if that is inline, in torch and filled.
    """
    return torch_shim(model.get_ref("tok2vec")) if model.has_ref("tok2vec") else None


def inline_shim_on_gpu(model: Tok2VecT) -> EncoderShim | None:
    """RETURNS (EncoderShim | None): The same, if the encoder is on a GPU."""
    shim = inline_shim(model)
    return shim if shim is not None and encoders_run_on_gpu() else None


def encoders_run_on_gpu() -> bool:
    """RETURNS (bool): Whether encoders are put on a GPU where they are used: it computes while the host does something
    else."""
    return current_device().type == "cuda"


def launch_logits(model: Tok2VecT, docs: Sequence[Doc]) -> Begun | None:
    """Begin to compute the logits of some texts, those of `model.predict` (1e-5), and do not wait for them.

    model (Model): A token classifier.
    docs (Sequence[Doc]): The texts.
    RETURNS (Callable[[], list[Floats32]] | None): Gives the logits, per text (n_tokens, n_tags), zeros for tokens
        without word pieces. None where the encoder is not inline and on a GPU, or the head is none of ours, or there
        are no tokens.
    """
    shim = inline_shim_on_gpu(model)
    if shim is None or PLAIN_HEAD not in model.attrs or not any(map(len, docs)):
        return None
    from torch.nn import functional

    node, layer = model.get_ref("tok2vec"), model.get_ref("output_layer")
    device = shim.device
    transform = transform_on(model.get_ref("transform"), device)
    weight, bias = (to_tensor(layer.get_param(name), device) for name in ("W", "b"))

    def head(rows: "Tensor") -> "Tensor":
        with running(device, precision="fp32", train=False):  # not in the precision of the encoder
            return functional.linear(transform(rows), weight, bias)

    return _launch(node, docs, layer.get_dim("nO"), head)


def launch_vectors(node: Tok2VecT, docs: Sequence[Doc]) -> Begun | None:
    """Begin to compute the vectors of some texts, those of `node.predict`, and do not wait for them.

    node (Model): What fills the slot of a `transformer_encoder`.
    docs (Sequence[Doc]): The texts.
    RETURNS (Callable[[], list[Floats32]] | None): Gives the vectors, per text (n_tokens, width), zeros for tokens
        without word pieces. None where that is no encoder in torch on a GPU, where thinc is on that GPU, too, so that
        nothing is to be fetched, or there are no tokens.
    """
    shim = torch_shim(node)
    if shim is None or not encoders_run_on_gpu() or node.ops.device_type == "gpu" or not any(map(len, docs)):
        return None
    return _launch(node, docs, node.get_dim("nO"), None)


def rows_on_host(ops: Ops, rows: Sequence[Floats2d]) -> list[Floats32]:
    """Give what thinc computed for each text in numpy: from a GPU in one transfer.

    ops (Ops): The backend of the rows.
    rows (Sequence[Floats2d]): Shapes: (n_tokens of the text, n).
    RETURNS (list[Floats32]): The same; on the CPU the same arrays.
    """
    found: Any = rows
    if ops.device_type != "cpu" and len(rows):
        found = np.split(ops.to_numpy(ops.xp.concatenate(rows)), np.cumsum([len(each) for each in rows])[:-1])
    return list(found)


def _launch(node: Tok2VecT, docs: Sequence[Doc], width: int, head: "Callable[[Tensor], Tensor] | None") -> Begun:
    """Run an encoder and what follows it, which maps (n_rows, width of the encoder) to (n_rows, width)."""
    import torch

    shim: Any = node.shims[0]
    sequences, options = prepare_pieces(node, docs, train=False)
    found, tokens = shim.backend.vectors(sequences, train=False, then=head, **options)
    device = shim.device
    with running(device, precision="fp32", train=False):
        output = torch.zeros(len(sequences.counts), width, device=device)
        if found:
            output.index_copy_(0, to_tensor(np.concatenate(tokens), device), join_rows(found))
        arriving = ArrivingRows(output)
    ends = np.cumsum([len(doc) for doc in docs]).tolist()

    def read() -> list[Floats32]:
        rows = arriving.read()
        return [rows[start:end] for start, end in zip([0, *ends], ends, strict=False)]

    return read
