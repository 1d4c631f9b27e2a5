"""Pooling: one vector per token from the vectors of its word pieces, in torch and in numpy."""

from typing import TYPE_CHECKING

import numpy as np

from ..errors import Errors
from ..types import Floats32, Ints

if TYPE_CHECKING:
    import torch

POOLINGS = ("first", "mean", "max")


def check_pooling(pooling: str) -> None:
    """Refuse a pooling that does not exist.

    pooling (str): The name in the config.
    RAISES (ValueError): TC003.
    """
    if pooling not in POOLINGS:
        raise ValueError(Errors.TC003.format(value=pooling, choices=", ".join(POOLINGS)))


def pool_tokens(
    vectors: "torch.Tensor", first: "torch.Tensor", counts: "torch.Tensor", *, pooling: str, n_pieces: int | None = None
) -> "torch.Tensor":
    """Pool the vectors of each token's pieces, in torch. Differentiable.

    vectors (torch.Tensor): The encoder's output, batch and position flattened. Shape: (n_positions, width).
    first (torch.Tensor): Position of each token's first piece. Shape: (n_tokens,).
    counts (torch.Tensor): Pieces of each token, at least 1, next to each other. Shape: (n_tokens,).
    pooling (str): "first" (as Hugging Face labels tokens), "mean" or "max" of the pieces.
    n_pieces (int | None): The sum of the counts, where that is known without waiting for a device.
    RETURNS (torch.Tensor): Shape: (n_tokens, width).
    """
    import torch

    if pooling == "first":
        return vectors.index_select(0, first)
    # (n_pieces,) each: which token a piece belongs to, and which of its pieces it is.
    token = torch.repeat_interleave(torch.arange(len(counts), device=counts.device), counts, output_size=n_pieces)
    within = torch.arange(len(token), device=counts.device) - (counts.cumsum(0) - counts)[token]
    pieces = vectors.index_select(0, first[token] + within)  # (n_pieces, width)
    if pooling == "mean":
        total = pieces.new_zeros((len(counts), vectors.shape[1])).index_add(0, token, pieces)
        return total / counts[:, None]
    # The maximum as a scatter: every piece's row is reduced into the row of its token.
    lowest = pieces.new_full((len(counts), vectors.shape[1]), float("-inf"))
    return lowest.scatter_reduce(0, token[:, None].expand_as(pieces), pieces, "amax")


def pool_arrays(pieces: Floats32, counts: Ints, *, pooling: str) -> Floats32:
    """Pool the vectors of each token's pieces, in numpy.

    pieces (Floats32): Vectors of the pieces of all tokens, token after token; of the first ones only if those are
        pooled. Shape: (n_pieces, width).
    counts (Ints): Pieces of each token, at least 1. Shape: (n_tokens,).
    pooling (str): "first", "mean" or "max".
    RETURNS (Floats32): Shape: (n_tokens, width).
    """
    if pooling == "first" or not len(counts):
        return pieces
    # (n_tokens,): first row of each token; reduceat works on the rows up to the next token's first.
    starts = np.cumsum(counts) - counts
    if pooling == "max":
        return np.maximum.reduceat(pieces, starts)
    return np.add.reduceat(pieces, starts) / counts[:, None].astype("float32")
