"""Where the memory of a GPU is full, smaller parts give what the whole would have given, and one warning."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import spacy
from pipeline_posts import add_ner, initialize, read_posts, same
from small_memory import SmallMemory
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import fix_random_seed

from spacy_tokclf.models.backend import TorchBackend
from spacy_tokclf.models.gradients import keep_gradients
from spacy_tokclf.pipeline.memory_full import half_of
from spacy_tokclf.runtime.out_of_memory import is_out_of_memory

LoadT = Callable[..., Language]


def texts(nlp: Language) -> list[Doc]:
    return [*(eg.x for eg in read_posts(nlp)), Doc(nlp.vocab, words=["rain", "Zorblax", "in"] * 12), Doc(nlp.vocab)]


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("backend", ["auto", "transformers"])
def test_annotation_is_what_it_would_have_been(
    load_trained: LoadT, monkeypatch: pytest.MonkeyPatch, backend: str, shared: bool
) -> None:
    nlp = load_trained(shared=shared)
    owner = nlp.get_pipe("transformer").model if shared else nlp.get_pipe("ner").model.get_ref("tok2vec")
    owner.shims[0].backend_name = backend
    owner.shims[0]._choose_backend()
    expected = list(nlp.pipe(texts(nlp)))
    memory = SmallMemory(monkeypatch)
    memory.pieces = 80
    with pytest.warns(UserWarning, match="TW358") as warned:
        docs = list(nlp.pipe(texts(nlp)))
        failed = memory.failed
        again = list(nlp.pipe(texts(nlp)))
    assert len(warned) == 1 and failed > 1
    assert memory.failed == failed and max(memory.tried[-5:]) <= 80  # what did not fit is not tried again
    same(docs, expected)
    same(again, expected)


@pytest.mark.parametrize("shared", [False, True])
def test_a_window_that_does_not_fit_costs_its_text_alone(
    load_trained: LoadT, monkeypatch: pytest.MonkeyPatch, shared: bool
) -> None:
    nlp = load_trained(shared=shared)
    expected = list(nlp.pipe(texts(nlp)))
    memory = SmallMemory(monkeypatch)
    memory.pieces = 30
    failed: list[tuple[str, list[Doc], str]] = []
    nlp.set_error_handler(lambda name, pipe, docs, error: failed.append((name, docs, str(error))))
    given = texts(nlp)
    with pytest.warns(UserWarning, match="TW358") as warned:
        docs = list(nlp.pipe(given, batch_size=8))
    assert len(warned) == 1
    assert docs == [*given[:-2], given[-1]]
    same(docs, [*expected[:-2], expected[-1]])
    assert [(name, bad) for name, bad, _ in failed] == [("transformer" if shared else "ner", [given[-2]])]
    assert "TC567" in failed[0][2] and "rain Zorblax in" in failed[0][2] and "2.00 GiB" in failed[0][2]
    with pytest.raises(ValueError, match="TC567"):
        nlp.get_pipe("transformer" if shared else "ner").predict([given[-2]])


def make_nlp(folder: Any, *, backend: str = "auto", crf: bool = False, shared: bool = False) -> Language:
    fix_random_seed(0)
    nlp = spacy.blank("en")
    if shared:
        nlp.add_pipe("transformer_encoder", name="transformer")
    add_ner(nlp, crf=crf, shared=shared)
    initialize(nlp, folder, read_posts(nlp), owners=("transformer" if shared else "ner",))
    if not shared:
        shim = nlp.get_pipe("ner").model.get_ref("tok2vec").shims[0]
        shim.backend_name = backend
        shim._choose_backend()
    return nlp


def gradients(nlp: Language) -> dict[str, Any]:
    """Give the gradients of the token classifier."""
    model = nlp.get_pipe("ner").model
    own = [(node, key) for node in model.walk() for key in node.param_names if node.has_grad(key)]
    found = {f"{node.name}.{key}": node.get_grad(key).copy() for node, key in own}
    module = model.get_ref("tok2vec").shims[0].module
    return found | {
        key: param.grad.numpy().copy() for key, param in module.named_parameters() if param.grad is not None
    }


def learn(nlp: Language, before: int, examples: list[Example]) -> tuple[dict[str, float], dict[str, Any], int]:
    """Learn some posts that always fit, and then others."""
    ner = nlp.get_pipe("ner")
    losses: dict[str, float] = {}
    for eg in read_posts(nlp)[:before]:
        ner.update([eg], drop=0.0, losses=losses)
    ner.update(examples, drop=0.0, losses=losses)
    return losses, gradients(nlp), int(ner.n_learned)


@pytest.mark.parametrize("before", [0, 2])
@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize(
    ("way", "backend"), [("fused", "auto"), ("fused", "transformers"), ("slot", "auto"), ("crf", "transformers")]
)
def test_a_batch_is_learned_in_parts(
    plain_encoder_folder: Any, monkeypatch: pytest.MonkeyPatch, way: str, backend: str, backward: bool, before: int
) -> None:
    monkeypatch.setattr(TorchBackend, "fuses", way == "fused")
    nlp = make_nlp(plain_encoder_folder, backend=backend, crf=way == "crf")
    expected = learn(nlp, before, read_posts(nlp))
    monkeypatch.setattr("spacy_tokclf.models.piece_budget.BATCH_PIECES", 40)  # several batches in a step
    memory = SmallMemory(monkeypatch, backward=backward)
    memory.pieces = 60
    nlp = make_nlp(plain_encoder_folder, backend=backend, crf=way == "crf")
    with pytest.warns(UserWarning, match="TW359") as warned:
        found = learn(nlp, before, read_posts(nlp))
    assert len(warned) == 1 and memory.failed
    assert found[2] == expected[2]
    # The loss is the mean over tokens, of the batch and not of its parts.
    assert found[0]["ner"] == pytest.approx(expected[0]["ner"], abs=1e-5)
    assert set(found[1]) == set(expected[1])
    for key, values in expected[1].items():
        np.testing.assert_allclose(found[1][key], values, rtol=0, atol=1e-5 * max(1.0, abs(values).max()), err_msg=key)


def test_gradients_that_are_put_back_are_bit_by_bit_the_same(plain_encoder_folder: Any) -> None:
    nlp = make_nlp(plain_encoder_folder)
    ner = nlp.get_pipe("ner")
    ner.update(read_posts(nlp)[:5], drop=0.0)
    expected = gradients(nlp)
    put_back = keep_gradients(ner.model)
    ner.update(read_posts(nlp)[5:], drop=0.0)
    assert any((gradients(nlp)[key] != values).any() for key, values in expected.items())
    put_back()
    for key, values in expected.items():
        np.testing.assert_array_equal(gradients(nlp)[key], values)


def test_what_did_not_fit_is_not_tried_again(plain_encoder_folder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TorchBackend, "fuses", True)
    nlp = make_nlp(plain_encoder_folder)
    memory = SmallMemory(monkeypatch)
    memory.pieces = 60
    ner = nlp.get_pipe("ner")
    with pytest.warns(UserWarning, match="TW359"):
        ner.update(read_posts(nlp), drop=0.0)
    failed = memory.failed
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ner.update(read_posts(nlp), drop=0.0)
        ner.update(read_posts(nlp)[:3], drop=0.0)
    assert memory.failed == failed


def test_a_text_that_does_not_fit_is_named_and_nothing_learned(
    plain_encoder_folder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TorchBackend, "fuses", True)
    nlp = make_nlp(plain_encoder_folder)
    memory = SmallMemory(monkeypatch)
    memory.pieces = 40
    ner = nlp.get_pipe("ner")
    long = Doc(nlp.vocab, words=["rain"] * 30, ents=["O"] * 30)
    with pytest.warns(UserWarning, match="TW359"), pytest.raises(ValueError, match=r"TC568.*rain rain"):
        ner.update([*read_posts(nlp)[:4], Example(long.copy(), long)], drop=0.0)
    assert ner.n_learned == 0
    assert not any(values.any() for values in gradients(nlp).values())
    ner.update(read_posts(nlp)[:2], drop=0.0)
    assert any(values.any() for values in gradients(nlp).values())


@pytest.mark.parametrize("backward", [False, True])
def test_a_shared_encoder_says_what_to_change(
    plain_encoder_folder: Any, monkeypatch: pytest.MonkeyPatch, backward: bool
) -> None:
    nlp = make_nlp(plain_encoder_folder, shared=True)
    memory = SmallMemory(monkeypatch, backward=backward)
    memory.pieces = 60
    with pytest.raises(ValueError, match=r"TC569.*accumulate_gradient"):
        nlp.update(read_posts(nlp), sgd=False)
    nlp.update(read_posts(nlp)[:3], sgd=False)


def test_other_errors_are_raised_as_they_are(plain_encoder_folder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    nlp = make_nlp(plain_encoder_folder)
    SmallMemory(monkeypatch)
    monkeypatch.setattr("spacy_tokclf.models.padding_free.backend.pack_windows", lambda *args, **options: 1 / 0)
    ner = nlp.get_pipe("ner")
    for work in (lambda: ner.update(read_posts(nlp)), lambda: ner.predict([eg.x for eg in read_posts(nlp)])):
        with pytest.raises(ZeroDivisionError):
            work()


def test_which_errors_are_of_memory() -> None:
    import torch

    class OutOfMemoryError(MemoryError):
        """CuPy's."""

    full = [torch.OutOfMemoryError(""), OutOfMemoryError(), RuntimeError("CUDA error: out of memory")]
    assert all(map(is_out_of_memory, full))
    assert not any(map(is_out_of_memory, [RuntimeError("shapes"), ValueError("CUDA error: out of memory")]))


@pytest.mark.parametrize(
    ("tokens", "middle"), [([1, 1], 1), ([9, 1, 1], 1), ([1, 1, 9], 2), ([2, 2, 2, 2], 2), ([0, 0, 0], 1)]
)
def test_halves(tokens: list[int], middle: int) -> None:
    assert half_of(tokens) == middle
