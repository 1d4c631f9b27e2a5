"""The fused step gives the losses and gradients of the way through the slot."""

import numpy as np
import pytest
import spacy
import torch
from pipeline_posts import ENCODER, HEAD, add_ner, initialize, read_posts
from spacy.tokens import Doc, Span
from spacy.training import Example
from thinc.api import Linear, Relu, chain, with_array

import spacy_tokclf
from spacy_tokclf import train_step
from spacy_tokclf.models.backend import BACKENDS, TorchBackend
from spacy_tokclf.models.fused_update import can_fuse
from spacy_tokclf.models.head_transform import make_transform
from spacy_tokclf.training.optimizer import make_adamw_v1

HAS_CUDA = torch.cuda.is_available()


@pytest.fixture
def fuse(monkeypatch):
    """Give a function that says whether backends offer the step, wherever the encoder is."""

    def switch(on):
        monkeypatch.setattr(TorchBackend, "fuses", on)

    return switch


def make_pipeline(folder, backend="auto", *, label_smoothing=0.0, **settings):
    nlp = spacy.blank("en")
    tok2vec = {"@architectures": ENCODER, "backend": backend, **settings}
    model = {"@architectures": HEAD, "tok2vec": tok2vec}
    nlp.add_pipe("token_classifier", name="ner", config={"model": model, "label_smoothing": label_smoothing})
    spacy.util.fix_random_seed(0)
    initialize(nlp, folder, read_posts(nlp), owners=("ner",))
    return nlp


def odd_texts(nlp):
    """The posts, and texts that have little or nothing to learn from: a long one, white space, gold that is missing."""
    long = Doc(nlp.vocab, words=["rain", "Zorblax", " "] * 60)
    long.ents = [Span(long, 1, 2, "person"), Span(long, 175, 176, "person")]
    half = Doc(nlp.vocab, words=["see", "Quorn", "Falls", "\ufe0f"])
    half.set_ents([Span(half, 1, 3, "location")], missing=[half[0:1]])
    nothing = Doc(nlp.vocab, words=["who", "knows"])
    docs = [long, half, Doc(nlp.vocab), nothing]
    return [*read_posts(nlp), *(Example(Doc(nlp.vocab, words=[t.text for t in doc]), doc) for doc in docs)]


def train(nlp, steps=10, drop=0.0, examples=None):
    optimizer = make_adamw_v1(1e-3, head_multiplier=3.0)
    examples = examples or odd_texts(nlp)
    losses = [train_step(nlp, examples, optimizer, drop=drop)["ner"] for _ in range(steps)]
    return losses, np.concatenate(nlp.get_pipe("ner").logits([eg.x for eg in examples]))


@pytest.mark.parametrize("label_smoothing", [0.0, 0.2])
@pytest.mark.parametrize("settings", [{}, {"pooling": "mean", "window": 24, "overlap": 8}, {"freeze_embeddings": True}])
@pytest.mark.parametrize("backend", BACKENDS)
def test_the_same_losses_and_weights_as_through_the_slot(encoder_dir, fuse, backend, settings, label_smoothing):
    found = {}
    for fused in (False, True):
        fuse(fused)
        nlp = make_pipeline(encoder_dir, backend, label_smoothing=label_smoothing, **settings)
        assert can_fuse(nlp.get_pipe("ner").model) is fused
        found[fused] = train(nlp)
    assert found[True][0][-1] < 0.9 * found[True][0][0]
    np.testing.assert_allclose(found[True][0], found[False][0], rtol=0, atol=1e-5)
    np.testing.assert_allclose(found[True][1], found[False][1], rtol=0, atol=1e-4)


def test_dropout_reaches_the_head(encoder_dir, fuse):
    fuse(True)
    exact, dropped = (train(make_pipeline(encoder_dir), steps=1, drop=drop)[0] for drop in (0.0, 0.9))
    assert abs(exact[0] - dropped[0]) > 1e-4


@pytest.mark.parametrize("kind", ["crf", "shared", "cnn"])
def test_other_models_take_the_slot(encoder_dir, fuse, kind):
    fuse(True)
    nlp = spacy.blank("en")
    if kind == "cnn":
        tok2vec = {"@architectures": "spacy.HashEmbedCNN.v2", "width": 8, "depth": 1, "embed_size": 50}
        tok2vec |= {"window_size": 1, "maxout_pieces": 2, "subword_features": True, "pretrained_vectors": None}
        nlp.add_pipe("token_classifier", name="ner", config={"model": {"@architectures": HEAD, "tok2vec": tok2vec}})
        nlp.initialize(lambda: read_posts(nlp))
    else:
        if kind == "shared":
            nlp.add_pipe("transformer_encoder", name="transformer")
        add_ner(nlp, shared=kind == "shared", crf=kind == "crf")
        owner = "transformer" if kind == "shared" else "ner"
        initialize(nlp, encoder_dir, read_posts(nlp), owners=(owner,))
    assert not can_fuse(nlp.get_pipe("ner").model)
    optimizer = make_adamw_v1(1e-3)
    losses = [train_step(nlp, read_posts(nlp), optimizer)["ner"] for _ in range(5)]
    assert losses[0] > losses[-1] > 0.0


def test_a_head_of_somebody_else_takes_the_slot(encoder_dir, fuse):
    """With the references of ours and another layer, and with none of them."""
    fuse(True)
    nlp = make_pipeline(encoder_dir)
    ner = nlp.get_pipe("ner")
    tok2vec = ner.model.get_ref("tok2vec")
    hidden, output = Relu(32, 32, normalize=False), Linear(len(ner.tags), 32)
    transform = make_transform()
    for refs in ({"tok2vec": tok2vec, "transform": transform, "output_layer": output}, {"output_layer": output}):
        ner.model = chain(tok2vec, with_array(chain(transform, hidden, output)))
        for name, layer in refs.items():
            ner.model.set_ref(name, layer)
        ner.model.initialize(X=[eg.x for eg in read_posts(nlp)])
        before = hidden.get_param("W").copy()
        assert not can_fuse(ner.model)
        train_step(nlp, read_posts(nlp), make_adamw_v1(0.01), drop=0.0)
        assert abs(hidden.get_param("W") - before).max() > 1e-3


def test_a_loss_that_is_no_number_is_refused_and_leaves_no_gradient(encoder_dir, fuse):
    fuse(True)
    nlp = make_pipeline(encoder_dir)
    ner = nlp.get_pipe("ner")
    ner.model.get_ref("output_layer").get_param("b")[0] = np.nan
    with pytest.raises(ValueError, match="TC025"):
        nlp.update(read_posts(nlp), drop=0.0, sgd=False)
    assert all(param.grad is None for param in ner.model.get_ref("tok2vec").shims[0].module.parameters())
    assert not ner.model.get_ref("output_layer").has_grad("W")


def test_nothing_to_learn_is_no_step(encoder_dir, fuse):
    fuse(True)
    nlp = make_pipeline(encoder_dir)
    nothing = Doc(nlp.vocab, words=["who", "knows"])
    losses = nlp.update([Example(nothing.copy(), nothing)], drop=0.0, sgd=False)
    assert losses == {"ner": 0.0} and nlp.get_pipe("ner").n_learned == 0


def test_on_a_cpu_components_take_the_slot(encoder_dir):
    assert not can_fuse(make_pipeline(encoder_dir).get_pipe("ner").model)


@pytest.mark.gpu
@pytest.mark.skipif(not HAS_CUDA, reason="no CUDA device")
def test_on_a_gpu(encoder_dir):
    """The default there, and the losses of the CPU."""
    expected, _ = train(make_pipeline(encoder_dir, precision="fp32"))
    spacy_tokclf.set_device("cuda:0")
    try:
        nlp = make_pipeline(encoder_dir, precision="fp32")
        assert can_fuse(nlp.get_pipe("ner").model)
        found, _ = train(nlp)
    finally:
        spacy_tokclf.set_device(None)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3)
