"""The embeddings of BERT and its family for word pieces in one row: forward pass, backward pass, gradients."""

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
from .ops import norm_backward, sum_pairs

if TYPE_CHECKING:
    from torch import Tensor, nn


class Pieces(NamedTuple):
    """What is embedded: ids, positions and, if there are any, casings. Shapes: (n_pieces,)."""

    ids: "Tensor"
    positions: "Tensor"
    casings: "Tensor | None"


class SavedEmbeddings(NamedTuple):
    """What the embeddings save for their backward pass.

    total (Tensor): Sum of the tables' rows. Shape: (n_pieces, embedding width).
    mean, deviation (Tensor): Mean and inverse standard deviation of its rows. Shapes: (n_pieces, 1).
    mask (Tensor | None): The dropout mask. Shape: (n_pieces, embedding width).
    projected (Tensor | None): Input of the projection, where the encoder is wider than its embeddings.
    """

    total: "Tensor"
    mean: "Tensor"
    deviation: "Tensor"
    mask: "Tensor | None"
    projected: "Tensor | None"


class EmbeddingFactors(NamedTuple):
    """What the gradients of the embeddings are made of: the gradient of the sum; those of the norm's weight and bias;
    of the projection, the gradient of its output and its input."""

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
    counted = np.cumsum(real)  # over all windows; less what was counted before each
    before = np.repeat((counted - real)[starts], lengths)
    return (counted - before) * real + pad


def embed_params(modules: Modules) -> "list[Tensor]":
    """RETURNS (list[Tensor]): What the embeddings learn, in the order in which `embed_gradients` gives gradients."""
    tables = (modules.words, modules.positions, modules.types, modules.casing)
    project = [modules.project.weight, modules.project.bias] if modules.project is not None else []
    return [*(table.weight for table in tables if table is not None), modules.norm.weight, modules.norm.bias, *project]


def embed(pieces: Pieces, modules: Modules, masks: DropoutMasks | None) -> "tuple[Tensor, SavedEmbeddings]":
    """Embed pieces: sum of the tables, layer norm, dropout, projection.

    pieces (Pieces): The pieces.
    modules (Modules): The encoder.
    masks (DropoutMasks | None): Draws the dropout mask; None for no dropout.
    RETURNS (tuple[Tensor, SavedEmbeddings]): float32, shape (n_pieces, width), and what the backward pass needs.
    """
    total = functional.embedding(pieces.ids, modules.words.weight)  # (n_pieces, embedding width)
    total += functional.embedding(pieces.positions, modules.positions.weight)
    if modules.casing is not None and pieces.casings is not None:
        total += functional.embedding(pieces.casings, modules.casing.weight)
    if modules.types is not None:
        total += modules.types.weight[0]  # one text a window: all pieces are of the first type
    x, mean, deviation = compat.layer_norm(total, modules.norm)
    mask = masks.draw(tuple(x.shape), modules.dropout, x.dtype) if masks else None
    x = x if mask is None else x * mask
    projected = None
    if modules.project is not None:
        projected, x = x, linear_product(x, modules.project.weight, modules.project.bias)
    return x, SavedEmbeddings(total, mean, deviation, mask, projected)


def embed_backward(dy: "Tensor", saved: SavedEmbeddings, modules: Modules) -> EmbeddingFactors:
    """Backward pass of `embed`.

    dy (Tensor): Gradient of the output. Shape: (n_pieces, width).
    saved (SavedEmbeddings): What `embed` saved.
    modules (Modules): The encoder.
    RETURNS (EmbeddingFactors): What the gradients are made of.
    """
    project = None
    if modules.project is not None and saved.projected is not None:
        project = dy, saved.projected
        dy = linear_product(dy, modules.project.weight.t())
    if saved.mask is not None:
        dy = dy * saved.mask
    return EmbeddingFactors(*norm_backward(dy, saved.total, saved.mean, saved.deviation, modules.norm), project)


def embed_gradients(
    shards: Sequence[EmbeddingFactors], pieces: Sequence[Pieces], modules: Modules, needed: Sequence[bool]
) -> "list[Tensor | None]":
    """Compute the gradients of the embeddings.

    shards (Sequence[EmbeddingFactors]): What `embed_backward` gave for each shard of a batch.
    pieces (Sequence[Pieces]): Their pieces.
    modules (Modules): The encoder.
    needed (Sequence[bool]): For each of `embed_params`, whether it learns.
    RETURNS (list[Tensor | None]): For each of them its gradient, or None.
    """
    d_total = torch.cat([shard.total for shard in shards])  # (n_pieces of the batch, embedding width)
    ids, positions = (torch.cat(each) for each in zip(*(each[:2] for each in pieces), strict=True))
    learns = iter(needed)
    grads = [
        _table_gradient(d_total, ids, modules.words, next(learns)),
        _table_gradient(d_total, positions, modules.positions, next(learns)),
    ]
    if modules.types is not None:
        grads.append(_table_gradient(d_total, torch.zeros_like(ids), modules.types, next(learns)))
    if modules.casing is not None:
        casings = [each.casings for each in pieces if each.casings is not None]
        grads.append(_table_gradient(d_total, torch.cat(casings), modules.casing, next(learns)) if casings else None)
    grads += sum_pairs([shard.norm for shard in shards])
    projects = [shard.project for shard in shards if shard.project is not None]
    if projects:
        dy, x = (torch.cat(each) for each in zip(*projects, strict=True))
        grads += [linear_product(dy.t(), x.t()), dy.sum(0)]
    return grads


def _table_gradient(d_rows: "Tensor", ids: "Tensor", table: "nn.Embedding", needed: bool) -> "Tensor | None":
    return compat.embedding_backward(d_rows, ids, table) if needed else None
