"""Trainings that go on, and what is refused: another config, other data, broken checkpoints, two at once."""

import json
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
import torch
from config_runs import FAST, FOLDER, short
from thinc.api import Optimizer, PyTorchWrapper
from trainings import Broken, break_off, differences, folder_differences

from spacy_tokclf.runtime.lock import locked
from spacy_tokclf.runtime.signals import Stopped, StopSignals
from spacy_tokclf.training import keeper, loop
from spacy_tokclf.training.checkpoint import FOLDER as CHECKPOINTS
from spacy_tokclf.training.checkpoint import NUMBERS, TENSORS, find_checkpoints
from spacy_tokclf.training.folder import FINISHED
from spacy_tokclf.training.run import train_pipeline
from spacy_tokclf.training.state import check_finite

OWN = FOLDER / "own_data.cfg"


@pytest.fixture(scope="module")
def values(posts: Path, encoder_dir_dropout: Path) -> dict[str, Any]:
    """Overrides for a training of 8 steps with an evaluation every 4."""
    length = short(OWN, posts, encoder_dir_dropout, steps=8)
    return length | FAST | {"training.batcher.size": 4, "training.optimizer.use_averages": True}


@pytest.fixture(scope="module")
def whole(values: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training in one go."""
    out = tmp_path_factory.mktemp("whole") / "out"
    train(out, values, checkpoints="kept")
    return out


@pytest.fixture(scope="module")
def broken(values: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training that was broken off in step 7: its checkpoints are of the steps 4 and 5."""
    out = tmp_path_factory.mktemp("broken") / "out"
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Broken):
        break_off(patch, "take_step", 7)
        train(out, values)
    return out


@pytest.fixture
def out(broken: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(broken, tmp_path / "out"))


def train(out: Path, values: dict[str, Any], **settings: Any) -> Path:
    """Train, with a checkpoint every 3 steps."""
    return train_pipeline(OWN, out, overrides=values, checkpoint_steps=3, silent=True, **settings)


def names(out: Path) -> list[str]:
    """Give what is in a folder."""
    return sorted(path.name for path in out.iterdir())


def test_checkpoints_go_in_the_end(out: Path, whole: Path, values: dict[str, Any]) -> None:
    assert [path.name for path in find_checkpoints(out)] == ["step-000005", "step-000004"]
    assert sorted(path.name for path in (out / CHECKPOINTS / "step-000005").iterdir()) == [
        "manifest.json",
        NUMBERS,
        TENSORS,
    ]
    train(out, values, resume=True)
    assert names(out) == ["log.jsonl", "model-best", "model-last", FINISHED]
    assert differences(whole, out) == []


def test_nothing_is_lost_without_a_word(out: Path, values: dict[str, Any]) -> None:
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    with pytest.raises(ValueError, match=r"TC355.*--resume.*--overwrite"):
        train(out, values)
    shutil.rmtree(out / "model-best")
    shutil.rmtree(out / "model-last")
    with pytest.raises(ValueError, match=r"TC355.*step-000005"):
        train(out, values)
    with pytest.raises(ValueError, match="TC454"):
        train(out, values, resume=True, overwrite=True)
    assert all(path.read_bytes() == before[path] for path in out.rglob("*") if path.is_file())


def test_a_fresh_folder_begins_and_a_finished_one_is_left_alone(values: dict[str, Any], tmp_path: Path) -> None:
    out = tmp_path / "out"
    train(out, values, resume=True)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    with pytest.warns(UserWarning, match="TW454"):
        assert train(out, values, resume=True) == out / "model-best"
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    with pytest.raises(ValueError, match=r"TC451.*training\.dropout: 0\.0 -> 0\.3"):
        train(out, values | {"training.dropout": 0.3}, resume=True)
    (out / CHECKPOINTS / "pipelines").mkdir(parents=True)  # killed before it was tidy
    with pytest.warns(UserWarning, match="TW454"):
        train(out, values, resume=True)
    assert names(out) == ["log.jsonl", "model-best", "model-last", FINISHED]
    (out / "log.jsonl").unlink()
    with pytest.raises(ValueError, match=r"TC460.*log\.jsonl"):
        train(out, values, resume=True)
    (out / FINISHED).unlink()  # as `spacy train` would have left it
    with pytest.raises(ValueError, match=r"TC453.*model-best"):
        train(out, values, resume=True)


def test_what_changed_is_named(out: Path, values: dict[str, Any], posts: Path, tmp_path: Path, whole: Path) -> None:
    text = (posts / "posts.conll").read_text()
    (tmp_path / "other.conll").write_text(text.replace("B-person", "B-location", 1))
    shutil.copy(posts / "posts.conll", tmp_path / "moved.conll")
    for change, found in {
        "training.max_steps": (16, r"training\.max_steps: 8 -> 16"),
        "components.ner.label_smoothing": (0.1, r"components\.ner\.label_smoothing: 0\.0 -> 0\.1"),
        "paths.train": (str(tmp_path / "other.conll"), r"training data \(corpora\.train\) are others"),
        "paths.dev": (str(tmp_path / "other.conll"), r"development data \(corpora\.dev\) are others"),
    }.items():
        with pytest.raises(ValueError, match=f"TC451.*{found[1]}"):
            train(out, values | {change: found[0]}, resume=True)
    assert [path.name for path in find_checkpoints(out)] == ["step-000005", "step-000004"]
    train(out, values | {"paths.train": str(tmp_path / "moved.conll")}, resume=True)
    assert differences(whole, out) == []


def test_another_tokenizer_is_another_training(
    out: Path, values: dict[str, Any], make_encoder: Callable[..., Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(make_encoder(dropout=0.1), tmp_path / "encoder"))
    data = json.loads((folder / "tokenizer.json").read_text())
    ids = data["model"]["vocab"]
    one, other = sorted(ids, key=ids.get)[-2:]
    ids[one], ids[other] = ids[other], ids[one]
    (folder / "tokenizer.json").write_text(json.dumps(data))
    with pytest.raises(ValueError, match=r"TC451.*tokenizer.*'ner'"):
        train(out, values | {"paths.encoder": str(folder)}, resume=True)


def test_other_versions_are_told(out: Path, values: dict[str, Any], whole: Path) -> None:
    for path in find_checkpoints(out):
        numbers = json.loads((path / NUMBERS).read_text())
        numbers["fingerprint"]["versions"]["torch"] = "1.0"
        (path / NUMBERS).write_text(json.dumps(numbers))
        _forge(path)
    with pytest.warns(UserWarning, match=r"TW450.*torch 1\.0 -> "):
        train(out, values, resume=True)
    assert differences(whole, out) == []


@pytest.mark.parametrize("key", ["step", "epoch", "done", "sizes"])
def test_counts_that_would_never_end_are_refused(key: str, out: Path, values: dict[str, Any]) -> None:
    for path in find_checkpoints(out):
        numbers = json.loads((path / NUMBERS).read_text())
        (numbers if key == "step" else numbers["place"])[key] = [10**15] if key == "sizes" else 10**15
        (path / NUMBERS).write_text(json.dumps(numbers))
        _forge(path)
    with pytest.raises(ValueError, match=rf"TC458.*{key} contradicts"):
        train(out, values, resume=True)


def _forge(path: Path) -> None:
    """Let the manifest fit again."""
    from spacy_tokclf.runtime.manifest import write_manifest

    (path / "manifest.json").unlink()
    write_manifest(path)


def test_the_best_pipeline_is_not_made_again(out: Path, values: dict[str, Any], whole: Path) -> None:
    shutil.rmtree(out / "model-last")
    shutil.move(out / "model-best", out / "mine")
    with pytest.raises(ValueError, match=r"TC460.*model-best.*Put it back"):
        train(out, values, resume=True)
    shutil.move(out / "mine", out / "model-best")
    train(out, values, resume=True)
    assert differences(whole, out) == []


@pytest.mark.parametrize("file", [NUMBERS, TENSORS, "manifest.json"])
def test_a_broken_checkpoint_is_passed_over(file: str, out: Path, values: dict[str, Any], whole: Path) -> None:
    last = find_checkpoints(out)[0]
    data = (last / file).read_bytes()
    (last / file).write_bytes(data[: len(data) // 2])
    with pytest.warns(UserWarning, match=r"TW451.*step-000005"):
        train(out, values, resume=True, checkpoints="kept")
    assert differences(whole, out) == []


def test_no_checkpoint_is_whole(out: Path, values: dict[str, Any]) -> None:
    for path in find_checkpoints(out):
        (path / TENSORS).unlink()
    with pytest.warns(UserWarning, match="TW451"), pytest.raises(ValueError, match="TC452"):
        train(out, values, resume=True)
    assert len(find_checkpoints(out)) == 2 and (out / "model-best").is_dir()


def test_replacing_goes_on_too_and_the_old_pipelines_stay_meanwhile(
    whole: Path, values: dict[str, Any], tmp_path: Path
) -> None:
    out = Path(shutil.copytree(whole, tmp_path / "out"))
    other = values | {"system.seed": 5}
    train(tmp_path / "expected", other, checkpoints="kept")
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Broken):
        break_off(patch, "save", 4)
        train(out, other, overwrite=True)
    assert folder_differences(whole / "model-best", out / "model-best") == []
    train(out, other, resume=True)
    assert differences(tmp_path / "expected", out) == []
    assert names(out) == ["log.jsonl", "model-best", "model-last", FINISHED]


def test_two_trainings_at_once(out: Path, values: dict[str, Any]) -> None:
    with locked(out), pytest.raises(ValueError, match="TC450"):
        train(out, values, resume=True)
    with locked(out):
        pass  # it is free again


@pytest.fixture
def heard() -> Iterator[None]:
    """Signals do what they do in a terminal: a job in the background of a shell ignores Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_after_the_step(
    number: int, values: dict[str, Any], whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, take_step = tmp_path / "out", loop.take_step

    def signalled(training: loop.Training, *args: Any) -> None:
        if training.progress.step == 5:
            os.kill(os.getpid(), number)
        take_step(training, *args)

    handlers = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    with monkeypatch.context() as patch, pytest.raises(Stopped) as caught:
        patch.setattr(loop, "take_step", signalled)
        train(out, values)
    assert caught.value.number == number and caught.value.is_kept
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == handlers
    assert find_checkpoints(out)[0].name == "step-000006"
    train(out, values, resume=True, checkpoints="kept")
    assert differences(whole, out) == []


@pytest.mark.usefixtures("heard")
def test_a_second_signal_ends_at_once() -> None:
    with pytest.raises(KeyboardInterrupt) as caught, StopSignals() as signals:
        os.kill(os.getpid(), signal.SIGINT)
        assert signals.number == signal.SIGINT
        os.kill(os.getpid(), signal.SIGINT)
    assert not isinstance(caught.value, Stopped)


def test_signals_are_left_alone_outside_of_the_main_thread() -> None:
    def enter() -> None:
        with StopSignals():
            found.append(signal.getsignal(signal.SIGINT))

    found: list[Any] = []
    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert found == [signal.getsignal(signal.SIGINT)]


@pytest.mark.parametrize(("step", "where"), [(6, "weights"), (6, "averages"), (6, "mom2"), (8, "weights")])
def test_weights_that_are_no_numbers_are_not_saved(
    step: int, where: str, out: Path, values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    take_step = loop.take_step

    def spoiling(training: loop.Training, *args: Any) -> None:
        take_step(training, *args)
        if training.progress.step == step:
            layer: Any = training.nlp.get_pipe("ner").model.get_ref("output_layer")
            kept = layer.get_param("b") if where == "weights" else getattr(training.optimizer, where)[layer.id, "b"]
            kept[0] = np.nan

    with monkeypatch.context() as patch, pytest.raises(ValueError, match=rf"TC456.*step {step}.*ner/\d+:b"):
        patch.setattr(loop, "take_step", spoiling)
        train_pipeline(OWN, out, overrides=values, checkpoint_steps=step + 1, silent=True, resume=True)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_an_infinite_mask_is_no_weight() -> None:
    nlp = spacy.blank("en")
    tagger = nlp.add_pipe("tagger")
    module = torch.nn.Linear(2, 2)
    module.register_buffer("mask", torch.tensor([-torch.inf]))
    tagger.model = PyTorchWrapper(module)
    check_finite(nlp, Optimizer(0.001), 1)
    with torch.no_grad():
        module.bias[0] = torch.inf
    with pytest.raises(ValueError, match=r"TC456.*tagger.*bias"):
        check_finite(nlp, Optimizer(0.001), 1)


def test_a_full_disk_costs_the_checkpoint_alone(
    values: dict[str, Any], whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keeper, "write_checkpoint", full)
    with pytest.warns(UserWarning, match=r"TW453.*No space"):
        train(tmp_path / "out", values)
    assert differences(whole, tmp_path / "out") == []


def test_what_cannot_be_kept_is_said_at_the_beginning(values: dict[str, Any], whole: Path, tmp_path: Path) -> None:
    class Mine(Optimizer):
        pass

    @spacy.registry.optimizers("test.mine.v1")
    def make_mine() -> Optimizer:
        return Mine(0.001)

    own = {key: value for key, value in values.items() if not key.startswith("training.optimizer.")}
    with pytest.warns(UserWarning, match=r"TW452.*Mine"):
        train(tmp_path / "out", own | {"training.optimizer": {"@optimizers": "test.mine.v1"}})
    assert names(tmp_path / "out") == ["log.jsonl", "model-best", "model-last", FINISHED]
