"""Batches that are drawn while a device computes: the bits of a training that draws each in its turn."""

from pathlib import Path
from typing import Any

import pytest
from recorded_steps import record_on_cpu
from tagged_training import CONFIG, write_tagged
from trainings import Broken, break_off, differences

from spacy_tokclf.runtime.signals import StopSignals
from spacy_tokclf.training import ahead, keeper, loop
from spacy_tokclf.training.checkpoint import find_checkpoints
from spacy_tokclf.training.run import train_pipeline

pytestmark = pytest.mark.filterwarnings("ignore:.*TW35")


@pytest.fixture
def given(encoder_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Arguments of `train_pipeline`, and steps as on a GPU. There is no dropout: on a CPU its numbers come from
    generators that batches draw from, too."""
    record_on_cpu(monkeypatch)
    config = tmp_path / "config.cfg"
    config.write_text(CONFIG.replace('["tok2vec", "tagger", "ner"]', '["ner"]'))
    values = write_tagged(tmp_path) | {"paths.encoder": str(encoder_dir), "training.dropout": 0.0}
    return {"config_path": config, "overrides": values, "checkpoint_steps": 3, "checkpoints": "kept", "silent": True}


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Steps in which the next batch was drawn."""
    steps: list[int] = []
    draw = ahead.draw_ahead

    def note(training: Any, pipe: Any) -> None:
        steps.append(training.progress.step)
        draw(training, pipe)

    monkeypatch.setattr(loop, "draw_ahead", note)
    return steps


def in_turn(given: dict[str, Any], out: Path) -> Path:
    """Train without looking ahead."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "find_ahead", lambda training: None)
        train_pipeline(out=out, **given)
    return out


@pytest.mark.parametrize("own", [{}, {"training.max_epochs": -1}, {"training.max_epochs": 2, "training.max_steps": 0}])
def test_the_same_bits_as_in_turn(given: dict[str, Any], drawn: list[int], tmp_path: Path, own: dict[str, Any]) -> None:
    given["overrides"] |= own
    given["checkpoints"] = "none"
    expected = in_turn(given, tmp_path / "in_turn")
    assert not drawn
    train_pipeline(out=tmp_path / "ahead", **given)
    assert len(drawn) > 3
    assert differences(expected, tmp_path / "ahead") == []


def test_broken_off_and_gone_on_with(
    given: dict[str, Any], drawn: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = in_turn(given, tmp_path / "in_turn")
    for part, step in (("take_step", 6), ("save", 12)):
        with monkeypatch.context() as patch, pytest.raises(Broken):
            break_off(patch, part, step)
            train_pipeline(out=tmp_path / "ahead", resume=True, **given)
    train_pipeline(out=tmp_path / "ahead", resume=True, **given)
    assert drawn and differences(expected, tmp_path / "ahead") == []


def test_a_signal_is_obeyed_between_two_batches(
    given: dict[str, Any], drawn: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch that was drawn already is learned before the checkpoint is written."""
    expected = in_turn(given, tmp_path / "in_turn")
    given["checkpoint_steps"] = 0
    take = loop.take_step

    def interrupted(training: Any, *args: Any) -> None:
        take(training, *args)
        if training.progress.step == 6:
            assert training.ahead is not None
            signals[0].number = 15

    signals: list[StopSignals] = []
    make = StopSignals.__init__

    def noted(self: StopSignals, *args: Any, **kwargs: Any) -> None:
        make(self, *args, **kwargs)
        signals.insert(0, self)

    with monkeypatch.context() as patch, pytest.raises(keeper.Stopped):
        patch.setattr(StopSignals, "__init__", noted)
        patch.setattr(loop, "take_step", interrupted)
        train_pipeline(out=tmp_path / "ahead", **given)
    assert find_checkpoints(tmp_path / "ahead")
    train_pipeline(out=tmp_path / "ahead", resume=True, **given)
    assert 7 not in drawn and differences(expected, tmp_path / "ahead") == []
