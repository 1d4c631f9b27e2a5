"""A small form of `scripts/torture.py processes`."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "scripts"))

import torture  # noqa: E402


@pytest.mark.slow
def test_a_training_survives_the_death_of_a_process(capsys: pytest.CaptureFixture[str]) -> None:
    status = torture.main(["processes", "--times", "1", "--tiny", "--steps", "24", "--seed", "3"])
    said = capsys.readouterr().out
    assert status == 0 and "1 training(s) went to their end" in said and "named the process" in said
