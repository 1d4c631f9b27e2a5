"""Sums in memory that processes share: those of torch, and none where there is no such memory."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from processes import run_together, values_of

from spacy_tokclf.runtime import shared_sum
from spacy_tokclf.runtime.group import ALONE, joined
from spacy_tokclf.runtime.shared_sum import share_memory

pytestmark = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="there are no files in memory")


def parts_of(rank: int, turn: int) -> list[torch.Tensor]:
    """Give what a process has in a turn."""
    draw = torch.Generator().manual_seed(10 * rank + turn)
    return [torch.randn(shape, generator=draw) for shape in ((3, 5), (1,), (turn + 2, 7))]


@pytest.mark.parametrize("size", [2, 3])
def test_sums_are_those_in_the_order_of_processes(size: int) -> None:
    def run(rank: int) -> list[np.ndarray]:
        with joined() as group:
            shared = share_memory(group, 64)
            assert shared is not None
            found = []
            for turn in range(3):
                parts = parts_of(rank, turn)
                shared.run(parts)
                found.append(torch.cat([part.reshape(-1) for part in parts]).numpy().copy())
                for part in parts:
                    part *= 0.5  # what an optimizer does to gradients is its own
            return found

    rows = [
        [torch.cat([part.reshape(-1) for part in parts_of(rank, turn)]) for rank in range(size)] for turn in range(3)
    ]
    for found in values_of(run_together(run, size=size)):
        for total, own in zip(found, rows, strict=True):
            expected = own[0].clone()
            for each in own[1:]:
                expected += each
            np.testing.assert_array_equal(total, expected.numpy())


def test_nobody_shares_what_one_cannot_open() -> None:
    def run(rank: int) -> bool:
        if rank:
            pytest.MonkeyPatch().setattr(shared_sum, "_open", lambda *args: None)
        with joined() as group:
            return share_memory(group, 64) is None

    assert values_of(run_together(run)) == [True, True]


def test_a_file_of_another_machine_of_the_same_name_is_not_written_to(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"something else" * 100)

    def run(rank: int) -> bool:
        opened = shared_sum._open
        if rank:
            pytest.MonkeyPatch().setattr(shared_sum, "_open", lambda path, *args: opened(str(other), *args))
        with joined() as group:
            return share_memory(group, 10) is None

    assert values_of(run_together(run)) == [True, True]


def test_a_system_without_files_in_memory_shares_nothing() -> None:
    def refuse(name: str) -> int:
        raise OSError("no such files")

    def run(rank: int) -> bool:
        pytest.MonkeyPatch().setattr(os, "memfd_create", refuse)
        with joined() as group:
            return share_memory(group, 64) is None

    assert values_of(run_together(run)) == [True, True]
    assert share_memory(ALONE, 64) is None
