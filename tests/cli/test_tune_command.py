"""`spacy tokclf tune`: in place or beside, its table and report, and what `evaluate` says of the scores."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import spacy
from pipeline_posts import add_ner, initialize, overfit, read_posts
from spacy.tokens import Doc, DocBin
from spacy.util import fix_random_seed
from typer.testing import CliRunner

from spacy_tokclf.cli import app
from spacy_tokclf.pipeline.tuning.tune import copy_tuning
from spacy_tokclf.tags.tuning import UNTUNED


def run(*args: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(arg) for arg in args])
    assert result.exit_code == code, result.output
    return " ".join(result.output.split())


@pytest.fixture(scope="module")
def half_trained(tmp_path_factory: pytest.TempPathFactory, make_encoder: Callable[..., Path]) -> bytes:
    """A pipeline that knows some of the posts."""
    fix_random_seed(0)
    nlp = spacy.blank("en")
    add_ner(nlp)
    initialize(nlp, make_encoder(), read_posts(nlp), owners=("ner",))
    overfit(nlp, steps=11)
    return nlp.to_bytes()


@pytest.fixture
def model(half_trained: bytes, tmp_path: Path) -> Path:
    """The same as a folder."""
    nlp = spacy.blank("en")
    add_ner(nlp)
    nlp.from_bytes(half_trained).to_disk(tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The posts."""
    DocBin(docs=[eg.reference for eg in read_posts(spacy.blank("en"))]).to_disk(tmp_path / "dev.spacy")
    return tmp_path / "dev.spacy"


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_in_place_one_file_changes(model: Path, data: Path, tmp_path: Path) -> None:
    before = files(model)
    said = run("tune", model, data, "--report", tmp_path / "out" / "report.json")
    for part in ("untuned", "tuned", "held out", "ECE", "AUROC", "Bias:", f"Wrote {model}"):
        assert part in said
    after = files(model)
    changed = [name for name in before if before[name] != after[name]]
    assert sorted(changed) == ["meta.json", "ner/cfg", "ner/manifest.json"]
    assert after.keys() - before.keys() == {"manifest.json"}
    old, new = json.loads(before["meta.json"]), json.loads(after["meta.json"])
    assert old.pop("spacy_tokclf") != new.pop("spacy_tokclf") and old == new
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert spacy.load(model).get_pipe("ner").cfg["tuning"] == report["tuning"]
    assert report["tuned"]["brier"] < report["untuned"]["brier"]
    # What `evaluate` finds is what was reported, before and after.
    for folder, name in ((model, "tuned"), (untouched(before, tmp_path / "old"), "untuned")):
        said = run("evaluate", folder, data, "--json", tmp_path / "scores.json", "--resamples", 0)
        assert "entities with scores" in said
        scores = json.loads((tmp_path / "scores.json").read_text())
        assert scores["overall_f1"] == pytest.approx(report[name]["f1"])
        found = scores["details"]["calibration"]
        assert found == pytest.approx({key: report[name][key] for key in found}, abs=1e-6)


STALE = {"ents_f": 0.123, "ents_per_type": {}, "seqeval_f1": 0.123, "ner_loss": 1.5, "tag_acc": 0.5}


def test_the_scores_that_it_holds_are_those_of_now(model: Path, data: Path, tmp_path: Path) -> None:
    meta = json.loads((model / "meta.json").read_text())
    (model / "meta.json").write_text(json.dumps({**meta, "performance": STALE}))
    run("tune", model, data, "--report", tmp_path / "report.json", "--output", tmp_path / "tuned")
    run("tune", model, data)
    found = [json.loads((folder / "meta.json").read_text()) for folder in (model, tmp_path / "tuned")]
    kept = {**meta, "performance": found[1]["performance"]}
    assert [folder.pop("spacy_tokclf").keys() for folder in found] == [kept.pop("spacy_tokclf").keys()] * 2
    assert found[0] == kept
    performance, report = found[0]["performance"], json.loads((tmp_path / "report.json").read_text())
    assert performance.keys() == STALE.keys() and performance["ents_per_type"]
    assert performance["ents_f"] == pytest.approx(report["tuned"]["f1"]) == pytest.approx(performance["seqeval_f1"])
    assert {key: performance[key] for key in ("ner_loss", "tag_acc")} == {"ner_loss": 1.5, "tag_acc": 0.5}


@pytest.mark.parametrize(("bias", "kept"), [(0.0, True), (0.5, False)])
def test_scores_of_before_are_dropped_where_none_can_be_measured(model: Path, bias: float, kept: bool) -> None:
    nlp, like = spacy.load(model), spacy.load(model)
    like.get_pipe("ner").cfg["tuning"] = {"bias": dict.fromkeys(like.get_pipe("ner").labels, bias), "slope": 2.0}
    nlp.meta["performance"] = dict(STALE)
    copy_tuning(nlp, like)
    assert nlp.meta["performance"] == (STALE if kept else {"ner_loss": 1.5, "tag_acc": 0.5})


def untouched(content: dict[str, bytes], folder: Path) -> Path:
    for name, data in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def test_beside(model: Path, data: Path, tmp_path: Path) -> None:
    before = files(model)
    options = ["--no-calibration", "--temperature", "--per-type", "--component", "ner"]
    assert "Wrote" in run("tune", model, data, "--output", tmp_path / "tuned", *options)
    assert files(model) == before
    tuning = spacy.load(tmp_path / "tuned").get_pipe("ner").tuning
    assert not tuning.calibrates and tuning.temperature != 1.0 and tuning.bias
    run("tune", model, data, "-o", tmp_path / "less", "--no-bias")
    assert spacy.load(tmp_path / "less").get_pipe("ner").tuning.bias == {}


def test_like(model: Path, data: Path, tmp_path: Path) -> None:
    run("tune", model, data, "--output", tmp_path / "tuned")
    assert "Bias:" in run("tune", model, "--like", tmp_path / "tuned", "--report", tmp_path / "report.json")
    one, other = (spacy.load(folder).get_pipe("ner").tuning for folder in (model, tmp_path / "tuned"))
    assert one == other != UNTUNED
    assert json.loads((tmp_path / "report.json").read_text())["tuning"] == one._asdict()


def test_switched_off_in_the_config(model: Path, data: Path) -> None:
    config = (model / "config.cfg").read_text()
    assert "tuned = true" in config
    (model / "config.cfg").write_text(config.replace("tuned = true", "tuned = false"))
    assert "tuned = false" in run("tune", model, data)
    pipe = spacy.load(model).get_pipe("ner")
    assert pipe.tuning == UNTUNED and pipe.cfg["tuning"] is not None


def test_refused(model: Path, data: Path, tmp_path: Path) -> None:
    before = files(model)
    DocBin(docs=[Doc(spacy.blank("en").vocab, words=["rain"])]).to_disk(tmp_path / "bare.spacy")
    for args, code in (
        (("en_some_package", data), "TC065"),
        ((model,), "TC066"),
        ((model, data, "--like", model), "TC066"),
        ((model, "--like", model), "TC064"),
        ((model, tmp_path / "bare.spacy"), "TC060"),
        ((model, tmp_path / "absent.spacy"), "TC118"),
        ((model, data, "--no-bias", "--no-calibration"), "TC063"),
        ((model, data, "--component", "tagger"), "TC255"),
    ):
        assert f"[{code}]" in run("tune", *args, code=1)
    assert files(model) == before
