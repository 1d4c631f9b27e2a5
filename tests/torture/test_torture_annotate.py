"""A small form of `scripts/torture.py annotate`."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "scripts"))

import torture  # noqa: E402


@pytest.mark.slow
def test_shards_survive_kills(capsys: pytest.CaptureFixture[str]) -> None:
    status = torture.main(["annotate", "--times", "1", "--posts", "400", "--shard-rows", "20", "--seed", "1"])
    said = capsys.readouterr().out
    assert status == 0 and "byte-identical in the end" in said and "shards left alone" in said
