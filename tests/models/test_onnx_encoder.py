"""The encoder in ONNX Runtime gives the vectors that the encoder in torch gives."""

import copy
import os
import pickle
import sys

import numpy as np
import pytest
import spacy
from hf_reference import TEXTS, make_docs
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx_layers import make_pair
from spacy.util import registry
from tiny_encoders import KINDS

from spacy_tokclf.models.onnx import encoder as onnx_encoder
from spacy_tokclf.models.onnx import session as onnx_session
from spacy_tokclf.models.onnx.encoder import build_onnx_encoder_v1
from spacy_tokclf.runtime import threads as threads_module
from spacy_tokclf.wordpieces.pool import POOLINGS

pytest.importorskip("onnxscript")

LONG = ["in", "the", "Groenlinks", "tweet", "Schiphol.", "\ufe0f", "5.975,74", "\n", "ab" * 45] * 20
WORDS = st.lists(st.sampled_from([*LONG[:9], "London", "NEW", " ", "\u200b", "é", "中"]), max_size=30)


def assert_close(got, expected, atol=1e-5):
    assert [rows.shape for rows in got] == [rows.shape for rows in expected]
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=atol)


@pytest.fixture(params=[1, 3])
def threads(request, monkeypatch):
    """So many threads; three share the batches of one call."""
    monkeypatch.setattr(onnx_session, "cpu_threads", lambda: request.param)
    monkeypatch.setattr(onnx_encoder, "SMALLEST_BATCH", 16)


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("model_type", KINDS)
def test_vectors(make_encoder, model_type, pooling, threads):
    layer, other = make_pair(make_encoder(model_type), pooling=pooling)
    docs = make_docs([*TEXTS, LONG])
    expected = layer.predict(docs)
    assert_close(other.predict(docs), expected)
    assert not expected[4].any() and not other.predict(docs)[4].any()  # white space has no pieces
    assert other.get_dim("nO") == layer.get_dim("nO")


@pytest.mark.parametrize("given", [{"window": 16, "overlap": 6}, {"window": 40, "overlap": 0}, {"casing": True}])
def test_settings(encoder_dir, given, threads):
    layer, other = make_pair(encoder_dir, **given)
    docs = make_docs([["NEW", "york", "City"], *TEXTS, LONG])
    assert_close(other.predict(docs), layer.predict(docs))


def test_casing_is_read(encoder_dir):
    _, other = make_pair(encoder_dir, casing=True)
    one, two = other.predict(make_docs([["london"], ["LONDON"]]))
    assert np.abs(one - two).max() > 0.1


@pytest.fixture(scope="module")
def pairs(make_encoder):
    return {precision: make_pair(make_encoder("bert"), precision) for precision in ("fp32", "int8")}


@settings(max_examples=30, deadline=None)
@given(texts=st.lists(WORDS, min_size=1, max_size=8))
def test_any_texts(pairs, texts):
    layer, other = pairs["fp32"]
    docs = make_docs(texts)
    assert_close(other.predict(docs), layer.predict(docs))


def test_int8_is_near(pairs):
    layer, other = pairs["int8"]
    docs = make_docs([*TEXTS, LONG])
    expected, got = np.concatenate(layer.predict(docs)), np.concatenate(other.predict(docs))
    difference = np.abs(got - expected)
    assert 0 < difference.mean() < 0.02 * np.abs(expected).mean()
    assert difference.max() < 0.2 * np.abs(expected).max()


@settings(max_examples=30, deadline=None)
@given(texts=st.lists(WORDS, min_size=2, max_size=8))
@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_text_does_not_depend_on_its_neighbours(pairs, precision, texts):
    _, other = pairs[precision]
    together = other.predict(make_docs(texts))
    alone = [other.predict(make_docs([words]))[0] for words in texts]
    assert_close(together, alone, atol=0)


def test_no_text_and_texts_without_words(pairs):
    _, other = pairs["fp32"]
    assert other.predict([]) == []
    assert [rows.shape for rows in other.predict(make_docs([[], []]))] == [(0, 32), (0, 32)]


class TestStored:
    """It comes back whole, whatever way it was kept, and where another one was."""

    @pytest.mark.parametrize("way", ["bytes", "copy", "deepcopy", "pickle"])
    def test_round_trips(self, pairs, make_encoder, way, tmp_path):
        _, layer = pairs["fp32"]
        docs = make_docs()
        expected = layer.predict(docs)
        _, other = make_pair(make_encoder("roberta"))
        assert np.abs(other.predict(docs)[0] - expected[0]).max() > 0.1
        if way == "bytes":
            other.from_bytes(layer.to_bytes())
        elif way == "copy":
            other = layer.copy()
        elif way == "deepcopy":
            other = copy.deepcopy(layer)
        else:
            other.shims[0] = pickle.loads(pickle.dumps(layer.shims[0]))
        assert_close(other.predict(docs), expected, atol=0)

    def test_folder(self, pairs, make_encoder, tmp_path):
        _, layer = pairs["int8"]
        layer.shims[0].to_disk(tmp_path / "encoder")
        assert sorted(path.name for path in (tmp_path / "encoder").iterdir()) == [
            "model.onnx",
            "onnx.json",
            "tokenizer.json",
        ]
        _, other = make_pair(make_encoder("roberta"))
        other.shims[0].from_disk(tmp_path / "encoder")
        assert_close(other.predict(make_docs()), layer.predict(make_docs()), atol=0)

    def test_nothing_of_nothing(self, tmp_path):
        empty = build_onnx_encoder_v1().shims[0]
        empty.to_disk(tmp_path / "encoder")
        assert empty.to_bytes() == b"" and not list(tmp_path.iterdir())
        assert not empty.copy().from_bytes(b"").from_disk(tmp_path).is_filled

    def test_a_later_format_is_refused(self, pairs):
        shim = pairs["fp32"][1].shims[0].copy()
        with pytest.raises(ValueError, match="TC303"):
            shim.fill(b"", settings={**shim.settings, "format": 99}, tokenizer_json="{}")


class TestRefusals:
    """What it cannot do is said with a code."""

    def test_training(self, pairs):
        _, layer = pairs["fp32"]
        with pytest.raises(ValueError, match="TC300"):
            layer.begin_update(make_docs())
        with pytest.raises(ValueError, match="TC300"):
            layer.initialize(make_docs())
        _, backprop = layer(make_docs(), is_train=False)
        with pytest.raises(ValueError, match="TC300"):
            backprop([])

    def test_without_a_graph(self):
        layer = build_onnx_encoder_v1()
        for part in ("runner", "tokenizer"):
            with pytest.raises(ValueError, match="TC301"):
                getattr(layer.shims[0], part)
        with pytest.raises(ValueError, match="TC301"):
            layer.predict(make_docs())

    def test_without_onnxruntime(self, pairs, monkeypatch):
        monkeypatch.setitem(sys.modules, "onnxruntime", None)
        with pytest.raises(ImportError, match=r"TC302.*spacy-tokclf\[onnx\]"):
            pairs["fp32"][1].copy().predict(make_docs())

    @pytest.mark.parametrize(
        ("given", "code"), [({"pooling": "last"}, "TC003"), ({"window": 4, "overlap": 9}, "TC002")]
    )
    def test_settings(self, given, code):
        build = registry.architectures.get("spacy-tokclf.OnnxEncoder.v1")
        with pytest.raises(ValueError, match=code):
            build(**given)


class TestThreads:
    """As many as there are cores, or as the user says; one in a worker process."""

    def test_count(self, monkeypatch):
        monkeypatch.setenv("OMP_NUM_THREADS", "5")
        assert threads_module.cpu_threads() == 5
        monkeypatch.setenv("OMP_NUM_THREADS", "all")
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        assert threads_module.cpu_threads() == cores
        monkeypatch.setattr(threads_module.multiprocessing, "parent_process", lambda: object())
        assert threads_module.cpu_threads() == 1

    def test_a_forked_process_makes_its_own_session(self, pairs, monkeypatch):
        runner = pairs["fp32"][1].copy().shims[0].runner
        first = runner._get()
        assert runner._get() is first
        monkeypatch.setattr(onnx_session.os, "getpid", lambda: -1)
        assert runner._get().session is not first.session


def test_it_is_no_encoder_to_begin_with(encoder_dir):
    """A pipeline of a config with it has to be loaded; it is not initialized."""
    nlp = spacy.blank("en")
    tok2vec = {"@architectures": "spacy-tokclf.OnnxEncoder.v1"}
    nlp.add_pipe("token_classifier", name="ner", config={"model": {"tok2vec": tok2vec}})
    nlp.config["initialize"]["components"]["ner"] = {"labels": ["person"]}
    with pytest.raises(ValueError, match="TC300"):
        nlp.initialize()
