"""Windows in one row for the padding-free forward pass, and Hugging Face's own forward pass over the same windows."""

import numpy as np
import torch

from spacy_tokclf.models.padding_free.encoder import encode_packed
from spacy_tokclf.models.padding_free.modules import find_modules
from spacy_tokclf.models.padding_free.ops import LinearWeightsCache
from spacy_tokclf.wordpieces.pack import PackedBatch

CPU = torch.device("cpu")
LENGTHS = [19, 18, 11, 10, 7, 3]


def batch_of(lengths, seed=0, low=4):
    """Make windows whose every other piece is wanted."""
    ids = np.random.default_rng(seed).integers(low, 50, sum(lengths))
    first = np.arange(0, len(ids), 2)
    counts = np.minimum(2, len(ids) - first)
    return PackedBatch(ids, np.array(lengths), np.arange(len(first)), first, counts)


def padded_reference(module, batch):
    """Run Hugging Face's own forward, and take the padding out. Shape: (n_pieces, width)."""
    width = int(batch.lengths[0])
    real = np.arange(width) < batch.lengths[:, None]
    ids = np.full(real.shape, module.config.pad_token_id or 0)
    ids[real] = batch.ids
    hidden = module(input_ids=torch.tensor(ids), attention_mask=torch.tensor(real.astype("int64")))
    return hidden.last_hidden_state[torch.tensor(real)]


def run(module, batch, pooling="first", precision="fp32", train=False):
    options = {"cache": LinearWeightsCache(), "precision": precision, "pooling": pooling, "train": train}
    return encode_packed(find_modules(module), batch, **options)
