"""The commands list their systems and make rows; what the rows hold is fit to be published."""

import json
import subprocess
import sys

import pytest
import spacy

from bench.commands import annotate, curves, latency, limit, load, memory, train
from bench.data import write_sample
from bench.flops import work_of
from bench.fresh import measured_fresh
from bench.gemm import measured as measured_gemm
from bench.rounds import run_rounds
from bench.rows import make_rows
from bench.system import System
from bench.texts import measured_points, measured_singly

FAKES = "tests.helpers.fake_systems"


@pytest.fixture(autouse=True)
def no_exports(monkeypatch, tmp_path):
    """The forms of the trained pipeline are names only."""
    for module in (annotate, curves, latency, load, memory):
        if hasattr(module, "hugging_face"):
            monkeypatch.setattr(module, "hugging_face", lambda setting: tmp_path / "hf")
    monkeypatch.setattr(annotate, "optimized", lambda setting, precision: tmp_path / f"onnx-{precision}")


def listed(setting, command):
    files = write_sample(setting)
    given = {**files, "texts": "texts.json", "words": 10, "every": 5}
    return {
        "train": lambda: train.systems(setting, files),
        "annotate": lambda: annotate.systems(setting, given),
        "latency": lambda: latency.systems(setting, given),
        "import": lambda: load.imports("DistilBertForTokenClassification"),
        "load": lambda: load.pipelines(setting, "DistilBertForTokenClassification"),
        "memory of training": lambda: memory.trainings(setting),
        "memory of annotating": lambda: memory.streams(setting, given, "bench.stream:annotate"),
        "limit": lambda: limit.systems(384, 1536),
        "words in a text": lambda: curves.systems(setting, "points.json", lengths=True),
        "texts in a batch": lambda: curves.systems(setting, "points.json", lengths=False),
    }[command]()


@pytest.mark.parametrize(
    "command",
    [
        "train",
        "annotate",
        "latency",
        "import",
        "load",
        "memory of training",
        "memory of annotating",
        "limit",
        "words in a text",
        "texts in a batch",
    ],
)
def test_systems_are_told_apart_and_their_functions_are_there(setting, command):
    systems = listed(setting, command)
    assert len({system.key for system in systems}) == len(systems)
    for system in systems:
        module, function = system.target.split(":")
        assert callable(getattr(__import__(module, fromlist=[function]), function))
        json.dumps(system.options)


def test_loading_runs_what_it_times(setting):
    for system in [*listed(setting, "import"), *listed(setting, "load")]:
        for part in ("before", "timed"):
            compile(system.options.get(part, ""), system.name, "exec")


def test_fresh_processes_time_the_second_part_alone():
    run = measured_fresh({"before": "import time; time.sleep(0.2)", "timed": "time.sleep(0.05); print('loud')"})
    assert 0.05 <= run(0)["value"] < 0.2
    with pytest.raises(subprocess.CalledProcessError):
        measured_fresh({"before": "", "timed": "import a_package_that_nobody_has"})


def test_texts_of_a_number_of_words(setting):
    texts = latency.texts_of_words(setting, 5, 3)
    assert 0 < len(texts) <= 3
    assert {len(text.split(" ")) for text in texts} == {5}


def test_latency_is_the_median_over_texts(tmp_path):
    path = tmp_path / "texts.json"
    path.write_text(json.dumps(["a", "b", "c"]), encoding="utf8")
    seen = []
    run = measured_singly(seen.append, {"texts": str(path)})
    result = run(0)
    assert seen[:3] == ["a", "b", "c"]
    assert len(seen) == 18  # a round to warm up, and one
    assert 0 < result["value"] <= result["p95"]


def test_points_of_a_curve(setting, tmp_path):
    found = curves.points(setting)
    lengths = found["words in a text"]
    assert [point["name"] for point in lengths] == [str(n) for n in curves.LENGTHS][: len(lengths)]
    for point in lengths:
        assert {len(text.split(" ")) for text in point["texts"]} == {int(point["name"])}
        assert point["words"] == int(point["name"]) * len(point["texts"])
    sizes = found["texts in a batch"]
    assert [point["batch_size"] for point in sizes] == list(curves.SIZES)
    path = tmp_path / "points.json"
    path.write_text(json.dumps(sizes), encoding="utf8")
    calls = []
    run = measured_points(lambda texts, size: calls.append((len(texts), size)), {"points": str(path)})
    del calls[:]
    assert set(run(0)) == {point["name"] for point in sizes}
    assert calls == [(8, size) for size in curves.SIZES]


@pytest.mark.parametrize("precision", ["fp32", "bf16", "int8"])
def test_products(precision):
    if precision == "int8":
        pytest.importorskip("onnx")
        pytest.importorskip("onnxruntime")
    result = measured_gemm({"precision": precision, "shapes": [[32, 16, 8], [64, 64, 64]]})(0)
    assert set(result["shapes"]) == {"32x16x8", "64x64x64"}
    assert result["value"] == max(result["shapes"].values()) > 0


def test_the_arithmetic_of_texts(nlp):
    """Against a count by hand for an encoder of 2 layers, width 32, 64 inside."""
    docs = [spacy.tokens.Doc(nlp.vocab, words) for words in (["the", "in"], ["a", "the", "of"])]
    found = work_of(nlp.get_pipe("ner").model, docs)
    assert (found.words, found.pieces) == (5, 9)
    projections = 2 * 9 * 3 * 32 * 32
    after = 2 * (32 * 32 + 2 * 32 * 64)
    attention = 4 * 32 * (4**2 + 5**2)
    assert found.flops == 2 * (projections + attention) + (9 + 5) * after + 2 * 5 * 32 * len(nlp.get_pipe("ner").tags)


def test_shares_of_the_limit():
    rows = [{"system": "spacy-tokclf nlp.pipe", "precision": "fp32", "value": 4000.0}]
    needed = limit.Work(flops=30e6 * 100, words=100, pieces=150)
    row = limit.shares("limit, annotating", rows, needed, 30e6, {"fp32": 240.0})[0]
    assert row["value"] == 120.0
    assert row["ratio"] == 0.5
    assert row["pieces_a_word"] == 1.5


def test_rows_say_nothing_about_the_machine_that_made_them(setting, tmp_path):
    system = System("a", f"{FAKES}:steady", {"order": str(tmp_path / "order"), "name": "a", "values": [1.0, 2.0, 3.0]})
    answers = run_rounds([system], setting, note=str)
    text = json.dumps(make_rows("x", "s", [system], answers, data="sample"))
    assert str(tmp_path) not in text
    assert sys.prefix not in text
    assert '"/' not in text
