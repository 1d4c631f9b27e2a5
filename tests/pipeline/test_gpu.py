"""On a CUDA device, with thinc on numpy or on cupy: the same entities as on the CPU, and training that learns."""

from collections.abc import Callable, Iterator

import pytest
import torch
from pipeline_posts import POSTS, found, overfit, read_posts, scores_of
from spacy.language import Language
from thinc.api import use_ops

import spacy_tokclf

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]
LoadT = Callable[..., Language]


@pytest.fixture
def on_cuda() -> Iterator[None]:
    """Run encoders on the first CUDA device while thinc stays where it is."""
    spacy_tokclf.set_device("cuda:0")
    yield
    spacy_tokclf.set_device(None)


@pytest.mark.parametrize("shared", [False, True])
def test_same_entities_as_on_the_cpu(load_trained: LoadT, on_cuda: None, shared: bool) -> None:
    nlp = load_trained(shared=shared)
    docs = list(nlp.pipe([eg.x for eg in read_posts(nlp)]))
    spacy_tokclf.set_device("cpu")
    expected = list(load_trained(shared=shared).pipe([eg.x for eg in read_posts(nlp)]))
    assert [found(doc) for doc in docs] == [found(doc) for doc in expected]
    flat = [[score for doc in which for score in scores_of(doc)] for which in (docs, expected)]
    assert flat[0] == pytest.approx(flat[1], abs=1e-3)


@pytest.mark.parametrize("shared", [False, True])
def test_learns_on_the_device(make_nlp: LoadT, on_cuda: None, shared: bool) -> None:
    nlp = make_nlp(shared=shared)
    overfit(nlp)
    assert nlp.evaluate(read_posts(nlp))["ents_f"] == 1.0
    nlp.from_bytes(nlp.to_bytes())
    assert nlp.evaluate(read_posts(nlp))["ents_f"] == 1.0


def test_learns_with_thinc_on_cupy(make_nlp: LoadT) -> None:
    pytest.importorskip("cupy")
    with use_ops("cupy"):
        nlp = make_nlp()
        overfit(nlp)
        assert nlp.evaluate(read_posts(nlp))["ents_f"] == 1.0
        assert all(len(scores_of(doc)) == len(doc.ents) for doc in nlp.pipe(POSTS))


def test_bf16_on_the_device(load_trained: LoadT, on_cuda: None) -> None:
    nlp = load_trained()
    for node in nlp.get_pipe("ner").model.walk():
        if "precision" in node.attrs:
            node.attrs["precision"] = "bf16"
    assert nlp.evaluate(read_posts(nlp))["ents_f"] > 0.9
