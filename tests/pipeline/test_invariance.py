"""A text gets the same entities and scores alone, in a batch, in any order and in another process: bit by bit, in
every precision, on our own path and in ONNX Runtime; to 1e-5 in Hugging Face's forward pass."""

import importlib.util
import multiprocessing
import random
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from odd_words import ODD_WORDS, odd_words
from pipeline_posts import POSTS, found, scores_of
from spacy.language import Language
from spacy.tokens import Doc

from spacy_tokclf import compat
from spacy_tokclf.export.optimize import replace_encoders
from spacy_tokclf.models.base_shim import encoder_nodes
from spacy_tokclf.models.onnx import session as onnx_session

LoadT = Callable[..., Language]
OpenT = Callable[..., Language]
#: What runs the encoder, and in which precision.
WAYS = ["fp32", "bf16", "onnx fp32", "onnx int8", "transformers fp32"]
TEXTS = [post.replace("[", "").replace("]", "").replace("|", " ") for post in POSTS] * 3
TEXTS[5:5] = ["", "   ", "\n\n", "zorblax " * 90, "\u200b\ufe0f"]


def results(docs: list[Doc]) -> list[tuple[list[tuple[int, int, str]], list[float]]]:
    """Give what matters of some texts."""
    return [(found(doc), scores_of(doc)) for doc in docs]


#: Whose products, those of the classifier, hang on the number of rows.
OLD_NUMPY = int(np.__version__.split(".")[0]) < 2


def tolerance(way: str) -> float:
    """Say how much scores may differ: not at all where products are oneDNN's or ONNX Runtime's."""
    return 1e-5 if way.startswith("transformers") or compat.onednn_linear() is None or OLD_NUMPY else 0.0


def same(one: list, other: list, *, way: str = "fp32") -> None:
    """Compare results."""
    assert [ents for ents, _ in one] == [ents for ents, _ in other]
    scores, others = ([s for _, scores in which for s in scores] for which in (one, other))
    assert scores == pytest.approx(others, abs=tolerance(way), rel=0)


@pytest.fixture(scope="module")
def saved(
    trained_bytes: dict[bool, bytes], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, bool], tuple[Path, dict[str, Any]]]:
    """Give a function that names the folder of the trained pipeline for a way, and the settings to load it with."""
    made: dict[tuple[str, bool], Path] = {}

    def save(way: str, shared: bool) -> tuple[Path, dict[str, Any]]:
        kind, _, precision = way.rpartition(" ")
        key = (way if kind == "onnx" else "", shared)
        if key not in made:
            nlp = spacy.blank("en")
            if shared:
                nlp.add_pipe("transformer_encoder", name="transformer")
            tok2vec = {"@architectures": f"spacy-tokclf.{'EncoderListener' if shared else 'TransformerEncoder'}.v1"}
            model = {"@architectures": "spacy-tokclf.TokenClassifier.v1", "tok2vec": tok2vec}
            nlp.add_pipe("token_classifier", name="ner", config={"model": model})
            nlp.from_bytes(trained_bytes[shared])
            if kind == "onnx":
                replace_encoders(nlp, precision)
            made[key] = tmp_path_factory.mktemp("saved") / "model"
            nlp.to_disk(made[key])
        where = "transformer.model" if shared else "ner.model.tok2vec"
        backend = {f"components.{where}.backend": "transformers"} if kind == "transformers" else {}
        return made[key], backend

    return save


@pytest.fixture(scope="module")
def open_way(saved: Callable[[str, bool], tuple[Path, dict[str, Any]]]) -> OpenT:
    """Give a function that loads the trained pipeline with its encoder run in a way."""

    def load(way: str, *, shared: bool = False) -> Language:
        if way.startswith("onnx") and importlib.util.find_spec("onnxscript") is None:
            pytest.skip("ONNX Runtime is not installed")
        path, config = saved(way, shared)
        nlp = spacy.load(path, config=config)
        kind, _, precision = way.rpartition(" ")
        if kind != "onnx":
            for _, pipe in nlp.pipeline:
                for node in encoder_nodes(pipe.model):
                    node.attrs["precision"] = precision
                    assert node.shims[0].backend.name == (kind or "padding_free")
        return nlp

    return load


def check_batches(nlp: Language, texts: list[str], way: str) -> None:
    """Annotate texts alone and in batches of several sizes, in several orders."""
    alone = results([nlp(text) for text in texts])
    assert sum(len(ents) for ents, _ in alone) > 10
    order = list(range(len(texts)))
    for batch_size in (2, 7, 64):
        batched = list(nlp.pipe([texts[i] for i in order], batch_size=batch_size))
        same(results(batched), [alone[i] for i in order], way=way)
        random.Random(batch_size).shuffle(order)


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("way", WAYS)
def test_batches_in_any_order(open_way: OpenT, way: str, shared: bool) -> None:
    check_batches(open_way(way, shared=shared), TEXTS, way)


@pytest.mark.parametrize("way", WAYS)
def test_batches_on_two_threads(open_way: OpenT, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """They share a batch, and work together on what is too small for two."""
    monkeypatch.setattr(onnx_session, "cpu_threads", lambda: 2)
    torch.set_num_threads(2)
    try:
        check_batches(open_way(way), TEXTS[:18], way)
    finally:
        torch.set_num_threads(1)


@pytest.mark.parametrize("way", WAYS)
def test_logits_of_any_words(open_way: OpenT, way: str) -> None:
    """What entities and scores are made of, for words that tokenizers disagree on."""
    nlp = open_way(way)
    ner: Any = nlp.get_pipe("ner")
    words = st.one_of(odd_words(), st.sampled_from([*ODD_WORDS, *" ".join(TEXTS[:5]).split()]))

    @settings(max_examples=15, deadline=None)
    @given(st.lists(st.lists(words, max_size=25), min_size=2, max_size=9), st.integers(0, 60))
    def check(texts: list[list[str]], times: int) -> None:
        docs = [Doc(nlp.vocab, words=words) for words in [*texts, texts[0] * times]]
        for doc, rows in zip(docs, ner.logits(docs), strict=True):
            np.testing.assert_allclose(ner.logits([doc])[0], rows, rtol=0, atol=5 * tolerance(way))

    check()


@pytest.mark.parametrize("method", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
def test_processes(load_trained: LoadT, method: str) -> None:
    nlp = load_trained()
    expected = results(list(nlp.pipe(TEXTS)))  # torch and the tokenizer have worked here before the processes start
    before = multiprocessing.get_start_method()
    multiprocessing.set_start_method(method, force=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            docs = list(nlp.pipe(TEXTS, n_process=2, batch_size=8))
    finally:
        multiprocessing.set_start_method(before, force=True)
    same(results(docs), expected)


def test_threads(load_trained: LoadT) -> None:
    nlp = load_trained()
    expected = results([nlp(text) for text in TEXTS])
    with ThreadPoolExecutor(4) as pool:
        same(results(list(pool.map(nlp, TEXTS))), expected)


def test_a_worker_uses_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from spacy_tokclf.runtime import device, threads

    seen: list[int] = []
    monkeypatch.setattr(threads.multiprocessing, "parent_process", lambda: object())
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    monkeypatch.setattr(torch, "set_num_threads", seen.append)
    with device.running(torch.device("cpu"), precision="fp32", train=False):
        pass
    assert seen == [1, 2]
    monkeypatch.setattr(threads.multiprocessing, "get_start_method", lambda: "fork")
    with pytest.raises(ValueError, match="TC016"), device.running(torch.device("cuda"), precision="fp32", train=False):
        pass


def test_memory_zone(load_trained: LoadT) -> None:
    nlp = load_trained()
    expected = results([nlp(text) for text in TEXTS[:4]])
    with nlp.memory_zone():
        same(results([nlp(text) for text in TEXTS[:4]]), expected)


def test_one_bad_text_is_the_only_one_lost(load_trained: LoadT, monkeypatch: pytest.MonkeyPatch) -> None:
    nlp = load_trained()
    ner = nlp.get_pipe("ner")
    predict = type(ner).predict

    def poisoned(self: object, docs: list[Doc]) -> object:
        docs = list(docs)
        if any(doc.text == "poison" for doc in docs):
            raise RuntimeError("poison")
        return predict(self, docs)

    monkeypatch.setattr(type(ner), "predict", poisoned)
    texts = [*TEXTS[:5], "poison", *TEXTS[10:14]]
    with pytest.raises(RuntimeError, match="poison"):
        list(nlp.pipe(texts))
    handled: list[list[str]] = []
    ner.set_error_handler(lambda name, proc, docs, error: handled.append([doc.text for doc in docs]))
    docs = list(nlp.pipe(texts))
    assert [doc.text for doc in docs] == [text for text in texts if text != "poison"]
    assert handled == [["poison"]]


def test_factory_needs_no_import() -> None:
    assert spacy.blank("xx").add_pipe("token_classifier").labels == ()
