"""`spacy tokclf annotate`: its files, scored, give what `evaluate` gives."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import spacy
from score_files import GOLD
from spacy.language import Language
from typer.testing import CliRunner

from spacy_tokclf.cli import app
from spacy_tokclf.cli.evaluate import evaluate
from spacy_tokclf.cli.score import score
from spacy_tokclf.corpus.convert import read_any, write_any

WriteT = Callable[..., str]
FORMS = ["x.jsonl", "x.csv", "x.spacy", "x.conll", "x.ann"]


def run(*arguments: object, stdin: str | None = None) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


@pytest.fixture
def model(nlp: Language, tmp_path: Path) -> Path:
    """Folder of a pipeline that scores what it finds, and finds something everywhere."""
    nlp.to_disk(tmp_path / "model")
    return tmp_path / "model"


def same(found: dict[str, Any], expected: dict[str, Any]) -> bool:
    """Compare summaries, but for what only one of both commands knows."""
    one, two = (json.loads(json.dumps(each)) for each in (found, expected))
    for each in (one, two):
        each["details"].pop("calibration", None)
        each["details"].pop("scheme")
    return bool(one == two)


@pytest.mark.parametrize("gold_name", ["gold.conll", "gold.spacy", "gold.jsonl", "doccano.jsonl"])
@pytest.mark.parametrize("name", FORMS)
def test_annotate_then_score_equals_evaluate(
    write: WriteT, model: Path, tmp_path: Path, name: str, gold_name: str
) -> None:
    gold = tmp_path / gold_name
    if gold_name == "doccano.jsonl":
        rows = [{"text": "Ada Lovelace met Bob.", "label": [[0, 12, "person"]]}, {"text": "Rome!", "label": []}]
        gold.write_text("\n".join(map(json.dumps, rows)))
    else:
        write_any(read_any(write("in.conll", GOLD), spacy.blank("en")), gold)
    expected = evaluate(str(model), gold, resamples=0)
    assert expected["details"]["n_predicted"] > 0
    code, said = run("annotate", model, gold, "-o", tmp_path / name)
    assert code == 0 and "Wrote" in said
    assert same(score(gold, tmp_path / name, resamples=0), expected)


def test_the_command_says_what_it_did(write: WriteT, model: Path, tmp_path: Path) -> None:
    rows = [{"text": "Ada"}, {"x": 1}, {"text": "B\ud800"}, {"text": "Cy"}]
    source = write("in.jsonl", "\n".join(map(json.dumps, rows)))
    code, said = run("annotate", model, source, "-o", tmp_path / "x.jsonl")
    assert code == 0
    assert "TW360" in said and "2 of 4" in said and "TC368" in said and "TC369" in said
    assert len(said.strip().split("\n")) < 12
    code, said = run("annotate", model, write("a.txt", "Ada\n\n"), "-o", tmp_path / "x.conll")
    assert code == 0 and "TW361" in said and "1 of 2" in said and ":2" in said


@pytest.mark.parametrize(
    "arguments, code",
    [
        (["in.txt", "-o", "out"], "TC364"),
        (["in.txt", "-o", "x.jsonl", "--threshold", "7"], "TC022"),
        (["in.txt", "-o", "x.jsonl", "--component", "other"], "TC255"),
        (["in.txt", "-o", "x.jsonl", "--n-process", "0"], "TC119"),
        (["in.txt", "-o", "x.jsonl", "--gpu-id", "77"], "TC142"),
        (["in.txt", "-o", "x.jsonl", "--encoding", "nonsense"], "TC125"),
        (["latin.txt", "-o", "x.jsonl"], "TC111"),
        (["in.csv", "-o", "x.jsonl"], "TC366"),
        (["in.pdf", "-o", "x.jsonl"], "TC123"),
        (["empty.txt", "-o", "x.jsonl"], "TC372"),
        (["none.txt", "-o", "x.jsonl"], "TC118"),
        (["in.txt", "-o", "x.jsonl", "--workers", "2"], "TC523"),
        (["in.txt", "-o", "x.jsonl", "--resume"], "TC523"),
        (["in.txt", "-o", "out", "--engine", "local", "--n-process", "2"], "TC523"),
        (["in.txt", "-o", "x.jsonl", "--engine", "local"], "TC524"),
        (["in.csv", "-o", "out", "--engine", "local"], "TC504"),
    ],
)
def test_mistakes_end_in_one_message(
    write: WriteT, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, content in (("in.txt", "Ada"), ("in.csv", "id,body\n1,Ada\n"), ("in.pdf", "%PDF-1.4"), ("empty.txt", "")):
        write(name, content)
    (tmp_path / "latin.txt").write_bytes("Zoë".encode("latin-1"))
    exit_code, said = run("annotate", model, *arguments)
    assert exit_code == 1 and code in said
    assert len(said.strip().split("\n")) < 12
    assert not list(tmp_path.glob("x.*")) and not (tmp_path / "out").exists()


def test_lines_in_and_json_out(write: WriteT, model: Path) -> None:
    code, said = run("annotate", model, "-", "-o", "-", "--threshold", "0.0", stdin="Ada\n\nBob in Rome\n")
    rows = [json.loads(line) for line in said.splitlines()]
    assert code == 0 and [row["text"] for row in rows] == ["Ada", "", "Bob in Rome"]
    assert rows[0]["tokclf"]["threshold"] == 0.0 and rows[2]["entities"]


@pytest.mark.slow
def test_a_pipe_of_the_shell(model: Path) -> None:
    command = [sys.executable, "-m", "spacy", "tokclf", "annotate", str(model), "-", "-o", "-"]
    found = subprocess.run(command, input="Zoë 🎉\n" * 3, capture_output=True, text=True, encoding="utf-8", check=True)
    assert [json.loads(line)["text"] for line in found.stdout.splitlines()] == ["Zoë 🎉"] * 3


def test_a_column_of_a_table(write: WriteT, model: Path, tmp_path: Path) -> None:
    table = write("in.csv", "id,body\n7,Ada Lovelace\n8,\n")
    assert run("annotate", model, table, "--text-column", "body", "-o", tmp_path / "x.jsonl")[0] == 0
    rows = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text().splitlines()]
    assert [(row["id"], row["body"]) for row in rows] == [("7", "Ada Lovelace"), ("8", "")]
    assert run("annotate", model, table, "--text-column", "1", "-o", tmp_path / "y.jsonl")[0] == 0
    assert (tmp_path / "y.jsonl").read_text().count("\n") == 3
