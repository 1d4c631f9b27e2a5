"""Settings of the component that change what is learned: smoothed labels, and two passes that are to agree."""

from collections.abc import Callable
from pathlib import Path

import numpy
import pytest
import spacy
import torch
from pipeline_posts import add_ner, overfit, read_posts
from spacy.language import Language
from spacy.util import fix_random_seed
from thinc.api import NumpyOps

from spacy_tokclf.pipeline.loss import disagreement

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


@pytest.mark.parametrize(("name", "value"), [("label_smoothing", -0.1), ("label_smoothing", 1.0), ("r_drop", -1.0)])
def test_out_of_range(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"TC031.*{name}"):
        add_ner(spacy.blank("en"), **{name: value})
