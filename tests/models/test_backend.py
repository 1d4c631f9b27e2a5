"""Backends: the same numbers from each, chosen once, and what happens where one cannot be had."""

import copy
import warnings

import numpy as np
import pytest
import spacy
import torch
from hf_reference import make_docs, make_encoder_model
from pipeline_posts import ENCODER, HEAD, initialize, read_posts
from tiny_encoders import KINDS

from spacy_tokclf import compat, train_step
from spacy_tokclf.models.backend import BACKENDS, TransformersBackend
from spacy_tokclf.models.encoder import build_transformer_encoder_v1
from spacy_tokclf.models.graphed.backend import GraphedBackend
from spacy_tokclf.models.shim import choose_backend
from spacy_tokclf.training.optimizer import make_adamw_v1

TEXTS = [["In", "the", "Groenlinks", "\ufe0f"], [], ["tweet", " ", "5.975,74"], ["rain"] * 90]


def shim_of(model):
    return model.shims[0]


def make_pipeline(folder, backend, **settings):
    nlp = spacy.blank("en")
    tok2vec = {"@architectures": ENCODER, "backend": backend, **settings}
    nlp.add_pipe("token_classifier", name="ner", config={"model": {"@architectures": HEAD, "tok2vec": tok2vec}})
    spacy.util.fix_random_seed(0)
    initialize(nlp, folder, read_posts(nlp), owners=("ner",))
    return nlp


def ner_shim(nlp):
    return nlp.get_pipe("ner").model.get_ref("tok2vec").shims[0]


@pytest.mark.parametrize("casing", [False, True])
@pytest.mark.parametrize("pooling", ["first", "mean", "max"])
@pytest.mark.parametrize("model_type", sorted(KINDS))
def test_the_same_vectors_and_gradients(make_encoder, model_type, pooling, casing):
    """Each backend is asked for what it is: the two are not the same code."""
    docs = make_docs(TEXTS)
    rng = np.random.default_rng(0)
    d_vectors = [rng.normal(size=(len(doc), 32)).astype("float32") for doc in docs]
    vectors, gradients = {}, {}
    for backend in BACKENDS:
        model = make_encoder_model(make_encoder(model_type), backend=backend, pooling=pooling, casing=casing)
        module = shim_of(model).module
        if casing:
            torch.manual_seed(1)
            torch.nn.init.normal_(module.casing.weight)
        predicted = np.concatenate(model.predict(docs))
        trained, backprop = model.begin_update(docs)
        np.testing.assert_allclose(np.concatenate(trained), predicted, rtol=0, atol=1e-5)
        backprop(d_vectors)
        vectors[backend] = predicted
        gradients[backend] = {name: p.grad for name, p in module.named_parameters() if p.grad is not None}
        expected = GraphedBackend if backend == "auto" else TransformersBackend
        assert type(shim_of(model).backend) is expected
    np.testing.assert_allclose(vectors["auto"], vectors["transformers"], rtol=0, atol=1e-5)
    assert len(gradients["auto"]) > 20 and gradients["auto"].keys() == gradients["transformers"].keys()
    for name, gradient in gradients["auto"].items():
        torch.testing.assert_close(gradient, gradients["transformers"][name], rtol=1e-4, atol=1e-4)


def test_the_same_training(encoder_dir):
    """Twenty steps from the same weights, without dropout: the same losses, and the same logits after them."""
    losses, logits = {}, {}
    for backend in BACKENDS:
        nlp = make_pipeline(encoder_dir, backend)
        optimizer = make_adamw_v1(1e-3)
        examples = read_posts(nlp)
        losses[backend] = [train_step(nlp, examples, optimizer, drop=0.0)["ner"] for _ in range(20)]
        logits[backend] = np.concatenate(nlp.get_pipe("ner").logits([eg.x for eg in examples]))
        assert ner_shim(nlp).backend.name == {"auto": "padding_free"}.get(backend, backend)
    assert losses["auto"][-1] < 0.8 * losses["auto"][0]
    np.testing.assert_allclose(losses["auto"], losses["transformers"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(logits["auto"], logits["transformers"], rtol=0, atol=1e-5)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_bf16_is_near_fp32_on_each(encoder_dir, precision):
    exact = np.concatenate(make_encoder_model(encoder_dir, precision="fp32").predict(make_docs(TEXTS)))
    for backend in BACKENDS:
        model = make_encoder_model(encoder_dir, backend=backend, precision=precision)
        found = np.concatenate(model.predict(make_docs(TEXTS)))
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, exact, rtol=0, atol=1e-5 if precision == "fp32" else 0.1)


def test_an_encoder_of_another_kind_runs_its_own_forward():
    assert type(choose_backend("auto", torch.nn.Linear(2, 2), None, 0)) is TransformersBackend


def test_the_choice_is_made_once(encoder_dir, monkeypatch):
    model = make_encoder_model(encoder_dir)
    shim = shim_of(model)
    chosen = shim.backend
    assert type(shim.copy().backend) is type(chosen) and shim.copy().backend.module is not chosen.module
    monkeypatch.setattr("spacy_tokclf.models.shim.choose_backend", lambda *given: pytest.fail("chosen again"))
    model.predict(make_docs(TEXTS))
    model.begin_update(make_docs(TEXTS))
    assert shim.backend is chosen


@pytest.mark.parametrize("name", ["", "padding_free", None, "Transformers"])
def test_an_unknown_backend_is_refused(name):
    with pytest.raises(ValueError, match="TC018"):
        build_transformer_encoder_v1(backend=name)


def test_what_is_saved_knows_no_backend(encoder_dir, tmp_path):
    """It is a setting of the config, and what is loaded with another one runs on another one."""
    nlp = make_pipeline(encoder_dir, "auto")
    nlp.to_disk(tmp_path / "saved")
    assert ner_shim(spacy.load(tmp_path / "saved")).backend.name == "padding_free"
    other = spacy.load(tmp_path / "saved", config={"components.ner.model.tok2vec.backend": "transformers"})
    assert ner_shim(other).backend.name == "transformers"
    other.to_disk(tmp_path / "again")
    assert ner_shim(spacy.load(tmp_path / "again")).backend.name == "transformers"
    docs = [eg.x for eg in read_posts(nlp)]
    one, two = (np.concatenate(each.get_pipe("ner").logits(docs)) for each in (nlp, other))
    np.testing.assert_allclose(one, two, rtol=0, atol=1e-5)


def test_an_encoder_that_is_changed_later_runs_its_own_forward(encoder_dir):
    """A hook that somebody sets on a loaded pipeline is called, and no longer once it is gone."""
    model = make_encoder_model(encoder_dir)
    docs = make_docs(TEXTS)
    before = np.concatenate(model.predict(docs))
    layer = shim_of(model).module.transformer.layer[0]
    handle = layer.ffn.lin2.register_forward_hook(lambda module, given, output: output * 3.0)
    hooked = np.concatenate(model.predict(docs))
    assert abs(hooked - before).max() > 0.1
    handle.remove()
    np.testing.assert_allclose(np.concatenate(model.predict(docs)), before, rtol=0, atol=1e-5)


def test_another_module_in_its_place_is_run(encoder_dir):
    """As adapters and quantization put one there."""
    model = make_encoder_model(encoder_dir)
    docs = make_docs(TEXTS)
    before = np.concatenate(model.predict(docs))
    other = copy.deepcopy(shim_of(model).module)
    with torch.no_grad():
        other.embeddings.word_embeddings.weight.mul_(2.0)
    shim_of(model)._model = other
    changed = np.concatenate(model.predict(docs))
    assert abs(changed - before).max() > 0.01
    rows, backprop = model.begin_update(docs)
    backprop(rows)
    assert other.embeddings.word_embeddings.weight.grad is not None


def test_a_hook_at_the_choice_is_no_choice_for_good(encoder_dir):
    shim = shim_of(make_encoder_model(encoder_dir))
    handle = shim.module.register_forward_hook(lambda module, given, output: None)
    assert shim.copy().backend.name == "padding_free"
    handle.remove()


OPERATIONS = ["native_layer_norm_backward", "_softmax_backward_data", "embedding_dense_backward"]


class Without:
    """torch.ops.aten, but for one operation."""

    def __init__(self, name, found):
        self.name, self.found = name, found

    def __getattr__(self, name):
        if name == self.name:
            return self.found(name)
        return getattr(torch.ops.aten, name)


def missing(name):
    raise AttributeError(name)


def raising(name):
    def operation(*given):
        raise RuntimeError("another signature")

    return operation


def wrong(name):
    return lambda *given: getattr(torch._C, "_nothing_like_it", torch.zeros)(2, 3)


@pytest.mark.parametrize("how", [missing, raising, wrong])
@pytest.mark.parametrize("name", OPERATIONS)
def test_a_torch_without_an_operation(encoder_dir, monkeypatch, name, how):
    """One warning, then Hugging Face's own forward pass: the same vectors."""
    docs = make_docs(TEXTS)
    expected = np.concatenate(make_encoder_model(encoder_dir).predict(docs))
    monkeypatch.setattr(torch.ops, "aten", Without(name, how))
    compat._operations_work.cache_clear()
    try:
        with pytest.warns(UserWarning, match="TW008"):
            model = make_encoder_model(encoder_dir)
            assert shim_of(model).backend.name == "transformers"
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message=r"\[TW008")
            again = make_encoder_model(encoder_dir)
            assert shim_of(again).backend.name == "transformers"
        np.testing.assert_allclose(np.concatenate(model.predict(docs)), expected, rtol=0, atol=1e-5)
    finally:
        compat._operations_work.cache_clear()
