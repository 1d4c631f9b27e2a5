"""On a CUDA device, with thinc on numpy or on cupy: the same entities as on the CPU, and training that learns."""

from collections.abc import Callable, Iterator

import pytest
import torch
from pipeline_posts import POSTS, found, overfit, read_posts, scores_of
from spacy.language import Language
from thinc.api import use_ops

import spacy_tokclf
from spacy_tokclf import train_step
from spacy_tokclf.models.base_shim import encoder_nodes
from spacy_tokclf.models.optimizer_contract import prepare_step
from spacy_tokclf.training.optimizer import make_adamw_v1

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]
LoadT = Callable[..., Language]


def set_precision(nlp: Language, precision: str) -> None:
    """Let all encoders of a pipeline compute in a precision."""
    for _, pipe in nlp.pipeline:
        for node in encoder_nodes(pipe.model):
            node.attrs["precision"] = precision


@pytest.fixture
def on_cuda() -> Iterator[None]:
    """Run encoders on the first CUDA device while thinc stays where it is."""
    spacy_tokclf.set_device("cuda:0")
    yield
    spacy_tokclf.set_device(None)


@pytest.mark.parametrize("shared", [False, True])
def test_same_entities_as_on_the_cpu(load_trained: LoadT, on_cuda: None, shared: bool) -> None:
    nlp = load_trained(shared=shared)
    set_precision(nlp, "fp32")
    docs = list(nlp.pipe([eg.x for eg in read_posts(nlp)]))
    spacy_tokclf.set_device("cpu")
    other = load_trained(shared=shared)
    set_precision(other, "fp32")
    expected = list(other.pipe([eg.x for eg in read_posts(nlp)]))
    assert [found(doc) for doc in docs] == [found(doc) for doc in expected]
    flat = [[score for doc in which for score in scores_of(doc)] for which in (docs, expected)]
    assert flat[0] == pytest.approx(flat[1], abs=1e-3)


@pytest.mark.parametrize("shared", [False, True])
def test_alone_and_in_batches_on_the_device(load_trained: LoadT, on_cuda: None, shared: bool) -> None:
    nlp = load_trained(shared=shared)
    set_precision(nlp, "fp32")
    texts = [" ".join(token.text for token in eg.x) for eg in read_posts(nlp)] + ["", "zorblax " * 90]
    alone = [nlp(text) for text in texts]
    for batch_size in (2, 7, 64):
        docs = list(nlp.pipe(texts, batch_size=batch_size))
        assert [found(doc) for doc in docs] == [found(doc) for doc in alone]
        flat = [[score for doc in which for score in scores_of(doc)] for which in (docs, alone)]
        assert flat[0] == pytest.approx(flat[1], abs=1e-5)


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
    set_precision(nlp, "bf16")
    assert nlp.evaluate(read_posts(nlp))["ents_f"] > 0.9


def test_a_step_of_the_encoder_does_not_wait_for_the_device(make_nlp: LoadT, on_cuda: None) -> None:
    """But for the norm of the gradients."""
    nlp = make_nlp(shared=True)
    optimizer = make_adamw_v1(1e-3)
    train_step(nlp, read_posts(nlp), optimizer)
    nlp.update(read_posts(nlp), sgd=False)
    encoder, ner = nlp.get_pipe("transformer"), nlp.get_pipe("ner")
    encoder.backpropagate()
    assert not prepare_step(optimizer, [encoder.model, ner.model], ner.n_learned)
    torch.cuda.set_sync_debug_mode("error")
    try:
        encoder.model.finish_update(optimizer)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    ner.finish_update(optimizer)
    assert optimizer.last_norm > 0
