"""`curves`: words a second against the length of texts and the size of a batch, ours beside pipeline("ner").

The texts are cut from the words of the test set, one after the other. (Cost against the number of words is part of
`memory`.)"""

import dataclasses
import json
from collections.abc import Iterator, Sequence
from typing import Any

from ..data import read_texts
from ..exports import hugging_face
from ..rounds import run_rounds, wanted
from ..rows import Row, make_rows
from ..system import OURS, Setting, System
from .annotate import our_forms

LENGTHS = (5, 10, 20, 40, 80, 160, 320)
SIZES = (1, 4, 16, 64, 256)
#: Words at each length, and texts at each size of a batch.
WORDS, TEXTS = 4000, 256
ROUNDS = 3
BATCH = 32
TARGET = "bench.peers.hf_pipeline:points"


def cut(words: Sequence[str], length: int) -> Iterator[str]:
    """YIELDS (str): The words in texts of so many words; what is left over at the end is in none."""
    for start in range(0, len(words) - length + 1, length):
        yield " ".join(words[start : start + length])


def points(setting: Setting) -> dict[str, list[dict[str, Any]]]:
    """Make the texts of both curves.

    setting (Setting): The setting.
    RETURNS (dict[str, list[dict[str, Any]]]): By curve, the points: "name", "texts", "words" and "batch_size".
    """
    texts = read_texts(setting).texts
    words = [word for text in texts for word in text.split(" ")][:WORDS]
    lengths = [(str(n), list(cut(words, n)), None) for n in LENGTHS]
    sizes = [(str(n), texts[:TEXTS], n) for n in SIZES]
    return {
        work: [
            {
                "name": name,
                "texts": chosen,
                "words": sum(text.count(" ") + 1 for text in chosen),
                "batch_size": size or BATCH,
            }
            for name, chosen, size in curve
            if chosen
        ]
        for work, curve in (("words in a text", lengths), ("texts in a batch", sizes))
    }


def systems(setting: Setting, file: str, *, lengths: bool) -> list[System]:
    """List the systems.

    setting (Setting): The setting.
    file (str): The points.
    lengths (bool): Whether the curve is that of lengths, where `nlp.pipe` takes 256 texts at a time as it always does,
        and the peer comes in both its forms.
    RETURNS (list[System]): The systems.
    """
    hf = {"points": file, "model": str(hugging_face(setting))}
    found = [System('pipeline("ner"), batches of that size', TARGET, hf, reference=True)]
    if lengths:
        found = [
            System('pipeline("ner"), one by one', TARGET, {**hf, "one_by_one": True}, reference=True),
            System(f'pipeline("ner"), batches of {BATCH}', TARGET, hf, reference=True),
        ]
    given = {"points": file, "whole": lengths}
    for system in our_forms(setting, given, f"{OURS} nlp.pipe", "bench.system_ours:points"):
        if system.environment == "newest":
            found.append(system)
    return found


def measure(setting: Setting) -> list[Row]:
    """Measure both curves.

    setting (Setting): The setting.
    RETURNS (list[Row]): A row a system and point; `x` is the length or the size.
    """
    few = dataclasses.replace(setting, rounds=min(setting.rounds, ROUNDS))
    rows = []
    for work, curve in points(setting).items():
        path = setting.work / "data" / f"{work.replace(' ', '-')}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(curve), encoding="utf8")
        found = wanted(systems(setting, str(path), lengths=work == "words in a text"), few)
        answers = run_rounds(found, few, note=_note)
        for point in curve:
            name = point["name"]
            facts = {"x": int(name), "words": point["words"], "data": setting.source}
            rows += make_rows(work, "words/s", found, answers, value=name, **facts)
    return rows


def _note(result: dict[str, float]) -> str:
    return ", ".join(f"{name}: {value:,.0f}" for name, value in result.items()) + " words/s"
