"""The marks that we set ourselves, and whether the rows reach them. Whatever is not in the rows is left out."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from .rows import Row
from .system import OURS


class Bar(NamedTuple):
    """A mark, and what was measured.

    what (str): What has to hold.
    limit (str): The mark, as people read it.
    value (str): What was measured, as people read it.
    holds (bool): Whether the mark is reached.
    """

    what: str
    limit: str
    value: str
    holds: bool


#: Of one work, what divides the value of ours by that of another system in the same precision: name of the work, our
#: system, the other one, what it is called, and the least share.
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


def bars(rows: Sequence[Row]) -> list[Bar]:
    """Hold the rows against the marks.

    rows (Sequence[Row]): Rows of all commands.
    RETURNS (list[Bar]): The marks that there are rows for.
    """
    return [*_shares(rows), *_latency(rows), *_seconds(rows), *_ranges(rows)]


def _of(rows: Sequence[Row], work: str, wanted: Callable[[Row], bool]) -> Iterator[Row]:
    return (row for row in rows if row["work"] == work and wanted(row))


def _shares(rows: Sequence[Row]) -> Iterator[Bar]:
    for work, system, others, what, least in SHARES:
        for row in _of(rows, work, lambda row, name=system: row["system"] == name):  # type: ignore[misc]
            same = [
                other["value"]
                for other in _of(rows, work, lambda other, names=others: other["system"] in names)  # type: ignore[misc]
                if other["precision"] == row["precision"]
            ]
            if same:
                share = row["value"] / max(same)
                yield Bar(f"{what}, {row['precision']}", f"at least {least:.0%}", f"{share:.0%}", share >= least)


def _latency(rows: Sequence[Row]) -> Iterator[Bar]:
    for row in _of(rows, "latency", lambda row: row["system"].startswith(OURS) and row["environment"] == "newest"):
        runtime = ", ONNX Runtime" if "ONNX" in row["system"] else ""
        what = f'one text of 20 words, of pipeline("ner")\'s time, {row["precision"]}{runtime}'
        yield Bar(what, f"at most {LATENCY:.0%}", f"{row['ratio']:.0%}", row["ratio"] <= LATENCY)


def _seconds(rows: Sequence[Row]) -> Iterator[Bar]:
    for work, system, what, most in SECONDS:
        for row in _of(rows, work, lambda row, name=system: row["system"] == name):  # type: ignore[misc]
            precision = f", {row['precision']}" if "ONNX" in system else ""
            yield Bar(f"{what}{precision}", f"at most {most:g} s", f"{row['value']:.3f} s", row["value"] <= most)


def _ranges(rows: Sequence[Row]) -> Iterator[Bar]:
    for work, what, least, most in RANGES:
        limit = f"at least {least:.0%}" if least else f"at most {most:.0%}"
        for row in _of(rows, work, lambda row: row["system"].startswith(OURS)):
            runtime = ", ONNX Runtime" if "ONNX" in row["system"] else ""
            value = row["value"]
            yield Bar(f"{what}, {row['precision']}{runtime}", limit, f"{value:.1%}", least <= value <= most)
