"""Speed and memory of the scores, against seqeval in the same process."""

import sys
import tracemalloc
from pathlib import Path

import pytest

from spacy_tokclf.metrics import classification_report

sys.path.append(str(Path(__file__).parents[2] / "bench"))
pytest.importorskip("seqeval")
from score_speed import make_posts, measure


@pytest.mark.slow
def test_faster_than_seqeval_on_100000_sentences() -> None:
    result = measure(100_000)
    print(result)
    assert result["equal"]
    assert result["ratio"] >= 20
    assert result["peak_bytes_per_token"] < 64


def test_memory_is_linear() -> None:
    peaks = []
    for number in (2_000, 8_000):
        gold, pred = make_posts(number)
        classification_report(gold, pred)
        tracemalloc.start()
        classification_report(gold, pred)
        peaks.append(tracemalloc.get_traced_memory()[1] / sum(map(len, gold)))
        tracemalloc.stop()
    assert peaks[1] < 64
    assert peaks[1] < 1.25 * peaks[0]
