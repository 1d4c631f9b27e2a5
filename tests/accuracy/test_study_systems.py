"""How systems are trained: the programs that are run, what they leave behind, and that models are deleted."""

import dataclasses
import json
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.cli._util import app
from spacy.language import Language
from spacy.tokens import DocBin
from spacy.util import load_config

import spacy_tokclf.cli  # noqa: F401 (adds the command)
from bench.accuracy import systems
from bench.accuracy.configs import read_configs
from bench.accuracy.data import get_data
from bench.accuracy.study import Study
from bench.peers import hf_trainer
from spacy_tokclf.corpus import read_conll


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch, make_nlp: Callable[..., Language]) -> list[list[str]]:
    """The programs that were run, in this process; `spacy train` gives a pipeline that has learned nothing."""
    from typer.testing import CliRunner

    ran: list[list[str]] = []

    def run_python(training: systems.Training, *arguments: object) -> None:
        words, folder = [str(each) for each in arguments], training.folder
        ran.append(words)
        if words[:3] == ["-m", "spacy", "train"]:
            for name in ("model-best", "model-last"):
                make_nlp().to_disk(folder / name)
        elif words[:2] == ["-m", "spacy"]:
            result = CliRunner().invoke(app, words[2:])
            assert result.exit_code == 0, result.output
        else:
            monkeypatch.setattr(sys, "argv", words)
            runpy.run_path(words[0], run_name="__main__")

    monkeypatch.setattr(systems, "_run_python", run_python)
    return ran


@pytest.mark.parametrize("tune", [None, [], ["--no-bias"]])
@pytest.mark.parametrize("name", ["plain", "plain+dev"])
def test_pipelines_are_tuned_annotate_and_are_gone(
    study: Study, programs: list[list[str]], tmp_path: Path, name: str, tune: list[str] | None
) -> None:
    config = dataclasses.replace(read_configs(study)[name], tune=tune)
    systems.train_and_predict(study, config, seed=0, out=tmp_path / "out-0", facts={"seed": 0})
    train, *tuning, predict = programs
    models = study.work / "models"
    assert train == ["-m", "spacy", "train", str(models / "out-0" / "config.cfg"), "--output", str(models / "out-0")]
    model = "model-last" if config.with_dev else "model-best"
    # Dev cannot tune what was trained on it.
    if tune is None or config.with_dev:
        assert not tuning
    else:
        dev = get_data(study, "wnut17") / "dev.spacy"
        assert tuning[0][4:] == [str(models / "out-0" / model), str(dev), *tune, *tuning[0][-2:]]
        model = "tuned"
    assert predict[1] == str(models / "out-0" / model)
    assert list(models.iterdir()) == [], "the model is deleted once its predictions are written"
    assert sorted(path.name for path in (tmp_path / "out-0").iterdir()) == ["dev.spacy", "facts.json", "test.spacy"]
    assert json.loads((tmp_path / "out-0" / "facts.json").read_text()).keys() == {"seed", "cpu_seconds", "seconds"}
    for split in ("dev", "test"):
        docs = list(DocBin().from_disk(tmp_path / "out-0" / f"{split}.spacy").get_docs(spacy.blank("en").vocab))
        words = [record.words for record in read_conll(study.root / "assets" / "data" / f"{split}.conll")]
        assert [[token.text for token in doc] for doc in docs] == words
        assert all("scores" in doc.spans["entities"].attrs for doc in docs)


def test_a_student_learns_what_its_teachers_said_once(
    study: Study, programs: list[list[str]], make_nlp: Callable[..., Language], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    plain = read_configs(study)["plain"]
    config = dataclasses.replace(plain, name="student", teachers=(plain,), distill=["--unseen", "--made", "1"])
    with pytest.raises(SystemExit):
        systems.train_and_predict(study, config, seed=0, out=tmp_path / "out-0")
    assert "bench.accuracy train plain --seeds 0" in " ".join(capsys.readouterr().out.split())
    systems.train_and_predict(study, plain, seed=0, out=tmp_path / "plain", keep=True)
    teacher = systems.teacher_folder(study, plain)
    assert (teacher / "config.cfg").is_file() and programs[-1][1].endswith("plain/model-best")
    programs.clear()
    for seed in (0, 3):
        systems.train_and_predict(study, config, seed=seed, out=tmp_path / f"out-{seed}")
    distill, first, _, second, _ = programs
    lesson = study.work / "lessons" / config.hash
    assert distill[2:6] == ["tokclf", "distill", str(teacher), str(lesson / "config.cfg")]
    assert first[:3] == second[:3] == ["-m", "spacy", "train"]
    learned = load_config(lesson / "student.cfg", interpolate=False)
    assert learned["corpora"]["train"]["@readers"] == "spacy-tokclf.Distilled.v1"
    assert learned["paths"]["distilled"] == str(lesson / "distilled") and (lesson / "distilled").is_dir()


@pytest.mark.parametrize(
    ("device", "seen", "ours"),
    [("cpu", "", "cpu"), ("cuda:0", "0", "cuda:0"), ("cuda:3", "3", "cuda:0"), ("cuda", "0", "cuda:0")],
)
def test_a_program_sees_one_gpu_or_none(device: str, seen: str, ours: str) -> None:
    assert systems.device_variables(device) == {"CUDA_VISIBLE_DEVICES": seen, "SPACY_TOKCLF_DEVICE": ours}


def test_nothing_is_left_of_a_failure(study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = read_configs(study)["plain"]
    with pytest.raises(SystemExit):
        systems.train_and_predict(study, plain, seed=0, out=tmp_path / "out-0")
    said = " ".join(capsys.readouterr().out.split())
    assert "plain failed" in said and "assets/encoder" in said, "the end of the log"
    assert not (tmp_path / "out-0").exists()


@pytest.mark.parametrize("select", [True, False])
def test_the_trainer_tags_with_the_epoch_that_is_selected(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoder_dir: Path, select: bool
) -> None:
    """The peer as the study runs it, in this process; F1 on dev is made up: the first epoch is the best."""
    f1 = iter([0.5, 0.25])
    tagged: list[list[list[str]]] = []

    def predict(model: Any, tokenizer: Any, posts: Any) -> list[list[str]]:
        tagged.append([[f"I-{len(tagged)}" for _ in post["words"]] for post in posts])
        return tagged[-1]

    def run_python(training: systems.Training, *arguments: object) -> None:
        folder = training.folder
        assert arguments[:2] == ("-m", "bench.peers.hf_trainer")
        monkeypatch.setattr(sys, "argv", list(map(str, arguments[1:])))
        hf_trainer.main()
        result = json.loads((folder / "result.json").read_text())
        assert result["best_epoch"] == (1 if select else None)
        assert (result["recipe"]["epochs"], result["recipe"]["learning_rate"]) == (2.0, 0.0001)
        assert "f1" in result["dev"] and "f1" not in result["test"], "test has no gold"

    monkeypatch.setattr(hf_trainer, "predict", predict)
    monkeypatch.setattr(hf_trainer, "scores", lambda gold, tags: {"f1": next(f1, 0.0)})
    monkeypatch.setattr(systems, "_run_python", run_python)
    trainer = read_configs(study)["trainer"]
    config = dataclasses.replace(trainer, with_dev=not select, encoder=str(encoder_dir))
    systems.train_and_predict(study, config, seed=0, out=tmp_path / "out-0")
    # With selection: dev and test after the first epoch (0, 1), dev after the second (2). Without: dev and test (0, 1).
    for split, label in (("dev", "0"), ("test", "1")):
        docs = list(DocBin().from_disk(tmp_path / "out-0" / f"{split}.spacy").get_docs(spacy.blank("en").vocab))
        assert {ent.label_ for doc in docs for ent in doc.ents} == {label}
        assert all(len(doc.ents) == 1 for doc in docs), "a tag that follows nothing begins an entity"
    assert len(tagged) == (3 if select else 2)
