"""What the distance of two pieces adds to the scores of attention, as MPNet has it (Song et al., 2020, after T5: Raffel
et al., 2020, section 2.1): one value for each head and bucket of distances, the same in all layers.

Distances are those of a key from its query within a window, so a padded window has the values of any other.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import log
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn.functional import pad

from ... import compat
from ...runtime.arrays import to_tensor
from ...types import Ints
from .modules import BUCKETS

if TYPE_CHECKING:
    from torch import Tensor, nn

#: Distances below the first have buckets of their own, and all from the second on share the last; between them buckets
#: widen with the logarithm. So it is for keys before their query, and once more for those after it.
EXACT, FAR = BUCKETS // 4, 128


@lru_cache(maxsize=64)
def distance_buckets(length: int) -> Ints:
    """Give the buckets of the distances within a window, in the arithmetic of transformers' MPNet.

    length (int): Pieces of the window.
    RETURNS (Ints): Of the distances from 1 - length to length - 1, key less query. Shape: (2 * length - 1,).
    """
    half = BUCKETS // 2
    with torch.inference_mode(False):
        distance = torch.arange(1 - length, length)
        size = distance.abs()
        wide = EXACT + (torch.log(size.float() / EXACT) / log(FAR / EXACT) * (half - EXACT)).long()
        found = torch.where(size < EXACT, size, wide.clamp(max=half - 1)) + half * (distance > 0)
    return np.array(found.tolist())


def distance_scores(table: "nn.Embedding", length: int, dtype: "torch.dtype") -> "Tensor":
    """Give what is added to the scores of a window.

    table (nn.Embedding): The values of each bucket.
    length (int): Pieces of the window, padding included.
    dtype (torch.dtype): Precision of the scores.
    RETURNS (Tensor): Shape: (heads, queries, keys), both `length`.
    """
    buckets = to_tensor(distance_buckets(length), table.weight.device)
    values = table.weight.detach().index_select(0, buckets).type(dtype).t()  # (heads, 2 * length - 1)
    # Each query's values are a window over those of all distances, which begins one further to the left for the next.
    return values.unfold(1, length, 1).flip(1)


def distance_gradient(d_scores: "Sequence[Tensor]", table: "nn.Embedding") -> "Tensor":
    """Backward pass of `distance_scores`.

    d_scores (Sequence[Tensor]): Gradients of the scores, summed over layers and over windows of one length. Shapes:
        (heads, length, length).
    table (nn.Embedding): The values of each bucket.
    RETURNS (Tensor): Gradient of the table. Shape: (buckets, heads).
    """
    gradient = torch.zeros_like(table.weight)
    for block in d_scores:
        heads, length, _ = block.shape
        # Rows of one value less than they have: what has one distance lies in one column then.
        skewed = pad(block.flip(1), (0, length)).as_strided(
            (heads, length, 2 * length - 1), (2 * length * length, 2 * length - 1, 1)
        )
        buckets = to_tensor(distance_buckets(length), block.device)
        gradient += compat.embedding_backward(skewed.sum(1).t().type(gradient.dtype).contiguous(), buckets, table)
    return gradient
