"""The vectors of a window have the same bits alone and beside any others, in every precision, on one thread and on
several."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoConfig, AutoModel

from spacy_tokclf import compat
from spacy_tokclf.models.padding_free.attention import plan_groups
from spacy_tokclf.models.padding_free.encoder import encode_packed
from spacy_tokclf.models.padding_free.modules import find_modules
from spacy_tokclf.models.padding_free.ops import LinearWeightsCache
from spacy_tokclf.wordpieces.pack import PackedBatch

CPU = torch.device("cpu")
LENGTHS = st.lists(st.integers(2, 70), min_size=1, max_size=7)


@pytest.fixture(scope="module")
def modules():
    """One wide layer of BERT's, whose products are those of real encoders, two narrow ones of another, and MPNet's."""
    wide = {"hidden_size": 384, "intermediate_size": 1536, "num_hidden_layers": 1, "num_attention_heads": 12}
    narrow = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    made = []
    for model_type, sizes in (("bert", wide), ("bert", narrow), ("mpnet", wide)):
        torch.manual_seed(3)
        config = AutoConfig.for_model(
            model_type, vocab_size=50, max_position_embeddings=80, initializer_range=0.1, **sizes
        )
        made.append(AutoModel.from_config(config).eval())
    return made


def vectors_of(module, windows, precision, threads):
    """Give the vectors of all pieces, window by window."""
    order = np.argsort([-len(window) for window in windows], kind="stable")
    lengths = np.array([len(windows[i]) for i in order])
    ids = np.concatenate([windows[i] for i in order])
    every = np.arange(len(ids))
    batch = PackedBatch(ids, lengths, every, every, np.ones_like(every))
    options = {"cache": LinearWeightsCache(), "precision": precision, "pooling": "first", "train": False}
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with torch.inference_mode():
            made = encode_packed(find_modules(module), batch, **options).split(lengths.tolist())
    finally:
        torch.set_num_threads(before)
    return [made[place] for place in np.argsort(order)]


@settings(max_examples=20, deadline=None)
@given(lengths=LENGTHS, threads=st.integers(1, 4), seed=st.integers(0, 99))
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("which", [0, 1, 2])
def test_alone_and_beside_others(modules, which, precision, lengths, threads, seed):
    if compat.onednn_linear() is None:
        pytest.skip("torch's own products in fp32 are the same to 1e-5 alone")
    rng = np.random.default_rng(seed)
    windows = [rng.integers(4, 50, length) for length in lengths]
    together = vectors_of(modules[which], windows, precision, threads)
    for window, found in zip(windows, together, strict=True):
        alone = vectors_of(modules[which], [window], precision, threads)[0]
        assert torch.equal(found, alone)


@settings(max_examples=60, deadline=None)
@given(lengths=st.lists(st.integers(1, 512), min_size=1, max_size=40))
def test_a_window_is_padded_to_a_length_of_its_own(lengths):
    """On any processor: which shapes give other bits is a matter of the library."""
    lengths = np.array(sorted(lengths, reverse=True))
    padded = []
    for group in plan_groups(lengths, 2, device=CPU, dtype=torch.float32):
        padded += [group.shape[1]] * (group.shape[0] // 2)
    alone = [plan_groups(lengths[i : i + 1], 2, device=CPU, dtype=torch.float32)[0] for i in range(len(lengths))]
    assert padded == [group.shape[1] for group in alone]
    assert len(set(padded)) == len(plan_groups(lengths, 2, device=CPU, dtype=torch.float32))
