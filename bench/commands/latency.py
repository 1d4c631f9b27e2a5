"""`latency`: milliseconds for one text of 20 words that comes alone, ours beside pipeline("ner") and others.

All get the same texts of the test set, each by itself and several times; a value is the median over texts."""

from typing import Any

from wasabi import msg

from ..data import read_texts, write_texts
from ..exports import hugging_face
from ..rounds import run_rounds, wanted
from ..rows import Row, make_rows
from ..system import OURS, Setting, System
from .annotate import ONNX, our_forms

WORDS = 20
TEXTS = 40


def systems(setting: Setting, given: dict[str, Any]) -> list[System]:
    """List the systems.

    setting (Setting): The setting.
    given (dict[str, Any]): "texts" (a file).
    RETURNS (list[System]): The systems.
    """
    hf = {**given, "model": str(hugging_face(setting))}
    found = [
        System('pipeline("ner")', "bench.peers.hf_pipeline:latency", hf, reference=True),
        System(
            "hf_token_pipe",
            "bench.peers.hf_token_pipe:latency",
            {**hf, "batch_size": 1},
            environment="older",
            needs=("spacy-huggingface-pipelines",),
        ),
    ]
    for precision in ("fp32", "int8"):
        options = {**hf, "precision": precision, "folder": str(setting.work / "onnx-by-hand")}
        found.append(System("ONNX Runtime by hand", "bench.peers.onnx_by_hand:latency", options, precision, needs=ONNX))
    return [*found, *our_forms(setting, given, f"{OURS} nlp(text)", "bench.system_ours:latency")]


def texts_of_words(setting: Setting, words: int, most: int) -> list[str]:
    """Choose texts of the test set that have so many words; where there are none, longer ones are cut.

    setting (Setting): The setting.
    words (int): The number of words.
    most (int): Texts at most.
    RETURNS (list[str]): The texts.
    """
    texts = [text.split(" ") for text in read_texts(setting).texts]
    exact = [text for text in texts if len(text) == words]
    longer = [text[:words] for text in texts if len(text) > words]
    return [" ".join(text) for text in (exact or longer)[:most]]


def measure(setting: Setting) -> list[Row]:
    """Measure latency.

    setting (Setting): The setting.
    RETURNS (list[Row]): The rows.
    """
    texts = texts_of_words(setting, WORDS, TEXTS)
    given = {"texts": write_texts(setting.work / "data" / "texts-20.json", texts)}
    found = wanted(systems(setting, given), setting)
    msg.text(f"{len(texts)} texts of {WORDS} words")
    answers = run_rounds(found, setting, note=lambda result: f"{result['value']:.2f} ms")
    return make_rows("latency", "ms", found, answers, data=setting.source, texts=len(texts))
