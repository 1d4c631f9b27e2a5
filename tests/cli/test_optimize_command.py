"""The command `optimize`."""

from collections.abc import Callable
from pathlib import Path

import pytest
import spacy
from spacy.language import Language
from typer.testing import CliRunner

from spacy_tokclf.cli import app

pytest.importorskip("onnxscript")

GOLD = "London\tB-location\ncalls\tO\n\nBob\tB-person\nin\tO\nNew\tB-location\nYork\tI-location\n"


def run(*args: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["optimize", *(str(arg) for arg in args)])
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture
def saved(nlp: Language, tmp_path: Path) -> Path:
    nlp.to_disk(tmp_path / "pipeline")
    return tmp_path / "pipeline"


def test_without_data(saved: Path, tmp_path: Path) -> None:
    output = run(saved, tmp_path / "out", "--precision", "fp32")
    assert "texts of our own" in output and "Largest difference" in output and "F1" not in output
    assert spacy.load(tmp_path / "out").pipe_names == ["ner"]
    assert "TC259" in run(saved, tmp_path / "out", code=1)
    run(saved, tmp_path / "out", "--force", "--component", "ner")


def test_with_data(saved: Path, write: Callable[..., str], tmp_path: Path) -> None:
    data = write("gold.conll", GOLD)
    output = run(saved, tmp_path / "out", "--data", data, "--max-f1-loss", "1")
    assert "F1 before" in output and "F1 after" in output and "Tokens" in output
    assert (tmp_path / "out" / "meta.json").is_file()


@pytest.mark.parametrize(("options", "code"), [(("--precision", "int4"), "TC304"), (("-c", "x"), "TC307")])
def test_what_cannot_be_done(options: tuple[str, ...], code: str, saved: Path, tmp_path: Path) -> None:
    assert code in run(saved, tmp_path / "out", *options, code=1)
    assert not (tmp_path / "out").exists()
