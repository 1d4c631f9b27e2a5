"""On a GPU a batch is begun before the one before it is fetched; texts are those of a CPU, in order, whatever fails."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pipeline_posts import found, read_posts, same
from spacy.language import Language
from spacy.tokens import Doc

from spacy_tokclf.models import device_logits
from spacy_tokclf.pipeline import token_classifier
from spacy_tokclf.pipeline.streaming import Streaming
from spacy_tokclf.runtime.arriving import ArrivingRows

LoadT = Callable[..., Language]


class Device:
    """Tells in which order work is begun and fetched, and texts are read and given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen: list[str] = []
        monkeypatch.setattr(device_logits, "encoders_run_on_gpu", lambda: True)
        read, launch = ArrivingRows.read, token_classifier.launch_logits

        def begin(model: Any, docs: list[Doc]) -> Any:
            self.seen.append(f"begin {len(docs)}")
            return launch(model, docs)

        def fetch(rows: ArrivingRows) -> Any:
            self.seen.append("fetch")
            return read(rows)

        monkeypatch.setattr(token_classifier, "launch_logits", begin)
        monkeypatch.setattr(ArrivingRows, "read", fetch)

    def reading(self, docs: list[Doc]) -> Iterator[Doc]:
        for doc in docs:
            self.seen.append("read")
            yield doc


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Device:
    return Device(monkeypatch)


def posts_of(nlp: Language, n: int = 16) -> list[Doc]:
    return [eg.x for eg in read_posts(nlp)][:n]


def test_a_batch_is_begun_before_the_one_before_it_is_fetched(load_trained: LoadT, device: Device) -> None:
    nlp = load_trained()
    docs = posts_of(nlp, 5)
    out = []
    for doc in nlp.get_pipe("ner").pipe(device.reading(docs), batch_size=2):
        device.seen.append("give")
        out.append(doc)
    assert out == docs
    two = ["read", "read"]
    given = ["fetch", "give", "give"]
    assert device.seen == [*two, "begin 2", *two, "begin 2", *given, "read", "begin 1", *given, "fetch", "give"]


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("batch_size", [1, 3, 64])
def test_the_entities_of_a_cpu(
    load_trained: LoadT, monkeypatch: pytest.MonkeyPatch, shared: bool, batch_size: int
) -> None:
    nlp = load_trained(shared=shared)
    expected = list(nlp.pipe(posts_of(nlp)))
    monkeypatch.setattr(device_logits, "encoders_run_on_gpu", lambda: True)
    texts = posts_of(nlp)
    texts[3:3] = [Doc(nlp.vocab), Doc(nlp.vocab, words=[" "])]
    docs = list(nlp.pipe(texts, batch_size=batch_size))
    same(docs[:3] + docs[5:], expected)
    same([nlp(doc) for doc in posts_of(nlp)], expected)
    assert not docs[3].ents and not docs[4].ents


def test_one_text_at_a_time_is_given_at_once(load_trained: LoadT, device: Device) -> None:
    nlp = load_trained()
    stream = nlp.get_pipe("ner").pipe(device.reading(posts_of(nlp, 3)), batch_size=1)
    next(stream)
    assert device.seen == ["read", "begin 1", "fetch"]


def test_a_stream_that_is_left_reads_no_further(load_trained: LoadT, device: Device) -> None:
    nlp = load_trained()
    stream = nlp.get_pipe("ner").pipe(device.reading(posts_of(nlp)), batch_size=2)
    assert found(next(stream))
    stream.close()
    assert device.seen.count("read") == 4 and device.seen.count("fetch") == 1


def test_what_was_read_before_a_stream_broke_off_is_given(load_trained: LoadT, device: Device) -> None:
    nlp = load_trained()
    docs = posts_of(nlp, 4)

    def stream() -> Iterator[Doc]:
        yield from docs
        raise OSError("the line is dead")

    out = []
    with pytest.raises(OSError, match="dead"):
        for doc in nlp.get_pipe("ner").pipe(stream(), batch_size=2):
            out.append(doc)
    assert out == docs and found(docs[3])


@pytest.mark.parametrize("when", ["begin", "fetch"])
def test_a_text_that_fails_costs_no_other(
    load_trained: LoadT, device: Device, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    nlp = load_trained()
    docs = posts_of(nlp)
    bad = docs[5]
    name = "launch_logits" if when == "begin" else "check_logits"
    inner = getattr(token_classifier, name)

    def failing(model, docs, *args, **kwargs):
        if bad in docs:
            raise RuntimeError("bad")
        return inner(model, docs, *args, **kwargs)

    monkeypatch.setattr(token_classifier, name, failing)
    failed = []
    nlp.set_error_handler(lambda name, pipe, docs, error: failed.append((name, docs, str(error))))
    out = list(nlp.pipe(docs, batch_size=4))
    assert out == docs[:5] + docs[6:]
    assert failed == [("ner", [bad], "bad")]
    assert all(doc.has_annotation("ENT_IOB") for doc in out)
    nlp.set_error_handler(lambda name, pipe, docs, error: (_ for _ in ()).throw(error))
    with pytest.raises(RuntimeError, match="bad"):
        list(nlp.pipe(docs, batch_size=4))


def test_components_that_are_left_out_stay_so(load_trained: LoadT, device: Device) -> None:
    nlp = load_trained()
    with nlp.select_pipes(disable=["ner"]):
        assert not any(doc.ents for doc in nlp.pipe(posts_of(nlp), batch_size=4))
    assert device.seen == []
    assert any(doc.ents for doc in nlp.pipe(posts_of(nlp), batch_size=4))


def test_without_a_device_nothing_is_read_ahead() -> None:
    class Plain(Streaming):
        name = "plain"

        def __init__(self) -> None:
            self.predict = list
            self.set_annotations = lambda docs, predicted: None

    read = []

    def stream() -> Iterator[int]:
        for number in range(6):
            read.append(number)
            yield number

    piped = Plain().pipe(stream(), batch_size=2)
    assert next(piped) == 0 and read == [0, 1]
