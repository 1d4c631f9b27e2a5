"""Pooling of word pieces: equal to a plain loop, and with the right gradient."""

import numpy as np
import pytest
import torch

from spacy_tokclf.wordpieces.pool import POOLINGS, check_pooling, pool_arrays, pool_tokens

FIRST = torch.tensor([7, 1, 3, 12])
COUNTS = torch.tensor([3, 1, 4, 2])
REDUCE = {
    "first": lambda rows: rows[0],
    "mean": lambda rows: rows.sum(0) / len(rows),
    "max": lambda rows: rows.max(0).values,
}


@pytest.mark.parametrize("pooling", POOLINGS)
def test_equal_to_a_plain_loop(pooling):
    vectors = torch.randn(15, 6)
    expected = [REDUCE[pooling](vectors[f : f + n]) for f, n in zip(FIRST.tolist(), COUNTS.tolist(), strict=True)]
    got = pool_tokens(vectors, FIRST, COUNTS, pooling=pooling)
    torch.testing.assert_close(got, torch.stack(expected), rtol=0, atol=1e-6)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_numeric_gradient(pooling):
    vectors = torch.randn(15, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: pool_tokens(x, FIRST, COUNTS, pooling=pooling), vectors)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_pieces_of_no_token_get_no_gradient(pooling):
    vectors = torch.randn(15, 3, requires_grad=True)
    pool_tokens(vectors, FIRST, COUNTS, pooling=pooling).sum().backward()
    used = {f + i for f, n in zip(FIRST.tolist(), COUNTS.tolist(), strict=True) for i in range(n)}
    unused = [i for i in range(15) if i not in used]
    assert unused and not vectors.grad[unused].any()
    assert vectors.grad[FIRST].any()


@pytest.mark.parametrize("pooling", POOLINGS)
def test_no_tokens(pooling):
    empty = torch.zeros(0, dtype=torch.int64)
    assert pool_tokens(torch.randn(5, 3), empty, empty, pooling=pooling).shape == (0, 3)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_bfloat16_stays_bfloat16(pooling):
    vectors = torch.randn(15, 3).bfloat16()
    assert pool_tokens(vectors, FIRST, COUNTS, pooling=pooling).dtype == torch.bfloat16


def test_an_unknown_pooling_is_refused():
    with pytest.raises(ValueError, match="TC003"):
        check_pooling("median")


@pytest.mark.parametrize("pooling", POOLINGS)
def test_arrays_are_pooled_as_tensors_are(pooling):
    vectors = torch.randn(15, 6)
    expected = pool_tokens(vectors, FIRST, COUNTS, pooling=pooling)
    token = torch.repeat_interleave(torch.arange(len(COUNTS)), COUNTS)
    rows = FIRST[token] + torch.cat([torch.arange(n) for n in COUNTS.tolist()])
    pieces = vectors[FIRST if pooling == "first" else rows]
    got = pool_arrays(pieces.numpy(), COUNTS.numpy(), pooling=pooling)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, expected.numpy(), rtol=0, atol=1e-6)
    assert pool_arrays(pieces.numpy()[:0], COUNTS.numpy()[:0], pooling=pooling).shape == (0, 6)
