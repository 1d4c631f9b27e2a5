"""What annotates on a card, in the processes of their families. All go through their texts once before they are
measured."""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .. import system_ours
from ..peers import hf_pipeline
from ..texts import FoundT, entities_of, measured

BARE_BATCH = 128


def ours(options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """Get ready to measure `nlp.pipe`.

    options (dict[str, Any]): As for `system_ours.annotate`, and "batch_size".
    RETURNS (Callable[[int], dict[str, Any]]): The round.
    """
    nlp = system_ours.load(options)

    def find(texts: Sequence[str]) -> list[FoundT]:
        return [entities_of(doc) for doc in nlp.pipe(texts, batch_size=options["batch_size"])]

    return _warm(measured(find, options))


def pipeline_ner(options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """RETURNS (Callable[[int], dict[str, Any]]): The round of `pipeline("ner")`; options of `hf_pipeline.annotate`."""
    return _warm(hf_pipeline.annotate(options))


def bare(options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """Get ready to measure transformers' module in bf16 with nothing around it: texts of like length are tokenized, and
    the number of each piece's best tag comes back to the host. No words, and no entities.

    options (dict[str, Any]): "model", "texts" (a JSON file), "words" to count, and "device".
    RETURNS (Callable[[int], dict[str, Any]]): The round.
    """
    import torch
    from transformers import AutoModelForTokenClassification, AutoTokenizer

    texts = json.loads(Path(options["texts"]).read_text(encoding="utf8"))
    tokenizer = AutoTokenizer.from_pretrained(options["model"])
    model = AutoModelForTokenClassification.from_pretrained(options["model"])
    model = model.to(device=options["device"], dtype=torch.bfloat16).eval()

    def run(number: int) -> dict[str, Any]:
        start = time.perf_counter()
        rows = sorted(texts, key=len)
        with torch.inference_mode():
            for first in range(0, len(rows), BARE_BATCH):
                batch = tokenizer(
                    rows[first : first + BARE_BATCH], truncation=True, padding=True, return_tensors="pt"
                ).to(options["device"])
                model(**batch).logits.argmax(-1).cpu()
        seconds = time.perf_counter() - start
        return {"value": options["words"] / seconds, "seconds": seconds}

    return _warm(run)


def _warm(run: Callable[[int], dict[str, Any]]) -> Callable[[int], dict[str, Any]]:
    run(-1)
    return run
