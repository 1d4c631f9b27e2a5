"""`spacy tokclf report`: the command, its files and its messages."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from score_files import GOLD, TRAIN
from typer.testing import CliRunner

from spacy_tokclf.cli import app
from spacy_tokclf.corpus import Record, write_docbin
from spacy_tokclf.report.training_log import find_log, read_log

LINE = {"epoch": 0, "step": 0, "losses": {"ner": 2.5}, "scores": {"ents_f": 0.0, "ents_p": 0.0}, "score": 0.0}


def run(*args: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["report", *map(str, args)])
    assert result.exit_code == code, result.output
    return " ".join(result.output.split())


def test_writes_a_page(write: Callable[..., str], pipeline: str, tmp_path: Path) -> None:
    out = tmp_path / "pages" / "one.html"
    gold, train = write("gold.conll", GOLD), write("train.conll", TRAIN)
    said = run(pipeline, gold, "-o", out, "--train", train, "--other", pipeline, "--resamples", 20)
    assert "Wrote" in said
    page = out.read_text(encoding="utf8")
    assert "<title>pipeline on gold.conll</title>" in page and "pipeline against pipeline (2)" in page
    assert 'data-score="f1">50.00<' in page
    assert "Seen in train.conll or not" in page and str(tmp_path) not in page


def test_the_log_of_a_training(write: Callable[..., str], pipeline: str, tmp_path: Path) -> None:
    gold, out = write("gold.conll", GOLD), tmp_path / "page.html"
    rows = [LINE, LINE | {"step": 10, "scores": {"ents_f": 52.5}, "score": 0.525}]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    log = Path(write("other.jsonl", text))
    run(pipeline, gold, "-o", out, "--log", log, "--resamples", 0)
    assert "best, after 10 updates: 52.50" in out.read_text(encoding="utf8")
    # Beside the pipeline and in it, it is found.
    assert find_log(pipeline) is None and find_log("en_some_package") is None
    beside = Path(write("log.jsonl", text))
    assert find_log(pipeline) == beside
    inside = Path(pipeline) / "log.jsonl"
    inside.write_text(text)
    assert find_log(pipeline) == inside
    assert [(one.step, one.f1, one.score, one.loss) for one in read_log(inside)] == [
        (0, 0, 0, 2.5),
        (10, 0.525, 0.525, 2.5),
    ]
    nothing = LINE | {"scores": {"tag_acc": 90.0}, "score": 0.9}
    (without,) = read_log(write("tagger.jsonl", json.dumps(nothing)))
    assert (without.f1, without.shown) == (None, 0.9)


def test_reads_by_the_options_of_reading(write: Callable[..., str], pipeline: str, tmp_path: Path) -> None:
    odd = write("odd.txt", "S-group\tBob\tx\nO\tsaw\tx\nS-location\tRome\tx\n")
    options = ["--token-column", "1", "--tag-column", "0", "--scheme", "IOBES"]
    run(pipeline, odd, "-o", tmp_path / "page.html", "--resamples", 0, *options)
    assert 'data-score="f1">100.00<' in (tmp_path / "page.html").read_text(encoding="utf8")


def test_another_file_of_that_name(write: Callable[..., str], pipeline: str, tmp_path: Path) -> None:
    """Nobody asked for it, so that it does not stop the page."""
    write("log.jsonl", '{"text": "something else"}')
    said = run(pipeline, write("gold.conll", GOLD), "-o", tmp_path / "page.html", "--resamples", 0)
    assert "[TW320]" in said and "[TC321]" in said and "--log" in said
    assert '<section id="training"' not in (tmp_path / "page.html").read_text(encoding="utf8")


@pytest.mark.parametrize("text", ["", "no json", "{}", "[1]", '{"step": "x", "losses": {}, "scores": {}, "score": 1}'])
def test_a_log_that_is_none(write: Callable[..., str], pipeline: str, tmp_path: Path, text: str) -> None:
    good = json.dumps(LINE)
    log = write("bad.jsonl", f"{good}\n\n{text}" if text else "")
    said = run(pipeline, write("gold.conll", GOLD), "--log", log, "-o", tmp_path / "page.html", code=1)
    assert "[TC321]" in said and f"line {3 if text else 1}" in said and "output_file" in said


def test_refused(write: Callable[..., str], pipeline: str, tmp_path: Path) -> None:
    gold, out = write("gold.conll", GOLD), tmp_path / "page.html"
    assert "[TC118]" in run(pipeline, tmp_path / "absent.conll", "-o", out, code=1)
    assert "[TC322]" in run(pipeline, gold, "-o", out, "--log", tmp_path / "absent.jsonl", code=1)
    assert "[TC323]" in run(pipeline, gold, "-o", tmp_path, code=1)
    assert "[TC255]" in run(pipeline, gold, "-o", out, "--component", "ner", code=1)
    unannotated = tmp_path / "texts.spacy"
    write_docbin([Record(["Ada", "sings"], ["-", "-"])], unannotated)
    assert "[TC320]" in run(pipeline, unannotated, "-o", out, code=1)
    assert not out.exists()
