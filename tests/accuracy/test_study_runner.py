"""Runs: what is done is not done again, two workers share the work, and what is committed decides about test."""

import json
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin

from bench.accuracy import runner
from bench.accuracy.curves import read_found
from bench.accuracy.data import get_data
from bench.accuracy.ledger import counts_of, write_counts
from bench.accuracy.study import Study, locked, put_line, read_lines
from bench.accuracy.systems import Training
from spacy_tokclf.corpus import read_conll, record_to_doc


class Fake:
    """Trains nothing, and predicts the gold of every other post."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.trained: list[tuple[str, int]] = []
        self.predicted: list[tuple[str, int]] = []
        self.every = 2
        self.scores = False
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()

    def train(self, study: Study, definition: Any, data: Any, *, seed: int, folder: Path, lock: int) -> Training:
        self.begun.set()
        assert self.go_on.wait(20)
        self.trained.append((definition.name, seed))
        return Training(2.0, 4.0, 3.5, 3.0)

    def predict(self, study: Study, definition: Any, data: Any, *, model: Path, out: Path, lock: int) -> None:
        self.predicted.append((definition.name, int(out.name.rpartition("-")[2])))
        out.mkdir(parents=True, exist_ok=True)
        vocab = spacy.blank("en").vocab
        for split, path in (("dev", data.path("dev", "conll")), ("test", data.test_gold)):
            docs = [record_to_doc(record, vocab) for record in read_conll(path)]
            given = [
                doc if i % self.every == 0 else Doc(vocab, words=[t.text for t in doc]) for i, doc in enumerate(docs)
            ]
            for doc in given if self.scores else ():
                doc.spans["entities"] = doc.ents
                doc.spans["entities"].attrs["scores"] = [0.5] * len(doc.ents)
            DocBin(docs=given).to_disk(out / f"{split}.spacy")


@pytest.fixture
def fake(study: Study, monkeypatch: pytest.MonkeyPatch) -> Fake:
    made = Fake(study)
    monkeypatch.setattr(runner, "train", made.train)
    monkeypatch.setattr(runner, "predict", made.predict)
    return made


def test_a_run_and_its_line(study: Study, fake: Fake) -> None:
    (line,) = runner.run(study, ["plain"], [3])
    assert read_lines(study.runs) == [line]
    assert list(line)[:6] == ["config", "seed", "commit", "config_hash", "dev_f1", "test_f1"]
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=study.root, capture_output=True, text=True, check=True)
    assert line["commit"] == commit.stdout.strip() and line["uncommitted"] == []
    # Of 9 entities in the 8 posts of dev, 5 are in the posts 0, 2, 4 and 6.
    gold = [len(record.spans) for record in read_conll(study.root / "assets" / "data" / "dev.conll")]
    found, every = sum(gold[::2]), sum(gold)
    assert line["dev_precision"] == 1.0 and line["dev_recall"] == round(found / every, 6)
    assert line["dev_f1"] == round(2 * found / (found + every), 6)
    assert line["test_f1"] is line["test_per_type"] is None and set(line["dev_per_type"]) >= {"person", "location"}
    assert (line["best_epoch"], line["epochs"], line["seconds"], line["threads"]) == (2.0, 4.0, 3.5, 1)
    assert line["encoder"] == "0123456789ab" and line["data"] == "wnut17"
    assert not study.ledger.exists() and not study.posts.exists()


def test_what_is_done_is_not_done_again(study: Study, fake: Fake) -> None:
    runner.run(study, ["plain", "default"], [0])
    before = study.runs.read_bytes()
    runner.run(study, ["plain", "default"], [0, 1])
    assert fake.trained == [("plain", 0), ("default", 0), ("plain", 1), ("default", 1)]
    assert study.runs.read_bytes().startswith(before) and len(read_lines(study.runs)) == 4


def test_a_changed_config_is_run_again_in_the_place_of_the_old_one(study: Study, fake: Fake) -> None:
    runner.run(study, ["plain", "default"], [0])
    study.configs.write_text(study.configs.read_text().replace("title: the plain one", "set: {training.dropout: 0.3}"))
    fake.every = 1
    runner.run(study, ["plain", "default"], [0])
    assert fake.trained == [("plain", 0), ("default", 0), ("plain", 0)]
    plain, default = read_lines(study.runs)
    assert plain["dev_f1"] == 1.0 > default["dev_f1"]
    assert plain["uncommitted"] == [" M bench/accuracy/configs.yml"]


def test_a_failure_does_not_stop_the_others(study: Study, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    def train(study: Study, definition: Any, data: Any, *, seed: int, folder: Path, lock: int) -> Training:
        if (definition.name, seed) == ("plain", 0):
            raise SystemExit(1)
        return fake.train(study, definition, data, seed=seed, folder=folder, lock=lock)

    monkeypatch.setattr(runner, "train", train)
    with pytest.raises(SystemExit, match="plain, seed 0"):
        runner.run(study, ["plain", "default"], [0, 1])
    assert fake.trained == [("default", 0), ("plain", 1), ("default", 1)] and len(read_lines(study.runs)) == 3


def test_two_workers_do_not_run_the_same(study: Study, fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    fake.go_on.clear()
    first = threading.Thread(target=runner.run, args=(study, ["plain"], [0]))
    first.start()
    assert fake.begun.wait(20)
    assert runner.run(study, ["plain"], [0]) == []
    assert "another worker has it in hand" in capsys.readouterr().out
    fake.go_on.set()
    first.join(20)
    assert len(runner.run(study, ["plain"], [0])) == 1
    assert fake.trained == [("plain", 0)] and len(read_lines(study.runs)) == 1


def test_a_lock_lives_as_long_as_what_was_started_under_it(study: Study) -> None:
    path = study.work / "locks" / "one"
    with locked(path) as lock:
        assert lock is not None
        child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=[lock])
    try:
        with locked(path, wait=False) as lock:
            assert lock is None
    finally:
        child.communicate()
    with locked(path, wait=False) as lock:
        assert lock is not None


def test_lines_of_many_writers_are_all_there(study: Study) -> None:
    def write(number: int) -> None:
        for seed in range(5):
            put_line(study, study.runs, {"config": str(number), "seed": seed}, key=runner.KEY)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    found = sorted((line["config"], line["seed"]) for line in read_lines(study.runs))
    assert found == [(str(number), seed) for number in range(4) for seed in range(5)]


def test_a_score_on_test_is_in_the_ledger(study: Study, fake: Fake) -> None:
    runner.run(study, ["plain"], [0])
    (line,) = runner.run(study, ["plain"], [0], test=True)
    assert fake.trained == [("plain", 0)], "the predictions are there"
    (entry,) = read_lines(study.ledger)
    assert entry["commit"] == line["commit"] and entry["config_hash"] == line["config_hash"]
    gold = [len(record.spans) for record in read_conll(study.root / "assets" / "data" / "test.conll")]
    assert not study.curves.exists(), "these predictions have no scores"
    wanted = round(2 * sum(gold[::2]) / (sum(gold[::2]) + sum(gold)), 6)
    assert entry["test_f1"] == line["test_f1"] == wanted and read_lines(study.runs) == [line]
    (posts,) = read_lines(study.posts)
    expected = [[n if i % 2 == 0 else 0] * 2 + [n] for i, n in enumerate(gold)]
    assert counts_of(posts).tolist() == expected


@given(st.lists(st.tuples(*[st.integers(0, 500)] * 3), min_size=1))
def test_counts_of_posts_are_a_character_each(counts: list[tuple[int, int, int]]) -> None:
    line = json.loads(json.dumps(write_counts(np.array(counts))))
    assert {len(column) for column in line.values()} == {len(counts)}
    assert counts_of(line).tolist() == list(map(list, counts))


def test_what_a_broken_off_reading_left_out_is_made_up_for(study: Study, fake: Fake) -> None:
    (line,) = runner.run(study, ["plain"], [0], test=True)
    ledger, posts = study.ledger.read_text(), study.posts.read_text()
    study.posts.unlink()
    study.runs.write_text("")
    (again,) = runner.run(study, ["plain"], [0], test=True)
    assert study.ledger.read_text() == ledger and study.posts.read_text() == posts
    assert again["test_f1"] == line["test_f1"]


def test_scores_of_entities_are_kept_for_each_split_that_is_scored(study: Study, fake: Fake) -> None:
    fake.scores = True
    runner.run(study, ["plain"], [0])
    assert [line["split"] for line in read_lines(study.curves)] == ["dev"]
    (line,) = runner.run(study, ["plain"], [0], test=True)
    runner.run(study, ["plain+dev"], [0], test=True)
    dev, test, refit = read_lines(study.curves)
    assert (test["split"], test["config_hash"]) == ("test", line["config_hash"]) and refit["config"] == "plain+dev"
    for split, curve in (("dev", dev), ("test", test)):
        found = read_found([curve])
        assert found.right.all() and (found.scores == 0.5).all()
        assert len(found.right) / found.gold == pytest.approx(line[f"{split}_recall"], abs=1e-6)


def test_nothing_is_scored_twice(study: Study, fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    runner.run(study, ["default", "plain+averages"], [0], test=True)
    assert len(read_lines(study.ledger)) == 1, "these two are the same"
    lines = read_lines(study.runs)
    assert lines[0]["test_f1"] == lines[1]["test_f1"]
    # The same predictions once more: the scores come from the ledger.
    study.runs.write_text("")
    (line,) = runner.run(study, ["default"], [0], test=True)
    assert line["test_f1"] == lines[0]["test_f1"] and len(read_lines(study.ledger)) == 1
    # Others of the same run are refused.
    study.runs.write_text("")
    fake.every = 1
    with pytest.raises(SystemExit):
        runner.run(study, ["default"], [0], test=True)
    assert "has been scored on test already" in " ".join(capsys.readouterr().out.split())
    assert len(read_lines(study.ledger)) == 1 and read_lines(study.runs)[0]["test_f1"] is None


def refused(study: Study, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit):
        runner.run(study, ["plain"], [0], test=True)
    assert not study.ledger.exists() and not study.posts.exists()
    assert read_lines(study.runs)[0]["test_f1"] is None
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("file", ["tiny.cfg", "bench/accuracy/configs.yml", "spacy_tokclf/new.py"])
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
    study.runs.unlink()
    commit(study)
    (line,) = runner.run(study, ["plain"], [0], test=True)
    assert line["test_f1"] > 0 and len(read_lines(study.ledger)) == 1


def test_a_config_that_git_does_not_know(study: Study, fake: Fake, commit: Any, capsys: Any) -> None:
    (study.root / "training").mkdir(exist_ok=True)
    hidden = study.root / "training" / "hidden.cfg"
    hidden.write_text((study.root / "tiny.cfg").read_text())
    study.configs.write_text(study.configs.read_text().replace("config: tiny.cfg", "config: training/hidden.cfg"))
    commit(study)
    assert "!! training/hidden.cfg" in refused(study, capsys)


def test_other_files_may_change(study: Study, fake: Fake) -> None:
    (study.root / "README.md").write_text("being written")
    runner.run(study, ["plain"], [0], test=True)
    runner.run(study, ["plain"], [1], test=True)
    assert [entry["seed"] for entry in read_lines(study.ledger)] == [0, 1]


def test_without_dev_there_is_no_score_on_dev(study: Study, fake: Fake) -> None:
    (line,) = runner.run(study, ["plain+dev"], [0], test=True)
    assert line["dev_f1"] is None and line["dev_per_type"] is None and line["test_f1"] > 0
    assert line["config"] == "plain+dev"


def test_other_data(study: Study, fake: Fake) -> None:
    (line,) = runner.run(study, ["plain@sample"], [0], test=True)
    (entry,) = read_lines(study.ledger)
    assert entry["data"] == line["data"] == "sample"
    assert get_data(study, "sample").test_gold == study.root / "sample" / "test.conll"


def test_lost_predictions_are_made_again_for_test(study: Study, fake: Fake) -> None:
    (line,) = runner.run(study, ["plain"], [0])
    for path in sorted((study.work / "predictions").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    runner.run(study, ["plain"], [0])
    assert len(fake.trained) == 1
    (again,) = runner.run(study, ["plain"], [0], test=True)
    assert len(fake.trained) == 2 and again["dev_f1"] == line["dev_f1"] and again["test_f1"] > 0
    assert len(read_lines(study.runs)) == 1
    json.dumps(again)
