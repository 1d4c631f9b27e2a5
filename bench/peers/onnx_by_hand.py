"""ONNX Runtime by hand: what a careful user writes for a checkpoint of Hugging Face, without a pipeline around it.

The checkpoint is exported with torch and its graph fused by ONNX Runtime's own tool for transformers; int8 is dynamic,
per channel, as its documentation asks for processors with VNNI. Texts are sorted by length and padded to the longest of
a batch.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..texts import FoundT, measured, measured_singly

BATCH = 32


def export(options: dict[str, Any]) -> Path:
    """Make the graph, unless it is there.

    options (dict[str, Any]): "model", "folder" for the graphs, and "precision": "fp32" or "int8".
    RETURNS (Path): The graph.
    """
    folder = Path(options["folder"]) / Path(options["model"]).name
    plain, fused = folder / "plain.onnx", folder / "fp32.onnx"
    if not fused.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        _export_plain(options["model"], plain)
        _fuse(options["model"], plain, fused)
    if options["precision"] == "fp32":
        return fused
    quantized = folder / "int8.onnx"
    if not quantized.is_file():
        from onnxruntime.quantization import QuantType, quantize_dynamic

        quantize_dynamic(fused, quantized, weight_type=QuantType.QInt8, per_channel=True)
    return quantized


def _export_plain(model: str, path: Path) -> None:
    import torch
    from transformers import AutoModelForTokenClassification

    module = AutoModelForTokenClassification.from_pretrained(model, attn_implementation="eager").eval()
    ids = torch.ones((2, 8), dtype=torch.long)
    shape = {0: torch.export.Dim("batch"), 1: torch.export.Dim("pieces")}
    torch.onnx.export(
        module,
        kwargs={"input_ids": ids, "attention_mask": torch.ones_like(ids)},
        f=str(path),
        output_names=["logits"],
        dynamic_shapes={"input_ids": shape, "attention_mask": shape},
        dynamo=True,
        external_data=False,
        verbose=False,
    )


def _fuse(model: str, plain: Path, fused: Path) -> None:
    from onnxruntime.transformers.optimizer import optimize_model

    config = json.loads((Path(model) / "config.json").read_text(encoding="utf8"))
    heads, width = config.get("n_heads", 0), config.get("dim", 0)
    optimize_model(str(plain), "bert", num_heads=heads, hidden_size=width).save_model_to_file(str(fused))


def session_of(options: dict[str, Any]) -> Any:
    """RETURNS (InferenceSession): The graph, loaded with all of ONNX Runtime's optimizations."""
    import onnxruntime

    return onnxruntime.InferenceSession(str(export(options)), providers=["CPUExecutionProvider"])


def tokenizer_of(model: str) -> Any:
    """RETURNS (Tokenizer): The tokenizer of a model folder."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(Path(model) / "tokenizer.json"))
    tokenizer.enable_truncation(512)
    return tokenizer


def batches_of(tokenizer: Any, texts: Sequence[str]) -> Any:
    """Tokenize texts and sort them by length.

    tokenizer (Tokenizer): The tokenizer.
    texts (Sequence[str]): The texts.
    YIELDS (tuple): The numbers of the texts in a batch, their encodings, and the inputs.
    """
    encodings = tokenizer.encode_batch(list(texts))
    order = sorted(range(len(texts)), key=lambda i: len(encodings[i].ids))
    for start in range(0, len(order), BATCH):
        numbers = order[start : start + BATCH]
        longest = len(encodings[numbers[-1]].ids)
        ids = np.zeros((len(numbers), longest), dtype="int64")
        mask = np.zeros_like(ids)
        for row, i in enumerate(numbers):
            ids[row, : len(encodings[i].ids)] = encodings[i].ids
            mask[row, : len(encodings[i].ids)] = 1
        yield numbers, [encodings[i] for i in numbers], {"input_ids": ids, "attention_mask": mask}


def entities_of(encoding: Any, tags: Sequence[str]) -> FoundT:
    """Put the tags of the words' first pieces together to entities.

    encoding (Encoding): The pieces of a text.
    tags (Sequence[str]): The tag of each piece.
    RETURNS (FoundT): The entities.
    """
    found: list[list[Any]] = []
    before, open_label = None, ""
    for tag, word, (start, end) in zip(tags, encoding.word_ids, encoding.offsets, strict=False):
        if word is None:
            continue
        if word == before:
            if open_label:
                found[-1][1] = end
            continue
        before = word
        prefix, _, label = tag.partition("-")
        if prefix == "I" and label == open_label:
            found[-1][1] = end
        elif label:
            found.append([start, end, label])
        open_label = label
    return [(start, end, label) for start, end, label in found]


def finder(options: dict[str, Any]) -> Callable[[Sequence[str]], list[FoundT]]:
    """Make the whole way from texts to entities.

    options (dict[str, Any]): As for `export`.
    RETURNS (Callable[[Sequence[str]], list[FoundT]]): The function.
    """
    session, tokenizer = session_of(options), tokenizer_of(options["model"])
    config = json.loads((Path(options["model"]) / "config.json").read_text(encoding="utf8"))
    names = [config["id2label"][str(i)] for i in range(len(config["id2label"]))]

    def find(texts: Sequence[str]) -> list[FoundT]:
        found: list[FoundT] = [[] for _ in texts]
        for numbers, encodings, inputs in batches_of(tokenizer, texts):
            best = session.run(["logits"], inputs)[0].argmax(-1)
            for row, i in enumerate(numbers):
                found[i] = entities_of(encodings[row], [names[tag] for tag in best[row]])
        return found

    return find


def annotate(options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """Get ready to measure the whole way from texts to entities.

    options (dict[str, Any]): As for `export` and `measured`.
    RETURNS (Callable[[int], dict[str, Any]]): The round.
    """
    return measured(finder(options), options)


def latency(options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """Get ready to measure the same with one text at a time.

    options (dict[str, Any]): As for `export` and `measured_singly`.
    RETURNS (Callable[[int], dict[str, Any]]): The round.
    """
    find = finder(options)
    return measured_singly(lambda text: find([text]), options)


def forward(options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """Get ready to measure the graph alone, on inputs that are ready.

    options (dict[str, Any]): As for `annotate`.
    RETURNS (Callable[[int], dict[str, Any]]): The round.
    """
    session = session_of(options)
    texts = json.loads(Path(options["texts"]).read_text(encoding="utf8"))
    ready = [inputs for _, _, inputs in batches_of(tokenizer_of(options["model"]), texts)]

    def find(_: Sequence[str]) -> list[FoundT]:
        for inputs in ready:
            session.run(["logits"], inputs)[0].argmax(-1)
        return []

    run = measured(find, options)
    return lambda number: {key: value for key, value in run(number).items() if key != "entities"}
