"""A model with a conditional random field: learned from whole sequences, stored with its transitions, and tuned."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
from numpy.typing import NDArray
from pipeline_posts import add_ner, annotate, found, initialize, overfit, read_post, read_posts, same, scores_of
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import fix_random_seed

from spacy_tokclf import train_step
from spacy_tokclf.models.transitions import TRANSITIONS, TRANSITIONS_RATE_FACTOR
from spacy_tokclf.pipeline.tuning.tune import tune
from spacy_tokclf.tags.chain import chain_loss, forward_backward
from spacy_tokclf.training.optimizer import make_adamw_v1

LoadT = Callable[..., Language]


def layer_of(nlp: Language) -> Any:
    return nlp.get_pipe("ner").model.get_ref("transitions")


@pytest.fixture(scope="module")
def trained(plain_encoder_folder: Path) -> bytes:
    """Give a trained pipeline as bytes."""
    fix_random_seed(0)
    nlp = spacy.blank("en")
    add_ner(nlp, crf=True)
    initialize(nlp, plain_encoder_folder, read_posts(nlp), owners=("ner",))
    overfit(nlp)
    return nlp.to_bytes()


@pytest.fixture
def nlp(trained: bytes) -> Language:
    """Give the trained pipeline anew."""
    nlp = spacy.blank("en")
    add_ner(nlp, crf=True)
    return nlp.from_bytes(trained)


@pytest.mark.parametrize("shared", [False, True])
def test_learns(make_nlp: LoadT, shared: bool) -> None:
    nlp = make_nlp(shared=shared, crf=True)
    assert not layer_of(nlp).get_param(TRANSITIONS).any()
    overfit(nlp)
    assert nlp.evaluate(read_posts(nlp))["ents_f"] == 1.0
    transitions, tags = nlp.get_pipe("ner").transitions, nlp.get_pipe("ner").tags
    # The only entity of three words in the posts has two I- in a row.
    row = tags.index("I-creative-work")
    assert transitions[row, row] > transitions[row, tags.index("I-person")]


def test_one_update_against_the_loss_of_sequences(make_nlp: LoadT) -> None:
    nlp = make_nlp(crf=True)
    pipe, examples = nlp.get_pipe("ner"), read_posts(nlp)
    rng = np.random.default_rng(0)
    layer_of(nlp).set_param(TRANSITIONS, rng.normal(size=(9, 9)).astype("float32"))
    logits = pipe.logits([eg.x for eg in examples])
    gold = pipe.gold_tags(examples, logits)
    lengths = np.array([len(row) for row in logits])
    rows = np.concatenate(logits)
    loss, d_logits, d_transitions = chain_loss(rows, lengths, gold, pipe.transitions)
    own_loss, own = pipe.get_loss(examples, logits)
    assert own_loss == pytest.approx(loss, rel=1e-6)
    np.testing.assert_allclose(np.concatenate(own), d_logits, atol=1e-6)
    assert not layer_of(nlp).has_grad(TRANSITIONS)
    # In parts or at once: the gradient is a sum.
    assert nlp.update(examples, sgd=False)["ner"] == pytest.approx(loss / len(gold), rel=1e-4)
    whole = layer_of(nlp).get_grad(TRANSITIONS).copy()
    np.testing.assert_allclose(whole, d_transitions, atol=1e-3)
    layer_of(nlp).get_grad(TRANSITIONS)[:] = 0.0
    for part in (examples[:5], examples[5:]):
        nlp.update(part, sgd=False)
    np.testing.assert_allclose(layer_of(nlp).get_grad(TRANSITIONS), whole, atol=1e-3)


def test_what_is_not_known_is_summed_over_and_what_is_not_seen_is_passed(make_nlp: LoadT) -> None:
    nlp = make_nlp(crf=True)
    pipe = nlp.get_pipe("ner")
    layer_of(nlp).set_param(TRANSITIONS, np.random.default_rng(0).normal(size=(9, 9)).astype("float32"))

    def gradient(words: list[str], ents: list[str]) -> tuple[float, NDArray[Any], NDArray[Any]]:
        reference = Doc(nlp.vocab, words=words, ents=ents)
        loss = nlp.update([Example(Doc(nlp.vocab, words=words), reference)], sgd=False)["ner"]
        n_tokens, pipe.n_learned = pipe.n_learned, 0
        grads = [layer_of(nlp).get_grad(TRANSITIONS), pipe.model.get_ref("output_layer").get_grad("W")]
        transitions, weights = (grad.copy() for grad in grads)
        for grad in grads:
            grad[...] = 0.0
        return loss * max(n_tokens, 1), transitions, weights

    plain = gradient(["in", "Quorn", "Falls"], ["O", "B-location", "I-location"])
    spaced = gradient(["in", " ", "Quorn", "Falls"], ["O", "O", "B-location", "I-location"])
    assert spaced[0] == pytest.approx(plain[0], rel=1e-5)
    for one, other in zip(plain[1:], spaced[1:], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    for got in gradient(["in", "Quorn"], ["", ""]):
        np.testing.assert_allclose(got, 0.0, atol=1e-6)
    partly = gradient(["in", "Quorn", "Falls"], ["O", "", ""])
    assert 0.0 < partly[0] < plain[0]


def test_scores_are_probabilities_of_the_field(nlp: Language) -> None:
    pipe = nlp.get_pipe("ner")
    for doc in annotate(nlp):
        (logits,) = pipe.logits([doc])
        chances = forward_backward(logits, np.array([len(doc)]), pipe.transitions).tags
        for ent, score in zip(doc.spans["entities"], scores_of(doc), strict=True):
            columns = [pipe.tags.index(f"{prefix}-{ent.label_}") for prefix in "BI"]
            expected = chances[ent.start : ent.end][:, columns].sum(axis=1).mean()
            assert score == pytest.approx(expected, abs=1e-5)


def test_stored_and_opened_elsewhere(nlp: Language, make_nlp: LoadT, tmp_path: Path) -> None:
    docs = annotate(nlp)
    nlp.to_disk(tmp_path / "model")
    same(annotate(spacy.load(tmp_path / "model")), docs)
    other = make_nlp(seed=7, crf=True)
    other.get_pipe("ner").add_label("zeppelin")
    other.from_bytes(nlp.to_bytes())
    same(annotate(other), docs)
    assert (other.get_pipe("ner").transitions == nlp.get_pipe("ner").transitions).all()


def test_a_new_label_keeps_the_scores_of_the_others(nlp: Language) -> None:
    pipe = nlp.get_pipe("ner")
    before = pipe.transitions.copy()
    assert pipe.add_label("airship") == 1
    assert pipe.transitions.shape == (11, 11)
    assert (pipe.transitions[:9, :9] == before).all()
    assert np.allclose(pipe.transitions[:9, 9:], before.mean(axis=1, keepdims=True))
    assert np.allclose(pipe.transitions[9:, :9], before.mean(axis=0, keepdims=True))
    example = read_post(nlp, "the [R 101|airship] is back")
    sgd = make_adamw_v1(3e-3)
    for _ in range(90):
        train_step(nlp, [example, *read_posts(nlp)], sgd, drop=0.0)
    assert found(nlp(example.x)) == found(example.y)
    assert pipe.transitions[9:].any()


def test_transitions_learn_faster(make_nlp: LoadT) -> None:
    """A first step of Adam is as long as the rate."""
    nlp = make_nlp(crf=True)
    bias = nlp.get_pipe("ner").model.get_ref("output_layer").get_param("b").copy()
    train_step(nlp, read_posts(nlp), make_adamw_v1(1e-3, head_multiplier=2.0, weight_decay=0.0), drop=0.0)
    step = np.abs(nlp.get_pipe("ner").model.get_ref("output_layer").get_param("b") - bias).max()
    assert step == pytest.approx(2e-3, rel=1e-2)
    assert np.abs(nlp.get_pipe("ner").transitions).max() == pytest.approx(TRANSITIONS_RATE_FACTOR * step, rel=1e-2)


def test_averages(make_nlp: LoadT) -> None:
    nlp = make_nlp(crf=True)
    sgd = make_adamw_v1(3e-3, use_averages=True, average_decay=0.9)
    seen = []
    for _ in range(5):
        train_step(nlp, read_posts(nlp), sgd, drop=0.0)
        seen.append(nlp.get_pipe("ner").transitions.copy())
    with nlp.use_params(sgd.averages):
        average = nlp.get_pipe("ner").transitions.copy()
    assert (nlp.get_pipe("ner").transitions == seen[-1]).all()
    assert np.abs(seen[0]).max() < np.abs(average).max() < np.abs(seen[-1]).max()


def test_initialized_anew(nlp: Language) -> None:
    nlp.initialize(lambda: read_posts(nlp))
    assert nlp.get_pipe("ner").transitions.shape == (9, 9)
    assert not nlp.get_pipe("ner").transitions.any()


def test_tuned_and_greedy(nlp: Language) -> None:
    references = [eg.reference for eg in read_posts(nlp)]
    report = tune(nlp, references, temperature=True)
    assert report["untuned"]["f1"] == report["tuned"]["f1"] == 1.0
    docs = annotate(nlp)
    nlp.get_pipe("ner").cfg["decode"] = "greedy"
    assert [found(doc) for doc in annotate(nlp)] == [found(doc) for doc in docs]


def test_label_smoothing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"TC081.*'ner'"):
        add_ner(spacy.blank("en"), crf=True, label_smoothing=0.1)
