"""Logits and vectors that are computed where the encoder is are those of the slot."""

import numpy as np
import pytest
import spacy
import torch
from pipeline_posts import add_ner, initialize, read_posts
from spacy.tokens import Doc
from thinc.api import NumpyOps

from spacy_tokclf.models import device_logits
from spacy_tokclf.models.device_logits import launch_logits, launch_vectors, rows_on_host
from spacy_tokclf.models.encoder import build_transformer_encoder_v1, load_encoder
from spacy_tokclf.models.head_transform import fill_transform
from spacy_tokclf.models.hf.pretrained import make_pretrained_encoder_v1
from spacy_tokclf.runtime.arriving import ArrivingRows


@pytest.fixture
def beside(monkeypatch):
    monkeypatch.setattr(device_logits, "encoders_run_on_gpu", lambda: True)


def odd_docs(nlp):
    """Texts of all lengths: posts, a long one in several windows, one without word pieces, an empty one."""
    words = [["rain", "Zorblax", " "] * 60, [" ", "\ufe0f"], [], ["who", " ", "knows"]]
    return [*(eg.x for eg in read_posts(nlp)), *(Doc(nlp.vocab, words=each) for each in words)]


def random_transform(model, activation):
    width = model.get_ref("tok2vec").get_dim("nO")
    shapes = {"dense.weight": (width, width), "dense.bias": (width,), "norm.weight": (width,), "norm.bias": (width,)}
    weights = {name: np.random.normal(size=shape).astype("float32") for name, shape in shapes.items()}
    fill_transform(model.get_ref("transform"), weights, activation=activation, eps=1e-5)


@pytest.mark.parametrize("head", ["plain", "gelu", "relu", "crf"])
def test_the_logits_of_the_slot(encoder_dir, beside, head):
    nlp = spacy.blank("en")
    add_ner(nlp, crf=head == "crf")
    initialize(nlp, encoder_dir, read_posts(nlp), owners=("ner",))
    model = nlp.get_pipe("ner").model
    if head in ("gelu", "relu"):
        random_transform(model, head)
    docs = odd_docs(nlp)
    expected = np.concatenate(model.predict(docs))
    found = np.concatenate(launch_logits(model, docs)())
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(found.any(axis=1), expected.any(axis=1))
    rows = launch_logits(model, docs)()
    assert [len(each) for each in rows] == [len(doc) for doc in docs]
    assert launch_logits(model, docs[-3:-2])()[0].shape == (2, found.shape[1])
    assert launch_logits(model, docs[-2:-1]) is None


def test_the_vectors_of_the_slot(encoder_dir, beside):
    model = build_transformer_encoder_v1()
    load_encoder(model, make_pretrained_encoder_v1(str(encoder_dir)))
    docs = odd_docs(spacy.blank("en"))
    np.testing.assert_array_equal(np.concatenate(launch_vectors(model, docs)()), np.concatenate(model.predict(docs)))


@pytest.mark.parametrize("kind", ["shared", "foreign", "cpu"])
def test_others_take_the_slot(encoder_dir, monkeypatch, kind):
    monkeypatch.setattr(device_logits, "encoders_run_on_gpu", lambda: kind != "cpu")
    nlp = spacy.blank("en")
    if kind == "shared":
        nlp.add_pipe("transformer_encoder", name="transformer")
    add_ner(nlp, shared=kind == "shared")
    initialize(nlp, encoder_dir, read_posts(nlp), owners=("transformer" if kind == "shared" else "ner",))
    pipe = nlp.get_pipe("ner")
    if kind == "foreign":
        del pipe.model.attrs["plain_head"]
    docs = odd_docs(nlp)
    assert pipe.launch(docs) is None
    assert len(list(nlp.pipe(docs))) == len(docs)


def test_rows_of_a_cpu_are_not_copied():
    rows = torch.ones(2, 3)
    assert ArrivingRows(rows).read().ctypes.data == rows.data_ptr()


def test_rows_of_a_gpu_come_in_one_transfer():
    class Gpu:
        device_type, xp, calls = "gpu", np, 0

        def to_numpy(self, array):
            self.calls += 1
            return array

    ops = Gpu()
    rows = [np.ones((2, 3), "float32"), np.zeros((0, 3), "float32"), np.full((1, 3), 2.0, "float32")]
    for one, other in zip(rows_on_host(ops, rows), rows, strict=True):
        np.testing.assert_array_equal(one, other)
    assert ops.calls == 1 and rows_on_host(ops, []) == []
    assert all(one is other for one, other in zip(rows_on_host(NumpyOps(), rows), rows, strict=True))


def test_vectors_are_not_kept_where_logits_are_asked_for(encoder_dir, beside, monkeypatch):
    """The head follows on each batch of the encoder, whose vectors are a hundred times as large as logits."""
    monkeypatch.setattr("spacy_tokclf.models.piece_budget.BATCH_PIECES", 50)
    nlp = spacy.blank("en")
    add_ner(nlp)
    initialize(nlp, encoder_dir, read_posts(nlp), owners=("ner",))
    model = nlp.get_pipe("ner").model
    shapes = []
    join = device_logits.join_rows
    monkeypatch.setattr(
        device_logits, "join_rows", lambda parts: shapes.append([len(parts[0].T), len(parts)]) or join(parts)
    )
    docs = odd_docs(nlp)
    found = np.concatenate(launch_logits(model, docs)())
    assert shapes[0][0] == model.get_dim("nO") and shapes[0][1] > 3
    np.testing.assert_allclose(found, np.concatenate(model.predict(docs)), rtol=0, atol=1e-5)
