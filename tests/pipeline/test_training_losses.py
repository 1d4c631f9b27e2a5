"""Settings of the component that change what is learned: smoothed labels, two passes that are to agree, and gold that
annotators have missed."""

from collections.abc import Callable
from pathlib import Path

import numpy
import pytest
import spacy
import torch
from pipeline_posts import add_ner, overfit, read_posts
from spacy.language import Language
from spacy.tokens import Span
from spacy.training import Example
from spacy.util import fix_random_seed
from thinc.api import NumpyOps

from spacy_tokclf.pipeline.loss import disagreement, leave_out_missed, masked_cross_entropy
from spacy_tokclf.training.optimizer import make_adamw_v1

LoadT = Callable[..., Language]


def loss_of(nlp: Language) -> float:
    return nlp.update(read_posts(nlp), sgd=False)["ner"]


def test_label_smoothing(make_nlp: LoadT) -> None:
    plain, smooth = (make_nlp(label_smoothing=value) for value in (0.0, 0.2))
    assert loss_of(make_nlp()) == loss_of(plain) != loss_of(smooth)
    scores = []
    for nlp in (plain, smooth):
        overfit(nlp)
        assert nlp.evaluate(read_posts(nlp))["ents_f"] == 1.0
        scores += [
            min(score for eg in read_posts(nlp) for score in nlp(eg.predicted).spans["entities"].attrs["scores"])
        ]
    # Of 9 tags each of the wrong ones is to have 0.2 / 9.
    assert scores[0] > 0.95 > scores[1]


def test_disagreement_against_torch() -> None:
    rng = numpy.random.default_rng(0)
    logits = (rng.normal(size=(24, 5)) * 4).astype("float32")
    gold = numpy.tile(rng.integers(-1, 2, size=12), 2)
    loss, gradient = disagreement(NumpyOps(), logits, gold)
    tensor = torch.tensor(logits, dtype=torch.float64, requires_grad=True)
    one, other = (part.log_softmax(dim=1)[torch.tensor(gold[:12]) >= 0] for part in tensor.split(12))
    kl = torch.nn.functional.kl_div
    theirs = sum(kl(*pair, log_target=True, reduction="sum") for pair in ((one, other), (other, one)))
    theirs.backward()
    assert loss == pytest.approx(float(theirs.detach()), rel=1e-5)
    assert numpy.allclose(gradient, tensor.grad.numpy(), atol=1e-5)
    assert not gradient[gold < 0].any() and gradient[gold >= 0].any(axis=1).all()
    assert disagreement(NumpyOps(), numpy.concatenate([logits[:12]] * 2), gold) == (0.0, pytest.approx(0.0 * logits))
    assert disagreement(NumpyOps(), logits, gold * 0 - 1)[0] == 0.0


def test_r_drop_without_dropout_is_the_plain_loss(make_nlp: LoadT) -> None:
    plain, twice = make_nlp(), make_nlp(r_drop=5.0)
    assert loss_of(twice) == pytest.approx(loss_of(plain), rel=1e-5)
    one, other = ([nlp.get_pipe("ner").model.get_ref("output_layer").get_grad("W")] for nlp in (plain, twice))
    numpy.testing.assert_allclose(other[0], 2 * one[0], rtol=1e-3, atol=1e-4)
    assert twice.get_pipe("ner").n_learned == 2 * plain.get_pipe("ner").n_learned


def test_r_drop_with_dropout(make_nlp: LoadT, encoder_folder: Path) -> None:
    def loss(weight: float) -> float:
        nlp = make_nlp(folder=encoder_folder, r_drop=weight)
        fix_random_seed(3)
        return nlp.update(read_posts(nlp), drop=0.3, sgd=False)["ner"]

    tiny, one, two = loss(1e-9), loss(1.0), loss(2.0)
    assert two - one == pytest.approx(one - tiny, rel=1e-3) and one > tiny + 1e-3


def test_r_drop_learns(make_nlp: LoadT) -> None:
    nlp = make_nlp(r_drop=1.0)
    overfit(nlp)
    assert nlp.evaluate(read_posts(nlp))["ents_f"] == 1.0


def test_r_drop_needs_an_encoder_of_its_own(make_nlp: LoadT) -> None:
    nlp = make_nlp(shared=True, r_drop=1.0)
    with pytest.raises(ValueError, match=r"TC080.*'ner'"):
        nlp.update(read_posts(nlp), sgd=False)


@pytest.mark.parametrize("outside", [0, 3])
def test_missed_against_torch(outside: int) -> None:
    rng = numpy.random.default_rng(0)
    logits = (rng.normal(size=(200, 5)) * 4).astype("float32")
    gold = rng.integers(-1, 5, size=200)
    kept = leave_out_missed(NumpyOps(), logits, gold, outside=outside, above=0.7)
    inside = 1.0 - torch.tensor(logits).softmax(dim=1)[:, outside].numpy()
    missed = (gold == outside) & (inside > 0.7)
    assert 0 < missed.sum() < (gold == outside).sum()
    assert (kept[missed] == -1).all() and (kept[~missed] == gold[~missed]).all()
    # What is left has the loss and the gradient that it had.
    _, before = masked_cross_entropy(NumpyOps(), logits, gold)
    _, after = masked_cross_entropy(NumpyOps(), logits, kept)
    assert not after[missed].any() and (after[~missed] == before[~missed]).all()


def without_gold(nlp: Language, post: int, *, missing: bool) -> list[Example]:
    """Give the posts, one of them with its entities taken away: outside, or not known."""
    examples = read_posts(nlp)
    reference = examples[post].reference
    reference.set_ents([], **{"missing" if missing else "outside": list(reference.ents)}, default="unmodified")
    assert not reference.ents
    return examples


@pytest.mark.parametrize(("shared", "r_drop"), [(False, 0.0), (True, 0.0), (False, 1.0)])
def test_a_missed_entity_is_left_out(
    make_nlp: LoadT, monkeypatch: pytest.MonkeyPatch, shared: bool, r_drop: float
) -> None:
    """An entity that the model is sure of, and gold does not have, counts as an entity that is not known."""
    monkeypatch.setattr("spacy_tokclf.pipeline.token_classifier.MISSED_AFTER", 60)
    nlp = make_nlp(shared=shared, missed_above=0.7, r_drop=r_drop)
    overfit(nlp, steps=60)
    pipe = nlp.get_pipe("ner")
    assert pipe.n_steps == 60
    losses = []
    for missing in (False, True):
        losses.append(nlp.update(without_gold(nlp, 0, missing=missing), sgd=False)["ner"])
        n_tokens, pipe.n_learned = pipe.n_learned, 0
        assert n_tokens == (1 + bool(r_drop)) * (sum(len(eg.predicted) for eg in read_posts(nlp)) - 3)
    assert losses[0] == losses[1]
    # No entity of gold is ever left out, however unlikely.
    wrong = read_posts(nlp)
    for eg in wrong:
        eg.reference.set_ents([Span(eg.reference, 0, len(eg.reference), label="product")])
    nlp.update(wrong, sgd=False)
    assert pipe.n_learned == (1 + bool(r_drop)) * sum(len(eg.predicted) for eg in wrong)


def test_nothing_is_missed_at_first(make_nlp: LoadT, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fresh classifier takes most tokens for entities. Parts of a step are not steps; a new start begins anew."""
    monkeypatch.setattr("spacy_tokclf.pipeline.token_classifier.MISSED_AFTER", 2)
    nlp = make_nlp(missed_above=0.01)
    pipe, sgd, examples = nlp.get_pipe("ner"), make_adamw_v1(1e-6), read_posts(nlp)
    n_tokens = sum(len(eg.predicted) for eg in examples)
    for _ in range(2):
        for part in (examples[:8], examples[8:]):
            nlp.update(part, sgd=False)
        assert pipe.n_learned == n_tokens
        pipe.finish_update(sgd)
    nlp.update(examples, sgd=False)
    assert 0 < pipe.n_learned < n_tokens
    pipe.n_learned = 0
    pipe.finish_update(sgd)
    assert pipe.n_steps == 2
    nlp.initialize(lambda: examples)
    assert pipe.n_steps == 0
    assert make_nlp().get_pipe("ner").cfg["missed_above"] == 1.0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("label_smoothing", -0.1),
        ("label_smoothing", 1.0),
        ("r_drop", -1.0),
        ("missed_above", 0.0),
        ("missed_above", 1.1),
    ],
)
def test_out_of_range(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"TC031.*{name}"):
        add_ner(spacy.blank("en"), **{name: value})
