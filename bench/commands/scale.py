"""`scale`: a corpus in shards, `annotate --engine`, beside `nlp.pipe`, and what follows for a billion posts; a training
in two processes, beside two trainings.

Every process has one thread. Words are those between spaces. The texts are a stream of `memory`."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from ..data import read_texts, write_sample
from ..rounds import run_rounds, wanted
from ..rows import Row, make_rows, significant
from ..scale import write_corpus
from ..stream import fresh_texts
from ..system import OURS, ROOT, Setting, System

#: Shards of the corpus that speed is measured with, and so many more for what a shard costs.
SHARDS, MORE = 24, 8
#: The corpus of the arithmetic.
POSTS = 1_000_000_000
ONE, TWO = "one nlp.pipe", "two unrelated nlp.pipe"
LOCAL, RAY = f"{OURS} --engine local", f"{OURS} --engine ray"
SHARDS_TARGET = "bench.scale:shards"
TWO_TRAININGS, TOGETHER = "two unrelated trainings, {} posts", f"{OURS} train, two processes together, {{}} posts each"
#: Posts of a batch for each process: those of the recipe, and twice as many.
BATCHES = (16, 32)


def systems(setting: Setting, given: dict[str, Any], rows: int) -> list[System]:
    """List what is compared, reference first in each pair.

    setting (Setting): The setting.
    given (dict[str, Any]): "model", "corpus" and "words".
    rows (int): Rows of the corpus.
    RETURNS (list[System]): The systems.
    """
    size = max(1, rows // SHARDS)

    def shards(name: str, engine: str, workers: int, **more: Any) -> System:
        letters = "".join(letter if letter.isalnum() else "-" for letter in name)
        own = {"engine": engine, "workers": workers, "shard_rows": size, "out": str(setting.work / "scale" / letters)}
        needs = ("ray",) if engine == "ray" else ()
        return System(name, SHARDS_TARGET, {**given, **own, **more}, needs=needs)

    return [
        System(ONE, "bench.scale:pipe", given),
        shards(f"{LOCAL}, one process", "local", 1),
        shards(f"{LOCAL}, one process, small shards", "local", 1, shard_rows=max(1, size // MORE)),
        shards(f"{LOCAL}, one process, parquet", "local", 1, format="parquet"),
        System(TWO, "bench.scale:pipes", {**given, "workers": 2}),
        shards(f"{LOCAL}, two processes", "local", 2),
        shards(f"{RAY}, two actors", "ray", 2),
    ]


def trainings(setting: Setting, files: dict[str, str]) -> list[System]:
    """List the trainings: the project's recipe, two processes of one thread each, with as many posts a step for each.

    setting (Setting): The setting.
    files (dict[str, str]): What `write_sample` gave.
    RETURNS (list[System]): The systems, the reference first.
    """

    def system(name: str, size: int, *, together: bool) -> System:
        overrides = {"paths.train": files["train"], "paths.dev": files["dev"], "paths.encoder": str(setting.encoder)}
        options = {"config": str(ROOT / "configs" / "wnut17.cfg"), "workers": 2, "together": together}
        return System(
            name, "bench.together:trainings", {**options, "overrides": {**overrides, "training.batcher.size": size}}
        )

    found = []
    for size in BATCHES:
        found.append(system(TWO_TRAININGS.format(size), size, together=False))
        found.append(system(TOGETHER.format(size), 2 * size, together=True))
    return found


def measure_trainings(setting: Setting) -> list[Row]:
    """Measure trainings in two processes.

    setting (Setting): The setting, of one thread.
    RETURNS (list[Row]): The rows.
    """
    found = wanted(trainings(setting, write_sample(setting)), setting)
    answers = run_rounds(found, setting, note=lambda result: f"{result['value']:.1f} posts/s")
    rows = make_rows("train, processes", "posts/s", found, answers, data=setting.source, posts=setting.posts)
    by_name = {row["system"]: row for row in rows}
    for size in BATCHES:
        one, two = (by_name.get(name.format(size)) for name in (TOGETHER, TWO_TRAININGS))
        if one and two:
            one["ratio"] = round(one["value"] / two["value"], 3)
    return rows


def measure(setting: Setting) -> list[Row]:
    """Measure shards, and trainings.

    setting (Setting): The setting: `words` are those of the larger corpus, a tenth of them those of the smaller one.
    RETURNS (list[Row]): The rows.
    """
    setting = dataclasses.replace(setting, threads=1)
    texts = read_texts(setting).texts
    sizes = {}
    for name, words in (("small", max(1, setting.words // 10)), ("large", setting.words)):
        stream = list(fresh_texts(texts, words))
        path = setting.work / "scale" / f"{name}.jsonl"
        sizes[name] = {"corpus": str(path), "words": words, "rows": len(stream), "bytes": write_corpus(path, stream)}
    small, large = sizes["small"], sizes["large"]
    given = {"model": str(setting.model), "corpus": small["corpus"], "words": small["words"]}
    found = wanted(systems(setting, given, small["rows"]), setting)
    answers = run_rounds(found, setting, note=lambda result: f"{result['value']:,.0f} words/s")
    speed = make_rows("shards", "words/s", found, answers, data=setting.source, words=small["words"])
    rows = [*speed, *derived(speed, answers, small)]
    for name, facts in sizes.items():
        options = {**given, "corpus": facts["corpus"], "engine": "local", "workers": 1}
        options |= {"shard_rows": max(1, facts["rows"] // SHARDS), "out": str(setting.work / "scale" / "memory")}
        rows += alone(
            "shards, memory", "MiB", System(f"{LOCAL}, {name}", "bench.scale:memory", options), setting, facts
        )
    options = {**given, "engine": "local", "workers": 2, "kills": 3, "out": str(setting.work / "scale" / "killed")}
    options |= {"shard_rows": max(1, small["rows"] // SHARDS)}
    rows += alone(
        "shards, kills", "s a kill", System(f"{LOCAL}, killed", "bench.scale:killed", options), setting, small
    )
    print(plan(rows, texts_words=large["words"] / large["rows"]))
    return [*rows, *measure_trainings(setting)]


def alone(work: str, unit: str, system: System, setting: Setting, facts: dict[str, Any]) -> list[Row]:
    """Measure a system by itself, once.

    work, unit (str): As for make_rows.
    system (System): The system.
    setting (Setting): The setting.
    facts (dict[str, Any]): Of the corpus.
    RETURNS (list[Row]): Its row; none, if it is not wanted.
    """
    found = wanted([system], setting)
    if not found:
        return []
    answers = run_rounds(
        found, dataclasses.replace(setting, rounds=1), note=lambda result: f"{result['value']:.4g} {unit}"
    )
    return make_rows(work, unit, found, answers, data=setting.source, words=facts["words"])


def derived(speed: Sequence[Row], answers: dict[str, list[dict[str, Any]]], corpus: dict[str, Any]) -> list[Row]:
    """Set the ratios of each pair, and make the rows that follow from what was measured.

    speed (Sequence[Row]): Words a second of each system.
    answers (dict[str, list[dict[str, Any]]]): What the systems said, by key.
    corpus (dict[str, Any]): Its "rows" and "bytes".
    RETURNS (list[Row]): Seconds a shard, seconds of starts, bytes a row.
    """
    by_name = {row["system"]: row for row in speed}
    last = {key.split(" [")[0]: found[-1] for key, found in answers.items()}
    pairs = {
        f"{LOCAL}, one process": ONE,
        f"{LOCAL}, two processes": TWO,
        f"{RAY}, two actors": f"{LOCAL}, two processes",
    }
    for name, reference in pairs.items():
        if name in by_name and reference in by_name:
            by_name[name]["ratio"] = round(by_name[name]["value"] / by_name[reference]["value"], 3)
    rows = [_row("shards, bytes", "JSON lines in", corpus["bytes"] / corpus["rows"], "bytes a row")]
    for name, shown in ((f"{LOCAL}, one process", "JSON lines out"), (f"{LOCAL}, one process, parquet", "Parquet out")):
        if name in last:
            rows.append(_row("shards, bytes", shown, last[name]["bytes"] / last[name]["rows"], "bytes a row"))
    few, many = f"{LOCAL}, one process", f"{LOCAL}, one process, small shards"
    if few in by_name and many in by_name:
        seconds = [speed[0]["words"] / by_name[name]["value"] for name in (few, many)]
        count = last[many]["shards"] - last[few]["shards"]
        rows.append(_row("shards, overhead", "a shard more", (seconds[1] - seconds[0]) / max(count, 1), "s"))
    for name in (few, f"{RAY}, two actors"):
        if name in last:
            rows.append(_row("shards, start", name, last[name]["start"], "s until the first shard"))
    if f"{RAY}, two actors" in last:
        rows.append(_row("shards, start", "a cluster on this machine", last[f"{RAY}, two actors"]["cluster"], "s"))
    return rows


def plan(rows: Sequence[Row], *, texts_words: float) -> str:
    """Compute from the measured figures what a billion posts take, in Markdown, as docs/scale.md has it.

    rows (Sequence[Row]): The rows.
    texts_words (float): Words of a post.
    RETURNS (str): The table; a line that says so, where a figure is missing.
    """
    value = {(row["work"], row["system"]): row["value"] for row in rows}
    speed = value.get(("shards", f"{LOCAL}, two processes"))
    size = value.get(("shards, bytes", "Parquet out"))
    if not speed or not size:
        return "No table: two processes, or Parquet, were left out."
    hours = POSTS * texts_words / (speed / 2) / 3600
    lines = ["| cores | hours | days |", "|---:|---:|---:|"]
    lines += [f"| {cores:,} | {hours / cores:,.0f} | {hours / cores / 24:,.1f} |" for cores in (16, 64, 256, 1024)]
    lines += ["", f"{hours:,.0f} core-hours at {speed / 2:,.0f} words/s a core and {texts_words:.1f} words a post; "]
    lines[-1] += f"{POSTS * size / 1e9:,.0f} GB of Parquet."
    return "\n".join(lines)


def _row(work: str, system: str, value: float, unit: str) -> Row:
    return {
        "work": work,
        "system": system,
        "precision": "",
        "value": significant(value),
        "unit": unit,
        "ratio": None,
        "f1": None,
        "reference": False,
    }
