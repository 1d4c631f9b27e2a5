"""What is fitted on dev after training: the command that is run, and when it is not."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from spacy.cli._util import app

import spacy_tokclf.cli  # noqa: F401 (adds the command)
from bench.accuracy import tuning
from bench.accuracy.configs import Definition, resolve
from bench.accuracy.data import get_data
from bench.accuracy.study import Study


@pytest.fixture
def model(study: Study, nlp: Any) -> Path:
    """The pipeline of a training."""
    folder = study.work / "models" / "one"
    folder.mkdir(parents=True)
    nlp.to_disk(folder / "model")
    return folder / "model"


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that were run, in this process."""
    from typer.testing import CliRunner

    ran: list[list[str]] = []

    def run_python(study: Study, definition: Definition, arguments: list[str], *, lock: int, log: Path) -> None:
        ran.append(arguments)
        assert arguments[:2] == ["-m", "spacy"] and log.parent == study.work / "models" / "one"
        result = CliRunner().invoke(app, arguments[2:])
        assert result.exit_code == 0, result.output

    monkeypatch.setattr(tuning, "run_python", run_python)
    return ran


def test_it_is_tuned_once_and_beside(study: Study, model: Path, commands: list[list[str]]) -> None:
    import spacy

    data = get_data(study, "wnut17")
    plain = resolve(study, "plain")
    before = (model / "ner" / "cfg").read_bytes()
    found = {}
    for options in (None, [], ["--no-bias"], []):
        definition = dataclasses.replace(plain, tune=options)
        found[str(options)] = tuning.tune(study, definition, data, seed=0, model=model, lock=0)
    assert found["None"] == model and len(commands) == 2
    assert found["[]"] != found["['--no-bias']"] and all(path.parent == model.parent for path in found.values())
    biases = [spacy.load(found[name]).get_pipe("ner").tuning.bias for name in ("None", "[]", "['--no-bias']")]
    assert [bool(bias) for bias in biases] == [False, True, False]
    assert (found["[]"] / "tuning.json").is_file() and (model / "ner" / "cfg").read_bytes() == before


def test_dev_cannot_tune_what_was_trained_on_it(study: Study, model: Path, commands: list[list[str]]) -> None:
    definition = dataclasses.replace(resolve(study, "plain+dev"), tune=[])
    data = get_data(study, "wnut17", with_dev=True)
    assert tuning.tune(study, definition, data, seed=0, model=model, lock=0) == model and not commands


def test_nothing_is_left_of_a_failure(study: Study, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise SystemExit(1)

    monkeypatch.setattr(tuning, "run_python", fail)
    definition = dataclasses.replace(resolve(study, "plain"), tune=[])
    with pytest.raises(SystemExit):
        tuning.tune(study, definition, get_data(study, "wnut17"), seed=0, model=model, lock=0)
    assert [path.name for path in model.parent.iterdir()] == ["model"]
