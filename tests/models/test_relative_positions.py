"""What distances add to the scores of attention: transformers' own numbers, and their gradients."""

import numpy as np
import pytest
import torch
from packed_batches import CPU, LENGTHS, batch_of, padded_reference, run
from transformers import MPNetConfig, MPNetModel
from transformers.models.mpnet.modeling_mpnet import MPNetEncoder

from spacy_tokclf.models.padding_free import attention
from spacy_tokclf.models.padding_free.attention import attend, plan_groups
from spacy_tokclf.models.padding_free.modules import BUCKETS, find_modules
from spacy_tokclf.models.padding_free.relative_positions import distance_buckets, distance_gradient, distance_scores

NAME = "encoder.relative_attention_bias.weight"


def make_mpnet(*, heads=4, buckets=BUCKETS, dropout=0.0, layers=3):
    """Make a random MPNet whose distances weigh much."""
    torch.manual_seed(3)
    config = MPNetConfig(
        vocab_size=50,
        hidden_size=8 * heads,
        intermediate_size=64,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        max_position_embeddings=200,
        initializer_range=0.2,
        relative_attention_num_buckets=buckets,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
    )
    module = MPNetModel(config, add_pooling_layer=False).eval()
    torch.nn.init.normal_(module.get_parameter(NAME))
    return module


def gradients_of(module):
    found = {name: param.grad for name, param in module.named_parameters()}
    module.zero_grad()
    return found


@pytest.mark.parametrize("length", [1, 2, 9, 128, 600])
def test_the_values_are_those_of_hugging_face(length):
    encoder = make_mpnet(layers=1).encoder
    distance = torch.arange(1 - length, length)
    expected = MPNetEncoder.relative_position_bucket(distance)
    np.testing.assert_array_equal(distance_buckets(length), expected.numpy())
    whole = encoder.compute_position_bias(torch.zeros(1, length, 1))[0]
    assert torch.equal(distance_scores(encoder.relative_attention_bias, length, torch.float32), whole)


def test_gradient_of_the_table():
    table = torch.nn.Embedding(BUCKETS + 3, 4).double()
    blocks, total = [], 0.0
    for length in (1, 5, 40):
        weight = torch.randn(4, length, length, dtype=torch.float64)
        buckets = torch.from_numpy(distance_buckets(length))
        place = torch.arange(length)
        own = table(buckets[place - place[:, None] + length - 1]).permute(2, 0, 1)
        assert torch.equal(own, distance_scores(table, length, torch.float64))
        total = total + (own * weight).sum()
        blocks.append(weight)
    total.backward()
    found = distance_gradient(blocks, table)
    torch.testing.assert_close(found, table.weight.grad)
    assert found[:BUCKETS].count_nonzero() > 60 and not found[BUCKETS:].any()


@pytest.mark.parametrize("lengths", [LENGTHS, [150, 149, 41, 8, 8, 2]])
@pytest.mark.parametrize("buckets", [BUCKETS, 40])
def test_vectors_and_gradients(threads, lengths, buckets):
    """Each gradient to a hundred-thousandth of its largest value; more rows than MPNet knows buckets are never read."""
    module, batch = make_mpnet(buckets=buckets), batch_of(lengths)
    expected = padded_reference(module, batch)[torch.tensor(batch.first)]
    found = run(module, batch)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    weight = torch.randn_like(found)
    (found * weight).sum().backward()
    ours = gradients_of(module)
    (expected * weight).sum().backward()
    theirs = gradients_of(module)
    assert len(ours) > 40 and theirs[NAME].abs().max() > 0.1
    for name, gradient in theirs.items():
        if not name.endswith(".k.bias"):  # nothing but rounding: the same for all keys of a query
            torch.testing.assert_close(ours[name], gradient, rtol=0, atol=1e-5 * float(gradient.abs().max()), msg=name)


def test_fewer_buckets_than_are_read_are_left_to_hugging_face():
    assert find_modules(make_mpnet(buckets=BUCKETS - 1)) is None
    module = make_mpnet()
    module.encoder.relative_attention_bias = type("Adapted", (torch.nn.Embedding,), {})(BUCKETS, 4)
    assert find_modules(module) is None


@pytest.mark.parametrize("learns", [(NAME,), ("encoder.layer.1.", NAME), ("embeddings.",), ("encoder.layer.0.",)])
def test_the_table_learns_by_itself_or_not_at_all(threads, learns):
    module, batch = make_mpnet(), batch_of(LENGTHS)
    weight = torch.randn(len(batch.first), 32)
    (run(module, batch) * weight).sum().backward()
    expected = gradients_of(module)
    for name, param in module.named_parameters():
        param.requires_grad = name.startswith(learns)
    (run(module, batch) * weight).sum().backward()
    for name, param in module.named_parameters():
        if param.requires_grad:
            torch.testing.assert_close(param.grad, expected[name], msg=name)
        else:
            assert param.grad is None, name


def test_bf16_is_near_fp32(threads):
    module, batch = make_mpnet(), batch_of(LENGTHS)
    exact, near = run(module, batch), run(module, batch, precision="bf16")
    torch.testing.assert_close(near, exact, rtol=0, atol=0.1)
    weight = torch.randn_like(exact)
    (exact * weight).sum().backward()
    expected = gradients_of(module)[NAME]
    (near * weight).sum().backward()
    found = gradients_of(module)[NAME]
    assert torch.cosine_similarity(found.flatten(), expected.flatten(), 0) > 0.99


@pytest.mark.parametrize("heads", [4, 12])
@pytest.mark.parametrize("cached", [1, 9_000, 40_000, 10**9])
def test_however_many_heads_at_a_time(monkeypatch, cached, heads):
    """With 12 heads, 8 at a time: parts begin in one window and end in the next."""
    monkeypatch.setattr(attention, "CACHED", cached)
    lengths = np.array([40, 39, 33, 9, 8, 8])
    qkv = torch.randn((int(lengths.sum()), 3 * 8 * heads), generator=torch.Generator().manual_seed(1))
    groups = plan_groups(lengths, heads, device=CPU, dtype=torch.float32)
    added = [torch.randn(heads, *[group.shape[1]] * 2) for group in groups]
    expected = attend(qkv, groups, heads, saved=[], added=added)
    torch.testing.assert_close(attend(qkv, groups, heads, added=added), expected, atol=1e-6, rtol=0)
    assert (attend(qkv, groups, heads) - expected).abs().max() > 0.1


def test_nothing_is_kept_of_weights_that_change():
    module, batch = make_mpnet().requires_grad_(False), batch_of(LENGTHS)
    before = run(module, batch)
    module.get_parameter(NAME).data.mul_(-1.0)
    after = run(module, batch)
    assert (after - before).abs().max() > 0.1
    torch.testing.assert_close(after, padded_reference(module, batch)[torch.tensor(batch.first)], rtol=0, atol=1e-5)


def test_attention_over_one_row_stands_back(monkeypatch):
    """torch's kernel for it adds nothing to scores."""
    module, batch = make_mpnet().requires_grad_(False), batch_of(LENGTHS)
    expected = run(module, batch)
    monkeypatch.setattr("spacy_tokclf.models.padding_free.encoder.is_available", lambda device, dtype: True)
    assert torch.equal(run(module, batch), expected)


def test_dropout_has_the_rates_of_the_encoder():
    """With one rate at a time, vectors spread over many draws as those of Hugging Face's own forward do."""
    module, batch = make_mpnet(), batch_of([6, 5])
    rows = torch.tensor(batch.first)
    layers = module.encoder.layer
    places = {
        "embeddings": [module.embeddings.dropout],
        "attention": [layer.attention.attn.dropout for layer in layers],
        "attention output": [layer.attention.dropout for layer in layers],
        "output": [layer.output.dropout for layer in layers],
    }
    torch.testing.assert_close(run(module, batch, train=True), run(module, batch))
    module.train()
    with torch.no_grad():
        for place, dropouts in places.items():
            for dropout in dropouts:
                dropout.p = 0.2
            ours = torch.stack([run(module, batch, train=True) for _ in range(80)]).std(0).mean()
            theirs = torch.stack([padded_reference(module, batch)[rows] for _ in range(80)]).std(0).mean()
            for dropout in dropouts:
                dropout.p = 0.0
            assert float(ours) > 0.0
            assert float(ours) == pytest.approx(float(theirs), rel=0.1), place
