"""The head gives the logits of Hugging Face's token classifiers, and passes tokens by of which nothing is known."""

import numpy as np
import pytest
import torch
from hf_reference import TEXTS, Reference, make_classifier_model, make_docs, make_encoder_model
from spacy.util import registry
from thinc.api import Linear, set_dropout_rate
from tiny_encoders import KINDS

from spacy_tokclf.models.classifier import INIT_STD, build_token_classifier_v1, on_known_rows, resize_output

N_TAGS = 5
LONG = {"positions": 128, "limit": 128}


def with_same_head(reference, model):
    layer = model.get_ref("output_layer")
    with torch.no_grad():
        reference.module.classifier.weight.copy_(torch.from_numpy(layer.get_param("W")))
        reference.module.classifier.bias.copy_(torch.from_numpy(layer.get_param("b")))
    return reference


def assert_same(got, expected):
    assert len(got) == len(expected)
    for one, other in zip(got, expected, strict=True):
        assert one.dtype == np.float32 and one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)


@pytest.mark.parametrize("model_type", sorted(KINDS))
def test_logits_equal_hugging_face(make_encoder, model_type):
    folder = make_encoder(model_type, **LONG)
    model = make_classifier_model(folder, N_TAGS)
    reference = with_same_head(Reference(folder, n_tags=N_TAGS), model)
    with torch.inference_mode():
        expected = [reference.logits(words).numpy() for words in TEXTS]
    docs = make_docs()
    assert_same([model.predict([doc])[0] for doc in docs], expected)
    assert_same(model.predict(docs), expected)
    assert_same(model.predict(docs[::-1]), expected[::-1])
    set_dropout_rate(model, 0.0)
    assert_same(model.begin_update(docs)[0], expected)


@pytest.mark.parametrize("model_type", ["distilbert", "bert"])
def test_gradient_of_cross_entropy_equals_hugging_face(make_encoder, model_type):
    folder = make_encoder(model_type, **LONG)
    model = make_classifier_model(folder, N_TAGS)
    reference = with_same_head(Reference(folder, n_tags=N_TAGS), model)
    words = ["in", "the", "Groenlinks", "tweet"]
    gold = torch.tensor([0, 3, -100, 4])
    torch.nn.functional.cross_entropy(reference.logits(words), gold, reduction="sum").backward()
    set_dropout_rate(model, 0.0)
    (logits,), backprop = model.begin_update(make_docs([words]))
    own = torch.from_numpy(logits).requires_grad_()
    torch.nn.functional.cross_entropy(own, gold, reduction="sum").backward()
    backprop([own.grad.numpy()])
    layer = model.get_ref("output_layer")
    np.testing.assert_allclose(layer.get_grad("W"), reference.module.classifier.weight.grad, rtol=0, atol=1e-4)
    np.testing.assert_allclose(layer.get_grad("b"), reference.module.classifier.bias.grad, rtol=0, atol=1e-4)
    theirs = dict(reference.module.base_model.named_parameters())
    module = model.get_ref("tok2vec").shims[0].module
    compared = [name for name, param in module.named_parameters() if param.grad is not None]
    assert len(compared) > 20
    for name, param in module.named_parameters():
        if name in compared:
            torch.testing.assert_close(param.grad, theirs[name].grad, rtol=1e-4, atol=1e-4)


def test_tokens_without_pieces_have_no_logits_and_no_gradient(encoder_dir):
    model = make_classifier_model(encoder_dir, N_TAGS)
    docs = make_docs([["in", "\ufe0f", "the"], [" "]])
    logits, backprop = model.begin_update(docs)
    assert [row.any(axis=1).tolist() for row in logits] == [[True, False, True], [False]]
    gradient = [np.zeros((3, N_TAGS), "float32"), np.ones((1, N_TAGS), "float32")]
    gradient[0][1] = 5.0
    backprop(gradient)
    assert not model.get_ref("output_layer").get_grad("W").any()
    assert not model.get_ref("output_layer").get_grad("b").any()


@pytest.mark.parametrize("texts", [[[" "], ["\n", "\ufe0f"]], [[]], [[], [" "]]])
@pytest.mark.parametrize("train", [True, False])
def test_batches_of_which_nothing_is_known(encoder_dir, texts, train):
    model = make_classifier_model(encoder_dir, N_TAGS)
    logits, backprop = model(make_docs(texts), is_train=train)
    assert [row.shape for row in logits] == [(len(words), N_TAGS) for words in texts]
    assert not np.concatenate(logits).any()
    if train:
        backprop(logits)


def test_known_rows_in_several_arrays():
    layer = Linear(nO=2, nI=3)
    model = on_known_rows(layer)
    rows = [np.zeros((2, 3), "float32"), np.zeros((0, 3), "float32"), np.zeros((3, 3), "float32")]
    rows[0][1], rows[2][0], rows[2][2] = [1, 0, 0], [0, 2, 0], [0, -1, 1]
    model.initialize(X=rows)
    layer.set_param("b", np.array([1.0, 2.0], "float32"))
    out, backprop = model.begin_update(rows)
    weights = layer.get_param("W")
    for x, y in zip(rows, out, strict=True):
        expected = (x @ weights.T + [1.0, 2.0]) * x.any(axis=1, keepdims=True)
        np.testing.assert_allclose(y, expected, atol=1e-6)
    back = backprop([np.ones_like(y) for y in out])
    for x, dx in zip(rows, back, strict=True):
        assert dx.shape == x.shape
        np.testing.assert_allclose(dx, weights.sum(0) * x.any(axis=1, keepdims=True), atol=1e-6)
    np.testing.assert_allclose(layer.get_grad("W"), np.tile(np.concatenate(rows).sum(0), (2, 1)), atol=1e-6)
    np.testing.assert_allclose(layer.get_grad("b"), [3.0, 3.0])


def test_dropout_before_the_classifier_follows_the_rate(encoder_dir):
    model = make_classifier_model(encoder_dir, N_TAGS)
    docs = make_docs([["in", "the", "tweet"]])
    exact = model.predict(docs)[0]
    set_dropout_rate(model, 0.5)
    assert abs(model.begin_update(docs)[0][0] - exact).max() > 0.01
    np.testing.assert_array_equal(model.predict(docs)[0], exact)
    set_dropout_rate(model, 0.0)
    np.testing.assert_allclose(model.begin_update(docs)[0][0], exact, rtol=0, atol=1e-5)


def test_a_fresh_classifier_is_like_berts(make_encoder):
    def fresh(seed):
        np.random.seed(seed)
        model = build_token_classifier_v1(make_encoder_model(make_encoder()), nO=200)
        model.initialize(X=make_docs([["in"]]))
        return model.get_ref("output_layer")

    weights = fresh(3).get_param("W")
    assert weights.dtype == np.float32 and weights.shape == (200, 32)
    assert abs(weights.std() - INIT_STD) < 0.001 and abs(weights.mean()) < 0.001
    assert not fresh(3).get_param("b").any()
    np.testing.assert_array_equal(fresh(3).get_param("W"), weights)
    assert (fresh(4).get_param("W") != weights).any()


def test_more_tags_leave_the_old_rows_alone(encoder_dir):
    model = make_classifier_model(encoder_dir, N_TAGS)
    docs = make_docs([["in", "the", "tweet"]])
    before = model.predict(docs)[0]
    old = model.get_ref("output_layer").get_param("W").copy()
    resize_output(model, N_TAGS)
    np.testing.assert_array_equal(model.predict(docs)[0], before)
    set_dropout_rate(model, 0.0)
    model.begin_update(docs)[1]([np.ones((3, N_TAGS), "float32")])  # leaves gradients of the old size
    resize_output(model, N_TAGS + 2)
    assert model.get_dim("nO") == model.get_ref("output_layer").get_dim("nO") == N_TAGS + 2
    after = model.predict(docs)[0]
    assert after.shape == (3, N_TAGS + 2)
    np.testing.assert_array_equal(model.get_ref("output_layer").get_param("W")[:N_TAGS], old)
    np.testing.assert_allclose(after[:, :N_TAGS], before, rtol=0, atol=1e-6)
    assert after[:, N_TAGS:].any()
    model.begin_update(docs)[1]([np.ones_like(after)])
    assert model.get_ref("output_layer").get_grad("W").shape == (N_TAGS + 2, 32)


def test_a_round_trip_into_other_weights(make_encoder):
    one = make_classifier_model(make_encoder(), N_TAGS)
    other = make_classifier_model(make_encoder(seed=7), N_TAGS)
    docs = make_docs()
    assert abs(one.predict(docs)[0] - other.predict(docs)[0]).max() > 0.1
    assert_same(other.from_bytes(one.to_bytes()).predict(docs), one.predict(docs))


def test_any_other_layer_fits_the_slot():
    cnn = {"@architectures": "spacy.HashEmbedCNN.v2", "pretrained_vectors": None, "width": 16, "depth": 1}
    cnn |= {"embed_size": 100, "window_size": 1, "maxout_pieces": 2, "subword_features": True}
    block = {"@architectures": "spacy-tokclf.TokenClassifier.v1", "nO": 3, "tok2vec": cnn}
    model = registry.resolve({"model": block})["model"]
    docs = make_docs()
    model.initialize(X=docs)
    logits, backprop = model.begin_update(docs)
    assert [row.shape for row in logits] == [(len(doc), 3) for doc in docs]
    backprop([np.ones_like(row) for row in logits])
    assert model.get_ref("output_layer").get_grad("W").any()


def read_posts(folder, n):
    posts = [[]]
    for line in (folder / "emerging.test.annotated").read_text(encoding="utf-8").splitlines():
        if line.strip():
            posts[-1].append(line.split("\t")[0])
        elif posts[-1]:
            posts.append([])
    return posts[:n]


@pytest.mark.slow
def test_embedded_encoder_equals_hugging_face_on_wnut17(embedded_encoder, wnut17_dir):
    posts = read_posts(wnut17_dir, 200)
    model = build_token_classifier_v1(make_encoder_model(embedded_encoder), nO=13)
    docs = make_docs(posts)
    model.initialize(X=docs[:1])
    model.get_ref("output_layer").set_param("W", np.random.normal(0.0, 0.1, (13, 384)).astype("float32"))
    reference = with_same_head(Reference(embedded_encoder, n_tags=13), model)
    with torch.inference_mode():
        expected = [reference.logits(words).numpy() for words in posts]
    assert_same([model.predict([doc])[0] for doc in docs], expected)
    assert_same(model.predict(docs), expected)
