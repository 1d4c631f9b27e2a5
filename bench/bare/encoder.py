"""An encoder alone, on tensors that are ready: transformers' own module over padded batches, or our kernels over the
same posts in the same batches. In both, the classifier reads the first piece of each word."""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .loop import SIZE, WARM_BATCHES, pad

#: Dropout before the classifier, and its labels: those of WNUT-17.
RATE, TAGS = 0.1, 13


def measured(options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """Get ready to measure an encoder over all posts, once a round.

    options (dict[str, Any]): "encoder", "posts" (a JSON file), "precision"; "sort", whether batches are of posts of
        like length, else in the order of the file; "train", whether a backward pass follows (the optimizer, the same
        for both, is left out), else tags are predicted; "ours", whether by our kernels.
    RETURNS (Callable[[int], dict[str, Any]]): The round.
    """
    import torch
    from torch.nn import functional

    from spacy_tokclf import tune_malloc
    from spacy_tokclf.models.hf.pretrained import PretrainedEncoder
    from spacy_tokclf.wordpieces.tokenizer import PieceTokenizer

    tune_malloc()
    pretrained = PretrainedEncoder(options["encoder"])()
    module, tokenizer = pretrained.module, PieceTokenizer(pretrained.tokenizer_json)
    posts = json.loads(Path(options["posts"]).read_text(encoding="utf8"))
    limit = int(pretrained.tokenizer_config["model_max_length"])
    encoded = [_pieces(tokenizer, post["words"], limit) for post in posts]
    encoded = [post for post in encoded if post[1]]
    if options["sort"]:
        encoded.sort(key=lambda post: len(post[0]))
    batches = [encoded[i : i + SIZE] for i in range(0, len(encoded), SIZE)]
    torch.manual_seed(0)
    head = torch.nn.Linear(module.config.hidden_size, TAGS)
    vectors = (_Packed if options["ours"] else _Padded)(module, options["precision"], options["train"])
    ready = [(vectors.prepare(batch), torch.zeros(sum(len(post[1]) for post in batch)).long()) for batch in batches]

    def run(number: int) -> dict[str, Any]:
        start = time.perf_counter()
        for given, labels in ready if number >= 0 else ready[:WARM_BATCHES]:
            if options["train"]:
                logits = head(functional.dropout(vectors(given), RATE))
                functional.cross_entropy(logits, labels).backward()
                module.zero_grad()
                head.zero_grad()
            else:
                with torch.inference_mode():
                    head(vectors(given)).argmax(-1)
        seconds = time.perf_counter() - start
        return {"value": len(encoded) / seconds, "seconds": seconds}

    run(-1)
    return run


def _pieces(tokenizer: Any, words: Sequence[str], limit: int) -> tuple[list[int], list[int]]:
    """Give the pieces of a post with the special ones, and the places of the first piece of each word."""
    ids, first = list(tokenizer.prefix), []
    for own in tokenizer.encode_words(list(words)):
        if own and len(ids) + len(own) + len(tokenizer.suffix) <= limit:
            first.append(len(ids))
            ids += own
    return [*ids, *tokenizer.suffix], first


class _Padded:
    """transformers' own forward pass."""

    def __init__(self, module: Any, precision: str, train: bool) -> None:
        self.module, self.precision = module.train(train), precision

    def prepare(self, batch: Sequence[tuple[list[int], list[int]]]) -> Any:
        """Give pieces and mask, (n, longest), and the rows of first pieces in both seen as one row."""
        import torch

        ids, mask, _ = pad([(pieces, []) for pieces, _ in batch])
        ids = ids.masked_fill(mask == 0, self.module.config.pad_token_id or 0)
        width = ids.shape[1]
        return ids, mask, torch.tensor([i * width + place for i, (_, first) in enumerate(batch) for place in first])

    def __call__(self, given: Any) -> Any:
        import torch

        ids, mask, rows = given
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.precision == "bf16"):
            hidden = self.module(input_ids=ids, attention_mask=mask).last_hidden_state
        return hidden.flatten(0, 1).index_select(0, rows).float()


class _Packed:
    """Our kernels, without padding."""

    def __init__(self, module: Any, precision: str, train: bool) -> None:
        from spacy_tokclf.models.padding_free.modules import find_modules
        from spacy_tokclf.models.padding_free.ops import LinearWeightsCache

        self.parts, self.cache = find_modules(module), LinearWeightsCache()
        self.how: dict[str, Any] = {"precision": precision, "pooling": "first", "train": train}

    def prepare(self, batch: Sequence[tuple[list[int], list[int]]]) -> Any:
        """Give the windows in one row, longest first."""
        import numpy as np

        from spacy_tokclf.wordpieces.pack import PackedBatch

        batch = sorted(batch, key=lambda post: -len(post[0]))
        lengths = np.array([len(pieces) for pieces, _ in batch])
        starts = np.cumsum(lengths) - lengths
        rows = np.array([start + place for start, (_, first) in zip(starts, batch, strict=True) for place in first])
        ids = np.concatenate([pieces for pieces, _ in batch])
        return PackedBatch(ids, lengths, np.arange(len(rows)), rows, np.ones_like(rows))

    def __call__(self, given: Any) -> Any:
        from spacy_tokclf.models.padding_free.encoder import encode_packed

        if self.how["train"]:
            self.cache.clear()  # as after each step of an optimizer
        return encode_packed(self.parts, given, cache=self.cache, **self.how)
