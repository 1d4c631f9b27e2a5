"""Hugging Face's `evaluate` on our metric and on spaCy pipelines, offline."""

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from seqeval_cases import evaluate_with_seqeval

from spacy_tokclf.metrics import compute

pytest.importorskip("evaluate")
SCRIPT = Path(__file__).parents[1] / "helpers" / "evaluate_offline.py"


def make_cases() -> list[dict[str, Any]]:
    rng = random.Random(0)
    tags = ["O", "O", "B-A", "I-A", "B-creative-work", "I-creative-work"]
    cases: list[dict[str, Any]] = []
    for settings in (
        {},
        {"mode": "strict", "scheme": "IOB2"},
        {"mode": "strict"},
        {"zero_division": 1},
        {"scheme": "IOE1"},
    ):
        references = [["B-A", "O"], *([rng.choice(tags) for _ in range(6)] for _ in range(5))]
        predictions = [[tag if rng.random() < 0.6 else rng.choice(tags) for tag in sentence] for sentence in references]
        cases.append({"predictions": predictions, "references": references, **settings})
    outside = [["O", "O"], ["O"]]
    cases.append({"predictions": outside, "references": outside})
    suffix = [["creative-work-B", "creative-work-I", "O"]]
    cases.append({"predictions": suffix, "references": suffix, "suffix": True})
    return cases


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the script printed."""
    command = [
        sys.executable,
        "-W",
        "ignore",
        str(SCRIPT),
        str(tmp_path_factory.mktemp("hf")),
        json.dumps(make_cases()),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.filterwarnings("ignore")
def test_the_module_returns_what_seqeval_s_returns(offline: dict[str, Any]) -> None:
    assert len(offline["module"]) == len(make_cases())
    for case, result in zip(make_cases(), offline["module"], strict=True):
        expected = evaluate_with_seqeval(**case)
        assert list(result) == list(expected)
        assert result == expected
        assert compute(**case) == expected


def test_the_evaluator_keeps_the_words(offline: dict[str, Any]) -> None:
    results = offline["evaluator"]
    perfect = {"precision": 1.0, "recall": 1.0, "f1": 1.0, "number": 1}
    person = {"precision": 1.0, "recall": 0.5, "f1": 2 / 3, "number": 2}
    scores = {"LOC": perfect, "PER": person, "overall_precision": 1.0, "overall_recall": 2 / 3, "overall_f1": 0.8}
    for name in ("pipeline", "folder", "joined", "plain texts"):
        assert {key: results[name][key] for key in scores} == scores, name
        assert results[name]["overall_accuracy"] == 7 / 8
        assert results[name]["samples_per_second"] > 0


def test_pipelines_of_other_tasks_are_refused(offline: dict[str, Any]) -> None:
    assert offline["evaluator"]["refused"].startswith("[TC230]")


def test_their_own_evaluator_does_not_do(offline: dict[str, Any]) -> None:
    """If this fails, `evaluate` has learned to run with transformers 5, and the override may go."""
    assert offline["evaluator"]["theirs"] in ("AttributeError", "ImportError")
