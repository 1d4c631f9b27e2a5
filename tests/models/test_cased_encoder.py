"""The casing of words, added at the input of an encoder that lower-cases."""

import numpy as np
import pytest
import torch
from hf_reference import TEXTS, Reference, make_docs, make_encoder_model
from tiny_encoders import KINDS

from spacy_tokclf.models.casing import CASING_WEIGHT
from spacy_tokclf.models.encoder import build_transformer_encoder_v1
from spacy_tokclf.wordpieces.words import CASINGS, casing_of

LONG = {"positions": 128, "limit": 128}


def set_casing(model, seed=0):
    """Give the casings of an encoder vectors that are not zeros."""
    weights = model.shims[0].module.casing.weight
    weights.data.copy_(torch.randn(weights.shape, generator=torch.Generator().manual_seed(seed)))
    return weights.detach().clone()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_fresh_casing_changes_nothing(make_encoder, kind):
    folder = make_encoder(kind, **LONG)
    plain, cased = make_encoder_model(folder), make_encoder_model(folder, casing=True)
    for one, other in zip(plain.predict(make_docs()), cased.predict(make_docs()), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)


def test_vectors_equal_hugging_face_with_the_casing_in_the_embeddings(make_encoder):
    folder = make_encoder("distilbert", **LONG)
    model = make_encoder_model(folder, casing=True)
    weights = set_casing(model)
    reference = Reference(folder)
    words = ["The", "Golden", "State", "iPhone", "of", "NASA", "42", "a"]
    inputs, places = reference.encode(words)
    casings = torch.zeros_like(inputs["input_ids"])
    for i, positions in places.items():
        casings[0, positions] = casing_of(words[i])
    with torch.inference_mode():
        embeddings = reference.module.get_input_embeddings()(inputs["input_ids"]) + weights[casings]
        hidden = reference.module(inputs_embeds=embeddings, attention_mask=inputs["attention_mask"])
    expected = torch.stack([hidden.last_hidden_state[0][places[i][0]] for i in range(len(words))]).numpy()
    got = model.predict([*make_docs(), *make_docs([words])])[-1]
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-5)
    lower = model.predict(make_docs([[word.lower() for word in words]]))[0]
    assert not np.allclose(got, lower, atol=1e-3)


def test_the_casing_learns(make_encoder):
    model = make_encoder_model(make_encoder("bert", **LONG), casing=True)
    vectors, backprop = model.begin_update(make_docs(TEXTS))
    backprop([np.random.default_rng(0).normal(size=row.shape).astype("float32") for row in vectors])
    gradient = model.shims[0].module.casing.weight.grad
    assert gradient[CASINGS.index("lower")].abs().max() > 0


def test_round_trips_into_other_weights(make_encoder, tmp_path):
    folder = make_encoder("distilbert", **LONG)
    model = make_encoder_model(folder, casing=True)
    weights = set_casing(model)
    expected = model.predict(make_docs())
    other = make_encoder_model(folder, casing=True)
    set_casing(other, seed=1)
    plain = make_encoder_model(folder)
    model.to_disk(tmp_path / "model")
    for loaded in (other.from_bytes(model.to_bytes()), plain.copy().from_disk(tmp_path / "model")):
        assert torch.equal(loaded.shims[0].module.casing.weight, weights)
    assert all(map(np.array_equal, other.predict(make_docs()), expected))
    assert all(map(np.array_equal, model.copy().predict(make_docs()), expected))
    assert CASING_WEIGHT in dict(model.shims[0].module.named_parameters())
    with pytest.raises(ValueError, match=r"TC013.*casing\.weight"):
        other.from_bytes(plain.to_bytes())


def test_dropped_casings_are_those_of_the_lowered_text(make_encoder):
    folder = make_encoder("distilbert", **LONG, dropout=0.0)
    model = make_encoder_model(folder, casing=True, casing_dropout=1.0)
    set_casing(model)
    posts = [["Ada", "met", "NASA"], ["My", "iPhone"]]
    lowered = [[word.lower() for word in words] for words in posts]
    trained, _ = model.begin_update(make_docs(posts))
    for one, other in zip(trained, model.predict(make_docs(lowered)), strict=True):
        # The attention of training and of prediction is padded differently.
        np.testing.assert_allclose(one, other, rtol=0, atol=5e-6)
    for one, other in zip(trained, model.predict(make_docs(posts)), strict=True):
        assert not np.allclose(one, other, atol=1e-3), "what is predicted keeps its casing"


def test_no_share_of_texts():
    with pytest.raises(ValueError, match="TC031"):
        build_transformer_encoder_v1(casing_dropout=1.5)
