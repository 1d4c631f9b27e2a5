"""The scores of entities: written shortly, read back, and only where a system has some."""

import numpy as np
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, Span
from spacy.training import Example

from bench.accuracy.configs import resolve
from bench.accuracy.curves import Found, found_in, lines_of, put_curve, read_found, written
from bench.accuracy.study import Study, read_lines

VOCAB = spacy.blank("en").vocab


def post(gold: list[tuple[int, int]], predicted: list[tuple[int, int, float]] | None) -> Example:
    docs = [Doc(VOCAB, words=["a", "b", "c", "d"]) for _ in range(2)]
    docs[1].set_ents([Span(docs[1], start, end, "x") for start, end in gold])
    if predicted is not None:
        docs[0].spans["entities"] = [Span(docs[0], start, end, "x") for start, end, _ in predicted]
        docs[0].spans["entities"].attrs["scores"] = [score for _, _, score in predicted]
    return Example(docs[0], docs[1])


def test_scores_and_what_is_right() -> None:
    found = found_in([post([(0, 1), (2, 4)], [(0, 1, 0.9), (2, 3, 0.4)]), post([(1, 2)], []), post([], [(0, 1, 0.2)])])
    assert found is not None and found.gold == 3
    assert found.scores.tolist() == [0.9, 0.4, 0.2] and found.right.tolist() == [True, False, False]
    assert found_in([post([(0, 1)], None)]) is None


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans())), st.integers(0, 50))
def test_what_is_written_is_read(pairs: list[tuple[float, bool]], gold: int) -> None:
    scores = np.array([score for score, _ in pairs], dtype=float)
    right = np.array([is_right for _, is_right in pairs], dtype=bool)
    again = read_found([written(Found(scores, right, gold))] * 2)
    assert again.gold == 2 * gold and again.right.sum() == 2 * right.sum()
    for side in (True, False):
        expected = np.repeat(np.sort(np.round(scores[right == side], 3)), 2)
        np.testing.assert_allclose(np.sort(again.scores[again.right == side]), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("split", ["dev", "test"])
def test_a_line_for_each_run(study: Study, split: str) -> None:
    definition = resolve(study, "plain")
    for seed in (0, 1, 0):
        put_curve(study, definition, seed=seed, split=split, examples=[post([(0, 1)], [(0, 1, 0.5)])])
        put_curve(study, definition, seed=seed, split="other", examples=[post([(0, 1)], None)])
    lines = lines_of(read_lines(study.curves), definition.hash, split)
    assert lines == read_lines(study.curves) and [line["seed"] for line in lines] == [0, 1]
    assert lines[0]["right"] == "dw" and lines[0]["wrong"] == "" and lines[0]["gold"] == 1
