"""`train_pipeline`: spaCy's own training, with a log, with nothing lost, and with codes for what cannot be trained."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import spacy
from config_runs import FAST, FOLDER, run, same, short, weights_of
from spacy.tokens import DocBin
from spacy.util import load_config
from thinc.api import Config

from spacy_tokclf.report.training_log import LOG_NAME, read_log
from spacy_tokclf.training import log, loop
from spacy_tokclf.training.config import CHAIN, EPOCHS, read_training_config, use_epochs
from spacy_tokclf.training.folder import FINISHED
from spacy_tokclf.training.run import train_pipeline

OWN = FOLDER / "own_data.cfg"


@pytest.fixture
def values(posts: Path, encoder_dir: Path) -> dict[str, Any]:
    """Overrides of own_data.cfg by which the posts are known after eight epochs of four steps."""
    paths = {key: value for key, value in short(OWN, posts, encoder_dir).items() if key.startswith("paths.")}
    return paths | FAST | {"training.batcher.size": 4}


def rows(out: Path) -> list[dict[str, Any]]:
    """Read the log."""
    return [json.loads(line) for line in (out / LOG_NAME).read_text().splitlines()]


@pytest.fixture(scope="module")
def trained(posts: Path, encoder_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training of eight epochs."""
    paths = {key: value for key, value in short(OWN, posts, encoder_dir).items() if key.startswith("paths.")}
    out = tmp_path_factory.mktemp("trained") / "deep" / "out"
    overrides = paths | FAST | {"training.batcher.size": 4}
    assert train_pipeline(OWN, out, overrides=overrides, epochs=8, silent=True) == out / "model-best"
    return out


def test_each_epoch_is_evaluated_and_the_last_step_is(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert [row["step"] for row in rows(trained)] == list(range(0, 33, 4))
    assert [row["epoch"] for row in rows(trained)] == list(range(9))
    best = spacy.load(trained / "model-best")
    assert best.meta["performance"]["ents_f"] == pytest.approx(
        max(row["scores"]["ents_f"] for row in rows(trained)) / 100
    )
    assert best.meta["performance"]["ents_f"] > 0.9  # not the untrained one
    assert "seqeval_f1" in best.meta["performance"] and "seqeval_f1" not in rows(trained)[0]["scores"]
    assert capsys.readouterr().out == ""  # silent


def test_the_report_reads_the_log(trained: Path) -> None:
    found = read_log(trained / log.LOG_NAME)
    assert [each.step for each in found] == list(range(0, 33, 4))
    assert found[-1].f1 == pytest.approx(log.best_row(rows(trained))["score"])
    assert log.read_rows(trained / log.LOG_NAME) == rows(trained)


def test_no_path_is_saved(trained: Path, posts: Path, encoder_dir: Path) -> None:
    text = (trained / "model-best" / "config.cfg").read_text()
    assert not [path for path in (posts, encoder_dir, trained) if str(path) in text]
    assert "spacy-tokclf.TrainingLog.v1" in text


def test_the_log_is_that_of_the_console_logger(trained: Path, values: dict[str, Any], tmp_path: Path) -> None:
    block = {"@loggers": "spacy.ConsoleLogger.v3", "output_file": str(tmp_path / "theirs.jsonl")}
    config = load_config(OWN, overrides=values, interpolate=False)
    config["training"]["logger"] = block
    use_epochs(config, 8)
    config.to_disk(tmp_path / "theirs.cfg")
    train_pipeline(tmp_path / "theirs.cfg", tmp_path / "out", silent=True)
    theirs = [json.loads(line) for line in (tmp_path / "theirs.jsonl").read_text().splitlines()]
    assert rows(tmp_path / "out") == theirs
    saved = load_config(tmp_path / "out" / "model-last" / "config.cfg")["training"]["logger"]
    assert saved["logger"]["@loggers"] == block["@loggers"]


def test_a_logger_that_would_write_the_log_as_well(values: dict[str, Any], tmp_path: Path) -> None:
    block = {"@loggers": "spacy.ConsoleLogger.v3", "output_file": str(tmp_path / "out" / LOG_NAME)}
    own = values | {"training.logger": block}
    train_pipeline(OWN, tmp_path / "out", overrides=own, epochs=1, silent=True)
    assert [row["step"] for row in rows(tmp_path / "out")] == [0, 4]


@pytest.mark.parametrize("name", ["own_data", "wnut17", "wnut17_shared"])
def test_the_weights_are_those_of_spacy_train(name: str, posts: Path, encoder_dir: Path, tmp_path: Path) -> None:
    overrides = short(name, posts, encoder_dir, steps=4)
    plain = run(name, tmp_path / "plain", overrides, whole=True)
    ours = train_pipeline(FOLDER / f"{name}.cfg", tmp_path / "ours", overrides=overrides, silent=True)
    assert same(weights_of(spacy.load(ours)), weights_of(plain.best))
    last = spacy.load(tmp_path / "ours" / "model-last")
    assert same(weights_of(last), weights_of(spacy.load(plain.out / "model-last")))


def test_steps_that_do_not_fit_are_made_to(posts: Path, encoder_dir: Path, tmp_path: Path) -> None:
    overrides = short(OWN, posts, encoder_dir) | {"training.max_steps": 5, "training.eval_frequency": 200}
    with pytest.warns(UserWarning, match=r"TW353.*\(5, 200\).*\(5, 5\)"):
        train_pipeline(OWN, tmp_path, overrides=overrides, silent=True)
    assert [row["step"] for row in rows(tmp_path)] == [0, 5]


def test_a_pipeline_is_replaced_only_on_demand(trained: Path, values: dict[str, Any], tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(trained, out)
    (out / "notes.txt").write_text("mine")
    (out / "model-best" / "old.txt").write_text("old")
    before = weights_of(spacy.load(out / "model-best"))
    with pytest.raises(ValueError, match=r"TC355.*model-best.*--resume.*--overwrite"):
        train_pipeline(OWN, out, overrides=values, epochs=1, silent=True)
    assert same(weights_of(spacy.load(out / "model-best")), before) and len(rows(out)) == 9
    train_pipeline(OWN, out, overrides=values, epochs=1, overwrite=True, silent=True)
    assert not same(weights_of(spacy.load(out / "model-best")), before)
    assert not (out / "model-best" / "old.txt").exists()
    assert sorted(path.name for path in out.iterdir()) == [LOG_NAME, "model-best", "model-last", "notes.txt", FINISHED]
    assert [row["step"] for row in rows(out)] == [0, 4]


def test_a_training_that_breaks_off_leaves_the_pipeline_of_before(
    trained: Path, values: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    shutil.copytree(trained, out)
    before = weights_of(spacy.load(out / "model-best"))
    _interrupt(monkeypatch, after=3)
    with pytest.raises(KeyboardInterrupt):
        train_pipeline(OWN, out, overrides=values, overwrite=True, silent=True)
    assert same(weights_of(spacy.load(out / "model-best")), before)
    assert sorted(path.name for path in out.iterdir()) == ["checkpoints", LOG_NAME, "model-best", "model-last"]
    assert len(rows(out)) == 9


def test_a_first_training_that_breaks_off_leaves_its_best(
    values: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _interrupt(monkeypatch, after=6)
    with pytest.raises(KeyboardInterrupt):
        train_pipeline(OWN, tmp_path, overrides=values, silent=True)
    assert spacy.load(tmp_path / "model-best").pipe_names == ["ner"]
    assert [row["step"] for row in rows(tmp_path)] == [0, 4]
    with pytest.raises(ValueError, match="TC355"):
        train_pipeline(OWN, tmp_path, overrides=values, silent=True)


def _interrupt(monkeypatch: pytest.MonkeyPatch, *, after: int) -> None:
    """Break a training off after some steps."""
    take_step = loop.take_step

    def breaking(training: loop.Training, *args: Any) -> None:
        if training.progress.step + 1 == after:
            raise KeyboardInterrupt
        take_step(training, *args)

    monkeypatch.setattr(loop, "take_step", breaking)


def spoil(name: str, posts: Path, tmp_path: Path) -> dict[str, Any]:
    """Give overrides by which nothing can be trained."""
    empty = tmp_path / "empty.spacy"
    DocBin().to_disk(empty)
    rate = "training.optimizer.learn_rate.initial_rate"
    return {
        "no data": {"paths.train": None},
        "no such data": {"paths.train": str(tmp_path / "nothing.conll")},
        "no dev": {"paths.dev": None},
        "no such dev": {"paths.dev": str(tmp_path / "nothing.conll")},
        "no encoder": {"paths.encoder": str(tmp_path / "nothing" / "encoder")},
        "rate 0": {rate: 0},
        "rate as text": {rate: "fast"},
        "wrong path": {"paths.trian": "x"},
        "wrong key": {"training.steps": 3},
        "wrong section": {"trainign.max_steps": 3},
        "wrong type": {"training.dropout": "high"},
        "no such function": {"training.batcher.@batchers": "spacy.no_batcher.v1"},
        "no epochs": {"initialize.after_init.epochs": 0},
        "stream": {"training.max_epochs": -1},
        "no frequency": {"initialize.after_init": None, "training.max_steps": 4, "training.eval_frequency": 0},
        "negative": {"initialize.after_init": None, "training.max_steps": -4},
    }[name]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("no data", "TC118"),
        ("no such data", "TC118"),
        ("no dev", "TC118"),
        ("no such dev", "TC118"),
        ("no encoder", "TC010|TC28"),
        ("rate 0", "TC031.*initial_rate"),
        ("rate as text", "TC353.*initial_rate"),
        ("wrong path", "TC354.*paths.trian.*train, dev"),
        ("wrong key", "TC354.*training.steps.*max_steps"),
        ("wrong section", "TC353.*trainign"),
        ("wrong type", "TC353.*dropout"),
        ("no such function", "TC353.*no_batcher"),
        ("no epochs", "TC031.*epochs"),
        ("stream", "TC350"),
        ("no frequency", "TC031.*eval_frequency"),
        ("negative", "TC031.*steps"),
    ],
)
def test_what_cannot_be_trained_has_a_code_and_leaves_nothing(
    name: str, code: str, values: dict[str, Any], posts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises((ValueError, OSError), match=code):
        train_pipeline(OWN, tmp_path / "out", overrides=values | spoil(name, posts, tmp_path), silent=True)
    assert not (tmp_path / "out").exists()


def test_a_rate_of_zero_in_any_config(posts: Path, encoder_dir: Path, tmp_path: Path) -> None:
    overrides = short("wnut17", posts, encoder_dir) | {"training.optimizer.learn_rate.initial_rate": 0}
    with pytest.raises(ValueError, match=r"TC356.*0\.0.*20 steps"):
        train_pipeline(FOLDER / "wnut17.cfg", tmp_path, overrides=overrides, silent=True)
    with pytest.raises(ValueError, match=r"TC356.*0"):
        overrides = {key: value for key, value in overrides.items() if "learn_rate" not in key}
        overrides["training.optimizer.learn_rate"] = 0.0
        train_pipeline(FOLDER / "wnut17.cfg", tmp_path, overrides=overrides, silent=True)


def test_dev_without_texts(values: dict[str, Any], posts: Path, tmp_path: Path, encoder_dir: Path) -> None:
    DocBin().to_disk(tmp_path / "empty.spacy")
    overrides = short("wnut17", posts, encoder_dir) | {"paths.dev": str(tmp_path / "empty.spacy")}
    with pytest.raises(ValueError, match=r"TC357.*corpora\.dev"):
        train_pipeline(FOLDER / "wnut17.cfg", tmp_path / "out", overrides=overrides, silent=True)


@pytest.mark.parametrize("text", ["", "no config", "[training", "[training]\nseed = 0\n[training]\nseed = 1"])
def test_a_file_that_is_no_config(text: str, tmp_path: Path) -> None:
    (tmp_path / "wrong.cfg").write_text(text)
    with pytest.raises(ValueError, match=r"TC353.*wrong\.cfg"):
        train_pipeline(tmp_path / "wrong.cfg", tmp_path / "out", silent=True)


def test_epochs_are_put_into_any_config() -> None:
    plain = Config({"training": {"max_steps": 7, "eval_frequency": 3}})
    use_epochs(plain, 2.5)
    assert plain["initialize"]["after_init"] == {"@callbacks": EPOCHS, "epochs": 2.5}
    assert plain["training"] == {"max_steps": 20000, "eval_frequency": 200}
    labels = {"@callbacks": "spacy-tokclf.add_labels.v1"}
    chained = Config({"initialize": {"after_init": labels}})
    use_epochs(chained, 3)
    block = chained["initialize"]["after_init"]
    assert block["@callbacks"] == CHAIN and list(block["*"].values()) == [labels, {"@callbacks": EPOCHS, "epochs": 3}]
    use_epochs(chained, 4)
    assert list(block["*"].values())[1] == {"@callbacks": EPOCHS, "epochs": 4}


def test_epochs_of_the_file_give_way() -> None:
    config = read_training_config(OWN, {}, epochs=7)
    assert config["initialize"]["after_init"] == {"@callbacks": EPOCHS, "epochs": 7, "evaluations": 1}
