"""Dropout masks, and torch's random state."""

import pytest
import torch

from spacy_tokclf.runtime.dropout import DropoutMasks, rng_kept

CPU = torch.device("cpu")


def test_the_random_state_is_kept():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    with rng_kept():
        torch.rand(10)
        torch.nn.Linear(5, 5)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_masks(rate):
    torch.manual_seed(0)
    masks = DropoutMasks(CPU)
    one, other = (masks.draw((500, 999), rate, torch.float32) for _ in range(2))
    assert one.unique().tolist() == pytest.approx([0.0, 1 / (1 - rate)], rel=1e-3)
    spread = (rate * (1 - rate) / one.numel()) ** 0.5
    assert float((one == 0).float().mean()) == pytest.approx(rate, abs=5 * spread)
    assert float(one.mean()) == pytest.approx(1.0, abs=5 * spread / (1 - rate))
    for pair in ((one, other), (one[:, 1:], one[:, :-1]), (one[:, 4:], one[:, :-4]), (one[1:], one[:-1])):
        assert abs(float(torch.corrcoef(torch.stack([x.flatten() for x in pair]))[0, 1])) < 0.01
    torch.manual_seed(0)
    again = DropoutMasks(CPU)
    assert torch.equal(again.draw((500, 999), rate, torch.float32), one)
    assert not torch.equal(DropoutMasks(CPU).draw((500, 999), rate, torch.float32), one)


def test_dropout_masks_at_the_ends():
    masks = DropoutMasks(CPU)
    assert masks.draw((3,), 0.0, torch.float32) is None
    assert not masks.draw((3, 2), 1.0, torch.bfloat16).any()
    assert masks.draw((3, 2), 0.5, torch.bfloat16).dtype == torch.bfloat16
    assert DropoutMasks(torch.device("meta")).draw((3, 2), 0.5, torch.float32).device.type == "meta"
