"""Training: the gradient is that of Hugging Face with autograd, and what is frozen keeps its bits."""

import numpy as np
import pytest
import torch
from hf_reference import Reference, make_docs, make_encoder_model
from thinc.api import Adam

POSTS = [["in", "the", "Groenlinks", "\ufe0f"], [], ["tweet"], [" ", "Schiphol.", "5.975,74", "the"]]


def random_gradients(docs):
    return [np.random.normal(size=(len(doc), 32)).astype("float32") for doc in docs]


def weights_of(model):
    return {name: value.clone() for name, value in model.shims[0].module.state_dict().items()}


def changed(model, before):
    return {name for name, value in model.shims[0].module.state_dict().items() if not torch.equal(value, before[name])}


@pytest.mark.parametrize("model_type", ["distilbert", "roberta"])
@pytest.mark.parametrize("pooling", ["first", "mean"])
def test_gradient_equals_hugging_face(make_encoder, model_type, pooling):
    folder = make_encoder(model_type)
    docs = make_docs(POSTS)
    gradients = random_gradients(docs)
    model, reference = make_encoder_model(folder, pooling=pooling), Reference(folder)
    _, backprop = model.begin_update(docs)
    assert backprop(gradients) == []
    for words, gradient in zip(POSTS, gradients, strict=True):
        if words:
            (reference.vectors(words, pooling) * torch.from_numpy(gradient)).sum().backward()
    theirs = dict(reference.module.named_parameters())
    compared = 0
    for name, param in model.shims[0].module.named_parameters():
        if param.grad is not None and theirs[name].grad is not None:
            torch.testing.assert_close(param.grad, theirs[name].grad, rtol=1e-4, atol=1e-4)
            compared += 1
        else:
            assert "pooler" in name
    assert compared > 20


def test_gradients_add_up_over_parts_of_a_batch(encoder_dir):
    docs = make_docs(POSTS)
    gradients = random_gradients(docs)
    whole, parts = make_encoder_model(encoder_dir), make_encoder_model(encoder_dir)
    whole.begin_update(docs)[1](gradients)
    for doc, gradient in zip(docs, gradients, strict=True):
        parts.begin_update([doc])[1]([gradient])
    for one, other in zip(whole.shims[0].module.parameters(), parts.shims[0].module.parameters(), strict=True):
        if one.grad is not None:
            torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-4)


def test_gradient_of_a_long_text_reaches_every_window(encoder_dir):
    docs = make_docs([["in"] * 200])
    model = make_encoder_model(encoder_dir, window=22, overlap=10)
    for token in (0, 99, 199):
        gradient = np.zeros((200, 32), dtype="float32")
        gradient[token] = 1.0
        model.begin_update(docs)[1]([gradient])
        grads = [param.grad for param in model.shims[0].module.parameters() if param.grad is not None]
        assert grads and any(grad.abs().sum() > 0 for grad in grads)
        model.shims[0].module.zero_grad()


def test_dropout_is_that_of_the_config_and_only_in_training(encoder_dir, encoder_dir_dropout):
    docs = make_docs(POSTS)
    exact = make_encoder_model(encoder_dir).predict(docs)
    model = make_encoder_model(encoder_dir_dropout)
    for one, other in zip(model.predict(docs), exact, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)
    trained = model.begin_update(docs)[0]
    assert abs(trained[0][0] - exact[0][0]).max() > 0.01
    again = model.predict(docs)
    np.testing.assert_array_equal(again[0], model.predict(docs)[0])
    np.testing.assert_allclose(again[0], exact[0], rtol=0, atol=1e-5)


def test_prediction_records_no_gradient_and_changes_no_bit(encoder_dir):
    model = make_encoder_model(encoder_dir)
    before = weights_of(model)
    rows, backprop = model(make_docs(POSTS), is_train=False)
    assert backprop(rows) == []
    assert all(param.grad is None for param in model.shims[0].module.parameters())
    model.finish_update(Adam(0.1))
    assert changed(model, before) == set()


def test_a_step_changes_weights_and_drops_gradients(encoder_dir):
    model = make_encoder_model(encoder_dir)
    before = weights_of(model)
    docs = make_docs(POSTS)
    model.begin_update(docs)[1](random_gradients(docs))
    model.finish_update(Adam(0.01))
    assert len(changed(model, before)) > 20
    assert all(param.grad is None for param in model.shims[0].module.parameters())
    moved = weights_of(model)
    model.finish_update(Adam(0.01))
    assert changed(model, moved) == set()


def test_thinc_adam_steps_as_on_its_own_arrays(encoder_dir):
    model = make_encoder_model(encoder_dir)
    docs = make_docs(POSTS)
    name = "transformer.layer.0.ffn.lin1.weight"
    param = dict(model.shims[0].module.named_parameters())[name]
    alone, expected = Adam(0.01), param.detach().clone().numpy()
    optimizer = Adam(0.01)
    for _ in range(3):
        model.begin_update(docs)[1](random_gradients(docs))
        expected, _ = alone((1, name), expected, param.grad.clone().numpy())
        model.finish_update(optimizer)
        np.testing.assert_allclose(param.detach().numpy(), expected, rtol=0, atol=1e-6)


def test_frozen_parameters_keep_their_bits(encoder_dir):
    model = make_encoder_model(encoder_dir)
    for name, param in model.shims[0].module.named_parameters():
        param.requires_grad_("embeddings" not in name)
    before = weights_of(model)
    docs = make_docs(POSTS)
    model.begin_update(docs)[1](random_gradients(docs))
    model.finish_update(Adam(0.01))
    moved = changed(model, before)
    assert moved and not any("embeddings" in name for name in moved)


def test_a_wholly_frozen_encoder_has_nothing_to_give_back(encoder_dir):
    model = make_encoder_model(encoder_dir)
    model.shims[0].module.requires_grad_(False)
    before = weights_of(model)
    docs = make_docs(POSTS)
    assert model.begin_update(docs)[1](random_gradients(docs)) == []
    model.finish_update(Adam(0.01))
    assert changed(model, before) == set()


def test_frozen_embeddings_by_the_setting(encoder_dir, tmp_path):
    """The word pieces' embeddings keep their bits, all else learns, and a saved encoder that goes on keeps to it."""
    model = make_encoder_model(encoder_dir, freeze_embeddings=True)
    docs = make_docs(POSTS)
    for _ in range(2):
        before = weights_of(model)
        model.begin_update(docs)[1](random_gradients(docs))
        model.finish_update(Adam(0.01))
        assert set(before) - changed(model, before) == {"embeddings.word_embeddings.weight"}
        model.shims[0].to_disk(tmp_path)
        model = make_encoder_model(encoder_dir, freeze_embeddings=True)
        model.shims[0].from_disk(tmp_path)
