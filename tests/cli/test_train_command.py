"""`spacy tokclf train`: what is printed and written, and what a user may get wrong."""

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import spacy
from config_runs import FAST, FOLDER, same, short, weights_of, write_posts
from typer.testing import CliRunner, Result

from spacy_tokclf.cli import app
from spacy_tokclf.cli.train import as_typed
from spacy_tokclf.report.training_log import find_log, read_log
from spacy_tokclf.runtime.lock import locked
from spacy_tokclf.training import loop

OWN = str(FOLDER / "own_data.cfg")
LINES = 12


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the posts."""
    return write_posts(tmp_path_factory.mktemp("posts"))


@pytest.fixture(scope="module")
def options(data: Path, encoder_dir: Path) -> list[str]:
    """The overrides of a short training."""
    paths = {key: value for key, value in short(OWN, data, encoder_dir).items() if key.startswith("paths.")}
    values = paths | FAST | {"training.batcher.size": 8}
    return [part for key, value in values.items() for part in (f"--{key}", str(value))]


def tokclf(*words: object) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(app, ["train", *map(str, words)])


def one_line(text: str) -> str:
    """Undo the breaks of lines."""
    return " ".join(text.split())


def fails(code: str, *words: object) -> str:
    """Run the command, which shows one short message with a code, and no traceback. Gives the message."""
    result = tokclf(*words)
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit), result.exception
    assert f"[{code}]" in result.output and "Traceback" not in result.output
    assert len(result.output.strip().splitlines()) < LINES, result.output
    return one_line(result.output)


@pytest.fixture(scope="module")
def trained(data: Path, options: list[str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """A finished training and its output."""
    out = tmp_path_factory.mktemp("trained")
    result = tokclf(OWN, out, "--epochs", 10, *options)
    assert result.exit_code == 0, result.output
    return out, result


def test_the_best_and_the_next_command_are_told(trained: tuple[Path, Result], data: Path) -> None:
    out, result = trained
    best = max(read_log(out / "log.jsonl"), key=lambda each: (each.score, each.step))
    text = one_line(result.output)
    assert f"Best on dev: F1 {100 * best.score:.2f}, epoch {best.step // 2}, step {best.step} of 20: " in text
    assert best.score > 0.9
    command = f"python -m spacy tokclf report {out / 'model-best'} {data / 'posts.conll'} -o {out / 'report.html'}"
    assert command in result.output.splitlines()[-1] or command in result.output
    assert "TW35" not in result.output.replace("TW354", "")


def test_the_table_fits_a_terminal_and_has_each_number_once(trained: tuple[Path, Result]) -> None:
    lines = trained[1].output.splitlines()
    header = next(line for line in lines if line.startswith("E "))
    assert "SEQEVAL_F1" not in header and "ENTS_F" in header
    assert max(map(len, [header, *(line for line in lines if line.strip()[:1].isdigit())])) <= 80


def test_the_report_finds_the_log(trained: tuple[Path, Result]) -> None:
    found = find_log(str(trained[0] / "model-best"))
    assert found is not None and [each.step for each in read_log(found)] == list(range(0, 21, 2))


def test_the_page_of_the_next_command_is_made(trained: tuple[Path, Result]) -> None:
    out, result = trained
    words = next(line for line in result.output.splitlines() if "tokclf report" in line).split()
    made = CliRunner().invoke(app, words[words.index("report") :])
    assert made.exit_code == 0, made.output
    assert (out / "report.html").is_file()


def test_a_second_run_loses_nothing(trained: tuple[Path, Result], options: list[str]) -> None:
    out, _ = trained
    before = weights_of(spacy.load(out / "model-best"))
    text = fails("TC355", OWN, out, "--epochs", 1, *options)
    assert str(out / "model-best") in text.replace(" ", "") and "--resume" in text and "--overwrite" in text
    assert same(weights_of(spacy.load(out / "model-best")), before)


def test_a_training_that_does_not_help_is_told(options: list[str], tmp_path: Path) -> None:
    rate = "--training.optimizer.learn_rate.initial_rate"
    result = tokclf(OWN, tmp_path, "--epochs", 1, *options, rate, "1e-9")
    assert result.exit_code == 0
    assert "TW357" in result.output


def test_data_in_the_place_of_a_config(data: Path, encoder_dir: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = [data / "posts.conll", out, "--dev", data / "posts.conll", "--encoder", encoder_dir]
    result = tokclf(*words, "--epochs", 2, "--training.optimizer.learn_rate.initial_rate", "0.003")
    assert result.exit_code == 0, result.output
    for name in ("config.cfg", "train.spacy", "dev.spacy", "model-best", "model-last", "log.jsonl"):
        assert (out / name).exists(), name
    assert f"report {out / 'model-best'} {out / 'dev.spacy'}" in result.output
    assert "TC355" in fails("TC355", *words)


def test_data_of_a_running_training_are_not_replaced(data: Path, encoder_dir: Path, tmp_path: Path) -> None:
    names = ("config.cfg", "train.spacy", "dev.spacy")
    for name in names:
        (tmp_path / name).write_text("in use")
    with locked(tmp_path):
        fails("TC450", data / "posts.conll", tmp_path, "--encoder", encoder_dir, "--dev", "0.5", "--overwrite")
    assert [(tmp_path / name).read_text() for name in names] == ["in use"] * 3


def test_options_of_data_beside_a_config(options: list[str], tmp_path: Path) -> None:
    assert "--dev, --lang" in fails("TC358", OWN, tmp_path, "--dev", "dev.conll", "--lang", "de", *options)
    assert "reading" in fails("TC358", OWN, tmp_path, "--scheme", "IO", *options)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("TC118", ["--paths.train", "null"]),
        ("TC118", ["--paths.train", "nothing.conll"]),
        ("TC118", ["--paths.dev", "nothing.conll"]),
        ("TC031", ["--training.optimizer.learn_rate.initial_rate", "0"]),
        ("TC354", ["--paths.trian", "x"]),
        ("TC354", ["--training.epochs", "3"]),
        ("TC353", ["--training.optimiser.learn_rate", "3"]),
        ("TC353", ["--training.dropout", "high"]),
        ("TC031", ["--epochs", "0"]),
        ("TC350", ["--training.max_epochs", "-1"]),
        ("TC090", ["more"]),
        ("TC142", ["--gpu-id", "7"]),
    ],
)
def test_mistakes(code: str, words: list[str], options: list[str], tmp_path: Path) -> None:
    fails(code, OWN, tmp_path / "out", *options, *words)
    assert not (tmp_path / "out").exists()


def test_a_config_that_is_not_there(tmp_path: Path) -> None:
    assert "nothing.cfg" in fails("TC353", tmp_path / "nothing.cfg", tmp_path / "out")
    (tmp_path / "no.cfg").write_text("[nlp\n")
    fails("TC353", tmp_path / "no.cfg", tmp_path / "out")
    fails("TC144", OWN, OWN)  # the folder is a file


@pytest.mark.slow
def test_the_command_as_it_is_called(options: list[str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "spacy", "tokclf", "train", OWN, str(tmp_path / "out"), "--epochs", "1", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "80"})
    assert done.returncode == 0, done.stderr
    assert "Best on dev" in done.stdout and (tmp_path / "out" / "model-best").is_dir()


def test_data_below_the_working_folder_are_named_from_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert as_typed(str(tmp_path / "mine" / "dev.spacy")) == os.path.join("mine", "dev.spacy")
    for path in (str(tmp_path.parent / "dev.spacy"), "mine/dev.spacy", "DATA"):
        assert as_typed(path) == path


def test_a_training_stops_and_goes_on(
    data: Path, encoder_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, take_step = tmp_path / "out", loop.take_step

    def signalled(training: loop.Training, *args: Any) -> None:
        if training.progress.step == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        take_step(training, *args)

    words = [data / "posts.conll", out, "--dev", data / "posts.conll", "--encoder", encoder_dir, "--epochs", 2]
    with monkeypatch.context() as patch:
        patch.setattr(loop, "take_step", signalled)
        stopped = tokclf(*words, "--training.dropout", "0.3")
    assert stopped.exit_code == 128 + signal.SIGTERM, stopped.output
    (command,) = (line for line in stopped.output.splitlines() if "--resume" in line)
    assert "--resume" in fails("TC355", *words) and "config.cfg" in fails("TC455", *words, "--resume")
    assert "training.dropout: 0.3" in fails("TC451", out / "config.cfg", out, "--epochs", 2, "--resume")
    gone_on = CliRunner().invoke(app, shlex.split(command)[4:])
    assert gone_on.exit_code == 0 and "Best on dev" in gone_on.output, gone_on.output
    again = CliRunner().invoke(app, shlex.split(command)[4:])
    assert again.exit_code == 0 and "TW454" in again.output
