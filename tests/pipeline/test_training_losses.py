"""Settings of the component that change what is learned: smoothed labels."""

from collections.abc import Callable

import pytest
import spacy
from pipeline_posts import add_ner, overfit, read_posts
from spacy.language import Language

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


@pytest.mark.parametrize("value", [-0.1, 1.0])
def test_out_of_range(value: float) -> None:
    with pytest.raises(ValueError, match=r"TC031.*label_smoothing"):
        add_ner(spacy.blank("en"), label_smoothing=value)
