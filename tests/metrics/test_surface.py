"""Surface F1 as the shared task published it."""

import random
from pathlib import Path

import numpy as np
import pytest

from spacy_tokclf.corpus.forms.columns import read_columns
from spacy_tokclf.metrics import compare_columns, compare_tags, count, surface_scores, surfaces


def test_a_surface_at_the_wrong_place_earns_nothing() -> None:
    tokens = [["Apple", "fell"], ["Apple", "rose"]]
    gold = [["B-corporation", "O"], ["O", "O"]]
    pred = [["O", "O"], ["B-corporation", "O"]]
    nothing = {"surface_precision": 0.0, "surface_recall": 0.0, "surface_f1": 0.0}
    assert surface_scores(compare_tags(gold, pred), tokens) == nothing


def test_case_and_type_count_and_repeats_do_not() -> None:
    tokens = [["Apple", "Apple", "apple", "pie"]]
    gold = [["B-corporation", "B-corporation", "B-product", "O"]]
    pred = [["B-corporation", "O", "B-product", "B-product"]]
    comparison = compare_tags(gold, pred)
    assert surfaces(comparison.gold, comparison, tokens)[1:] == [("Apple", "corporation"), ("apple", "product")]
    # Right: (Apple, corporation), (apple, product). Predicted: these and (pie, product). Gold: these.
    scores = surface_scores(comparison, tokens)
    assert scores == pytest.approx({"surface_precision": 2 / 3, "surface_recall": 1.0, "surface_f1": 0.8})


def test_against_the_definition() -> None:
    rng = random.Random(0)
    tags = ["O", "O", "B-A", "I-A", "B-b-c"]
    for _ in range(200):
        tokens = [[rng.choice("uvwU") for _ in range(rng.randrange(8))] for _ in range(4)]
        gold, pred = ([[rng.choice(tags) for _ in words] for words in tokens] for _ in range(2))
        sets: list[set] = [set(), set(), set()]
        for words, one, other in zip(tokens, gold, pred, strict=True):
            mentions = [_mentions(words, side) for side in (one, other)]
            for found, part in zip(sets, (mentions[0] & mentions[1], mentions[1], mentions[0]), strict=True):
                found |= {(text, label) for text, label, _ in part}
        right, predicted, wanted = map(len, sets)
        scores = surface_scores(compare_tags(gold, pred), tokens)
        assert scores["surface_precision"] == (right / predicted if predicted else 0)
        assert scores["surface_recall"] == (right / wanted if wanted else 0)


def _mentions(words: list[str], tags: list[str]) -> set[tuple[str, str, int]]:
    """Text, type and place of the mentions of a sentence."""
    mentions, i = set(), 0
    while i < len(tags):
        j = i + 1
        if tags[i] != "O":
            while j < len(tags) and tags[j][0] == "I" and tags[j][2:] == tags[i][2:]:
                j += 1
            mentions.add((" ".join(words[i:j]), tags[i][2:], i))
        i = j
    return mentions


def test_wnut17_gold(wnut17_dir: Path) -> None:
    table = read_columns(wnut17_dir / "emerging.test.annotated")
    tokens, tags = table.columns
    comparison = compare_columns(tags, tags, table.lengths)
    counts = count(comparison)
    assert (len(table.lengths), len(tokens), counts.gold.sum()) == (1287, 23394, 1079)
    assert len(set(surfaces(comparison.gold, comparison, [tokens]))) == 955
    assert np.array_equal(counts.tp, counts.gold)
    assert set(surface_scores(comparison, [tokens]).values()) == {1.0}
