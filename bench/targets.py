"""The targets that we set ourselves, and whether the rows reach them. Whatever is not in the rows is left out."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from .rows import Row
from .system import OURS


class Target(NamedTuple):
    """A target, and what was measured.

    what (str): What has to hold.
    limit (str): The target, as people read it.
    value (str): What was measured, as people read it.
    holds (bool): Whether the target is reached.
    """

    what: str
    limit: str
    value: str
    holds: bool


#: The references of annotation.
PIPELINE = ('pipeline("ner"), one by one', 'pipeline("ner"), batches of 32')
#: The least share of another system's speed that ours has to reach in the same precision: name of the work, our
#: system, the others (the fastest counts), what it is called, and the share.
SHARES = (
    ("train", f"{OURS} spacy train", ("bare torch loop, packed",), "training, of the bare loop", 0.9),
    (
        "annotate",
        f"{OURS} nlp.pipe",
        ("bare torch forward, packed", "bare torch forward"),
        "annotating, of the best bare forward",
        0.9,
    ),
    (
        "annotate",
        f"{OURS} nlp.pipe, ONNX Runtime",
        ("bare ONNX Runtime forward",),
        "annotating in ONNX Runtime, of its bare forward",
        0.9,
    ),
    *(
        (work, f"{OURS}, padding-free", ("transformers' module",), f"{work}, of transformers' module", share)
        for work, share in (
            ("encoder there and back, file order", 2.0),
            ("encoder there and back, by length", 1.15),
            ("encoder forward, file order", 2.0),
            ("encoder forward, by length", 1.15),
        )
    ),
)
TRAINER = ("Trainer, tutorial recipe", "Trainer, group_by_length")
#: What `gpu` measures: the names of works and of our systems.
CARD_TRAIN, CARD_STEP, CARD_ANNOTATE, CARD_RECIPE = (
    "train on a card, batches of {}",
    "step on a card, batches of 16",
    "annotate on a card",
    "recipe on a card",
)
CARD_INLINE, CARD_PIPE = f"{OURS} train, inline", f"{OURS} nlp.pipe, batches of 2048"
CARD_PIPELINE = ('pipeline("ner"), batches of 32', 'pipeline("ner"), sorted batches of 128')
#: How many times the speed of others ours has to be: name of the work, our system and its precision, the others (the
#: fastest counts), what it is called, and the least.
TIMES = (
    ("train", f"{OURS} spacy train", "bf16", TRAINER[:1], "training, times the Trainer's tutorial recipe", 3.0),
    ("train", f"{OURS} spacy train", "bf16", TRAINER, "training, times the Trainer's best", 1.8),
    ("train", f"{OURS} spacy train, frozen embeddings", "bf16", TRAINER, "the same, embeddings frozen", 1.8),
    (
        "train",
        f"{OURS} spacy train, frozen embeddings, normalized",
        "bf16",
        TRAINER,
        "the same, and links and names normalized",
        1.8,
    ),
    ("annotate", f"{OURS} nlp.pipe", "fp32", PIPELINE, 'annotating, times pipeline("ner")', 2.7),
    ("annotate", f"{OURS} nlp.pipe", "bf16", PIPELINE, 'annotating, times pipeline("ner")', 4.5),
    (
        "annotate",
        f"{OURS} nlp.pipe, ONNX Runtime",
        "int8",
        PIPELINE,
        'annotating in ONNX Runtime, times pipeline("ner")',
        7.0,
    ),
    (
        CARD_TRAIN.format(16),
        CARD_INLINE,
        "bf16",
        TRAINER[:1],
        "training by 16, times the guide recipe on a card",
        2.5,
    ),
    (CARD_TRAIN.format(16), CARD_INLINE, "bf16", TRAINER, "training by 16, times the Trainer's best on a card", 1.5),
    (CARD_TRAIN.format(64), CARD_INLINE, "bf16", TRAINER, "training by 64, times the Trainer's best on a card", 1.5),
    (CARD_ANNOTATE, CARD_PIPE, "bf16", CARD_PIPELINE, 'annotating, times the best of pipeline("ner") on a card', 10.0),
    (
        CARD_TRAIN.format(16),
        CARD_INLINE,
        "bf16",
        (f"{CARD_INLINE}, thinc on CuPy",),
        "training with thinc on NumPy, times that on CuPy",
        0.95,
    ),
)
#: A step of 16 posts takes so many times its time on the card, or so many milliseconds; words a second; and F1 on the
#: development data within two standard deviations of that of five seeds on a CPU (bench/accuracy/RESULTS.md).
STEP_TIMES, STEP_MS, CARD_WORDS, SEEDS = 1.6, 6.0, 100_000, (60.64, 0.54)
#: Systems that compute less exactly, and those whose F1 they have to keep but for LOST.
F1 = (
    (f"{OURS} nlp.pipe", "bf16", f"{OURS} nlp.pipe"),
    (f"{OURS} nlp.pipe, ONNX Runtime", "int8", f"{OURS} nlp.pipe, ONNX Runtime"),
)
LOST = 0.005
#: What takes no more memory than whom: name of the work, our system, the other, what it is called.
MEMORY = (
    ("memory of training", f"{OURS} spacy train", TRAINER, "memory of training, of the Trainer's"),
    ("memory of annotating", f"{OURS} nlp.pipe", ('pipeline("ner")',), 'memory of annotating, of pipeline("ner")\'s'),
    (
        "memory of annotating",
        f"{OURS} nlp.pipe, ONNX Runtime",
        ('pipeline("ner")',),
        'memory of annotating in ONNX Runtime, of pipeline("ner")\'s',
    ),
)
#: What a row has to keep within: name of the work, what it is called, and least and largest value. Where the one is 0
#: or the other infinite, there is no limit.
RANGES = (
    ("lasting memory", "memory at the last word, of that at the 10,000th", 0.0, 1.03),
    ("lasting memory without spaCy's", "the same without the strings that spaCy keeps", 0.0, 1.03),
    ("lasting speed", "words/s over all, of those over the first 50,000", 0.95, float("inf")),
    ("one long text", "words/s in one long text, of those in short ones", 0.85, float("inf")),
)
#: Seconds at most: name of the work, system, what it is called.
SECONDS = (
    ("import", f"{OURS}, on top of spaCy", "import spacy_tokclf, spaCy imported", 0.03),
    ("load", f"{OURS} spacy.load, transformers imported", "spacy.load, transformers imported", 1.0),
    ("load", f"{OURS} spacy.load, ONNX Runtime", "spacy.load, ONNX Runtime", 0.6),
)
LATENCY = 0.6


def check_targets(rows: Sequence[Row]) -> list[Target]:
    """Hold the rows against the targets.

    rows (Sequence[Row]): Rows of all commands.
    RETURNS (list[Target]): The targets that there are rows for.
    """
    return [
        *_times(rows),
        *_shares(rows),
        *_f1(rows),
        *_latency(rows),
        *_seconds(rows),
        *_memory(rows),
        *_ranges(rows),
        *_card(rows),
    ]


def _of(rows: Sequence[Row], work: str, wanted: Callable[[Row], bool]) -> Iterator[Row]:
    return (row for row in rows if row["work"] == work and wanted(row))


def _values(rows: Sequence[Row], work: str, systems: Sequence[str], precision: str | None = None) -> list[float]:
    """List the values of some systems, in one precision or in all."""
    found = _of(rows, work, lambda row: row["system"] in systems and precision in (None, row["precision"]))
    return [row["value"] for row in found]


def _runtime(system: str) -> str:
    return ", ONNX Runtime" if "ONNX" in system else ""


def _times(rows: Sequence[Row]) -> Iterator[Target]:
    for work, system, precision, others, what, least in TIMES:
        other = _values(rows, work, others)
        for value in _values(rows, work, [system], precision) if other else ():
            times = value / max(other)
            yield Target(f"{what}, {precision}", f"at least {least:g}", f"{times:.2f}", times >= least)


def _f1(rows: Sequence[Row]) -> Iterator[Target]:
    found = {(row["system"], row["precision"]): row["f1"] for row in _of(rows, "annotate", lambda row: True)}
    for system, precision, exact in F1:
        less, full = found.get((system, precision)), found.get((exact, "fp32"))
        if less is not None and full is not None:
            what = f"F1 points lost against fp32, {precision}{_runtime(system)}"
            yield Target(what, f"at most {100 * LOST:g}", f"{100 * (full - less):.2f}", full - less <= LOST)


def _memory(rows: Sequence[Row]) -> Iterator[Target]:
    for work, system, others, what in MEMORY:
        for row in _of(rows, work, lambda row, name=system: row["system"] == name):  # type: ignore[misc]
            other = _values(rows, work, others, row["precision"]) or _values(rows, work, others)
            if other:
                share = row["value"] / max(other)
                yield Target(f"{what}, {row['precision']}", "at most 100%", f"{share:.0%}", share <= 1.0)


def _shares(rows: Sequence[Row]) -> Iterator[Target]:
    for work, system, others, what, least in SHARES:
        for row in _of(rows, work, lambda row, name=system: row["system"] == name):  # type: ignore[misc]
            same = _values(rows, work, others, row["precision"])
            if same:
                share = row["value"] / max(same)
                yield Target(f"{what}, {row['precision']}", f"at least {least:.0%}", f"{share:.0%}", share >= least)


def _latency(rows: Sequence[Row]) -> Iterator[Target]:
    for row in _of(rows, "latency", lambda row: row["system"].startswith(OURS) and row["environment"] == "newest"):
        what = f'one text of 20 words, of pipeline("ner")\'s time, {row["precision"]}{_runtime(row["system"])}'
        yield Target(what, f"at most {LATENCY:.0%}", f"{row['ratio']:.0%}", row["ratio"] <= LATENCY)


def _seconds(rows: Sequence[Row]) -> Iterator[Target]:
    for work, system, what, most in SECONDS:
        for row in _of(rows, work, lambda row, name=system: row["system"] == name):  # type: ignore[misc]
            precision = f", {row['precision']}" if "ONNX" in system else ""
            yield Target(f"{what}{precision}", f"at most {most:g} s", f"{row['value']:.3f} s", row["value"] <= most)


def _ranges(rows: Sequence[Row]) -> Iterator[Target]:
    for work, what, least, most in RANGES:
        limit = f"at least {least:.0%}" if least else f"at most {most:.0%}"
        for row in _of(rows, work, lambda row: row["system"].startswith(OURS)):
            value = row["value"]
            yield Target(
                f"{what}, {row['precision']}{_runtime(row['system'])}", limit, f"{value:.1%}", least <= value <= most
            )


def _card(rows: Sequence[Row]) -> Iterator[Target]:
    """Check what only a card is asked for."""
    for row in _of(rows, CARD_STEP, lambda row: row["system"] == CARD_INLINE and row["device_ms"] > 0):
        most = max(STEP_TIMES * row["device_ms"], STEP_MS)
        value = row["wall_ms"]
        limit = f"at most {STEP_TIMES:g} times its time on the card, or {STEP_MS:g} ms: {most:.1f} ms"
        yield Target("a step of 16 posts", limit, f"{value:.1f} ms", value <= most)
    for value in _values(rows, CARD_ANNOTATE, [CARD_PIPE], "bf16"):
        limit = f"at least {CARD_WORDS:,}"
        yield Target("words/s annotated on a card, bf16", limit, f"{value:,.0f}", value >= CARD_WORDS)
    mean, deviation = SEEDS
    for row in _of(rows, CARD_RECIPE, lambda row: row["data"] == "wnut17"):
        limit = f"{mean:g} ± {2 * deviation:.2f}"
        holds = abs(row["value"] - mean) <= 2 * deviation
        yield Target(f"dev F1 on a card, seed {row['seed']}", limit, f"{row['value']:.2f}", holds)
