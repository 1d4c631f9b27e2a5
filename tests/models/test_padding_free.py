"""The forward pass without padding gives the vectors and gradients of Hugging Face's, or stands back for it."""

import itertools
import weakref

import numpy as np
import pytest
import torch
from hf_reference import make_docs, make_encoder_model
from hypothesis import given, settings
from hypothesis import strategies as st
from packed_batches import CPU, LENGTHS, batch_of, padded_reference, run
from transformers import AutoConfig, AutoModel

from spacy_tokclf.models.padding_free import attention, encoder, flash_attention
from spacy_tokclf.models.padding_free.attention import attend, attend_backward, plan_groups
from spacy_tokclf.models.padding_free.modules import find_modules
from spacy_tokclf.models.padding_free.ops import (
    LinearWeightsCache,
    activate,
    activate_backward,
    add_norm,
    add_norm_backward,
    linear,
)
from spacy_tokclf.wordpieces.pool import POOLINGS

FAMILY = ["distilbert", "bert", "roberta", "xlm-roberta", "camembert", "electra", "electra-projected", "mpnet"]


def make_module(model_type):
    """Make a random encoder of the family, dropout off."""
    projected = model_type.endswith("-projected")
    model_type = model_type.removesuffix("-projected")
    if model_type == "distilbert":
        sizes = {"dim": 32, "hidden_dim": 64, "n_layers": 3, "n_heads": 4}
    else:
        sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4}
    if model_type == "electra":
        sizes["embedding_size"] = 16 if projected else 32
    torch.manual_seed(3)
    config = AutoConfig.for_model(model_type, vocab_size=50, max_position_embeddings=40, **sizes)
    return AutoModel.from_config(config).eval()


@pytest.mark.parametrize("model_type", FAMILY)
def test_vectors_and_gradients_of_the_family(model_type, threads):
    module = make_module(model_type)
    batch = batch_of(LENGTHS)
    expected = padded_reference(module, batch)[torch.tensor(batch.first)]
    got = run(module, batch)
    assert got.dtype == torch.float32
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-5)
    weight = torch.randn_like(got)
    (got * weight).sum().backward()
    ours = {name: param.grad for name, param in module.named_parameters()}
    module.zero_grad()
    (expected * weight).sum().backward()
    compared = 0
    for name, param in module.named_parameters():
        if param.grad is None or "pooler" in name:
            assert ours[name] is None or "pooler" in name
        else:
            torch.testing.assert_close(ours[name], param.grad, rtol=1e-4, atol=1e-4, msg=name)
            compared += 1
    assert compared > 40


@pytest.mark.parametrize("pooling", POOLINGS)
def test_poolings(pooling, threads):
    module = make_module("bert")
    batch = batch_of(LENGTHS)
    pieces = padded_reference(module, batch)
    reduce = {"first": lambda x: x[0], "mean": lambda x: x.mean(0), "max": lambda x: x.amax(0)}[pooling]
    expected = torch.stack([reduce(pieces[f : f + c]) for f, c in zip(batch.first, batch.counts, strict=True)])
    torch.testing.assert_close(run(module, batch, pooling), expected, rtol=0, atol=1e-5)


def test_pieces_that_are_the_paddings_id():
    """A text may hold "<pad>" as a word: RoBERTa does not count its position."""
    module = make_module("roberta")
    batch = batch_of(LENGTHS, low=0)
    assert (batch.ids == module.config.pad_token_id).any()
    expected = padded_reference(module, batch)[torch.tensor(batch.first)]
    torch.testing.assert_close(run(module, batch), expected, rtol=0, atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(lengths=st.lists(st.integers(2, 30), min_size=1, max_size=9), seed=st.integers(0, 9))
def test_attention_of_any_lengths(lengths, seed):
    lengths = sorted(lengths, reverse=True)
    beyond = seed % 3  # rows of no window
    shape = sum(lengths) + beyond, 3 * 12
    qkv = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).requires_grad_()
    groups = plan_groups(np.array(lengths), 3, device=CPU, dtype=torch.float64, train=seed > 4)
    assert sum(group.shape[0] for group in groups) == 3 * len(lengths)
    got = Attention.apply(qkv, groups, 3, None)
    each = []
    for part in qkv[: sum(lengths)].split(lengths):
        q, k, v = part.view(-1, 3, 3, 4).permute(1, 2, 0, 3)
        each.append(torch.nn.functional.scaled_dot_product_attention(q, k, v).transpose(0, 1).flatten(1))
    expected = torch.cat([*each, torch.zeros(beyond, 12, dtype=torch.float64)])
    torch.testing.assert_close(got, expected)
    weight = torch.randn_like(got)
    ours = torch.autograd.grad((got * weight).sum(), qkv)[0]
    torch.testing.assert_close(ours, torch.autograd.grad((expected * weight).sum(), qkv)[0])


@pytest.mark.parametrize("cached", [1, 10_000, 10**9])
def test_attention_without_gradients_is_that_with_them_however_many_heads_at_a_time(monkeypatch, cached):
    monkeypatch.setattr(attention, "CACHED", cached)
    lengths = np.array([40, 39, 33, 9, 8, 8])
    qkv = torch.randn((int(lengths.sum()), 3 * 32), generator=torch.Generator().manual_seed(1))
    groups = plan_groups(lengths, 4, device=CPU, dtype=torch.float32)
    assert any(group.bias is not None for group in groups)
    expected = attend(qkv, groups, 4, saved=[])
    torch.testing.assert_close(attend(qkv, groups, 4), expected, atol=1e-6, rtol=0)


def varlen_by_hand(q, k, v, starts, other, longest, other_longest):
    """What torch's function does, on a CPU: attention within each part. Shapes: (n_pieces, heads, size)."""
    assert starts.dtype == torch.int32
    assert starts is other and longest == other_longest == int(starts.diff().max())
    parts = [
        torch.nn.functional.scaled_dot_product_attention(*(x[a:b].transpose(0, 1) for x in (q, k, v))).transpose(0, 1)
        for a, b in itertools.pairwise(starts.tolist())
    ]
    return torch.cat(parts)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_attention_over_windows_as_one_row(monkeypatch, pooling, threads):
    """The way of a GPU, with a stand-in for its kernel."""
    module = make_module("distilbert")
    batch = batch_of(LENGTHS)
    module.requires_grad_(False)
    expected = run(module, batch, pooling)
    calls = []
    monkeypatch.setattr("spacy_tokclf.models.padding_free.encoder.is_available", lambda device, dtype: True)
    monkeypatch.setattr(
        "torch.nn.attention.varlen.varlen_attn", lambda *given: calls.append(1) or varlen_by_hand(*given)
    )
    torch.testing.assert_close(run(module, batch, pooling), expected, rtol=0, atol=1e-5)
    assert len(calls) == 3 * threads
    del calls[:]
    run(module, batch, train=True)
    run(module.requires_grad_(True), batch).sum().backward()
    assert not calls


def test_one_row_is_for_half_precision_on_a_gpu(monkeypatch):
    monkeypatch.setattr("torch.backends.cuda.is_flash_attention_available", lambda: True)
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda device: (8, 0))
    cuda = torch.device("cuda")
    assert flash_attention.is_available(cuda, torch.bfloat16)
    assert flash_attention.is_available(cuda, torch.float16)
    assert not flash_attention.is_available(cuda, torch.float32)
    assert not flash_attention.is_available(CPU, torch.bfloat16)
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda device: (7, 5))
    assert not flash_attention.is_available(cuda, torch.bfloat16)
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda device: (9, 0))
    monkeypatch.setattr("torch.backends.cuda.is_flash_attention_available", lambda: False)
    assert not flash_attention.is_available(cuda, torch.bfloat16)
    monkeypatch.setattr("torch.backends.cuda.is_flash_attention_available", lambda: True)
    monkeypatch.setattr("spacy_tokclf.models.padding_free.flash_attention.find_spec", lambda name: None)
    assert not flash_attention.is_available(cuda, torch.bfloat16)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize(("precision", "tolerance"), [("bf16", 0.05), ("fp16", 0.01)])
def test_one_row_on_a_gpu(precision, tolerance):
    module = make_module("distilbert").cuda().requires_grad_(False)
    batch = batch_of([33, *LENGTHS])
    found = run(module, batch, precision=precision)
    torch.testing.assert_close(found.cpu(), run(module.cpu(), batch), rtol=0, atol=tolerance)


def test_half_precision_is_close_in_predictions():
    """What CUDA runs in fp16, on a CPU, which components do not let do so."""
    module = make_module("distilbert").requires_grad_(False)
    batch = batch_of(LENGTHS)
    found, exact = run(module, batch, precision="fp16"), run(module, batch)
    assert found.dtype == torch.float32 and (found != exact).any()
    torch.testing.assert_close(found, exact, rtol=0, atol=0.01)


@settings(max_examples=60, deadline=None)
@given(windows=st.integers(1, 99), heads=st.integers(1, 16), most=st.integers(0, 2000))
def test_heads_are_split_into_few_sizes(windows, heads, most):
    total = windows * heads
    parts = list(attention.split_heads(total, heads, most))
    assert [i for part in parts for i in range(total)[part]] == list(range(total))
    sizes = [part.stop - part.start for part in parts]
    assert sizes == sorted(sizes, reverse=True)
    assert max(sizes) <= max(1, most)
    unit = heads if most >= heads else 1
    assert {(size // unit).bit_count() for size in sizes} == {1}
    assert {size % unit for size in sizes} == {0}
    assert len(sizes) - sizes.count(max(sizes)) < 8


def test_an_activation_along_columns_has_the_same_values_and_gradients():
    x = torch.randn((7, 12), generator=torch.Generator().manual_seed(1), dtype=torch.float32, requires_grad=True)
    weight = torch.arange(84.0).reshape(7, 12)
    expected = torch.nn.functional.gelu(x)
    with torch.no_grad():
        assert not activate(x.detach(), torch.nn.functional.gelu).requires_grad
        own = x.detach().clone()
        found = activate(own, torch.nn.functional.gelu, save=True)
        assert found.is_contiguous()
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)
        ours = activate_backward(weight, own, found)
    torch.testing.assert_close(ours, torch.autograd.grad((expected * weight).sum(), x)[0], atol=1e-4, rtol=0)


class Fixed:
    """Masks that are the same whenever they are drawn."""

    def draw(self, shape, rate, dtype):
        drawn = torch.rand(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
        return (drawn > rate).type(dtype) / (1 - rate)


class Attention(torch.autograd.Function):
    """The attention there and back, as a step for torch."""

    @staticmethod
    def forward(ctx, qkv, groups, heads, masks):
        ctx.how = groups, [], heads
        return attend(qkv, groups, heads, masks=masks, rate=0.3, saved=ctx.how[1])

    @staticmethod
    def backward(ctx, dy):
        groups, saved, heads = ctx.how
        return attend_backward(dy, groups, saved, heads), None, None, None


class AddNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, residual, masks, norm, weight, bias):
        y, saved = add_norm(x, residual, masks, 0.3, norm)
        ctx.how = saved, norm
        return y

    @staticmethod
    def backward(ctx, dy):
        dx, d_residual, of_norm = add_norm_backward(dy, *ctx.how)
        return dx, d_residual, None, None, *of_norm


@pytest.mark.parametrize("masks", [None, Fixed()])
def test_gradients_of_the_steps(masks):
    torch.manual_seed(0)
    norm = torch.nn.LayerNorm(4).double()
    x, residual = (torch.randn(5, 4, dtype=torch.float64, requires_grad=True) for _ in range(2))
    given = (x, residual, *norm.parameters())
    assert torch.autograd.gradcheck(lambda x, y, *params: AddNorm.apply(x, y, masks, norm, *params), given)
    qkv = torch.randn(9, 24, dtype=torch.float64, requires_grad=True)
    groups = plan_groups(np.array([4, 3, 2]), 2, device=CPU, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: Attention.apply(x, groups, 2, masks), (qkv,))


def test_linear_layers_with_the_same_input_are_one_product():
    layers = tuple(torch.nn.Linear(4, 3) for _ in range(3))
    x = torch.randn(5, 4)
    found = linear(x, LinearWeightsCache().get(layers, torch.float32))
    torch.testing.assert_close(found, torch.cat([layer(x) for layer in layers], 1))


def test_working_weights_follow_the_weights():
    layers = (torch.nn.Linear(4, 4), torch.nn.Linear(4, 4))
    weights = LinearWeightsCache()
    first = weights.get(layers, torch.bfloat16)
    assert weights.get(layers, torch.bfloat16) is first
    with torch.no_grad():
        layers[1].weight += 1.0
    second = weights.get(layers, torch.bfloat16)
    assert torch.equal(second.weight[4:], layers[1].weight.bfloat16())
    layers[0].weight.data.zero_()
    weights.clear()
    assert not weights.get(layers, torch.bfloat16).weight[:4].any()
    with torch.inference_mode():
        weights.clear()
        kept = weights.get(layers, torch.bfloat16)
    assert not kept.weight.is_inference()


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_training_and_prediction_in_turns_never_see_old_weights(encoder_dir, precision):
    from spacy_tokclf.training.optimizer import make_adamw_v1

    model = make_encoder_model(encoder_dir, precision=precision)
    docs = make_docs([["in", "the", "tweet"], ["London"]])
    optimizer = make_adamw_v1(0.01)
    for _ in range(3):
        model.predict(docs)
        rows, backprop = model.begin_update(docs)
        backprop([np.random.normal(size=row.shape).astype("float32") for row in rows])
        model.finish_update(optimizer)
        got = model.predict(docs)
        fresh = make_encoder_model(encoder_dir, precision=precision).from_bytes(model.to_bytes())
        np.testing.assert_array_equal(np.concatenate(got), np.concatenate(fresh.predict(docs)))


FROZEN = {
    "embeddings": ["embeddings."],
    "a table": ["embeddings.word_embeddings."],
    "a layer": ["transformer.layer.0."],
    "the lowest layer and the embeddings": ["embeddings.", "transformer.layer.0."],
    "all but the uppermost layer": ["embeddings.", "transformer.layer.0.", "transformer.layer.1."],
    "one weight": ["transformer.layer.1.ffn.lin1.weight"],
}


@pytest.mark.parametrize("frozen", sorted(FROZEN))
def test_what_is_frozen_has_no_gradient_and_the_rest_has_its_own(frozen, threads):
    module = make_module("distilbert")
    batch = batch_of(LENGTHS)
    weight = torch.randn(len(batch.first), 32)
    (run(module, batch) * weight).sum().backward()
    expected = {name: param.grad for name, param in module.named_parameters()}
    module.zero_grad()
    for name, param in module.named_parameters():
        param.requires_grad = not name.startswith(tuple(FROZEN[frozen]))
    (run(module, batch) * weight).sum().backward()
    for name, param in module.named_parameters():
        if param.requires_grad:
            torch.testing.assert_close(param.grad, expected[name], msg=name)
        else:
            assert param.grad is None, name


def test_nothing_is_recorded_where_all_is_frozen():
    module = make_module("distilbert")
    assert not run(module.requires_grad_(False), batch_of(LENGTHS)).requires_grad


def test_what_a_layer_kept_is_free_once_its_backward_is_done(monkeypatch):
    backward, kept, alive = encoder.layer_backward, [], []

    def spy(dy, saved, *given, **more):
        alive.append(sum(each() is not None for each in kept))
        kept.append(weakref.ref(saved.hidden))
        return backward(dy, saved, *given, **more)

    monkeypatch.setattr(encoder, "layer_backward", spy)
    run(make_module("distilbert"), batch_of(LENGTHS), train=True).sum().backward()
    assert alive == [0, 0, 0]


def test_gradients_add_up_over_batches(threads):
    module = make_module("distilbert")
    batches = [batch_of(LENGTHS), batch_of([9, 4], seed=1)]
    for batch in batches:
        run(module, batch).sum().backward()
    found = {name: param.grad.clone() for name, param in module.named_parameters()}
    module.zero_grad()
    sum(run(module, batch).sum() for batch in batches).backward()
    for name, param in module.named_parameters():
        torch.testing.assert_close(found[name], param.grad, rtol=1e-4, atol=1e-5, msg=name)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_what_is_dropped_is_a_function_of_the_seed(threads, precision):
    module = make_module("bert")
    batch = batch_of([12, 12, 11, 9, 9, 4])

    def gradients(seed):
        torch.manual_seed(seed)
        module.zero_grad()
        run(module, batch, precision=precision, train=True).square().sum().backward()
        return [param.grad for param in module.parameters() if param.grad is not None]

    first, again, other = gradients(1), gradients(1), gradients(2)
    assert len(first) > 40
    assert all(map(torch.equal, first, again))
    assert not any(map(torch.equal, first, other))


def set_rate(dropouts, attention, rate):
    """Set a rate, also where older transformers keep that of the attention a second time."""
    for dropout in dropouts:
        dropout.p = rate
    for layer in attention:
        layer.dropout_prob = layer.dropout.p


def test_dropout_has_the_rates_of_the_encoder():
    """With one rate at a time, vectors spread over many draws as those of Hugging Face's own forward do."""
    batch = batch_of([6, 5])
    module = make_module("bert")
    places = {
        "embeddings": [module.embeddings.dropout],
        "attention": [layer.attention.self.dropout for layer in module.encoder.layer],
        "attention output": [layer.attention.output.dropout for layer in module.encoder.layer],
        "output": [layer.output.dropout for layer in module.encoder.layer],
    }
    attention = [layer.attention.self for layer in module.encoder.layer]
    for dropouts in places.values():
        set_rate(dropouts, attention, 0.0)
    exact = run(module, batch, train=True)
    torch.testing.assert_close(exact, run(module, batch))
    module.train()
    with torch.no_grad():
        for place, dropouts in places.items():
            set_rate(dropouts, attention, 0.2)
            ours = torch.stack([run(module, batch, train=True) for _ in range(80)]).std(0).mean()
            rows = torch.tensor(batch.first)
            theirs = torch.stack([padded_reference(module, batch)[rows] for _ in range(80)]).std(0).mean()
            set_rate(dropouts, attention, 0.0)
            assert float(ours) > 0.0
            assert float(ours) == pytest.approx(float(theirs), rel=0.1), place


def hooked(module):
    module.embeddings.register_forward_hook(lambda *_: None)


def adapted(module):
    class Adapted(torch.nn.Linear):
        pass

    module.transformer.layer[1].ffn.lin1 = Adapted(32, 64)


def derived(module):
    module.__class__ = type("DistilBertModel", (type(module),), {})


@pytest.mark.parametrize("change", [hooked, adapted, derived])
def test_what_was_changed_runs_its_own_forward(change):
    module = make_module("distilbert")
    assert find_modules(module) is not None
    change(module)
    assert find_modules(module) is None


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("rows", [2, 16, 48, 512])
def test_weights_in_order_give_the_same_bits(dtype, rows):
    layers = (torch.nn.Linear(48, 96), torch.nn.Linear(48, 96))
    weights = LinearWeightsCache()
    x = torch.randn(rows, 48).type(dtype)
    plain, ordered = (linear(x, weights.get(layers, dtype, ordered=ordered)) for ordered in (False, True))
    assert torch.equal(plain, ordered)


def test_weights_in_order_follow_the_weights():
    layers = (torch.nn.Linear(32, 32),)
    weights, x = LinearWeightsCache(), torch.randn(32, 32)
    first = linear(x, weights.get(layers, torch.float32, ordered=True))
    assert weights.get(layers, torch.float32, ordered=True) is weights.get(layers, torch.float32, ordered=True)
    with torch.no_grad():
        layers[0].weight += 1.0
    second = linear(x, weights.get(layers, torch.float32, ordered=True))
    assert not torch.equal(first, second)
    torch.testing.assert_close(second, layers[0](x).detach())
