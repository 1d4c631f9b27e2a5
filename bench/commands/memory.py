"""`memory`: peak memory of training and annotating, whether it stays flat, and whether cost grows with the texts alone.

The streams are texts of the test set in new orders and with new words. Every system runs alone, one after the other."""

import dataclasses
from typing import Any

from ..data import read_texts, write_sample, write_texts
from ..exports import hugging_face
from ..rounds import run_rounds, wanted
from ..rows import Row, make_rows, significant
from ..stream import fresh_texts
from ..system import OURS, Setting, System
from . import train
from .annotate import our_forms

PIPE = 'pipeline("ner")'
#: The tokenizer without a component: what spaCy's own strings and lexemes grow by.
ALONE = "spaCy alone"
#: The peer takes ten times as long and gets so many words; that it took less for less favours the peer.
PEER_WORDS = 100_000
#: Words after which memory is to stay as it is, and words whose speed is to last.
FIRST, FIRST_RATE = 10_000, 50_000
LONG, LONG_ROUNDS = 20_000, 3


def trainings(setting: Setting) -> list[System]:
    """RETURNS (list[System]): The trainings of `train`, each measured for its memory."""
    return [
        dataclasses.replace(
            system, target="bench.stream:peak", options={"target": system.target, "options": system.options}
        )
        for system in train.systems(setting, write_sample(setting))
        if "packed" not in system.name
    ]


def streams(setting: Setting, given: dict[str, Any], target: str) -> list[System]:
    """List what annotates a stream.

    setting (Setting): The setting.
    given (dict[str, Any]): Options of all systems.
    target (str): What measures them.
    RETURNS (list[System]): spaCy alone, ours, and the peer.
    """
    alone = {**given, "target": "bench.system_ours:tokenizer", "options": {}}
    found = [System(ALONE, target, alone)]
    for system in our_forms(setting, {}, f"{OURS} nlp.pipe", "bench.system_ours:stream"):
        if system.environment == "newest" and not ("ONNX" in system.name and system.precision == "fp32"):
            options = {**given, "target": system.target, "options": system.options}
            found.append(dataclasses.replace(system, target=target, options=options))
    peer = {
        **given,
        "words": min(PEER_WORDS, given["words"]),
        "target": "bench.peers.hf_pipeline:stream",
        "options": {"model": str(hugging_face(setting))},
    }
    return [*found, System(PIPE, target, peer, reference=True)]


def measure(setting: Setting) -> list[Row]:
    """Measure memory, and the cost of many words.

    setting (Setting): The setting.
    RETURNS (list[Row]): The rows.
    """
    once = dataclasses.replace(setting, rounds=1)
    note = lambda result: f"{result['value']:.0f} MiB, {result['seconds']:.0f} s"
    rows = []
    found = wanted(trainings(setting), setting)
    answers = alone(found, once, note)
    rows += make_rows("memory of training", "MiB", found, answers, data=setting.source, posts=setting.posts)

    texts = read_texts(setting).texts
    path = write_texts(setting.work / "data" / "texts.json", texts)
    given = {"texts": path, "words": setting.words, "every": min(FIRST, max(setting.words // 10, 1))}
    found = wanted(streams(setting, given, "bench.stream:annotate"), setting)
    answers = alone(found, once, note)
    own = 0.0
    for system, row in zip(found, make_rows("memory of annotating", "MiB", found, answers), strict=True):
        row |= {"data": setting.source, "words": system.options["words"]}
        samples = answers[system.key][1]["samples"]
        lasts = lasting(row, samples, own if system.name.startswith(OURS) else 0.0)
        rows += [{**row, "samples": samples}, *lasts]
        if system.name == ALONE and lasts:
            own = lasts[0]["growth"]

    count = min(LONG, setting.words)
    short = list(fresh_texts(texts, count))
    given = {"texts": write_texts(setting.work / "data" / "long.json", short), "words": count}
    systems = streams(setting, given, "bench.stream:long_document")
    found = wanted([system for system in systems if system.name.startswith(OURS)], setting)
    few = dataclasses.replace(setting, rounds=min(setting.rounds, LONG_ROUNDS))
    answers = run_rounds(found, few, note=lambda result: f"{result['value']:.3f}")
    long = make_rows("one long text", "of short ones", found, answers, data=setting.source, words=count)
    return rows + long


def alone(systems: list[System], setting: Setting, note: Any) -> dict[str, list[dict[str, Any]]]:
    """RETURNS (dict[str, list[dict[str, Any]]]): As `run_rounds`, with one process at a time."""
    answers = {}
    for system in systems:
        answers.update(run_rounds([system], setting, note=note))
    return answers


def lasting(row: Row, samples: list[list[float]], own: float) -> list[Row]:
    """Make rows of what a stream has to keep: its memory after the first words, and its speed.

    row (Row): The row of the stream's memory.
    samples (list[list[float]]): Words so far, seconds, seconds of the processor, MiB.
    own (float): MiB that spaCy alone grows by.
    RETURNS (list[Row]): Memory at the last word over that at the 10,000th; the same without what spaCy alone grows by;
        and words a second of all over those of the first 50,000, by the clock and by the processor's time ("cpu").
        None for a stream that is too short.
    """
    last = samples[-1]
    if last[0] <= FIRST_RATE:
        return []
    first = next(sample for sample in samples if sample[0] >= FIRST)
    fast = next(sample for sample in samples if sample[0] >= FIRST_RATE)
    rates = [(last[0] / last[i]) / (fast[0] / max(fast[i], 1e-9)) for i in (1, 2)]
    growth = last[3] - first[3]
    values = {"lasting memory": last[3] / first[3], "lasting speed": rates[0]}
    if own:
        values["lasting memory without spaCy's"] = (last[3] - own) / first[3]
    facts = {"unit": "of the first", "ratio": None, "reference": False}
    facts |= {"growth": round(growth, 1), "cpu": significant(rates[1])}
    return [
        {**row, **facts, "work": work, "value": significant(value), "values": [significant(value)]}
        for work, value in values.items()
    ]
