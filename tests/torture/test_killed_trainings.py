"""Trainings are killed at random moments, and go on: the smaller form of `scripts/torture.py train`."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from torture import main

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("pipeline", ["default", "shared", "crf"])
def test_a_training_that_is_killed_goes_on(pipeline: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", "--tiny", "--pipeline", pipeline, "--times", "4", "--steps", "16", "--texts", "60"]
    assert main([*words, "--checkpoint-steps", "3", "--seed", "1"]) == 0
    assert "bit by bit" in capsys.readouterr().out
