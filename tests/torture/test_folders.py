"""Saving is killed at random moments, and on a full disk: the smaller form of `scripts/torture.py`."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from torture import main
from torturing import _folders

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("way", "kinds", "allowed"),
    [
        ("save", ("default", "shared"), {_folders.OLD, _folders.NEW}),
        ("to_disk", ("two", "crf"), {_folders.OLD, _folders.NEW, _folders.REFUSED, _folders.NOT_LOADED}),
        ("disk_full", ("default",), {"an error with a code, and the old pipeline", "saved"}),
    ],
)
def test_saving(way: str, kinds: tuple[str, ...], allowed: set[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([way, "--times", "8", "--seed", "3", "--kinds", *kinds]) == 0
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert sum(int(count) for count, _ in lines) == 8
    assert {outcome.removesuffix(" (it had finished)") for _, outcome in lines} <= allowed


def test_what_it_finds_is_found(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without the checks at load, mixtures load."""
    monkeypatch.setenv("SPACY_TOKCLF_CHECK_FILES", "0")
    assert main(["to_disk", "--times", "6", "--kinds", "two"]) == 1
    assert "FINDING: a mixture" in capsys.readouterr().out
