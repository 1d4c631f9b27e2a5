"""The default mode equals conlleval, the scorer of CoNLL-2000, by an oracle written from its definition alone.

A chunk is a run of tokens of one type: it begins at B, or at I where no chunk of that type is open, and goes on over
I of that type. A chunk is right if type, first and last token are those of a gold chunk.
"""

import random
import re

from spacy_tokclf.metrics import compare_tags, compute, count


def conlleval_chunks(tags: list[str]) -> set[tuple[str, int, int]]:
    """Find chunks with one regular expression a type, over a string with one letter a token."""
    found = set()
    for label in {tag[2:] for tag in tags if tag != "O"}:
        letters = "".join(tag[0] if tag[2:] == label else "." for tag in tags)
        found |= {(label, match.start(), match.end()) for match in re.finditer("BI*|I+", letters)}
    return found


def conlleval_f1(y_true: list[list[str]], y_pred: list[list[str]]) -> tuple[int, int, int, float]:
    right = guessed = gold = 0
    for true_tags, pred_tags in zip(y_true, y_pred, strict=True):
        true_chunks, pred_chunks = conlleval_chunks(true_tags), conlleval_chunks(pred_tags)
        right += len(true_chunks & pred_chunks)
        guessed += len(pred_chunks)
        gold += len(true_chunks)
    return right, guessed, gold, 2 * right / (guessed + gold) if guessed + gold else 0.0


def test_random_iob_corpora() -> None:
    rng = random.Random(0)
    tags = ["O", "O", *(f"{letter}-{label}" for letter in "BI" for label in ("creative-work", "A", "B"))]
    checked = 0
    for _ in range(2000):
        y_true = [[rng.choice(tags) for _ in range(rng.randrange(10))] for _ in range(rng.randrange(1, 4))]
        y_pred = [[tag if rng.random() < 0.7 else rng.choice(tags) for tag in sentence] for sentence in y_true]
        right, guessed, gold, f1 = conlleval_f1(y_true, y_pred)
        counts = count(compare_tags(y_true, y_pred))
        assert [int(column.sum()) for column in (counts.tp, counts.pred, counts.gold)] == [right, guessed, gold]
        if counts.n_tokens:
            assert abs(compute(y_pred, y_true, zero_division=0)["overall_f1"] - f1) < 1e-12  # type: ignore
            checked += 1
    assert checked > 1500


def test_every_short_sequence() -> None:
    tags = ["O", "B-A", "I-A", "B-B", "I-B"]
    sequences = [[one, two, three] for one in tags for two in tags for three in tags]
    for sequence in sequences:
        counts = count(compare_tags([sequence], [sequence]))
        assert counts.gold.sum() == counts.tp.sum() == len(conlleval_chunks(sequence))
