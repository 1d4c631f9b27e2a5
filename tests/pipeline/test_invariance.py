"""A text gets the same entities and scores alone, in a batch, in any order and in another process."""

import multiprocessing
import random
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import spacy
from pipeline_posts import POSTS, found, scores_of
from spacy.language import Language
from spacy.tokens import Doc

LoadT = Callable[..., Language]
TEXTS = [post.replace("[", "").replace("]", "").replace("|", " ") for post in POSTS] * 3
TEXTS[5:5] = ["", "   ", "\n\n", "zorblax " * 90, "\u200b\ufe0f"]


def results(docs: list[Doc]) -> list[tuple[list[tuple[int, int, str]], list[float]]]:
    """Give what matters of some texts."""
    return [(found(doc), scores_of(doc)) for doc in docs]


def same(one: list, other: list) -> None:
    """Compare results; scores to 1e-5."""
    assert [ents for ents, _ in one] == [ents for ents, _ in other]
    assert [s for _, scores in one for s in scores] == pytest.approx(
        [s for _, scores in other for s in scores], abs=1e-5
    )


@pytest.mark.parametrize("batch_size", [1, 2, 7, 64])
@pytest.mark.parametrize("shared", [False, True])
def test_batches(load_trained: LoadT, shared: bool, batch_size: int) -> None:
    nlp = load_trained(shared=shared)
    alone = results([nlp(text) for text in TEXTS])
    assert sum(len(ents) for ents, _ in alone) > 30
    same(results(list(nlp.pipe(TEXTS, batch_size=batch_size))), alone)


def test_order(load_trained: LoadT) -> None:
    nlp = load_trained()
    order = list(range(len(TEXTS)))
    random.Random(0).shuffle(order)
    straight = results(list(nlp.pipe(TEXTS)))
    shuffled = results(list(nlp.pipe([TEXTS[i] for i in order])))
    same(shuffled, [straight[i] for i in order])


@pytest.mark.parametrize("method", ["fork", "spawn"])
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
