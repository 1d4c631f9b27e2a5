"""Every command that reads data reads it by the same options."""

import inspect
import json
from dataclasses import fields
from pathlib import Path

import pytest
import spacy
import typer
from typer.testing import CliRunner

from spacy_tokclf.cli import app
from spacy_tokclf.cli._reading import DATA_SETS, FILES
from spacy_tokclf.corpus.options import ReadOptions

COMMANDS = dict(typer.main.get_command(app).commands)
READ_FILES = ["annotate", "convert", "debug", "debug-pieces", "evaluate", "optimize", "report", "score", "tune"]
#: The words in the middle, the tags first, in Latin-1 and between bars, in the scheme of the encoder of a colleague.
ODD = "S-person|Zoë|x\nO|saw|x\nB-location|New|x\nE-location|York|x\n\nO|Bye|x\n"
OPTIONS = ["--token-column", "1", "--tag-column", "0", "--separator", "|", "--encoding", "latin-1"]


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, " ".join(result.output.split())


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    path = tmp_path / "odd.txt"
    path.write_bytes(ODD.encode("latin-1"))
    return path


@pytest.fixture
def ruler(tmp_path: Path) -> Path:
    """Folder of a pipeline that finds one of the two entities."""
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "person", "pattern": "Zoë"}])
    nlp.to_disk(tmp_path / "ruler")
    return tmp_path / "ruler"


def test_the_options_are_those_of_reading_and_have_its_defaults() -> None:
    found = {name: choice.default for name, choice in (FILES | DATA_SETS).items()}
    found |= {name: int(found[name]) for name in ("token_column", "tag_column")}
    assert found == {field.name: field.default for field in fields(ReadOptions)}


@pytest.mark.parametrize("command", READ_FILES)
def test_every_command_that_reads_files_has_them(command: str) -> None:
    names = {parameter.name for parameter in COMMANDS[command].params}
    assert FILES.keys() - {"scheme"} <= names
    assert "scheme" in names
    assert (names >= DATA_SETS.keys()) == (command in ("convert", "debug"))
    assert "options" not in names


def test_no_other_command_reads_data() -> None:
    """`push` reads examples for its card; `init`, `train` and `distill` are told by tests of their own."""
    own = {name for name, command in COMMANDS.items() if "format" in {parameter.name for parameter in command.params}}
    assert own == {*READ_FILES, "distill", "init", "push", "train"}


def test_a_command_is_told_by_its_own_signature() -> None:
    from spacy_tokclf.cli.convert import convert_cli

    assert [*inspect.signature(convert_cli).parameters][:3] == ["source", "target", "lang"]


def test_convert(odd: Path, tmp_path: Path) -> None:
    assert run("convert", odd, tmp_path / "out.conll", *OPTIONS)[0] == 0
    expected = "Zoë\tB-person\nsaw\tO\nNew\tB-location\nYork\tI-location\n\nBye\tO\n\n"
    assert (tmp_path / "out.conll").read_text(encoding="utf-8") == expected


def test_debug(odd: Path, tmp_path: Path) -> None:
    code, _ = run("debug", odd, *OPTIONS, "--json", tmp_path / "facts.json")
    facts = json.loads((tmp_path / "facts.json").read_text(encoding="utf-8"))
    assert code == 0
    assert facts["train"]["entities"] == 2
    assert facts["train"]["tokens"] == 5


def test_evaluate_with_training_data_in_the_same_form(odd: Path, ruler: Path, tmp_path: Path) -> None:
    code, output = run("evaluate", ruler, odd, "--train", odd, *OPTIONS, "--json", tmp_path / "scores.json")
    scores = json.loads((tmp_path / "scores.json").read_text(encoding="utf-8"))
    assert code == 0, output
    assert (scores["overall_precision"], scores["overall_recall"]) == (1.0, 0.5)


def test_score(odd: Path, tmp_path: Path) -> None:
    code, output = run("score", odd, odd, *OPTIONS, "--train", odd, "--json", tmp_path / "scores.json")
    scores = json.loads((tmp_path / "scores.json").read_text(encoding="utf-8"))
    assert code == 0, output
    assert scores["overall_f1"] == 1.0


def test_tune_reads_the_data_before_it_misses_a_component(odd: Path, ruler: Path, tmp_path: Path) -> None:
    """So the data are read by the options, or this would be an error of the data."""
    code, output = run("tune", ruler, odd, "--output", tmp_path / "tuned", *OPTIONS)
    assert code == 1
    assert "token_classifier" in output
    assert run("tune", ruler, odd, "--output", tmp_path / "tuned")[1].count("TC1") == 1
