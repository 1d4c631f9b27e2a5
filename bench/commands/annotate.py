"""`annotate`: words a second from raw text to entities, ours beside pipeline("ner"), other wrappers and bare forwards.

All get the same texts and the same weights; words are the gold tokens. F1 compares entities as characters."""

from typing import Any

from wasabi import msg

from ..data import entity_f1, read_texts, write_sample, write_texts
from ..exports import hugging_face, optimized
from ..rounds import run_rounds, wanted
from ..rows import Row, make_rows
from ..system import OURS, Setting, System, transition

PIPELINE = "bench.peers.hf_pipeline:annotate"
ONNX = ("onnx", "onnxruntime", "onnxscript")


def systems(setting: Setting, given: dict[str, Any]) -> list[System]:
    """List the systems.

    setting (Setting): The setting.
    given (dict[str, Any]): "texts" (a file) and "words".
    RETURNS (list[System]): The systems.
    """
    checkpoint = str(hugging_face(setting))
    hf = {**given, "model": checkpoint}
    found = [
        System('pipeline("ner"), one by one', PIPELINE, {**hf, "batch_size": 1}, reference=True),
        System('pipeline("ner"), batches of 32', PIPELINE, {**hf, "batch_size": 32}, reference=True),
        System('pipeline("ner"), sorted batches of 32', PIPELINE, {**hf, "batch_size": 32, "sort": True}),
        System(
            'pipeline("ner"), sorted batches of 32',
            PIPELINE,
            {**hf, "batch_size": 32, "sort": True, "bf16": True},
            "bf16",
        ),
        System(
            "hf_token_pipe",
            "bench.peers.hf_token_pipe:annotate",
            {**hf, "batch_size": 32},
            environment="older",
            needs=("spacy-huggingface-pipelines",),
        ),
        System(
            "spacy-transformers + transition NER",
            "bench.peers.transition_ner:annotate",
            {**given, **transition(setting)},
            environment="older",
            needs=("spacy-transformers",),
        ),
    ]
    for precision in ("fp32", "int8"):
        options = {**hf, "precision": precision, "folder": str(setting.work / "onnx-by-hand")}
        found.append(
            System("ONNX Runtime by hand", "bench.peers.onnx_by_hand:annotate", options, precision, needs=ONNX)
        )
    for precision in ("fp32", "bf16"):
        options = {**hf, "precision": precision}
        found.append(System("bare torch forward", "bench.bare.loop:annotate", options, precision))
        packed = {**options, "model": str(setting.model)}
        found.append(System("bare torch forward, packed", "bench.bare.packed:annotate", packed, precision))
    for precision in ("fp32", "int8"):
        options = {**hf, "precision": precision, "folder": str(setting.work / "onnx-by-hand")}
        found.append(
            System("bare ONNX Runtime forward", "bench.peers.onnx_by_hand:forward", options, precision, needs=ONNX)
        )
    return [*found, *our_forms(setting, given, f"{OURS} nlp.pipe", "bench.system_ours:annotate")]


def our_forms(setting: Setting, given: dict[str, Any], name: str, target: str) -> list[System]:
    """List our pipeline in all its forms: torch in both environments, and ONNX Runtime where it can be made.

    setting (Setting): The setting.
    given (dict[str, Any]): Options of all of them.
    name (str): What the rows call them.
    target (str): The function.
    RETURNS (list[System]): The systems.
    """
    model = {**given, "model": str(setting.model)}
    found = [System(name, target, {**model, "precision": precision}, precision) for precision in ("fp32", "bf16")]
    found.append(System(f"{name}, older transformers", target, {**model, "precision": "fp32"}, environment="older"))
    for precision in ("fp32", "int8"):
        system = System(f"{name}, ONNX Runtime", target, precision=precision, needs=("onnxruntime",))
        folder = optimized(setting, precision) if setting.wants(system) else None
        if folder is not None:
            options = {**given, "model": str(folder)}
            found.append(System(system.name, target, options, precision, needs=system.needs))
    return found


def measure(setting: Setting) -> list[Row]:
    """Measure annotation.

    setting (Setting): The setting.
    RETURNS (list[Row]): The rows.
    """
    texts = read_texts(setting)
    path = write_texts(setting.work / "data" / "texts.json", texts.texts)
    given = {**write_sample(setting), "texts": path, "words": texts.words}
    found = wanted(systems(setting, given), setting)
    msg.text(f"{len(texts.texts)} texts, {texts.words} words")
    answers = run_rounds(found, setting, note=lambda result: f"{result['value']:,.0f} words/s")
    for _about, *results in answers.values():
        for result in results:
            if result.get("entities") is not None:
                result["f1"] = entity_f1(texts.gold, result.pop("entities"))
    return make_rows("annotate", "words/s", found, answers, data=setting.source, words=texts.words)
