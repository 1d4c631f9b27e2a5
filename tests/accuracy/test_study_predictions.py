"""Predictions that are made on another machine: by the same code, without git and without the gold of test."""

import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from test_study_runner import Fake, lines

from bench.accuracy import predictions, runner
from bench.accuracy.configs import read_configs
from bench.accuracy.data import get_data
from bench.accuracy.ledger import code_digest
from bench.accuracy.study import Study
from bench.accuracy.systems import teacher_folder

STUDENT = """
  student: {like: plain, teachers: [plain], distill: [--made, "1"]}
  trainer:slow: {grid_of: trainer, set: {learn_rate: 1.0e-6}}
  trainer+dev: {like: trainer, with_dev: true}
"""


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    made = Fake()
    monkeypatch.setattr(runner, "train_and_predict", made.train_and_predict)
    return made


@pytest.fixture
def there(study: Study, tmp_path: Path, commit: Callable[[Study], None]) -> Study:
    """The same study on another machine: its data are there, but neither git nor the gold of test."""
    study.configs.write_text(study.configs.read_text().replace("ablations:", f"{STUDENT.strip(chr(10))}\nablations:"))
    code = study.root / "spacy_tokclf"
    code.mkdir()
    (code / "code.py").write_text("code = 1\n")
    commit(study)
    for with_dev in (False, True):
        get_data(study, "wnut17", with_dev=with_dev)
    other = Study(tmp_path / "there")
    shutil.copytree(study.root, other.root, ignore=shutil.ignore_patterns(".git", "data", "data.json"))
    shutil.copytree(study.work / "data", other.work / "data")
    # Nothing is predicted by looking at gold: the fake takes that of the first study.
    (other.root / "assets" / "data").symlink_to(study.root / "assets" / "data")
    return other


def names_in(path: Path) -> list[str]:
    with tarfile.open(path) as archive:
        return archive.getnames()


def test_trained_there_and_scored_here(study: Study, there: Study, fake: Fake, tmp_path: Path) -> None:
    packed = tmp_path / "out" / "predictions.tar"
    runner.train(there, ["plain", "default"], [0, 1], machine=runner.Machine(jobs=2), into=packed)
    facts = json.loads((predictions.folder_of(there, read_configs(there)["plain"], 1) / "facts.json").read_text())
    assert facts["commit"] is facts["uncommitted"] is None and facts["code"] == code_digest(study)
    assert not there.file("runs.jsonl").exists() and len(names_in(packed)) == 4 * 3
    assert len(predictions.take(study, packed)) == len(predictions.take(study, packed)) == 4
    trained = len(fake.trained)
    found = runner.run(study, ["plain", "default"], [0, 1, 2], test=True, trained=True)
    assert len(fake.trained) == trained, "the predictions are there"
    assert [line["config"] for line in found] == ["default", "plain"] * 2
    for line in found:
        assert line["commit"] and line["uncommitted"] == [] and line["test_f1"] > 0 and line["cpu_seconds"] == 3.0
    assert len(lines(study, "ledger")) == 4 and not lines(there, "ledger")
    (study.work / "lock").unlink()
    elsewhere = Study(study.root, tmp_path / "again")
    runner.run(elsewhere, ["plain"], [0])
    assert set(lines(elsewhere, "runs")[0]) == set(lines(study, "runs")[0])


def test_what_cannot_be_taken_over(
    study: Study, there: Study, fake: Fake, tmp_path: Path, commit: Callable[[Study], None],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    packed = tmp_path / "predictions.tar"

    def refused(why: str) -> None:
        with pytest.raises(SystemExit):
            predictions.take(study, packed)
        assert why in " ".join(capsys.readouterr().out.split())

    runner.train(there, ["plain"], [0], into=packed)
    code = study.root / "spacy_tokclf" / "code.py"
    code.write_text("code = 2\n")
    refused("commit first")
    commit(study)
    refused("was not trained by this code")
    code.write_text("code = 1\n")
    study.configs.write_text(study.configs.read_text() + "# a config has a hash of its own\n")
    commit(study)
    predictions.take(study, packed)
    fake.every = 1
    shutil.rmtree(there.predictions)
    runner.train(there, ["plain"], [0], into=packed)
    refused("There are other predictions")


def test_without_git_nothing_is_scored(there: Study, fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    runner.train(there, ["plain"], [0])
    with pytest.raises(SystemExit, match="plain, seed 0"):
        runner.run(there, ["plain"], [0])
    assert "trained without git" in " ".join(capsys.readouterr().out.split()) and not lines(there, "runs")


def test_the_best_point_is_chosen_and_all_that_is_like_it_has_it(there: Study, fake: Fake, tmp_path: Path) -> None:
    runner.train(there, ["trainer:*"], [0])
    configs = read_configs(there)
    gold = get_data(there, "wnut17") / "dev.spacy"
    shutil.copy(gold, predictions.folder_of(there, configs["trainer:slow"], 0) / "dev.spacy")
    assert predictions.choose(there, configs, ["trainer"], [0]) == {"trainer": "trainer:slow"}
    packed = tmp_path / "predictions.tar"
    runner.train(there, ["trainer", "trainer+dev"], [0, 1], chosen=True, into=packed)
    assert fake.trained[3:] == [("trainer+dev", 0), ("trainer", 1), ("trainer+dev", 1)], "seed 0 of the point is there"
    assert "predictions/chosen.json" in names_in(packed)
    slow = read_configs(there, {"trainer": "trainer:slow"})["trainer+dev"]
    assert slow.settings["learn_rate"] == 1e-6 and predictions.folder_of(there, slow, 1).is_dir()
    assert slow.hash != configs["trainer+dev"].hash
    with pytest.raises(SystemExit):
        predictions.choose(there, configs, ["plain"], [0])


def test_teachers_are_kept(there: Study, fake: Fake) -> None:
    plain = read_configs(there)["plain"]
    runner.train(there, ["plain"], [1])
    assert not teacher_folder(there, plain).exists()
    runner.train(there, ["plain"], [0, 1])
    teacher_folder(there, plain).rmdir()
    runner.train(there, ["plain"], [0, 1])
    assert teacher_folder(there, plain).is_dir() and fake.trained == [("plain", 1), ("plain", 0), ("plain", 0)]


def test_of_what_failed_the_log_is_packed(there: Study, fake: Fake, tmp_path: Path) -> None:
    fake.fails = [("plain", 0)]
    (folder,) = (f"{config.hash}-0" for name, config in read_configs(there).items() if name == "plain")
    log = there.work / "models" / folder / "log.txt"
    log.parent.mkdir(parents=True)
    log.write_text("out of memory")
    with pytest.raises(SystemExit, match="plain, seed 0"):
        runner.train(there, ["plain", "default"], [0], into=tmp_path / "predictions.tar")
    names = names_in(tmp_path / "predictions.tar")
    assert len(names) == 4 and f"failed/{folder}/log.txt" in names


def test_rounded_weights_are_named_by_what_they_were(study: Study) -> None:
    config, folder = read_configs(study)["plain"], study.root / "assets" / "encoder"
    about = {"rounded": {"sha256": "0123456789abcdef", "dtype": "float16"}}
    (folder / "manifest.json").write_text(json.dumps(about))
    facts = predictions.facts_of(study, config, seed=0, device="cpu")
    assert facts["encoder"] == "0123456789ab in float16"
