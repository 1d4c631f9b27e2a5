"""AdamW against PyTorch and the Hugging Face recipe, inline and shared."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import spacy
import torch
from hf_twin import encoder_of
from pipeline_posts import add_ner, initialize, read_posts
from spacy.language import Language
from spacy.util import fix_random_seed, registry
from thinc.api import Adam, Linear
from tiny_encoders import write_encoder

from spacy_tokclf import compat, train_step
from spacy_tokclf.models.optimizer_contract import (
    RATE_FACTOR,
    CountsTokens,
    TwoPhaseOptimizer,
    has_learned,
    most_learned,
)
from spacy_tokclf.models.transitions import TRANSITIONS_RATE_FACTOR, make_transitions
from spacy_tokclf.training.optimizer import layer_of, make_adamw_v1

RATE = 2e-3
#: Gradients of the keys' biases are zero but for rounding, and Adam makes a step of any sign that it sees; so the
#: comparisons of tiny models use the larger epsilon of BERT's own training.
EPS = 1e-6


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give an encoder without dropout."""
    return write_encoder(tmp_path_factory.mktemp("adamw") / "encoder", dropout=0.0)


def pipeline(folder: Path, *, shared: bool) -> Language:
    """Make a pipeline around the encoder."""
    fix_random_seed(0)
    nlp = spacy.blank("en")
    if shared:
        nlp.add_pipe("transformer_encoder", name="transformer")
    add_ner(nlp, shared=shared)
    initialize(nlp, folder, read_posts(nlp), owners=("transformer" if shared else "ner",))
    return nlp


def test_inline_and_shared_give_the_same_weights(folder: Path) -> None:
    states = []
    for shared in (False, True):
        nlp = pipeline(folder, shared=shared)
        optimizer = make_adamw_v1(RATE, head_multiplier=5.0)
        examples = read_posts(nlp)
        for start in range(0, 16, 4):
            train_step(nlp, examples[start : start + 4], optimizer, drop=0.1)
        layer = nlp.get_pipe("ner").model.get_ref("output_layer")
        states.append([*(p.detach().numpy() for p in encoder_of(nlp).parameters()), layer.get_param("W")])
    for one, other in zip(*states, strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("shared", [False, True])
def test_a_batch_in_four_parts_is_one_batch(folder: Path, shared: bool) -> None:
    weights = []
    for parts in (1, 4):
        nlp = pipeline(folder, shared=shared)
        optimizer = make_adamw_v1(RATE, eps=EPS)
        examples = read_posts(nlp)
        for _ in range(3):
            size = len(examples) // parts
            for start in range(0, len(examples), size):
                nlp.update(examples[start : start + size], drop=0.0, sgd=False)
            for _, pipe in nlp.pipeline:
                pipe.finish_update(optimizer)
        weights.append([p.detach().clone() for p in encoder_of(nlp).parameters()])
    for one, other in zip(*weights, strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_thinc_layers_step_as_torch_adamw() -> None:
    model = Linear(3, 4)
    model.initialize()
    model.set_param("W", np.random.default_rng(0).normal(size=(3, 4)).astype("float32"))
    weights = torch.nn.Parameter(torch.tensor(model.get_param("W").copy()))
    bias = torch.nn.Parameter(torch.tensor(model.get_param("b").copy()))
    groups = [{"params": [weights], "weight_decay": 0.1}, {"params": [bias], "weight_decay": 0.0}]
    theirs = torch.optim.AdamW(groups, lr=0.01)
    ours = make_adamw_v1(0.01, weight_decay=0.1, max_grad_norm=0.0)
    rng = np.random.default_rng(1)
    for _ in range(10):
        grads = {"W": rng.normal(size=(3, 4)).astype("float32"), "b": rng.normal(size=3).astype("float32")}
        for name, grad in grads.items():
            model.set_grad(name, grad.copy())
        weights.grad, bias.grad = torch.tensor(grads["W"]), torch.tensor(grads["b"])
        model.finish_update(ours)
        theirs.step()
    assert np.allclose(model.get_param("W"), weights.detach().numpy(), atol=1e-6)
    assert np.allclose(model.get_param("b"), bias.detach().numpy(), atol=1e-6)
    assert not model.get_grad("W").any()


def test_no_gradient_no_step_no_decay(folder: Path) -> None:
    nlp = pipeline(folder, shared=False)
    optimizer = make_adamw_v1(RATE, weight_decay=0.5)
    train_step(nlp, read_posts(nlp), optimizer)
    before = [p.detach().clone() for p in encoder_of(nlp).parameters()]
    head = nlp.get_pipe("ner").model.get_ref("output_layer").get_param("W").copy()
    nlp.get_pipe("ner").finish_update(optimizer)
    assert all(torch.equal(p, q) for p, q in zip(encoder_of(nlp).parameters(), before, strict=True))
    assert np.array_equal(nlp.get_pipe("ner").model.get_ref("output_layer").get_param("W"), head)


def test_tables_of_biases_do_not_decay() -> None:
    """As in the Trainer, which goes by the names."""
    module = torch.nn.ModuleDict(
        {name: torch.nn.Embedding(3, 2) for name in ("words", "relative_attention_bias", "learns")}
    )
    before = {name: table.weight.detach().clone() for name, table in module.items()}
    for table in module.values():
        table.weight.grad = torch.zeros_like(table.weight)
    module["learns"].weight.grad += 1.0
    make_adamw_v1(0.1, weight_decay=0.5).step_module(1, module)
    assert torch.equal(module["relative_attention_bias"].weight, before["relative_attention_bias"])
    torch.testing.assert_close(module["words"].weight.detach(), before["words"] * 0.95)


def test_layer_decay_and_head_multiplier(folder: Path) -> None:
    assert layer_of("embeddings.word_embeddings.weight") == 0
    assert layer_of("encoder.relative_attention_bias.weight") == 0
    assert layer_of("transformer.layer.3.attention.q_lin.weight") == layer_of("encoder.layer.3.x") == 4
    nlp = pipeline(folder, shared=False)
    before = {name: p.detach().clone() for name, p in encoder_of(nlp).named_parameters()}
    head = nlp.get_pipe("ner").model.get_ref("output_layer").get_param("W").copy()
    train_step(nlp, read_posts(nlp), make_adamw_v1(1e-3, weight_decay=0.0, layer_decay=0.5, head_multiplier=4.0))
    moved = {name: float((p.detach() - before[name]).abs().max()) for name, p in encoder_of(nlp).named_parameters()}
    # The first step of Adam moves each weight by its learning rate.
    top = moved["transformer.layer.1.ffn.lin2.weight"]
    assert top == pytest.approx(0.5 * 1e-3, rel=1e-2)
    assert moved["transformer.layer.0.ffn.lin2.weight"] == pytest.approx(top / 2, rel=1e-2)
    assert moved["embeddings.word_embeddings.weight"] == pytest.approx(top / 4, rel=1e-2)
    layer = nlp.get_pipe("ner").model.get_ref("output_layer")
    assert abs(layer.get_param("W") - head).max() == pytest.approx(4e-3, rel=1e-2)


@pytest.mark.parametrize("limit", [0.9999, 0.3])
def test_averages_are_swapped_in_and_out(folder: Path, limit: float) -> None:
    nlp = pipeline(folder, shared=False)
    optimizer = make_adamw_v1(RATE, use_averages=True, average_decay=limit)
    history = []
    for _ in range(5):
        train_step(nlp, read_posts(nlp), optimizer)
        history.append(encoder_of(nlp).transformer.layer[0].ffn.lin1.weight.detach().clone())
    expected = history[0]
    for step, weights in enumerate(history, start=1):
        decay = min((1.0 + step) / (10.0 + step), limit)
        expected = decay * expected + (1.0 - decay) * weights
    layer = nlp.get_pipe("ner").model.get_ref("output_layer")
    live = layer.get_param("W").copy()
    pointer = encoder_of(nlp).transformer.layer[0].ffn.lin1.weight.data_ptr()
    with nlp.use_params(optimizer.averages):
        averaged = encoder_of(nlp).transformer.layer[0].ffn.lin1.weight.detach().clone()
        saved = nlp.to_bytes()
        assert not np.array_equal(layer.get_param("W"), live)
    assert torch.allclose(averaged, expected, atol=1e-6)
    assert torch.equal(encoder_of(nlp).transformer.layer[0].ffn.lin1.weight, history[-1])
    assert encoder_of(nlp).transformer.layer[0].ffn.lin1.weight.data_ptr() == pointer
    assert np.array_equal(layer.get_param("W"), live)
    again = pipeline(folder, shared=False).from_bytes(saved)
    assert torch.equal(encoder_of(again).transformer.layer[0].ffn.lin1.weight, averaged)


def test_a_fresh_optimizer_has_no_state_of_the_last(folder: Path) -> None:
    moved = []
    for warm in (False, True):
        nlp = pipeline(folder, shared=False)
        fresh = nlp.to_bytes()
        if warm:
            train_step(nlp, read_posts(nlp), make_adamw_v1(RATE), drop=0.0)
            nlp.from_bytes(fresh)
        train_step(nlp, read_posts(nlp), make_adamw_v1(RATE), drop=0.0)
        moved.append([p.detach().clone() for p in encoder_of(nlp).parameters()])
    assert all(torch.equal(one, other) for one, other in zip(*moved, strict=True))


@pytest.mark.parametrize("make", [lambda: Adam(0.002), lambda: registry.optimizers.get("RAdam.v1")(0.01)])
def test_other_optimizers_work(folder: Path, make: Callable[[], Any]) -> None:
    nlp = pipeline(folder, shared=False)
    optimizer = make()
    losses = [train_step(nlp, read_posts(nlp), optimizer, drop=0.0)["ner"] for _ in range(20)]
    assert losses[-1] < 0.8 * losses[0]
    live = [p.detach().clone() for p in encoder_of(nlp).parameters()]
    with nlp.use_params(optimizer.averages or {}):
        averaged = [p.detach().clone() for p in encoder_of(nlp).parameters()]
    assert any(not torch.equal(p, q) for p, q in zip(averaged, live, strict=True)) == bool(optimizer.averages)
    assert all(torch.equal(p, q) for p, q in zip(encoder_of(nlp).parameters(), live, strict=True))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("weight_decay", -1.0),
        ("max_grad_norm", -1.0),
        ("layer_decay", 0.0),
        ("layer_decay", 1.5),
        ("average_decay", 1.0),
    ],
)
def test_values_out_of_range(name: str, value: float) -> None:
    with pytest.raises(ValueError, match="TC031"):
        registry.optimizers.get("spacy-tokclf.AdamW.v1")(1e-3, **{name: value})


def test_the_casing_of_words_learns_as_fast_as_the_head(folder: Path) -> None:
    nlp = spacy.blank("en")
    tok2vec = {"@architectures": "spacy-tokclf.TransformerEncoder.v1", "casing": True}
    nlp.add_pipe("token_classifier", name="ner", config={"model": {"tok2vec": tok2vec}})
    initialize(nlp, folder, read_posts(nlp), owners=("ner",))
    assert not encoder_of(nlp).casing.weight.any()
    optimizer = make_adamw_v1(1e-3, weight_decay=0.0, layer_decay=0.5, head_multiplier=4.0)
    train_step(nlp, read_posts(nlp), optimizer)
    assert float(encoder_of(nlp).casing.weight.detach().abs().max()) == pytest.approx(4e-3, rel=1e-2)


def test_the_contract() -> None:
    assert isinstance(make_adamw_v1(), TwoPhaseOptimizer)
    assert not isinstance(Adam(1e-3), TwoPhaseOptimizer)
    nlp = spacy.blank("en")
    add_ner(nlp)
    assert isinstance(nlp.get_pipe("ner"), CountsTokens)
    assert not isinstance(nlp.add_pipe("tagger"), CountsTokens)


@pytest.mark.parametrize(("counts", "expected"), [((), 1), ((3, 5), 5), ((7,), 7)])
def test_the_largest_count(counts: tuple[int, ...], expected: int) -> None:
    assert most_learned([SimpleNamespace(n_learned=count) for count in counts] + [SimpleNamespace()]) == expected


def test_who_has_learned() -> None:
    found = [has_learned(SimpleNamespace(n_learned=count)) for count in (0, 1)]
    assert [*found, has_learned(SimpleNamespace())] == [False, True, True]


def test_the_second_phase_waits_for_no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tensor on `meta` has no value: to ask for it is an error, as it is a wait on a GPU."""
    plain, steps = torch.optim.AdamW, []
    monkeypatch.setattr(torch.optim, "AdamW", lambda params, *, fused, **settings: plain(params, **settings))
    monkeypatch.setattr(compat, "step_scaled", lambda half, divisor: steps.append(divisor))
    module = torch.nn.Linear(3, 4, device="meta")
    for param in module.parameters():
        param.grad = torch.empty_like(param)
    optimizer: Any = make_adamw_v1(RATE, use_averages=True)
    optimizer._scales[(7, "")] = 0.5
    optimizer.step_module(7, module)
    assert [(each.device.type, each.dtype, each.shape) for each in steps] == [("meta", torch.float32, ())]
    assert all(param.grad is None for param in module.parameters())


def test_transitions_that_were_saved_without_their_rate_have_it() -> None:
    layer = make_transitions(3).initialize()
    saved = layer.to_dict()
    assert saved["attrs"][0].pop(RATE_FACTOR)
    assert make_transitions(3).from_dict(saved).attrs[RATE_FACTOR] == TRANSITIONS_RATE_FACTOR


def test_a_layer_says_how_much_faster_it_learns() -> None:
    optimizer: Any = make_adamw_v1(1e-3, weight_decay=0.0, max_grad_norm=0.0)
    moved = []
    for factor in (None, 4.0):
        layer = Linear(3, 4).initialize()
        if factor is not None:
            layer.attrs[RATE_FACTOR] = factor
        before = layer.get_param("W").copy()
        layer.set_grad("W", np.ones((3, 4), dtype="float32"))
        optimizer.prepare([layer], 1)
        layer.finish_update(optimizer)
        moved.append(np.abs(layer.get_param("W") - before).max())
    assert moved == pytest.approx([1e-3, 4e-3], rel=1e-2)
