"""Damaged folders are refused by a code, or predict as the whole ones: `scripts/torture.py damage`, but shorter."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_damaged_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    monkeypatch.setitem(sys.modules, "torturing", None)  # type: ignore[arg-type]
    monkeypatch.delitem(sys.modules, "torturing")
    from torturing import damage

    monkeypatch.setenv(damage.CHECK_FILES, "1")
    folders = damage.make_folders(tmp_path / "whole", ["crf", "shared", "checkpoint"])
    outcomes = damage.torture(folders, tmp_path, times=30, seed=3)
    assert not [outcome for outcome in outcomes if outcome.startswith(damage.FINDING)]
    assert outcomes["refused with a code"] > 10
