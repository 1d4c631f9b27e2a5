"""Plain torch loops over tensors that are ready: training steps, and forward passes from pieces to tags."""

import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

SIZE = 16
BUDGET = 2048
WARM_BATCHES = 4


def train(options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """Get ready to measure training: one epoch a round, in batches of posts of like length.

    options (dict[str, Any]): "encoder", "posts" (a JSON file) and "precision".
    RETURNS (Callable[[int], dict[str, Any]]): The round.
    """
    import torch
    from transformers import AutoModelForTokenClassification, AutoTokenizer

    posts = json.loads(Path(options["posts"]).read_text(encoding="utf8"))
    tags = sorted({tag for post in posts for tag in post["tags"]})
    tokenizer = AutoTokenizer.from_pretrained(options["encoder"])
    encoded = [encode(tokenizer, post["words"], [tags.index(tag) for tag in post["tags"]]) for post in posts]

    def run(number: int) -> dict[str, Any]:
        random.seed(number)
        torch.manual_seed(number)
        model = AutoModelForTokenClassification.from_pretrained(options["encoder"], num_labels=len(tags)).train()
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
        batches = [pad([encoded[i] for i in batch]) for batch in by_length([len(ids) for ids, _ in encoded])]
        start = time.perf_counter()
        for ids, mask, labels in batches if number >= 0 else batches[:WARM_BATCHES]:
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=options["precision"] == "bf16"):
                logits = model(input_ids=ids, attention_mask=mask).logits
            loss = torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), labels.flatten(), ignore_index=-100)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
        seconds = time.perf_counter() - start
        return {"value": len(posts) / seconds, "seconds": seconds}

    run(-1)
    return run


def annotate(options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """Get ready to measure forward passes alone: pieces to the number of the best tag, sorted by length.

    options (dict[str, Any]): "model", "texts" (a JSON file), "words" to count, and "precision".
    RETURNS (Callable[[int], dict[str, Any]]): The round.
    """
    import torch
    from transformers import AutoModelForTokenClassification, AutoTokenizer

    texts = json.loads(Path(options["texts"]).read_text(encoding="utf8"))
    tokenizer = AutoTokenizer.from_pretrained(options["model"])
    encoded = sorted((tokenizer(text, truncation=True)["input_ids"] for text in texts), key=len)
    batches = [pad([(ids, []) for ids in batch])[:2] for batch in by_budget(encoded)]
    dtype = torch.bfloat16 if options["precision"] == "bf16" else torch.float32
    model = AutoModelForTokenClassification.from_pretrained(options["model"]).to(dtype).eval()

    def run(number: int) -> dict[str, Any]:
        start = time.perf_counter()
        with torch.inference_mode():
            for ids, mask in batches if number >= 0 else batches[:WARM_BATCHES]:
                model(input_ids=ids, attention_mask=mask).logits.argmax(-1)
        seconds = time.perf_counter() - start
        return {"value": options["words"] / seconds, "seconds": seconds}

    run(-1)
    return run


def encode(tokenizer: Any, words: Sequence[str], numbers: Sequence[int]) -> tuple[list[int], list[int]]:
    """RETURNS (tuple[list[int], list[int]]): The pieces of a post, and the label of the first piece of each word."""
    found = tokenizer(list(words), truncation=True, is_split_into_words=True)
    labels, before = [], None
    for word in found.word_ids():
        labels.append(-100 if word is None or word == before else numbers[word])
        before = word
    return found["input_ids"], labels


def pad(rows: Sequence[tuple[list[int], list[int]]]) -> tuple[Any, Any, Any]:
    """RETURNS (tuple[Tensor, Tensor, Tensor]): Pieces, mask and labels of a batch. Shape: (n, longest)."""
    import torch

    longest = max(len(ids) for ids, _ in rows)
    ids = torch.zeros((len(rows), longest), dtype=torch.long)
    labels = torch.full((len(rows), longest), -100)
    mask = torch.zeros((len(rows), longest), dtype=torch.long)
    for i, (pieces, own) in enumerate(rows):
        ids[i, : len(pieces)] = torch.tensor(pieces)
        mask[i, : len(pieces)] = 1
        labels[i, : len(own)] = torch.tensor(own)
    return ids, mask, labels


def by_length(lengths: Sequence[int]) -> list[list[int]]:
    """RETURNS (list[list[int]]): Batches of posts of like length, in random order; numbers of posts."""
    order = sorted(range(len(lengths)), key=lambda i: (lengths[i], random.random()))
    batches = [order[i : i + SIZE] for i in range(0, len(order), SIZE)]
    random.shuffle(batches)
    return batches


def by_budget(rows: Sequence[list[int]]) -> Iterator[list[list[int]]]:
    """Cut rows in ascending order of length into batches of so many pieces, padding included."""
    batch: list[list[int]] = []
    for row in rows:
        if batch and len(row) * (len(batch) + 1) > BUDGET:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
