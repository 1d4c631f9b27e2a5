"""A training step of an inline encoder with its linear head that stays in torch: word pieces and gold in, loss out.

The slot hands every token's vector to thinc and its gradient back. On a GPU that is two transfers and two waits a step;
here vectors, logits, loss and gradients stay on the device.
"""

import math
from collections.abc import Callable
from collections.abc import Sequence as Seq
from typing import Any, NamedTuple

import numpy as np
from spacy.tokens import Doc

from ..runtime.arrays import to_array, to_tensor
from ..types import Bools, Ints
from ..wordpieces.sequences import Sequences
from .base_shim import Tok2VecT
from .classifier import PLAIN_HEAD
from .device_logits import inline_shim
from .encoder import prepare_pieces
from .head_transform import is_filled
from .torch_head import LinearHead


def can_fuse(model: Tok2VecT) -> bool:
    """Tell whether a token classifier learns by `fused_update`: its encoder is inline and in torch, its head is dropout
    and a linear layer, and its backend offers the step where it runs.

    model (Model): A token classifier.
    RETURNS (bool): Whether it does. Else it learns through the slot.
    """
    if not model.attrs.get(PLAIN_HEAD):
        return False  # a head that we did not build, or with transitions
    shim = inline_shim(model)
    return shim is not None and not is_filled(model.get_ref("transform")) and shim.backend.fuses


class Prepared(NamedTuple):
    """All that the host has to do for a batch before the encoder runs: while a GPU works on another batch, say.

    sequences (Sequences): The word pieces, and the windows over them.
    options (dict[str, Any]): `precision` and `pooling`, as for `Backend.vectors`.
    gold (Ints): The tag row of each token, negative where there is none to learn from. Shape: (n_tokens,).
    """

    sequences: Sequences
    options: dict[str, Any]
    gold: Ints


class AheadOfTurn(NamedTuple):
    """A batch that was prepared before its turn: its texts, and what was made of them."""

    docs: list[Doc]
    batch: Prepared

    def of(self, docs: Seq[Doc]) -> Prepared | None:
        """RETURNS (Prepared | None): What was made of some texts; None if they are others."""
        same = len(docs) == len(self.docs) and all(a is b for a, b in zip(docs, self.docs, strict=True))
        return self.batch if same else None


def prepare_update(model: Tok2VecT, docs: Seq[Doc], find_gold: Callable[[list[Bools]], Ints]) -> Prepared:
    """Make word pieces and gold of a batch.

    model (Model): A token classifier for which `can_fuse` holds.
    docs (Sequence[Doc]): The texts.
    find_gold (Callable[[list[Bools]], Ints]): Gives the tag row of each token, negative where there is none to learn
        from, from which tokens of each text have word pieces. Shapes: (n_tokens,), and (n_tokens of the text,) each.
    RETURNS (Prepared): What `fused_update` takes.
    """
    node: Any = model.get_ref("tok2vec")
    sequences, options = prepare_pieces(node, docs, train=True)
    lengths = np.cumsum([len(doc) for doc in docs])
    return Prepared(sequences, options, find_gold(np.split(sequences.counts > 0, lengths[:-1])))


def fused_update(
    model: Tok2VecT,
    batch: Prepared,
    *,
    drop: float,
    label_smoothing: float,
    meanwhile: Callable[[], None] | None = None,
) -> float:
    """Add the gradients of a batch to the encoder's weights and the classifier's.

    model (Model): A token classifier for which `can_fuse` holds.
    batch (Prepared): What `prepare_update` gave.
    drop (float): Rate of the dropout before the classifier.
    label_smoothing (float): As for the component.
    meanwhile (Callable[[], None] | None): Called when the device has all that it needs, before it is waited for.
    RETURNS (float): The loss summed over tokens, in nats. If it is not finite, there are no gradients.
    """
    layer = model.get_ref("output_layer")
    shim: Any = model.get_ref("tok2vec").shims[0]
    device = shim.device
    head = LinearHead(*(to_tensor(layer.get_param(name), device).requires_grad_() for name in ("W", "b")))
    loss = shim.backend.fused_step(
        batch.sequences, batch.gold, head, drop=drop, label_smoothing=label_smoothing, **batch.options
    )
    if meanwhile is not None:
        meanwhile()
    if loss is None:
        return 0.0
    summed = float(loss)
    if not math.isfinite(summed):
        for param in shim.module.parameters():
            param.grad = None  # of no use: the caller refuses the step
        return summed
    for name, tensor in zip(("W", "b"), head, strict=True):
        gradient: Any = tensor.grad
        layer.inc_grad(name, to_array(gradient, layer.ops))
    return summed
