"""Linear-chain conditional random fields against all sequences one by one, and against autograd on that sum."""

from itertools import pairwise, product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_tokclf.tags.chain import chain_loss, forward_backward, sort_by_position, viterbi
from spacy_tokclf.tags.decode import Decoder, best_tags, decode_spans, make_tag_table

QUICK = settings(max_examples=40, deadline=None)
SEEDS = st.integers(0, 2**32 - 1)
LENGTHS = st.lists(st.integers(0, 5), max_size=5)
N_TAGS = 3


def random_batch(seed, lengths, n_tags=N_TAGS, scale=2.0):
    """Draw logits, transitions and gold, of which a part is not known."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0.0, scale, (sum(lengths), n_tags)).astype("float32")
    transitions = rng.normal(0.0, scale, (n_tags, n_tags)).astype("float32")
    return logits, np.array(lengths, dtype="int64"), transitions, rng.integers(-1, n_tags, sum(lengths))


def texts_of(lengths):
    ends = np.cumsum(lengths)
    return [(int(end - n), int(end)) for n, end in zip(lengths, ends, strict=True) if n]


def score(path, logits, transitions):
    return sum(row[tag] for row, tag in zip(logits, path, strict=True)) + sum(
        transitions[a, b] for a, b in pairwise(path)
    )


def naive_loss(logits, lengths, gold, transitions):
    """Sum over all sequences of each text, in torch."""
    loss = torch.zeros((), dtype=torch.float64)
    for start, end in texts_of(lengths):
        paths = list(product(range(logits.shape[1]), repeat=end - start))
        scores = torch.stack([score(path, logits[start:end], transitions) + loss * 0 for path in paths])
        wanted = gold[start:end]
        held = [all(g in (-1, tag) for g, tag in zip(wanted, path, strict=True)) for path in paths]
        loss = loss + scores.logsumexp(0) - scores[torch.tensor(held)].logsumexp(0)
    return loss


@QUICK
@given(seed=SEEDS, lengths=LENGTHS)
def test_loss_and_gradients_against_all_sequences(seed, lengths):
    logits, sizes, transitions, gold = random_batch(seed, lengths)
    loss, d_logits, d_transitions = chain_loss(logits, sizes, gold, transitions)
    leaves = [torch.tensor(part, dtype=torch.float64, requires_grad=True) for part in (logits, transitions)]
    expected = naive_loss(leaves[0], lengths, gold.tolist(), leaves[1])
    assert loss == pytest.approx(expected.item(), abs=1e-9)
    assert d_logits.shape == logits.shape and d_transitions.shape == transitions.shape
    if expected.requires_grad:
        expected.backward()
        for got, leaf in zip((d_logits, d_transitions), leaves, strict=True):
            wanted = np.zeros(got.shape) if leaf.grad is None else leaf.grad.numpy()
            np.testing.assert_allclose(got, wanted, atol=1e-9)


@pytest.mark.parametrize("large", [3.0, 160.0, 1000.0])
@QUICK
@given(seed=SEEDS, lengths=LENGTHS, offset=st.sampled_from([0.0, 1.0, -1.0]))
def test_large_transition_scores_lose_nothing(large, seed, lengths, offset):
    logits, sizes, transitions, gold = random_batch(seed, lengths)
    transitions = transitions * np.float32(large / 2) + np.float32(offset * large)
    loss, d_logits, d_transitions = chain_loss(logits, sizes, gold, transitions)
    expected = naive_loss(torch.tensor(logits, dtype=torch.float64), lengths, gold.tolist(), torch.tensor(transitions))
    assert loss == pytest.approx(expected.item(), rel=1e-6, abs=1e-3)
    assert np.isfinite(d_logits).all() and np.isfinite(d_transitions).all()
    tags = forward_backward(logits, sizes, transitions).tags
    np.testing.assert_allclose(tags.sum(1), 1.0, atol=1e-9)


def test_an_entity_between_large_transition_scores_keeps_its_score():
    table = make_tag_table(["O", "B-x", "I-x"], "IOB2")
    transitions = np.array([[0, 0, 0], [0, -900, 900], [0, 0, -900]], dtype="float32")
    spans = decode_spans(np.zeros((2, 3), "float32"), np.array([2]), Decoder(table, True, transitions))
    assert (spans.start.tolist(), spans.end.tolist(), spans.score.tolist()) == ([0], [2], [1.0])


@QUICK
@given(seed=SEEDS, lengths=LENGTHS)
def test_the_best_path_is_the_best_of_all_that_may_be(seed, lengths):
    logits, sizes, transitions, _ = random_batch(seed, lengths)
    rng = np.random.default_rng(seed)
    forbidden = np.where(rng.random(transitions.shape) < 0.2, -np.inf, transitions).astype("float64")
    np.fill_diagonal(forbidden, 0.0)
    first, last = np.array([True, True, False]), np.array([True, False, True])
    first[0] = last[0] = True
    path = viterbi(logits, sizes, forbidden, first=first, last=last)
    for start, end in texts_of(lengths):
        paths = product(range(N_TAGS), repeat=end - start)
        best = max(score(p, logits[start:end], forbidden) for p in paths if first[p[0]] and last[p[-1]])
        got = path[start:end].tolist()
        assert first[got[0]] and last[got[-1]]
        assert score(got, logits[start:end], forbidden) == pytest.approx(best, abs=1e-6)


@QUICK
@given(seed=SEEDS, lengths=LENGTHS)
def test_probabilities_are_shares_of_all_sequences(seed, lengths):
    logits, sizes, transitions, _ = random_batch(seed, lengths)
    marginals = forward_backward(logits, sizes, transitions)
    logits, transitions = logits.astype("float64"), transitions.astype("float64")
    pairs = np.zeros(transitions.shape)
    for start, end in texts_of(lengths):
        paths = list(product(range(N_TAGS), repeat=end - start))
        weights = np.exp([score(path, logits[start:end], transitions) for path in paths])
        weights /= weights.sum()
        shares = np.zeros((end - start, N_TAGS))
        for path, weight in zip(paths, weights, strict=True):
            shares[np.arange(end - start), list(path)] += weight
            np.add.at(pairs, (path[:-1], path[1:]), weight)
        np.testing.assert_allclose(marginals.tags[start:end], shares, atol=1e-9)
    np.testing.assert_allclose(marginals.pairs, pairs, atol=1e-9)


def test_long_texts_and_large_numbers_stay_finite():
    logits, lengths, transitions, gold = random_batch(0, [3000, 1, 2999], n_tags=13, scale=20.0)
    loss, d_logits, d_transitions = chain_loss(logits, lengths, gold, transitions)
    assert np.isfinite(loss) and np.isfinite(d_logits).all() and np.isfinite(d_transitions).all()
    np.testing.assert_allclose(forward_backward(logits, lengths, transitions).tags.sum(axis=1), 1.0, atol=1e-9)
    # A text does not depend on the others of its batch.
    alone = forward_backward(logits[:3000], lengths[:1], transitions).tags
    np.testing.assert_allclose(forward_backward(logits, lengths, transitions).tags[:3000], alone, atol=1e-9)


def test_without_transitions_tokens_are_by_themselves():
    logits, lengths, _, gold = random_batch(1, [4, 0, 3, 1])
    nothing = np.zeros((N_TAGS, N_TAGS), dtype="float32")
    loss, d_logits, _ = chain_loss(logits, lengths, gold, nothing)
    tensor = torch.tensor(logits, dtype=torch.float64, requires_grad=True)
    expected = torch.nn.functional.cross_entropy(tensor, torch.tensor(gold), ignore_index=-1, reduction="sum")
    expected.backward()
    assert loss == pytest.approx(expected.item())
    np.testing.assert_allclose(d_logits, tensor.grad.numpy(), atol=1e-9)


def test_steps_are_texts_of_one_length_and_more():
    steps = sort_by_position(np.array([2, 0, 3, 1, 3]))
    assert steps.spans == [(0, 4), (4, 7), (7, 9)]
    assert steps.order.tolist() == [2, 6, 0, 5, 3, 7, 1, 4, 8]
    assert [steps.previous(position) for position in (1, 2)] == [slice(0, 3), slice(4, 6)]
    assert sort_by_position(np.zeros(2, dtype="int64")).spans == []


@pytest.mark.parametrize("constrained", [True, False])
@QUICK
@given(
    seed=SEEDS,
    lengths=st.lists(st.integers(0, 6), min_size=1, max_size=5),
    temperature=st.sampled_from([0.5, 1.0, 3.0]),
)
def test_decoding_with_transitions(constrained, seed, lengths, temperature):
    """Constrained: the best of the valid sequences. Greedy: the most probable tags. Scores: probabilities of types."""
    tags = ["O", "B-x", "I-x", "B-y", "I-y"]
    table = make_tag_table(tags, "IOB2")
    logits, sizes, transitions, _ = random_batch(seed, lengths, n_tags=len(tags))
    full = sizes[sizes > 0]
    decoder = Decoder(table, constrained, transitions, temperature)
    best = best_tags(logits, full, decoder)
    if constrained:
        scores = np.where(table.follows, transitions, -np.inf)
        assert (best == viterbi(logits, full, scores, first=table.first, last=table.last)).all()
    else:
        assert (best == forward_backward(logits, full, transitions).tags.argmax(axis=1)).all()
    spans = decode_spans(logits, sizes, decoder)
    chances = forward_backward(logits / temperature, sizes, transitions / temperature).tags
    begins = np.cumsum(sizes) - sizes
    for text, start, end, type_, got in zip(*spans, strict=True):
        rows = chances[begins[text] + start : begins[text] + end]
        assert got == pytest.approx(rows[:, table.type_of == type_].sum(axis=1).mean(), abs=1e-5)
    assert len(spans.text) == len(set(zip(spans.text.tolist(), spans.start.tolist(), strict=True)))
