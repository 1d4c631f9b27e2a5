"""The commands import-hf, export-hf and debug-pieces."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import spacy
from spacy.language import Language
from typer.testing import CliRunner

from spacy_tokclf.cli import app


def run(*args: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(arg) for arg in args])
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture
def saved(nlp: Language, tmp_path: Path) -> Path:
    """A saved pipeline."""
    nlp.to_disk(tmp_path / "pipeline")
    return tmp_path / "pipeline"


def test_there_and_back(saved: Path, tmp_path: Path) -> None:
    assert "Wrote" in run("export-hf", saved, tmp_path / "hf")
    assert "TC259" in run("export-hf", saved, tmp_path / "hf", code=1)
    run("export-hf", saved, tmp_path / "hf", "--force", "--component", "ner")
    output = run("import-hf", tmp_path / "hf", tmp_path / "back", "--lang", "de", "--component", "names")
    assert "creative-work" in output
    one, two = spacy.load(saved), spacy.load(tmp_path / "back")
    assert (two.lang, two.pipe_names) == ("de", ["names"])
    assert two.get_pipe("names").label_data == one.get_pipe("ner").label_data


def test_import_with_other_labels(saved: Path, tmp_path: Path) -> None:
    run("export-hf", saved, tmp_path / "hf")
    tags = json.loads((tmp_path / "hf" / "config.json").read_text())["id2label"].values()
    labels = ",".join(tag.replace("person", "human") for tag in tags)
    options = ("--labels", labels, "--scheme", "IOB1", "--decode", "greedy")
    run("import-hf", tmp_path / "hf", tmp_path / "back", *options)
    pipe = spacy.load(tmp_path / "back").get_pipe("ner")
    assert "human" in pipe.labels
    assert (pipe.cfg["scheme"], pipe.cfg["decode"]) == ("IOB1", "greedy")
    assert "TC254" in run("import-hf", tmp_path / "hf", tmp_path / "other", "--labels", "O,B-a", code=1)
    assert "TC010" in run("import-hf", tmp_path / "nothing", tmp_path / "other", code=1)
    assert not (tmp_path / "other").exists()


def test_debug_pieces_prints_a_table(saved: Path) -> None:
    lines = run("debug-pieces", saved, "praatti in  London").splitlines()
    (header,) = [line for line in lines if "piece" in line]
    assert header.split() == ["#", "word", "piece", "id", "tag", "label", "mask"]
    rows = [line.split() for line in lines if line.rstrip().endswith(("0", "1")) and "Window" not in line]
    assert (rows[0][0], rows[-1][0]) == ("[CLS]", "[SEP]")
    assert [row[0] for row in rows if row[0].isdigit()] == ["0", "0", "1", "2", "3"]
    assert [row[-1] for row in rows] == ["1", "1", "1", "1", "0", "1", "1"]
    assert [row[-2] == "-100" for row in rows] == [True, False, True, False, True, False, True]


@pytest.mark.slow
def test_under_python_m_spacy(saved: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "spacy", "tokclf", "export-hf", str(saved), str(tmp_path / "hf")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "Wrote" in done.stdout
    assert (tmp_path / "hf" / "model.safetensors").is_file()


def test_debug_pieces_of_annotated_data(saved: Path, tmp_path: Path) -> None:
    (tmp_path / "data.conll").write_text("in\tO\n\nNew\tB-location\nYork\tI-location\n", encoding="utf8")
    output = run("debug-pieces", saved, "--data", tmp_path / "data.conll", "--row", 1)
    assert "B-location" in output and "I-location" in output and "-100" in output
    assert "TC055" in run("debug-pieces", saved, "--data", tmp_path / "data.conll", "--row", 2, code=1)
    assert "TC054" in run("debug-pieces", saved, code=1)
    assert "TC054" in run("debug-pieces", saved, "text", "--data", tmp_path / "data.conll", code=1)
