"""Bare torch loops with our own padding-free kernels, on the very batches that our pipeline makes.

What ours adds to the arithmetic (texts, Docs, entities, spaCy's loops) is the distance to these; what our kernels give
is the distance of these to `loop`.
"""

import json
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..system_ours import load
from .loop import WARM_BATCHES

RATE = 0.1  # dropout before the classifier, as in the recipe


def train(options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """Get ready to measure training: one epoch a round, in the batches of `spacy-tokclf.LengthBatcher.v1`.

    options (dict[str, Any]): "encoder", "posts" (a JSON file) and "precision".
    RETURNS (Callable[[int], dict[str, Any]]): The round.
    """
    import spacy
    import torch
    from spacy.tokens import Doc
    from torch.nn import functional

    from spacy_tokclf import tune_malloc
    from spacy_tokclf.corpus import batch_by_length
    from spacy_tokclf.models.hf.pretrained import PretrainedEncoder
    from spacy_tokclf.models.padding_free.encoder import encode_packed
    from spacy_tokclf.models.padding_free.modules import find_modules
    from spacy_tokclf.models.padding_free.ops import LinearWeightsCache
    from spacy_tokclf.models.shim import EncoderShim

    tune_malloc()  # as our configs do before they initialize a pipeline
    posts = json.loads(Path(options["posts"]).read_text(encoding="utf8"))
    tags = sorted({tag for post in posts for tag in post["tags"]})
    vocab = spacy.blank("en").vocab
    docs = [Doc(vocab, post["words"], user_data={"tags": post["tags"]}) for post in posts]

    def run(number: int) -> dict[str, Any]:
        random.seed(number)
        torch.manual_seed(number)
        shim = EncoderShim()
        shim.fill(PretrainedEncoder(options["encoder"])())
        parts, head = find_modules(shim.module.train()), torch.nn.Linear(shim.width, len(tags))
        params = [*shim.module.parameters(), *head.parameters()]
        optimizer = torch.optim.AdamW(params, lr=1e-4, fused=True)
        batches = []
        for batch in batch_by_length(docs, size=16, buffer=64):
            packs = packs_of(batch, shim)
            gold = [tags.index(tag) for doc in batch for tag in doc.user_data["tags"]]
            batches.append((packs, torch.tensor([gold[token] for pack in packs for token in pack.tokens])))
        cache = LinearWeightsCache()
        how = {"cache": cache, "precision": options["precision"], "pooling": "first", "train": True}
        start = time.perf_counter()
        for packs, labels in batches if number >= 0 else batches[:WARM_BATCHES]:
            cache.clear()
            vectors = torch.cat([encode_packed(parts, pack, **how) for pack in packs])
            functional.cross_entropy(head(functional.dropout(vectors, RATE)), labels).backward()
            torch.nn.utils.clip_grad_norm_(params, 1.0)
            optimizer.step()
            optimizer.zero_grad()
        seconds = time.perf_counter() - start
        return {"value": len(posts) / seconds, "seconds": seconds}

    run(-1)
    return run


def annotate(options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """Get ready to measure forward passes alone, from pieces to the best tag, in the batches of `nlp.pipe`.

    options (dict[str, Any]): As for our own `annotate`.
    RETURNS (Callable[[int], dict[str, Any]]): The round.
    """
    import torch
    from spacy.util import minibatch

    from spacy_tokclf.models.base_shim import encoder_nodes
    from spacy_tokclf.models.padding_free.encoder import encode_packed
    from spacy_tokclf.models.padding_free.modules import find_modules
    from spacy_tokclf.models.padding_free.ops import LinearWeightsCache

    nlp = load(options)
    model = next(pipe.model for _, pipe in nlp.pipeline if encoder_nodes(getattr(pipe, "model", None)))
    node, output = encoder_nodes(model)[0], model.get_ref("output_layer")
    shim = node.shims[0]
    parts = find_modules(shim.module.eval())
    weight, bias = (torch.tensor(output.get_param(name)) for name in ("W", "b"))
    texts = json.loads(Path(options["texts"]).read_text(encoding="utf8"))
    docs = minibatch(nlp.tokenizer.pipe(texts), nlp.batch_size)
    ready = [pack for batch in docs for pack in packs_of(batch, shim, casing=node.attrs["casing"])]
    cache, pooling = LinearWeightsCache(), node.attrs["pooling"]
    how = {"cache": cache, "precision": options["precision"], "pooling": pooling, "train": False}

    def run(number: int) -> dict[str, Any]:
        start = time.perf_counter()
        with torch.inference_mode():
            for pack in ready if number >= 0 else ready[:WARM_BATCHES]:
                torch.addmm(bias, encode_packed(parts, pack, **how), weight.t()).argmax(-1)
        seconds = time.perf_counter() - start
        return {"value": options["words"] / seconds, "seconds": seconds}

    run(-1)
    return run


def packs_of(docs: Sequence[Any], shim: Any, *, casing: bool = False) -> list[Any]:
    """RETURNS (list[PackedBatch]): The pieces of some texts in rows, as our encoder makes them of these texts."""
    from spacy_tokclf.models.piece_budget import BATCH_PIECES
    from spacy_tokclf.wordpieces.pack import pack_windows
    from spacy_tokclf.wordpieces.sequences import make_sequences

    sequences = make_sequences(list(docs), shim.tokenizer, size=shim.max_pieces, overlap=64, casing=casing)
    return list(pack_windows(sequences, shim.tokenizer, budget=BATCH_PIECES))
