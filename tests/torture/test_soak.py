"""The soak in its smallest form, and that it finds what it looks for."""

import argparse
import random
from collections import Counter
from typing import Any

import pytest
from pipeline_posts import POSTS
from spacy.language import Language
from torturing import soak

pytestmark = pytest.mark.slow


def options(**given: Any) -> argparse.Namespace:
    """The options of a soak of some seconds. What a process takes at its beginning is no growth."""
    parser = argparse.ArgumentParser()
    soak.add_options(parser)
    parser.set_defaults(seed=0, minutes=1 / 15, pool=24, longest=3000, growth=50.0)
    return argparse.Namespace(**{**vars(parser.parse_args([])), **given})


def test_ten_seconds() -> None:
    outcomes = soak.run(options())
    assert not [outcome for outcome in outcomes if outcome.startswith("FINDING")]
    assert outcomes["texts as alone"] >= 90 and outcomes["texts of the pool with entities"] >= 5
    assert outcomes["rss flat"] == outcomes["pss flat"] == 1


def test_wrong_pairs_and_errors_are_found(nlp: Language, monkeypatch: pytest.MonkeyPatch) -> None:
    known = [(text, soak.alone(nlp, text)) for text in POSTS[:4]]
    found: Counter[str] = Counter()
    for way in ("tuples", "pipe", "calls"):
        found += soak.annotate(nlp, known, [0, 1, 2, 3], 2, way)
    assert found == Counter({"texts as alone": 12})
    swapped = [(known[0][0], known[1][1]), *known[1:]]
    assert soak.annotate(nlp, swapped, [3, 0, 1], 2, "tuples") == {"FINDING: wrong pair": 1, "texts as alone": 2}
    monkeypatch.setattr(nlp, "make_doc", lambda text: 1 / 0)
    assert soak.annotate(nlp, known, [0], 2, "calls") == {"FINDING: ZeroDivisionError": 1}


def test_memory_that_grows_is_found() -> None:
    samples = [soak.Sample(seconds, 1000 + seconds, 1000) for seconds in range(0, 1800, 10)]
    assert soak.judge_memory(samples, 1800, 5.0) == {"FINDING: rss grew": 1, "pss flat": 1}
    assert soak.judge_memory(samples[:1], 1800, 5.0) == {"rss flat": 1, "pss flat": 1}


def test_texts_of_every_kind() -> None:
    chance = random.Random(1)
    texts = [soak.make_text(chance, 50_000, number) for number in range(400)]
    assert min(map(len, texts)) == 0 and max(map(len, texts)) > 30_000
    assert any(text.isspace() for text in texts) and any(
        max(map(len, text.split()), default=0) > 2000 for text in texts
    )
    for sign in ("\u2764", "\x01", "https://", "Quorn Falls Quorn Falls", "\u0301"):
        assert any(sign in text for text in texts)
