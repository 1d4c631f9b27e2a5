"""The encoder layer gives the vectors of the Hugging Face forward, whatever surrounds a text in its batch."""

import numpy as np
import pytest
import torch
from hf_reference import TEXTS, Reference, make_docs, make_encoder_model
from hypothesis import given, settings
from hypothesis import strategies as st
from odd_words import odd_words
from tiny_encoders import KINDS, WIDTH

from spacy_tokclf.wordpieces.pool import POOLINGS

LONG = {"positions": 128, "limit": 128}


@pytest.fixture(scope="session")
def expected(make_encoder):
    """Give the reference vectors of TEXTS by model type and pooling."""
    made = {}

    def get(model_type, pooling="first"):
        if (model_type, pooling) not in made:
            reference = Reference(make_encoder(model_type, **LONG))
            with torch.inference_mode():
                made[model_type, pooling] = [reference.vectors(words, pooling).numpy() for words in TEXTS]
        return made[model_type, pooling]

    return get


def assert_same(got, expected, atol=1e-5):
    assert len(got) == len(expected)
    for one, other in zip(got, expected, strict=True):
        assert one.dtype == np.float32 and one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=0, atol=atol)


@pytest.mark.parametrize("model_type", sorted(KINDS))
def test_vectors_equal_hugging_face(make_encoder, expected, model_type):
    model = make_encoder_model(make_encoder(model_type, **LONG))
    assert_same([model.predict([doc])[0] for doc in make_docs()], expected(model_type))
    assert_same(model.predict(make_docs()), expected(model_type))
    assert_same(model.begin_update(make_docs())[0], expected(model_type))


@pytest.mark.parametrize("pooling", POOLINGS)
def test_poolings_equal_hugging_face(make_encoder, expected, pooling):
    model = make_encoder_model(make_encoder("roberta", **LONG), pooling=pooling)
    assert_same(model.predict(make_docs()), expected("roberta", pooling))


def test_any_order_and_batch_size(make_encoder, expected):
    model = make_encoder_model(make_encoder("distilbert", **LONG))
    order = [5, 2, 0, 7, 6, 4, 1, 3]
    got = model.predict(make_docs([TEXTS[i] for i in order]))
    assert_same(got, [expected("distilbert")[i] for i in order])
    for size in (2, 3):
        docs = make_docs()
        got = [row for i in range(0, len(docs), size) for row in model.predict(docs[i : i + size])]
        assert_same(got, expected("distilbert"))


def test_texts_without_tokens_or_pieces(encoder_dir):
    model = make_encoder_model(encoder_dir)
    assert model.predict([]) == []
    assert [row.shape for row in model.predict(make_docs([[], []]))] == [(0, WIDTH)] * 2
    for train in (False, True):
        rows, backprop = model(make_docs([[], [" "], ["\ufe0f", "\n"]]), is_train=train)
        assert [row.shape for row in rows] == [(0, WIDTH), (1, WIDTH), (2, WIDTH)]
        assert not np.concatenate(rows).any()
        assert backprop([np.ones_like(row) for row in rows]) == []


def test_many_small_batches_equal_one(encoder_dir, monkeypatch):
    texts = [["in", "the"] * (n % 9 + 1) for n in range(60)]
    model = make_encoder_model(encoder_dir)
    whole = model.predict(make_docs(texts))
    monkeypatch.setattr("spacy_tokclf.models.piece_budget.BATCH_PIECES", 50)
    assert_same(model.predict(make_docs(texts)), whole)


@pytest.fixture(scope="session")
def tiny(encoder_dir):
    return make_encoder_model(encoder_dir), Reference(encoder_dir)


@settings(max_examples=20, deadline=None)
@given(texts=st.lists(st.lists(odd_words().filter(lambda w: len(w) < 12), max_size=4), min_size=1, max_size=4))
def test_any_words_equal_hugging_face(tiny, texts):
    model, reference = tiny
    with torch.inference_mode():
        expected = [reference.vectors(words).numpy() for words in texts]
    assert_same(model.predict(make_docs(texts)), expected)


def test_half_precision_is_for_predictions_on_cuda(encoder_dir):
    model = make_encoder_model(encoder_dir)
    model.attrs["precision"] = "fp16"
    with pytest.raises(ValueError, match=r"TC570.*on cpu"):
        model.predict(make_docs())
    with pytest.raises(ValueError, match=r"TC570.*in training"):
        model.begin_update(make_docs())


@pytest.mark.parametrize("pooling", POOLINGS)
def test_bfloat16_is_close_and_leaves_as_float32(encoder_dir, pooling):
    exact = make_encoder_model(encoder_dir, pooling=pooling)
    model = make_encoder_model(encoder_dir, pooling=pooling, precision="bf16")
    docs = make_docs()
    got = model.predict(docs)
    assert_same(got, exact.predict(docs), atol=0.15)
    assert any((one != other).any() for one, other in zip(got, exact.predict(docs), strict=True))
    rows, backprop = model.begin_update(docs)
    assert_same(rows, got)
    backprop([np.ones_like(row) for row in rows])
    module = model.shims[0].module
    assert {param.dtype for param in module.parameters()} == {torch.float32}
    assert {param.grad.dtype for param in module.parameters() if param.grad is not None} == {torch.float32}


def test_nothing_stays_on_the_texts(encoder_dir):
    docs = make_docs()
    make_encoder_model(encoder_dir).predict(docs)
    for doc in docs:
        assert doc.user_data == {} and doc.tensor.size == 0 and not len(doc.spans)


def test_nothing_of_torch_stays_on_the_texts_of_a_pipeline(nlp):
    doc = nlp("We met in New York .")
    assert doc.user_data == {} and doc.tensor.size == 0
    assert type(doc.spans["entities"].attrs["scores"]) is list
    assert {type(score) for score in doc.spans["entities"].attrs["scores"]} <= {float}


def test_texts_of_a_memory_zone(nlp):
    expected = [(ent.text, ent.label_) for ent in nlp("We met in New York , Groenlinks .").ents]
    for _ in range(2):
        with nlp.memory_zone():
            doc = nlp("We met in New York , Groenlinks .")
            assert expected and [(ent.text, ent.label_) for ent in doc.ents] == expected
