"""Pipelines that are saved over others, killed meanwhile, and looked at: the old one, the new one, or what else?"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import spacy
from pipeline_posts import add_ner
from spacy.language import Language
from tiny_encoders import write_encoder

from spacy_tokclf.export.optimize import replace_encoders
from spacy_tokclf.runtime.blame import is_own

KINDS = ("default", "shared", "crf", "onnx", "two")
TEXTS = ("Zorblax met Mira Okafor in Quorn Falls lol", "watching The Night Owl on a Wibble", "", "rain rain :-) rain")
#: What is done with files, as the interpreter tells.
EVENTS = {"open", "os.rename", "os.mkdir", "os.rmdir", "os.remove", "os.link", "os.chmod", "os.truncate"}
OLD, NEW, REFUSED, NOT_LOADED = "old", "new", "refused by code", "refused by spaCy"


class Pair(NamedTuple):
    """An old pipeline, and the new one that is saved over it.

    kind (str): Of KINDS.
    old (Path): The old one, saved.
    new (Language): The new one.
    """

    kind: str
    old: Path
    new: Language


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that all of these share."""
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS, help="Which pipelines")


@contextmanager
def places(options: argparse.Namespace) -> Iterator[tuple[Path, Iterator[Pair]]]:
    """Give a folder to work in, and a pair of pipelines of each kind, in turns."""
    with tempfile.TemporaryDirectory(prefix="torture-") as name:
        pairs = [make_pair(kind, Path(name)) for kind in options.kinds]
        yield Path(name), (pairs[turn % len(pairs)] for turn in range(options.times))


def make_pair(kind: str, folder: Path) -> Pair:
    """Make two pipelines that differ in everything: weights, labels, settings, tokenizer, vocabulary.

    kind (str): Of KINDS.
    folder (Path): Where the old one is saved.
    RETURNS (Pair): Both.
    """
    encoder = folder / "encoder"
    if not encoder.exists():
        write_encoder(encoder, "distilbert")
    old, new = _make(kind, encoder, seed=1), _make(kind, encoder, seed=2)
    old.to_disk(folder / f"{kind}-old")
    new.to_disk(folder / f"{kind}-new")
    return Pair(kind, folder / f"{kind}-old", spacy.load(folder / f"{kind}-new"))


def _make(kind: str, encoder: Path, *, seed: int) -> Language:
    spacy.util.fix_random_seed(seed)
    nlp = spacy.blank("en")
    shared, names = kind == "shared", ("ner", "other") if kind == "two" else ("ner",)
    if shared:
        nlp.add_pipe("transformer_encoder", name="transformer")
    for name in names:
        settings = {"spans_key": name, "threshold": 0.1 * seed, "scorer": {"score_prefix": name}}
        add_ner(nlp, shared=shared, name=name, crf=kind == "crf", **settings)
    loader = {"encoder": {"@misc": "spacy-tokclf.PretrainedEncoder.v1", "name": str(encoder)}}
    blocks: dict[str, Any] = {name: {"labels": ["location", "person", "product"][seed - 1 :]} for name in names}
    for owner in ("transformer",) if shared else names:
        blocks[owner] = blocks.get(owner, {}) | loader
    nlp.config["initialize"]["components"] = blocks
    nlp.initialize()
    rng = np.random.default_rng(seed)
    for name in names:
        layer: Any = nlp.get_pipe(name).model.get_ref("output_layer")
        layer.set_param("W", rng.normal(size=layer.get_param("W").shape).astype("float32"))
    for pipe in (pipe for _, pipe in nlp.pipeline):
        for shim in (shim for node in pipe.model.walk() for shim in node.shims):
            for tensor in shim.module.parameters():
                tensor.data += 0.05 * seed * tensor.data.abs().mean()
    if kind == "onnx":
        replace_encoders(nlp, "fp32")
    if seed == 2:
        nlp.tokenizer.add_special_case("lol", [{"ORTH": "lo"}, {"ORTH": "l"}])
        nlp.vocab.strings.add("a word of the new one")
    return nlp


def fingerprint(nlp: Language) -> Any:
    """Give all that a pipeline says, bit by bit: tokens, logits, entities, scores, settings, and the strings it has.

    nlp (Language): The pipeline.
    RETURNS (Any): What compares equal for equal pipelines alone.
    """
    docs = list(nlp.pipe(TEXTS))
    said = [
        (
            [token.text for token in doc],
            {key: [(s.start, s.end, s.label_) for s in group] for key, group in doc.spans.items()},
            {key: list(group.attrs["scores"]) for key, group in doc.spans.items()},
        )
        for doc in docs
    ]
    pipes: list[tuple[str, Any]] = [(name, pipe) for name, pipe in nlp.pipeline if hasattr(pipe, "logits")]
    logits = [[rows.tobytes() for rows in pipe.logits(docs)] for _, pipe in pipes]
    settings = [(name, repr(sorted(pipe.cfg.items(), key=str))) for name, pipe in pipes]
    return said, logits, settings, nlp.config.to_str(), "a word of the new one" in nlp.vocab.strings


def look(folder: Path, known: dict[str, Any]) -> tuple[str, str]:
    """Load what is in a folder.

    folder (Path): The folder.
    known (dict[str, Any]): The fingerprints of the pipelines that may be there.
    RETURNS (tuple[str, str]): The outcome, and what was said of it.
    """
    try:
        found = fingerprint(spacy.load(folder))
    except Exception as error:  # noqa: BLE001
        if str(error).startswith("[TC"):
            return REFUSED, str(error)
        return ("FINDING: a bare error" if is_own(error) else NOT_LOADED), f"{type(error).__name__}: {error}"
    same = [name for name, fingers in known.items() if fingers == found]
    return (same[0], "") if same else ("FINDING: a mixture", "")


def count_events(work: Callable[[], Any]) -> int:
    """Count what work does with files, in a process of its own.

    work (Callable): The work.
    RETURNS (int): The number.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        seen = [0]

        def count(event: str, arguments: Any) -> None:
            seen[0] += event in EVENTS

        sys.addaudithook(count)
        work()
        os.write(writer, str(seen[0]).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        return int(file.read())


def kill_during(work: Callable[[], Any], *, event: int | None, seconds: float) -> bool:
    """Let another process work, and kill it.

    work (Callable): The work.
    event (int | None): At which thing that it does with files; None: after some time.
    seconds (float): After which time.
    RETURNS (bool): Whether it was killed, and had not finished before.
    """
    child = os.fork()
    if not child:
        if event is not None:
            left = [event]

            def die(name: str, arguments: Any) -> None:
                left[0] -= name in EVENTS
                if name in EVENTS and left[0] <= 0:
                    os.kill(os.getpid(), signal.SIGKILL)  # which is an event of another kind

            sys.addaudithook(die)
        try:
            work()
        except BaseException:  # noqa: BLE001
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    if event is None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def torture(
    options: argparse.Namespace,
    ways: dict[str, Callable[[Language, Path], Any]],
    *,
    allowed: frozenset[str],
) -> Counter[str]:
    """Save pipelines over others, and kill that at random moments: every other time at a thing that is done with files,
    else after some time.

    options (argparse.Namespace): Of the command line.
    ways (dict[str, Callable]): How to save.
    allowed (frozenset[str]): What may come of it.
    RETURNS (Counter[str]): The outcomes.
    """
    rng = random.Random(options.seed)
    outcomes: Counter[str] = Counter()
    known: dict[tuple[str, str], tuple[dict[str, Any], int, float]] = {}
    with places(options) as (folder, pairs):
        for turn, pair in enumerate(pairs):
            way = rng.choice(sorted(ways))
            place = folder / "model"
            if (pair.kind, way) not in known:
                known[pair.kind, way] = _measure(pair, ways[way], place)
            fingers, events, seconds = known[pair.kind, way]
            reset(pair.old, place)
            event = rng.randint(1, events) if turn % 2 else None
            killed = kill_during(partial(ways[way], pair.new, place), event=event, seconds=rng.uniform(0, seconds))
            outcome, said = look(place, fingers)
            if outcome not in allowed and not outcome.startswith("FINDING"):
                outcome = f"FINDING: {outcome}"
            outcomes[outcome if killed else f"{outcome} (it had finished)"] += 1
            if outcome.startswith("FINDING"):
                print(f"{outcome}: {pair.kind}, {way}, turn {turn}, seed {options.seed}, event {event}: {said}")
            ways[way](pair.new, place)
            left = [path.name for path in folder.rglob(".tokclf-*")]
            if left or look(place, fingers)[0] != NEW:
                outcomes["FINDING: the next save"] += 1
                print(f"FINDING: the next save: {pair.kind}, {way}, turn {turn}, left {left}, {look(place, fingers)}")
    return outcomes


def reset(old: Path, place: Path) -> None:
    """Put the old pipeline back.

    old (Path): Where it is saved.
    place (Path): Where it is to be.
    """
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(old, place)


def _measure(pair: Pair, way: Callable[[Language, Path], Any], place: Path) -> tuple[dict[str, Any], int, float]:
    """Save once. RETURNS (tuple[dict[str, Any], int, float]): The fingerprints of old and new, what is done with files,
    and the time."""
    old = fingerprint(spacy.load(pair.old))
    reset(pair.old, place)
    events = count_events(lambda: way(pair.new, place))
    new = fingerprint(spacy.load(place))
    reset(pair.old, place)
    begin = time.perf_counter()
    way(pair.new, place)
    seconds = time.perf_counter() - begin
    if old == new:
        raise ValueError("The two pipelines do not differ.")
    return {OLD: old, NEW: new}, events, seconds
