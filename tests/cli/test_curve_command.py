"""`spacy tokclf curve`: trainings on parts of the data, kept, gone on with, and shown by `report`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from config_runs import write_posts
from tiny_encoders import write_encoder
from typer.testing import CliRunner

import spacy_tokclf.training.curve as module
from spacy_tokclf.cli import app
from spacy_tokclf.cli.curve import read_shares

CONFIG = Path(__file__).resolve().parents[2] / "configs" / "wnut17.cfg"


def run(*args: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(arg) for arg in args])
    assert result.exit_code == code, result.output
    assert code == 0 or len(result.output.strip().splitlines()) < 12
    return " ".join(result.output.split())


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Overrides of a config, for posts and a tiny encoder."""
    place = tmp_path_factory.mktemp("curve")
    data = write_posts(place) / "posts.spacy"
    write_encoder(place / "encoder")
    values = {
        "paths.train": data,
        "paths.dev": data,
        "paths.encoder": place / "encoder",
        "training.max_steps": 4,
        "training.eval_frequency": 2,
        "training.batcher.size": 8,
        "training.optimizer.learn_rate.warmup_steps": 1,
    }
    return [part for key, value in values.items() for part in (f"--{key}", str(value))]


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, int]]:
    """What was trained, share and seed; nothing is."""
    calls: list[tuple[float, int]] = []

    def train(config: Path, out: Path, **settings: Any) -> Path:
        read = module.read_training_config(config, {}).interpolate()
        part, steps = read["corpora"]["train"], read["training"]["max_steps"]
        assert steps == round(4 * part["share"])
        calls.append((part["share"], read["training"]["seed"]))
        if len(calls) == 3:
            raise KeyboardInterrupt
        out.mkdir()
        row = {"step": steps, "epoch": 0, "losses": {}, "score": 0.5, "scores": {"ents_f": 100 * part["share"]}}
        (out / "log.jsonl").write_text(json.dumps(row) + "\n")
        return out / "model-best"

    monkeypatch.setattr(module, "train_pipeline", train)
    return calls


def test_an_interrupted_command_goes_on(settings: list[str], trained: list[Any], tmp_path: Path) -> None:
    options = [tmp_path, "--shares", "50,25,100", "--seeds", 2]
    said = run("curve", CONFIG, *options, *settings, code=1)
    assert "[TC145]" in said
    assert [path.name for path in tmp_path.iterdir()] == ["curve.json"]
    kept = (tmp_path / "curve.json").read_bytes()
    assert len(json.loads(kept)["runs"]) == 2
    said = run("curve", CONFIG, *options, *settings)
    every = [(share, seed) for share in (0.25, 0.5, 1.0) for seed in (0, 1)]
    assert trained == [*every[:3], *every[2:]], "the third was broken off"
    assert "From 50 to 100 % of the texts, F1 changed by +50.00 points" in said and "2 seeds" in said
    assert "steps, warm-up and patience are scaled" in said
    # More seeds, other shares: what is there is taken.
    del trained[:]
    run("curve", CONFIG, tmp_path, "--shares", "50", "--seeds", 3, *settings)
    assert trained == [(0.5, 2)]


def test_another_config_or_other_data_are_refused(settings: list[str], trained: list[Any], tmp_path: Path) -> None:
    options = [tmp_path, "--shares", "50,100", "--seeds", 1]
    run("curve", CONFIG, *options, *settings)
    before = (tmp_path / "curve.json").read_bytes()
    said = run("curve", CONFIG, *options, *settings, "--training.dropout", 0.3, code=1)
    assert "[TC382]" in said and "the config changed" in said
    found = json.loads(before)
    (tmp_path / "curve.json").write_text(json.dumps({**found, "made_of": {**found["made_of"], "dev": ""}}))
    assert "the development data changed" in run("curve", CONFIG, *options, *settings, code=1)
    (tmp_path / "curve.json").write_text("{}")
    assert "[TC384]" in run("curve", CONFIG, *options, *settings, code=1)
    assert len(trained) == 2


@pytest.mark.parametrize("shares", ["0", "101", "-5", "ten", ""])
def test_what_are_no_shares(settings: list[str], shares: str, tmp_path: Path) -> None:
    assert "[TC381]" in run("curve", CONFIG, tmp_path, "--shares", shares, *settings, code=1)
    assert list(tmp_path.iterdir()) == []


def test_shares_are_given_in_percent() -> None:
    assert read_shares("10, 25,100") == [0.1, 0.25, 1.0]


def test_a_part_without_entities(settings: list[str], trained: list[Any], tmp_path: Path) -> None:
    said = run("curve", CONFIG, tmp_path, "--shares", "1,100", "--seeds", 9, *settings, code=1)
    assert "[TC383]" in said and "1 of 16 texts" in said and not trained


def test_trainings_and_the_page(settings: list[str], pipeline: str, tmp_path: Path, write: Callable[..., str]) -> None:
    """With nothing replaced: real trainings, and what `report` makes of them."""
    said = run("curve", CONFIG, tmp_path, "--shares", "50,100", "--seeds", 1, *settings)
    assert said.count("[TW354]") <= 1 and "50 %, seed 0: 8 texts, F1" in said and "with one seed" in said
    found = json.loads((tmp_path / "curve.json").read_text())["runs"]
    assert [(one["share"], one["texts"]) for one in found] == [(0.5, 8), (1.0, 16)]
    assert all(0 <= one["f1"] <= 1 and one["entities"] > 0 for one in found)
    data = write("gold.conll", "Ada\tB-person\n\n")
    run("report", pipeline, data, "-o", tmp_path / "page.html", "--resamples", 0)
    page = (tmp_path / "page.html").read_text()
    assert "Would more annotation help?" in page and page.count("%, seed 0: F1") == 2 and "with one seed" in page
    (tmp_path / "curve.json").rename(tmp_path / "other.json")
    run("report", pipeline, data, "-o", tmp_path / "page.html", "--resamples", 0)
    assert "Would more annotation help?" not in (tmp_path / "page.html").read_text()
    run("report", pipeline, data, "-o", tmp_path / "page.html", "--resamples", 0, "--curve", tmp_path / "other.json")
    assert "Would more annotation help?" in (tmp_path / "page.html").read_text()
    said = run("report", pipeline, data, "-o", tmp_path / "page.html", "--curve", data, code=1)
    assert "[TC384]" in said
