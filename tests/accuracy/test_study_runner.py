"""Runs and the ledger: what is done is not done again, and what is committed decides about test."""

import fcntl
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import spacy
from project_files import checksum, write_json
from spacy.tokens import Doc, DocBin

from bench.accuracy import runner
from bench.accuracy.configs import Config, read_configs
from bench.accuracy.data import get_data
from bench.accuracy.scoring import read_entity_scores
from bench.accuracy.study import Study, put_line, read_lines
from bench.accuracy.systems import teacher_folder
from spacy_tokclf.corpus import read_conll, record_to_doc

ROOT = Path(__file__).resolve().parents[2]


class Fake:
    """Trains nothing, and predicts the gold of every other post."""

    def __init__(self) -> None:
        self.trained: list[tuple[str, int]] = []
        self.fails: list[tuple[str, int]] = []
        self.every = 2

    def train_and_predict(
        self, study: Study, config: Config, *, seed: int, out: Path, facts: dict[str, Any], device: str, keep: bool
    ) -> None:
        if (config.name, seed) in self.fails:
            raise SystemExit(1)
        self.trained.append((config.name, seed))
        data = get_data(study, config.data, with_dev=config.with_dev)
        gold = study.root / ("sample" if config.data == "sample" else "assets/data") / "test.conll"
        out.mkdir(parents=True, exist_ok=True)
        vocab = spacy.blank("en").vocab
        for split, path in (("dev", data / "dev.conll"), ("test", gold)):
            docs = [record_to_doc(record, vocab) for record in read_conll(path)]
            given = [
                doc if i % self.every == 0 else Doc(vocab, words=[t.text for t in doc]) for i, doc in enumerate(docs)
            ]
            for doc in given:
                doc.spans["entities"] = doc.ents
                doc.spans["entities"].attrs["scores"] = [0.5] * len(doc.ents)
            DocBin(docs=given).to_disk(out / f"{split}.spacy")
        write_json(out / "facts.json", {**facts, "cpu_seconds": 3.0, "seconds": 4.0})
        if keep:
            teacher_folder(study, config).mkdir(parents=True, exist_ok=True)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    made = Fake()
    monkeypatch.setattr(runner, "train_and_predict", made.train_and_predict)
    return made


def lines(study: Study, name: str) -> list[dict[str, Any]]:
    return read_lines(study.file(f"{name}.jsonl"))


def gold_counts(study: Study, split: str) -> list[int]:
    return [len(record.spans) for record in read_conll(study.root / "assets" / "data" / f"{split}.conll")]


def test_a_run_and_its_line(study: Study, fake: Fake) -> None:
    (line,) = runner.run(study, ["plain"], [3])
    assert lines(study, "runs") == [line]
    assert list(line)[:6] == ["config", "seed", "commit", "config_hash", "dev_f1", "test_f1"]
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=study.root, capture_output=True, text=True, check=True)
    assert line["commit"] == commit.stdout.strip() and line["uncommitted"] == []
    # Of 9 entities in the 8 posts of dev, 5 are in the posts 0, 2, 4 and 6.
    gold = gold_counts(study, "dev")
    correct, every = sum(gold[::2]), sum(gold)
    assert line["dev_precision"] == 1.0 and line["dev_recall"] == round(correct / every, 6)
    assert line["dev_f1"] == round(2 * correct / (correct + every), 6)
    assert line["test_f1"] is line["test_per_type"] is None and set(line["dev_per_type"]) >= {"person", "location"}
    assert (line["cpu_seconds"], line["threads"], line["device"]) == (3.0, 1, "cpu")
    weights = study.root / "assets" / "encoder" / "model.safetensors"
    assert line["encoder"] == checksum(weights)[:12] and line["data"] == "wnut17"
    assert not lines(study, "ledger") and not lines(study, "posts")


def test_a_line_has_the_fields_of_the_committed_ones(study: Study, fake: Fake) -> None:
    runner.run(study, ["default"], [0], test=True)
    for name in ("runs", "ledger", "posts", "scores"):
        (committed, *_), (line, *_) = lines(Study(), name), lines(study, name)
        # Of runs from before some were made elsewhere it is not written that they ran on the CPU.
        assert set(line) - {"device"} == set(committed) - {"device"}, name


def test_what_is_done_is_not_done_again(study: Study, fake: Fake) -> None:
    runner.run(study, ["plain", "default"], [0])
    before = study.file("runs.jsonl").read_bytes()
    runner.run(study, ["plain", "default"], [0, 1])
    assert fake.trained == [("default", 0), ("plain", 0), ("default", 1), ("plain", 1)], "in the order of configs.yml"
    assert study.file("runs.jsonl").read_bytes().startswith(before) and len(lines(study, "runs")) == 4


def test_another_folder_begins_anew(study: Study, fake: Fake, tmp_path: Path) -> None:
    (line,) = runner.run(study, ["plain"], [0], test=True)
    elsewhere = Study(study.root, tmp_path / "elsewhere")
    assert runner.run(elsewhere, ["plain"], [0], test=True) == [line] == lines(elsewhere, "runs")
    assert len(fake.trained) == 2 and len(lines(elsewhere, "ledger")) == len(lines(study, "ledger")) == 1


def test_names_and_patterns(study: Study, fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    runner.run(study, ["plain+averages", "trainer:*", "trainer:few"], [0])
    assert [name for name, _ in fake.trained] == ["plain+averages", "trainer:few", "trainer:many"]
    with pytest.raises(SystemExit):
        runner.run(study, ["plain", "plain-averages"], [0])
    assert "There is no config 'plain-averages'" in capsys.readouterr().out and len(fake.trained) == 3


def test_a_changed_config_is_run_again_in_the_place_of_the_old_one(study: Study, fake: Fake) -> None:
    runner.run(study, ["plain", "default"], [0])
    text = study.configs.read_text()
    study.configs.write_text(text.replace("title: the plain one\n", "set: {training.dropout: 0.3}\n"))
    fake.every = 1
    runner.run(study, ["plain", "default"], [0])
    assert fake.trained == [("default", 0), ("plain", 0), ("plain", 0)]
    default, plain = lines(study, "runs")
    assert plain["dev_f1"] == 1.0 > default["dev_f1"]
    assert plain["uncommitted"] == [" M bench/accuracy/configs.yml"]


def test_a_failure_does_not_stop_the_others(study: Study, fake: Fake) -> None:
    fake.fails = [("plain", 0)]
    with pytest.raises(SystemExit, match="plain, seed 0"):
        runner.run(study, ["plain", "default"], [0, 1])
    assert fake.trained == [("default", 0), ("default", 1), ("plain", 1)] and len(lines(study, "runs")) == 3


def test_one_process_at_a_time(study: Study, fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    study.work.mkdir(parents=True)
    with (study.work / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(SystemExit):
            runner.run(study, ["plain"], [0])
    assert "Another process" in capsys.readouterr().out and not fake.trained
    assert len(runner.run(study, ["plain"], [0])) == 1


def test_lines_are_replaced_by_their_key(tmp_path: Path) -> None:
    path = tmp_path / "new" / "lines.jsonl"
    for seed, value in ((0, "a"), (1, "b"), (0, "c"), (2, "d")):
        put_line(path, {"config": "x", "seed": seed, "value": value}, "config", "seed")
    assert [(line["seed"], line["value"]) for line in read_lines(path)] == [(0, "c"), (1, "b"), (2, "d")]


def test_a_score_on_test_is_in_the_ledger(study: Study, fake: Fake) -> None:
    runner.run(study, ["plain"], [0])
    (line,) = runner.run(study, ["plain"], [0], test=True)
    assert fake.trained == [("plain", 0)], "the predictions are there"
    (entry,) = lines(study, "ledger")
    assert entry["commit"] == line["commit"] and entry["config_hash"] == line["config_hash"]
    gold = gold_counts(study, "test")
    wanted = round(2 * sum(gold[::2]) / (sum(gold[::2]) + sum(gold)), 6)
    assert entry["test_f1"] == line["test_f1"] == wanted and lines(study, "runs") == [line]
    (posts,) = lines(study, "posts")
    correct = [n if i % 2 == 0 else 0 for i, n in enumerate(gold)]
    assert (posts["true_positives"], posts["predicted"], posts["gold"]) == (correct, correct, gold)


def test_what_a_broken_off_reading_left_out_is_made_up_for(study: Study, fake: Fake) -> None:
    (line,) = runner.run(study, ["plain"], [0], test=True)
    ledger, posts = study.file("ledger.jsonl").read_text(), study.file("posts.jsonl").read_text()
    study.file("posts.jsonl").unlink()
    study.file("runs.jsonl").write_text("")
    (again,) = runner.run(study, ["plain"], [0], test=True)
    assert study.file("ledger.jsonl").read_text() == ledger and study.file("posts.jsonl").read_text() == posts
    assert again["test_f1"] == line["test_f1"]


def test_scores_of_entities_are_kept_of_the_best_recipe(study: Study, fake: Fake) -> None:
    runner.run(study, ["default", "plain"], [0])
    assert [(line["config"], line["split"]) for line in lines(study, "scores")] == [("default", "dev")]
    line, _ = runner.run(study, ["default", "plain"], [0], test=True)
    dev, test = lines(study, "scores")
    assert (test["split"], test["config_hash"]) == ("test", line["config_hash"])
    for split, kept in (("dev", dev), ("test", test)):
        scores, correct, gold = read_entity_scores([kept])
        assert correct.all() and (scores == 0.5).all()
        assert len(correct) / gold == pytest.approx(line[f"{split}_recall"], abs=1e-6)


def test_nothing_is_scored_twice(study: Study, fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    runner.run(study, ["default", "plain+averages"], [0], test=True)
    assert len(lines(study, "ledger")) == 1, "these two are the same"
    first, second = lines(study, "runs")
    assert first["test_f1"] == second["test_f1"]
    # The same predictions once more: the scores come from the ledger.
    study.file("runs.jsonl").write_text("")
    (line,) = runner.run(study, ["default"], [0], test=True)
    assert line["test_f1"] == first["test_f1"] and len(lines(study, "ledger")) == 1
    # Others of the same run are refused.
    study.file("runs.jsonl").write_text("")
    shutil.rmtree(study.predictions)
    fake.every = 1
    with pytest.raises(SystemExit):
        runner.run(study, ["default"], [0], test=True)
    assert "has been scored on test already" in " ".join(capsys.readouterr().out.split())
    assert len(lines(study, "ledger")) == 1 and lines(study, "runs")[0]["test_f1"] is None


def refused(study: Study, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit):
        runner.run(study, ["plain"], [0], test=True)
    assert not lines(study, "ledger") and not lines(study, "posts")
    assert lines(study, "runs")[0]["test_f1"] is None
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("file", ["configs/tiny.cfg", "bench/accuracy/configs.yml", "spacy_tokclf/new.py"])
def test_what_is_not_committed_is_not_scored_on_test(
    study: Study, fake: Fake, commit: Callable[[Study], None], file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = study.root / file
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as stream:
        stream.write("# a thought\n")
    said = refused(study, capsys)
    assert "commit first" in said and file.split("/")[0] in said
    # Even then, since nobody can say which code it was.
    commit(study)
    said = refused(study, capsys)
    assert "in no commit" in said
    study.file("runs.jsonl").unlink()
    commit(study)
    (line,) = runner.run(study, ["plain"], [0], test=True)
    assert line["test_f1"] > 0 and len(lines(study, "ledger")) == 1


def test_other_files_may_change(study: Study, fake: Fake) -> None:
    (study.root / "README.md").write_text("being written")
    runner.run(study, ["plain"], [0], test=True)
    runner.run(study, ["plain"], [1], test=True)
    assert [entry["seed"] for entry in lines(study, "ledger")] == [0, 1]


def test_without_dev_there_is_no_score_on_dev(study: Study, fake: Fake) -> None:
    (line,) = runner.run(study, ["plain+dev"], [0], test=True)
    assert line["dev_f1"] is None and line["dev_per_type"] is None and line["test_f1"] > 0
    assert line["config"] == "plain+dev"


def test_other_data(study: Study, fake: Fake) -> None:
    (line,) = runner.run(study, ["default@sample"], [0], test=True)
    (entry,) = lines(study, "ledger")
    assert entry["data"] == line["data"] == "sample"
    (posts,) = lines(study, "posts")
    assert posts["gold"] == [len(record.spans) for record in read_conll(study.root / "sample" / "test.conll")]


def test_lost_predictions_are_made_again_for_test(study: Study, fake: Fake) -> None:
    (line,) = runner.run(study, ["plain"], [0])
    shutil.rmtree(study.predictions)
    runner.run(study, ["plain"], [0])
    assert len(fake.trained) == 1
    (again,) = runner.run(study, ["plain"], [0], test=True)
    assert len(fake.trained) == 2 and again["dev_f1"] == line["dev_f1"] and again["test_f1"] > 0
    assert len(lines(study, "runs")) == 1
    json.dumps(again)


def test_every_committed_reading_is_there_once() -> None:
    """The committed lines agree with each other: a score on test is that of the ledger, and of the counts of posts."""
    configs = read_configs(Study())
    ledger = {(line["config_hash"], line["seed"]): line for line in lines(Study(), "ledger")}
    posts = {(line["config_hash"], line["seed"]): line for line in lines(Study(), "posts")}
    assert len(ledger) == len(lines(Study(), "ledger"))
    for line in lines(Study(), "runs"):
        key = (line["config_hash"], line["seed"])
        assert line["config_hash"] == configs[line["config"]].hash and line["uncommitted"] == []
        if line["test_f1"] is not None:
            assert line["test_f1"] == ledger[key]["test_f1"], line["config"]
            correct, predicted, gold = (sum(posts[key][name]) for name in ("true_positives", "predicted", "gold"))
            assert line["test_f1"] == pytest.approx(2 * correct / (predicted + gold), abs=1e-6)


def test_several_at_a_time_are_scored_in_their_order(study: Study, fake: Fake) -> None:
    machine = runner.Machine(jobs=3, device="cpu")
    fake.fails = [("trainer:few", 0)]
    with pytest.raises(SystemExit, match="Failed: trainer:few, seed 0"):
        runner.run(study, ["default", "plain", "plain+averages", "trainer:few"], [0, 1], machine=machine)
    found = [(line["config"], line["seed"]) for line in lines(study, "runs")]
    assert found == [("default", 0), ("plain", 0), ("plain+averages", 0), ("default", 1), ("plain", 1),
                     ("plain+averages", 1), ("trainer:few", 1)]  # fmt: skip
    assert sorted(fake.trained) == [("default", 0), ("default", 1), ("plain", 0), ("plain", 1), ("trainer:few", 1)]


def test_the_command_explains_itself() -> None:
    command = [sys.executable, "-m", "bench.accuracy", "run", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "--seeds" in done.stdout and "--test" in done.stdout
