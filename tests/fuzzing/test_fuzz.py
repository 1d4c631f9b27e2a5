"""A little of `make fuzz`, and that it finds what is wrong."""

import os
import random
import sys
from importlib import import_module
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
import fuzz

#: Inputs of each kind, and outcomes of which there have to be some.
INPUTS = {
    "data": (60, {"read", "TC160"}),
    "docbins": (80, {"read", "TC136", "TC137"}),
    "rows": (300, {"as it was", "read", "TC153"}),
    "tags": (400, {"read", "TC101", "TC102", "TC104", "TC126"}),
    "windows": (400, {"split", "batches", "mean", "TC002"}),
    "decoding": (200, {"decoded", "best", "chances", "loss"}),
    "checkpoints": (150, {"the one before", "gone on", "TC452", "TC457", "TC458"}),
}


def findings(kind, inputs=60, seed=0):
    return fuzz.work(fuzz.Plan([kind], inputs, seconds=60, seed=seed)).findings


@pytest.mark.parametrize("kind", fuzz.KINDS)
def test_inputs_are_taken_as_they_are_meant_or_refused(kind):
    inputs, outcomes = INPUTS[kind]
    tally = fuzz.work(fuzz.Plan([kind], inputs, seconds=60, seed=1))
    assert not tally.findings
    assert tally.counts.total() == inputs
    assert outcomes <= {outcome for _, outcome in tally.counts}


def break_read(monkeypatch, module, name, change):
    """Have a function of the package give something else, as a judge calls it."""
    found = import_module(module)
    original = getattr(found, name)
    monkeypatch.setattr(found, name, lambda *args, **kwargs: change(original(*args, **kwargs)))


@pytest.mark.parametrize(
    "module, name, change",
    [
        ("fuzzing.data", "row_facts", lambda facts: object()),
        ("fuzzing.data", "tag_facts", lambda facts: ([], [], [])),
        ("fuzzing.docbins", "facts", lambda facts: object()),
        ("fuzzing.rows", "records_from_dataset", lambda records: list(records)[:-1]),
        ("fuzzing.tags", "tags_to_spans", lambda spans: spans[1:]),
        ("fuzzing.tags", "convert_tags", lambda tags: ["O"] * len(tags)),
        ("fuzzing.windows", "split_windows", lambda windows: windows[:1]),
        ("fuzzing.windows", "pack_windows", lambda batches: list(batches)[1:]),
        ("fuzzing.windows", "pool_arrays", lambda vectors: vectors * 1.01),
        ("fuzzing.decoding", "decode_tokens", lambda spans: spans._replace(score=spans.score + 0.9)),
        ("fuzzing.decoding", "decode_tokens", lambda spans: spans._replace(end=spans.end + 1)),
        ("fuzzing.decoding", "best_tags", lambda tags: tags[::-1]),
        ("fuzzing.decoding", "forward_backward", lambda found: found._replace(tags=found.tags[::-1])),
        ("fuzzing.decoding", "chain_loss", lambda found: (found[0] + 1, *found[1:])),
        ("fuzzing.checkpoints", "read_last", lambda found: found._replace(numbers={**found.numbers, "step": 1})),
    ],
)
def test_what_is_wrong_is_found(monkeypatch, module, name, change):
    break_read(monkeypatch, module, name, change)
    kind = module.split(".")[1]
    assert any("AssertionError" in finding.error for finding in findings(kind))


@pytest.mark.parametrize("fault", [KeyError("no code"), ValueError("no code"), TimeoutError("slow")])
def test_another_error_is_found(monkeypatch, fault):
    def fail(*args, **kwargs):
        raise fault

    monkeypatch.setattr(import_module("fuzzing.data"), "read_any", fail)
    found = findings("data", inputs=5)
    assert found and type(fault).__name__ in found[0].error


def test_what_takes_too_long_is_found(monkeypatch):
    def for_ever(rng, folder):
        while True:
            rng.random()

    monkeypatch.setattr(fuzz, "PATIENCE", 1)
    monkeypatch.setattr(import_module("fuzzing.tags"), "judge", for_ever)
    (found,) = findings("tags", inputs=1)
    assert "TimeoutError" in found.error


def test_a_process_that_dies_is_found(monkeypatch):
    monkeypatch.setattr(import_module("fuzzing.tags"), "judge", lambda rng, folder: os._exit(9))
    tally = fuzz.work_together(fuzz.Plan(["windows", "tags"], 400, seconds=60), processes=2)
    assert {finding.kind for finding in tally.findings} == {"tags"}
    assert all("died: 9" in finding.error for finding in tally.findings)


def test_the_same_seed_gives_the_same_inputs_whoever_judges_them(monkeypatch, capsys):
    seen = []
    monkeypatch.setattr(import_module("fuzzing.tags"), "judge", lambda rng, folder: seen.append(rng.random()) or "x")
    fuzz.work(fuzz.Plan(["tags"], 40, seconds=60, seed=3))
    alone, seen[:] = list(seen), []
    for process in (0, 1):
        fuzz.work(fuzz.Plan(["tags"], 40, seconds=60, seed=3), process, 2)
    assert sorted(seen) == sorted(alone) and len(set(alone)) == 40
    tally = fuzz.Tally()
    tally.findings.append(fuzz.Finding("tags", 17, "wrong\n"))
    fuzz.report(tally, 3)
    assert "python scripts/fuzz.py --kinds tags --seed 3 --first 17 --inputs 1" in capsys.readouterr().out
    seen.clear()
    fuzz.work(fuzz.Plan(["tags"], 1, seconds=60, seed=3, first=17))
    assert seen == [alone[17]] == [random.Random("3 tags 17").random()]
