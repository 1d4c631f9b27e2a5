"""Streams of fresh texts, the memory and the time they take, and what has to last."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.commands.memory import lasting
from bench.stream import annotate, fresh_texts, long_document

TEXTS = ["Ann met @bob in London", "nothing to see here , move along", "http://t.co/x1"]
MIB = 2**20
ROOT = Path(__file__).parents[2]


def test_fresh_texts_have_as_many_words_as_asked_for():
    for words in (1, 7, 12, 500):
        texts = list(fresh_texts(TEXTS, words))
        assert sum(len(text.split(" ")) for text in texts) == words


def test_fresh_texts_are_fresh_and_the_same_each_time():
    texts = list(fresh_texts(TEXTS, 5000))
    assert texts == list(fresh_texts(TEXTS, 5000))
    assert texts != list(fresh_texts(TEXTS, 5000, seed=1))
    words = [word for text in texts for word in text.split(" ")]
    assert len(set(words)) > 200
    assert len(set(words)) < len(words)
    assert {"@bob", "http://t.co/x1", "to"} <= set(words)
    assert {len(text) for text in texts[:-1]} == {len(text) for text in TEXTS}


@pytest.fixture
def texts_file(tmp_path):
    path = tmp_path / "texts.json"
    path.write_text(json.dumps(TEXTS), encoding="utf8")
    return str(path)


@pytest.mark.parametrize(("leak", "flat"), [(0, True), (MIB, False)])
def test_a_leak_is_seen(texts_file, leak, flat):
    options = {"target": "tests.helpers.fake_systems:words", "options": {"leak": leak}}
    result = annotate({**options, "texts": texts_file, "words": 1000, "every": 100})(0)
    samples = result["samples"]
    assert [sample[0] // 100 for sample in samples] == list(range(1, 11))
    assert samples[-1][0] == 1000
    growth = samples[-1][3] - samples[0][3]
    assert (growth < 20) == flat
    assert result["value"] >= samples[-1][3] - 1


def test_the_peak_is_that_of_the_round():
    """In a process of its own, since this one may have kept memory that others freed."""
    code = (
        "from bench.stream import memory, peak\n"
        f"run = peak({{'target': 'tests.helpers.fake_systems:takes', 'options': {{'bytes': {300 * MIB}}}}})\n"
        "before = memory()[0]\n"
        "print(run(0)['value'] - before, memory()[0] - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    most, after = map(float, done.stdout.split())
    assert most > 290 and after < 100


def test_one_long_text_beside_short_ones(texts_file):
    options = {"target": "tests.helpers.fake_systems:words", "options": {}, "texts": texts_file, "words": 14}
    run = long_document(options)
    for number in (0, 1):
        result = run(number)
        assert result["value"] == pytest.approx(result["long"] / result["short"])


def test_what_lasts():
    samples = [[10_000, 2.0, 4.0, 500.0], [50_000, 10.0, 20.0, 505.0], [100_000, 25.0, 41.0, 510.0]]
    row = {"system": "x", "precision": "fp32", "ratio": 2.0, "reference": True}
    memory_row, speed_row = lasting(row, samples, 0.0)
    assert memory_row["value"] == 1.02
    assert speed_row["value"] == pytest.approx(0.8)
    assert speed_row["cpu"] == pytest.approx(0.97561)
    assert memory_row["ratio"] is None
    assert not memory_row["reference"]
    assert memory_row["growth"] == 10.0
    assert lasting(row, samples, 5.0)[-1]["value"] == 1.01
    assert not lasting(row, samples[:2], 0.0)
