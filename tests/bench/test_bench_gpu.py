"""`bench gpu`: systems that share processes, trainings that stand still between rounds, traces, rows and targets."""

import contextlib
import dataclasses
import json
import subprocess
import sys
import time
from pathlib import Path

import fake_systems
import pytest
from spacy.util import load_config

from bench.gpu import annotation, card, checks, training
from bench.gpu.family import apart, family, serve
from bench.gpu.gate import measured
from bench.gpu.run import PLAIN, Run
from bench.gpu.size import TINY
from bench.gpu.steps import step_facts
from bench.peers import hf_data
from bench.peers.hf_trainer import Recipe, make_trainer
from bench.rounds import run_rounds
from bench.system import System
from bench.targets import check_targets
from spacy_tokclf.training.config import read_training_config

FAKES = "tests.helpers.fake_systems"
TAGS = ["O", "B-person", "I-person", "B-location", "I-location"]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run(setting, encoder_dir, monkeypatch):
    monkeypatch.setattr(card, "choose", lambda device: None)  # the environment of this process stays as it is
    return Run(
        dataclasses.replace(setting, encoder=encoder_dir, rounds=2), TINY, "cpu", {"card": "none", "tf32": False}
    )


def steady(name, tmp_path, **options):
    return System(name, f"{FAKES}:steady", {"order": str(tmp_path / name), "name": name, **options})


def test_systems_of_a_family_take_turns_and_one_that_fails_is_left_out(setting, tmp_path):
    systems = [steady("a", tmp_path, values=[1.0, 2.0]), steady("b", tmp_path, values=[3.0])]
    systems.append(System("c", f"{FAKES}:broken", {"name": "here"}))
    failed = {}
    process = family("all", systems, "cpu")
    answers = run_rounds([process], dataclasses.replace(setting, rounds=2), note=str, failed=failed)
    found = apart(answers, failed)
    assert [result["value"] for result in found["a [fp32]"][1:]] == [1.0, 2.0]
    assert [result["value"] for result in found["b [fp32]"][1:]] == [3.0]
    assert "python" in found["a [fp32]"][0]["versions"]
    assert failed["b [fp32]"].startswith("IndexError")
    assert "there is no model in here" in failed["c [fp32]"]


def test_a_process_that_fails_or_takes_too_long_does_not_end_the_others(setting, tmp_path):
    broken = System("x", f"{FAKES}:broken", {"name": "here"})
    failed = {}
    answers = run_rounds(
        [broken, steady("a", tmp_path, values=[1.0] * 3)],
        dataclasses.replace(setting, until=time.monotonic() + 60),
        note=str,
        failed=failed,
    )
    assert set(answers) == {"a [fp32]"} and set(failed) == {"x [fp32]"}
    failed = {}
    over = dataclasses.replace(setting, until=time.monotonic())
    assert run_rounds([steady("a", tmp_path, values=[1.0])], over, note=str, failed=failed) == {}
    assert set(failed) == {"a [fp32]"}


def test_the_encoder_that_speed_is_measured_with(run):
    folder = Path(training.write_encoder(run))
    config = json.loads((folder / "config.json").read_text(encoding="utf8"))
    assert (config["dim"], config["n_layers"]) == (32, 2)
    assert (folder / "tokenizer.json").is_file()


def test_the_shared_config_is_the_plain_one_with_a_slot(tmp_path):
    shared = read_training_config(training.write_shared(tmp_path), {})
    plain = load_config(PLAIN, interpolate=False)
    assert shared["nlp"]["pipeline"] == ["transformer", "ner"]
    assert shared["components"]["transformer"]["model"] == plain["components"]["ner"]["model"]["tok2vec"]
    assert shared["training"] == plain["training"]


class BrokenProfiler(contextlib.nullcontext):
    def start(self):
        raise RuntimeError("no permission")


def test_trainings_stand_still_between_rounds(run, monkeypatch):
    encoder = training.write_encoder(run)
    files = training.write_sample(dataclasses.replace(run.setting, posts=60))
    by_16, by_64, _shared, of_spacy = training.trainings(run, encoder, files)["ours"]
    runs = [measured(system.options) for system in (by_16, by_64, of_spacy)]
    for one, steps in zip(runs, (4, 1, 4), strict=True):
        first, second = one(0), one(1)
        assert first["value"] == pytest.approx(60 / first["seconds"])
        assert first["steps"] == second["steps"] == steps
        assert first["first"] == second["first"]
    assert runs[0].finish()["step"]["operations"] > 0
    assert not hasattr(runs[2], "finish")
    monkeypatch.setattr(card, "profiler", lambda: BrokenProfiler())
    assert runs[0].finish() == {"step": None}
    assert runs[0](2)["steps"] == 4, "it goes on"


def test_a_training_that_fails_says_so(run, tmp_path):
    options = {"config": str(PLAIN), "overrides": {"paths.train": str(tmp_path / "nothing")}, "batch_size": 4}
    with pytest.raises(RuntimeError, match="TC353"):
        measured({**options, "out": str(tmp_path), "loop": "tokclf", "gpu_id": -1})


def test_what_is_missing_is_said(run, monkeypatch):
    monkeypatch.setattr(training, "missing", lambda python, needs: f"no {needs[0]}")
    found = training.trainings(run, "encoder", {"train": "t", "dev": "d", "posts": "p"})
    assert list(found) == ["ours"]
    assert run.failed == {"ours with CuPy": "it needs a card", "Trainer": "no accelerate"}


@pytest.mark.parametrize(
    ("device", "seen", "expected"),
    [("cuda:0", None, "0"), ("cuda:1", None, "1"), ("cuda", "5,7", "5"), ("cuda:1", "5,7", "7"), ("cpu", "5", "")],
)
def test_one_card_is_seen(monkeypatch, device, seen, expected):
    monkeypatch.setattr("os.environ", {} if seen is None else {card.VISIBLE: seen})
    assert card.only(device) == ("cpu" if device == "cpu" else "cuda:0")
    assert card.os.environ == {card.VISIBLE: expected}


def test_steps_in_a_trace(tmp_path):
    events = [
        *[
            {"ph": "X", "cat": "cuda_runtime", "name": name, "dur": 5}
            for name in ("cudaLaunchKernel", "cudaGraphLaunch")
        ],
        {"ph": "X", "cat": "cuda_driver", "name": "cuLaunchKernelEx", "dur": 5},
        {"ph": "X", "cat": "cuda_runtime", "name": "cudaMemcpyAsync", "dur": 5},
        {"ph": "X", "cat": "cuda_runtime", "name": "cudaStreamSynchronize", "dur": 5},
        *[{"ph": "X", "cat": "kernel", "name": "gemm", "dur": 2000}] * 3,
        {"ph": "X", "cat": "gpu_memcpy", "name": "Memcpy HtoD", "dur": 500},
        {"ph": "X", "cat": "cpu_op", "name": "aten::mm", "dur": 7000},
        {"ph": "i", "name": "Iteration"},
    ]
    path = tmp_path / "trace.json"
    path.write_text(json.dumps({"traceEvents": events}), encoding="utf8")
    expected = {"launches": 1.5, "graphs": 0.5, "copies": 0.5, "waits": 0.5, "kernels": 1.5}
    assert step_facts(path, 2) == {**expected, "device_ms": 3.25, "operations": 0.5}


def test_rows_say_what_was_measured_beside(run):
    system = System("spacy-tokclf train, inline by 16", "x:y", {}, "bf16")
    step = {"launches": 30.0, "device_ms": 3.0}
    results = [{"value": 900.0, "seconds": 1.0, "steps": 100, "first": 500.0, "memory": 10.0, "step": step}] * 2
    row = {"precision": "bf16", "card": "H", "value": 900.0}
    memory, steps = training.beside(row, system, {system.key: [{}, *results]}, 16)
    assert row["first_epoch"] == 500.0
    assert (memory["value"], memory["unit"], memory["card"]) == (10.0, "MiB", "H")
    assert (steps["value"], steps["wall_ms"], steps["device_ms"]) == (30.0, 10.0, 3.0)
    assert steps["work"] == "step on a card, batches of 16"


def both_forms(setting, encoder, monkeypatch):
    """Give posts as the Trainer gets them, with and without datasets."""
    pytest.importorskip("datasets")
    from transformers import AutoTokenizer

    posts = hf_data.read_posts(training.write_sample(setting)["posts"])
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    given = hf_data.tokenize_and_align(posts, tokenizer, TAGS)
    monkeypatch.setattr(hf_data, "find_spec", lambda name: None)
    plain = hf_data.tokenize_and_align(posts, tokenizer, TAGS)
    assert isinstance(plain, hf_data.Rows) and not isinstance(given, hf_data.Rows)
    return given, plain


def card_row(work, system, value, precision="bf16", **facts):
    return {"work": work, "system": system, "value": value, "precision": precision, "f1": None, **facts}


def test_targets_of_a_card():
    rows = [
        card_row(training.WORK.format(16), training.INLINE, 2000.0),
        card_row(training.WORK.format(16), training.CUPY, 2050.0),
        card_row(training.WORK.format(16), training.TUTORIAL, 790.0, "fp32"),
        card_row(training.WORK.format(16), training.GROUPED, 520.0),
        card_row(training.STEP.format(16), training.INLINE, 30.0, wall_ms=7.5, device_ms=4.0),
        card_row(annotation.WORK, f"{annotation.PIPE} 2048", 110_000.0),
        card_row(annotation.WORK, 'pipeline("ner"), sorted batches of 128', 11_300.0),
        card_row("recipe on a card", "spacy-tokclf, seed 0", 61.3, seed=0, data="wnut17"),
        card_row("recipe on a card", "spacy-tokclf, seed 1", 59.0, seed=1, data="wnut17"),
    ]
    found = [(target.value, target.holds) for target in check_targets(rows)]
    assert found == [
        ("2.53", True),
        ("2.53", True),
        ("9.73", False),
        ("0.98", True),
        ("7.5 ms", False),
        ("110,000", True),
        ("61.30", True),
        ("59.00", False),
    ]


def test_the_tests_that_are_marked(run, tmp_path, monkeypatch):
    (tmp_path / "tests").mkdir()
    text = f"import pytest\npytestmark = [pytest.{'mark'}.gpu]\ndef test_it():\n    assert {{}}\n"
    (tmp_path / "tests" / "test_marked.py").write_text(text.format(True), encoding="utf8")
    (tmp_path / "tests" / "test_other.py").write_text("import nothing\n", encoding="utf8")
    (tmp_path / "pyproject.toml").write_text('[tool.pytest.ini_options]\nmarkers = ["gpu"]\n', encoding="utf8")
    monkeypatch.setattr(checks, "ROOT", tmp_path)
    (row,) = checks.run_tests(run, time.monotonic() + 60)
    assert (row["value"], run.failed) == (1, {})
    (tmp_path / "tests" / "test_marked.py").write_text(text.format(False), encoding="utf8")
    (row,) = checks.run_tests(run, time.monotonic() + 60)
    assert row["value"] == 0 and "assert False" in run.failed["tests marked gpu"]
    assert checks.run_tests(run, time.monotonic() + 0.01) == []


def test_rows_are_those_of_datasets(setting, encoder_dir, monkeypatch):
    given, plain = both_forms(setting, encoder_dir, monkeypatch)
    assert [plain[i] for i in range(len(plain))] == [given[i] for i in range(len(given))]
    assert plain.select(range(3))["length"] == list(given.select(range(3))["length"])


@pytest.mark.slow
@pytest.mark.parametrize("by_length", [False, True])
def test_the_trainer_learns_the_same_without_datasets(setting, encoder_dir_dropout, monkeypatch, by_length):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(encoder_dir_dropout)
    recipe = Recipe(epochs=1, batch_size=8, group_by_length=by_length)
    losses = [
        make_trainer(str(encoder_dir_dropout), tokenizer, dataset, TAGS, recipe).train().training_loss
        for dataset in both_forms(setting, encoder_dir_dropout, monkeypatch)
    ]
    assert losses[0] == losses[1]


def test_families_share_options_that_are_json(run):
    files = {"train": "t", "dev": "d", "posts": "p"}
    folders = {"model": "m", "hf": "h"}
    found = training.trainings(run, "encoder", files) | annotation.annotators(
        run, folders, annotation.Texts(["a"], [[]], 1)
    )
    for name, systems in found.items():
        process = family(name, systems, "cpu")
        assert list(json.loads(json.dumps(process.options))["members"]) == [system.key for system in systems]
        for system in systems:
            module, function = system.target.split(":")
            assert callable(getattr(__import__(module, fromlist=[function]), function))


def test_a_member_that_cannot_begin_is_told(run):
    found = serve({"device": "cpu", "members": {"a": {"target": "nothing:here", "options": {}}}, "last": 0})(0)
    assert found["members"] == {} and "ModuleNotFoundError" in found["failed"]["a"]


def test_what_disturbs_comes_last(run, monkeypatch):
    order = []

    def make(options):
        def once(number):
            order.append((options["name"], number))
            return {"value": 1.0}

        once.finish = lambda: order.append((options["name"], "end")) or {"step": {"launches": 3.0}}
        return once

    monkeypatch.setattr(fake_systems, "steady", make)
    members = {name: {"target": "fake_systems:steady", "options": {"name": name}} for name in "ab"}
    serving = serve({"device": "cpu", "members": members, "last": 1})
    assert serving(0)["members"]["a"] == {"value": 1.0}
    assert serving(1)["members"]["a"] == {"value": 1.0, "step": {"launches": 3.0}}
    assert order[2:] == [("b", 1), ("a", 1), ("b", "end"), ("a", "end")]


@pytest.mark.slow
def test_all_of_it_on_the_cpu(encoder_dir, tmp_path):
    """As on a machine with a card, with next to nothing."""
    out = tmp_path / "gpu.json"
    command = [sys.executable, "-m", "bench", "gpu", "--device", "cpu", "--tiny", "--json", str(out)]
    command += ["--encoder", str(encoder_dir), "--data", str(ROOT / "sample"), "--work", str(tmp_path / "work")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads(out.read_text(encoding="utf8"))
    works = [row["work"] for row in rows]
    assert {"card", "tests on a card", training.WORK.format(16), training.WORK.format(64)} <= set(works)
    assert {training.STEP.format(16), annotation.WORK, "recipe on a card"} <= set(works)
    assert len(rows) == 18
    assert all(row["card"].startswith("no card") for row in rows)
    assert done.stdout.count("Not measured") == 1, done.stdout
    assert "it needs a card" in done.stdout
