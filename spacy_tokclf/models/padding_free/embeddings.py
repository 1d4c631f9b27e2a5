"""The embeddings of BERT and its family for windows in a row, there and back."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch.nn import functional

from ... import compat
from ...runtime.dropout import DropoutMasks
from ...runtime.products import linear_product
from ...types import Ints
from .modules import Modules
from .ops import norm_back, summed

if TYPE_CHECKING:
    from torch import Tensor, nn


class Pieces(NamedTuple):
    """What is embedded: ids, positions and, if there are any, casings. Shapes: (n_pieces,)."""

    ids: "Tensor"
    positions: "Tensor"
    casings: "Tensor | None"


class EmbedTrace(NamedTuple):
    """What the embeddings keep for the way back: the sum, its rows' mean and inverse deviation, the mask of what was
    dropped, and what was projected."""

    total: "Tensor"
    mean: "Tensor"
    deviation: "Tensor"
    mask: "Tensor | None"
    narrow: "Tensor | None"


class EmbedGradients(NamedTuple):
    """What the gradients of the embeddings are made of: that of the sum, those of the norm's weight and bias, and of
    the projection what left it (its gradient) and what came in."""

    total: "Tensor"
    norm: "tuple[Tensor, Tensor]"
    project: "tuple[Tensor, Tensor] | None"


def count_positions(ids: Ints, lengths: Ints, pad: int | None) -> Ints:
    """Count positions in each window.

    ids (Ints): The pieces. Shape: (n_pieces,).
    lengths (Ints): Pieces of each window. Shape: (n_windows,).
    pad (int | None): Where positions begin, as RoBERTa has it: with the padding's id, which is not counted where it
        is a piece of the text. None to count from 0.
    RETURNS (Ints): Shape: (n_pieces,).
    """
    starts = np.cumsum(lengths) - lengths
    if pad is None:
        return np.arange(len(ids)) - np.repeat(starts, lengths)
    real = (ids != pad).astype("int64")
    counted = np.cumsum(real)
    before = np.repeat((counted - real)[starts], lengths)
    return (counted - before) * real + pad


def embed_params(parts: Modules) -> "list[Tensor]":
    """RETURNS (list[Tensor]): What the embeddings learn, in the order in which `embed_gradients` gives gradients."""
    tables = [table.weight for table in (parts.words, parts.positions, parts.types, parts.casing) if table is not None]
    project = [parts.project.weight, parts.project.bias] if parts.project is not None else []
    return [*tables, parts.norm.weight, parts.norm.bias, *project]


def embed(pieces: Pieces, parts: Modules, masks: DropoutMasks | None) -> "tuple[Tensor, EmbedTrace]":
    """Embed pieces.

    pieces (Pieces): The pieces.
    parts (Modules): The encoder.
    masks (DropoutMasks | None): Draws what is dropped; None for nothing.
    RETURNS (tuple[Tensor, EmbedTrace]): float32, shape (n_pieces, width), and what the way back needs.
    """
    total = functional.embedding(pieces.ids, parts.words.weight)
    total += functional.embedding(pieces.positions, parts.positions.weight)
    if parts.casing is not None and pieces.casings is not None:
        total += functional.embedding(pieces.casings, parts.casing.weight)
    if parts.types is not None:
        total += parts.types.weight[0]
    norm = parts.norm
    x, mean, deviation = compat.layer_norm(total, norm)
    mask = masks.draw(tuple(x.shape), parts.dropout, x.dtype) if masks else None
    x = x if mask is None else x * mask
    narrow = None
    if parts.project is not None:
        narrow, x = x, linear_product(x, parts.project.weight, parts.project.bias)
    return x, EmbedTrace(total, mean, deviation, mask, narrow)


def embed_back(dy: "Tensor", trace: EmbedTrace, parts: Modules) -> EmbedGradients:
    """Go back through the embeddings.

    dy (Tensor): The gradient of what left them. Shape: (n_pieces, width).
    trace (EmbedTrace): What they kept.
    parts (Modules): The encoder.
    RETURNS (EmbedGradients): What the gradients are made of.
    """
    project = None
    if parts.project is not None and trace.narrow is not None:
        project = dy, trace.narrow
        dy = linear_product(dy, parts.project.weight.t())
    if trace.mask is not None:
        dy = dy * trace.mask
    return EmbedGradients(*norm_back(dy, trace.total, trace.mean, trace.deviation, parts.norm), project)


def embed_gradients(
    shares: Sequence[EmbedGradients], pieces: Sequence[Pieces], parts: Modules, needed: Sequence[bool]
) -> "list[Tensor | None]":
    """Work out the gradients of the embeddings.

    shares (Sequence[EmbedGradients]): What the shares of a batch gave.
    pieces (Sequence[Pieces]): Their pieces.
    parts (Modules): The encoder.
    needed (Sequence[bool]): For each of `embed_params`, whether it learns.
    RETURNS (list[Tensor | None]): For each of them its gradient, or None.
    """
    d_total = torch.cat([share.total for share in shares])
    ids, positions = (torch.cat(each) for each in zip(*(each[:2] for each in pieces), strict=True))
    want = iter(needed)
    grads = [
        _of_table(d_total, ids, parts.words, next(want)),
        _of_table(d_total, positions, parts.positions, next(want)),
    ]
    if parts.types is not None:
        grads.append(_of_table(d_total, torch.zeros_like(ids), parts.types, next(want)))
    if parts.casing is not None:
        casings = [each.casings for each in pieces if each.casings is not None]
        grads.append(_of_table(d_total, torch.cat(casings), parts.casing, next(want)) if casings else None)
    grads += summed([share.norm for share in shares])
    projects = [share.project for share in shares if share.project is not None]
    if projects:
        dy, x = (torch.cat(each) for each in zip(*projects, strict=True))
        grads += [linear_product(dy.t(), x.t()), dy.sum(0)]
    return grads


def _of_table(d_rows: "Tensor", ids: "Tensor", table: "nn.Embedding", needed: bool) -> "Tensor | None":
    if not needed:
        return None
    return compat.embedding_backward(d_rows, ids, table)
