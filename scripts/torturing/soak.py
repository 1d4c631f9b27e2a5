"""Annotate for a long time, as a service does: texts of every kind, in memory zones, from several threads.

In each round, texts of 0 to 50,000 characters (emoji, Chinese, Japanese, control characters, long words, white space,
links, many entities, words never seen before) go to `nlp.pipe` with contexts, in batches of changing sizes, and to
single calls, in several threads at once. What comes back is compared, bit by bit, with what the text got alone: those
of the pool at the start, new ones right before. The memory of the process, resident and proportional, is looked at
after each zone.

FINDING: a text that came back with the context, the words, the entities or the scores of another, or not at all; an
error; memory that at the end (median of the last tenth of the time) is more than --growth percent above what it was
early on (median of a tenth, after the first sixth: three minutes after the fifth of thirty).
"""

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import spacy
from spacy.language import Language
from spacy.tokens import Doc

import spacy_tokclf

#: What a text got: its own words, its entities, and their scores.
Result = tuple[str, tuple[tuple[int, int, str], ...], tuple[float, ...]]
ROUND, FRESH = 24, 6


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this torture."""
    parser.add_argument("--minutes", type=float, default=30.0, help="How long")
    parser.add_argument("--threads", type=int, default=3, help="Threads that annotate at once")
    parser.add_argument("--pool", type=int, default=120, help="Texts whose results are known from the start")
    parser.add_argument("--longest", type=int, default=50_000, help="Characters of the longest texts")
    parser.add_argument("--growth", type=float, default=5.0, help="Percent of memory more that are a finding")
    parser.add_argument("--model", type=Path, help="A saved pipeline; else a small one is trained first")


def run(options: argparse.Namespace) -> Counter[str]:
    """Annotate for the time that is asked for."""
    spacy_tokclf.tune_malloc()
    chance = random.Random(options.seed)
    nlp = spacy.load(options.model) if options.model else small_pipeline()
    longest = options.longest
    pool = [make_text(chance, longest, number) for number in range(options.pool)]
    expected = [alone(nlp, text) for text in pool]
    outcomes, samples = Counter[str](), list[Sample]()
    start = time.monotonic()
    end = start + options.minutes * 60
    number = options.pool
    while time.monotonic() < end:
        chosen = [(pool[i], expected[i]) for i in chance.sample(range(options.pool), ROUND)]
        for _ in range(FRESH):
            text = make_text(chance, longest, number)
            chosen.append((text, alone(nlp, text)))
            number += 1
        outcomes.update(annotate_round(nlp, chosen, chance, options.threads))
        outcomes["rounds"] += 1
        samples.append(Sample(time.monotonic() - start, *memory()))
    outcomes["texts of the pool with entities"] = sum(bool(each[1]) for each in expected)
    outcomes.update(judge_memory(samples, options.minutes * 60, options.growth))
    return outcomes


# --- texts -----------------------------------------------------------------------------------------------------------

NAMES = ("Zorblax", "Quorn Falls", "Mira Okafor", "The Night Owl", "Wibble")
KINDS: dict[str, Callable[[random.Random, int], Iterator[str]]] = {
    "names": lambda chance, _: (chance.choice(NAMES) for _ in iter(int, 1)),
    "posts": lambda chance, n: (
        chance.choice((*NAMES, "just", "met", "in", "at", "lol", "!", f"w{n}")) for _ in iter(int, 1)
    ),
    "emoji": lambda chance, _: (
        chance.choice(("\U0001f600", "\U0001f468\u200d\U0001f469", "\u2764\ufe0f", "Wibble")) for _ in iter(int, 1)
    ),
    "cjk": lambda chance, _: ("".join(chr(chance.randrange(0x4E00, 0x9FA5)) for _ in range(9)) for _ in iter(int, 1)),
    "kana": lambda chance, _: ("".join(chr(chance.randrange(0x3042, 0x30FA)) for _ in range(5)) for _ in iter(int, 1)),
    "control": lambda chance, _: (
        chr(chance.choice((*range(1, 32), 127, 0x200B, 0xFEFF, 0x202E))) + "x" for _ in iter(int, 1)
    ),
    "long words": lambda chance, n: (f"{n}" + chance.choice("abc") * chance.randrange(1, 4000) for _ in iter(int, 1)),
    "white space": lambda chance, _: (chance.choice((" ", "\n", "\t", "\u3000", "\r\n", "\xa0")) for _ in iter(int, 1)),
    "links": lambda chance, n: (f"https://example.org/{n}/{chance.getrandbits(64):x}?q=@{n}#tag" for _ in iter(int, 1)),
    "fresh": lambda chance, n: (f"{chance.getrandbits(40):x}{n}" for _ in iter(int, 1)),
    "marks": lambda chance, _: ("a" + "\u0301" * chance.randrange(20) + "\u05d0\u0627" for _ in iter(int, 1)),
}


def make_text(chance: random.Random, longest: int, number: int) -> str:
    """Make a text: mostly short, one in eight of any length, some empty."""
    size = chance.choice((0, 1, 30, 80, 140, 280, 2000, chance.randrange(longest)))
    parts, length = list[str](), 0
    for part in KINDS[chance.choice(tuple(KINDS))](chance, number):
        if length >= size:
            break
        parts.append(part)
        length += len(part) + 1
    return " ".join(parts)[:size]


# --- annotation ------------------------------------------------------------------------------------------------------


def result(doc: Doc) -> Result:
    """RETURNS (Result): What a text got, as values that outlive it."""
    entities = tuple((ent.start_char, ent.end_char, ent.label_) for ent in doc.ents)
    scores = tuple(score for group in doc.spans.values() for score in group.attrs.get("scores", ()))
    return doc.text, entities, scores


def alone(nlp: Language, text: str) -> Result:
    """RETURNS (Result): What a text gets alone, in a zone of its own."""
    with nlp.memory_zone():
        return result(nlp(text))


def annotate_round(
    nlp: Language, texts: Sequence[tuple[str, Result]], chance: random.Random, n_threads: int
) -> Counter[str]:
    """Annotate some texts in one zone, in several threads at once, each in its own order and way."""
    plans = []
    for _ in range(n_threads):
        order = chance.sample(range(len(texts)), len(texts))
        plans.append((order, chance.choice((1, 2, 7, 32, 256)), chance.choice(("tuples", "pipe", "calls"))))
    with nlp.memory_zone(), ThreadPoolExecutor(n_threads) as threads:
        counted = [threads.submit(annotate, nlp, texts, *plan) for plan in plans]
        return sum((each.result() for each in counted), Counter())


def annotate(
    nlp: Language, texts: Sequence[tuple[str, Result]], order: Sequence[int], size: int, way: str
) -> Counter[str]:
    """Annotate some texts in one way, and compare."""
    counted = Counter[str]()
    inputs = [texts[i][0] for i in order]
    try:
        if way == "tuples":
            pairs: list[tuple[Doc, Any]] = list(
                nlp.pipe(zip(inputs, order, strict=True), as_tuples=True, batch_size=size)
            )
        elif way == "pipe":
            pairs = list(zip(nlp.pipe(inputs, batch_size=size), order, strict=True))
        else:
            pairs = [(nlp(text), i) for text, i in zip(inputs, order, strict=True)]
    except Exception as error:  # noqa: BLE001 (whatever it is, it is a finding)
        print(f"FINDING: {way}, batches of {size}: {type(error).__name__}: {error}", file=sys.stderr)
        return Counter({f"FINDING: {type(error).__name__}": 1})
    if len(pairs) != len(order):
        counted["FINDING: texts lost"] += 1
    for doc, i in pairs:
        if result(doc) == texts[i][1]:
            counted["texts as alone"] += 1
        else:
            counted["FINDING: wrong pair"] += 1
            print(f"FINDING: {way}, batches of {size}: {doc.text[:60]!r} for {texts[i][0][:60]!r}", file=sys.stderr)
    return counted


# --- memory ----------------------------------------------------------------------------------------------------------


class Sample(NamedTuple):
    """The memory of the process at a time: seconds since the start, resident and proportional size in KiB."""

    seconds: float
    rss: int
    pss: int


def memory() -> tuple[int, int]:
    """RETURNS (tuple[int, int]): Resident and proportional size of this process in KiB."""
    lines = Path("/proc/self/smaps_rollup").read_text(encoding="utf8").splitlines()
    sizes = {line.split(":")[0]: int(line.split()[1]) for line in lines if line.endswith("kB")}
    return sizes["Rss"], sizes["Pss"]


def judge_memory(samples: Sequence[Sample], seconds: float, growth: float) -> Counter[str]:
    """Compare the memory at the end with what it was early on."""
    begin, width = seconds / 6, seconds / 10
    early = [each for each in samples if begin <= each.seconds < begin + width] or samples[:1]
    late = [each for each in samples if each.seconds >= seconds - width] or samples[-1:]
    outcomes = Counter[str]()
    for kind in ("rss", "pss"):
        before, after = (statistics.median(getattr(each, kind) for each in part) for part in (early, late))
        percent = 100 * (after / before - 1)
        print(f"{kind}: {before / 1024:.1f} MiB early, {after / 1024:.1f} MiB late ({percent:+.1f} %)", file=sys.stderr)
        outcomes[f"FINDING: {kind} grew" if percent > growth else f"{kind} flat"] += 1
    return outcomes


def small_pipeline() -> Language:
    """Train a small pipeline on a few posts. RETURNS (Language): The pipeline, saved and loaded again."""
    from pipeline_posts import add_ner, initialize, overfit, read_posts
    from tiny_encoders import write_encoder

    with tempfile.TemporaryDirectory() as folder:
        spacy.util.fix_random_seed(0)
        nlp = spacy.blank("en")
        add_ner(nlp)
        initialize(nlp, write_encoder(Path(folder) / "encoder"), read_posts(nlp), owners=("ner",))
        overfit(nlp)
        nlp.to_disk(Path(folder) / "pipeline")
        return spacy.load(Path(folder) / "pipeline")
