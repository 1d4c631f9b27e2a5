"""Shards of a corpus, as the processes of the measurements annotate them, and what they are compared with."""

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ResultT = dict[str, Any]
SERVE = "bench.serve"
KIB = 1 << 10


def write_corpus(path: Path, texts: list[str]) -> int:
    """Write texts as JSON lines.

    path (Path): The file.
    texts (list[str]): The texts.
    RETURNS (int): Bytes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf8") as file:
        for number, text in enumerate(texts):
            file.write(json.dumps({"id": number, "text": text}, ensure_ascii=False) + "\n")
    return path.stat().st_size


def pipe(options: dict[str, Any]) -> Callable[[int], ResultT]:
    """Get ready to measure `nlp.pipe` over texts in one process, as a loop of one's own would.

    options (dict[str, Any]): "model", "corpus" (a file of JSON lines), "words" in it.
    RETURNS (Callable[[int], ResultT]): The round; the value is words a second.
    """
    from .system_ours import load

    nlp = load(options)
    with open(options["corpus"], encoding="utf8") as file:
        texts = [json.loads(line)["text"] for line in file]

    def run(number: int) -> ResultT:
        start = time.perf_counter()
        with nlp.memory_zone():
            for doc in nlp.pipe(texts):
                [(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents]
        seconds = time.perf_counter() - start
        return {"value": options["words"] / seconds, "seconds": seconds}

    list(nlp.pipe(texts[:64]))
    return run


def pipes(options: dict[str, Any]) -> Callable[[int], ResultT]:
    """Get ready to measure unrelated processes that all do what `pipe` does at the same time.

    options (dict[str, Any]): As for `pipe`, and "workers", how many.
    RETURNS (Callable[[int], ResultT]): The round; the value is words a second of all together.
    """
    run = at_once("bench.scale:pipe", options, [{}] * options["workers"])
    return lambda number: {"value": sum(found["value"] for found in run(number))}


def at_once(target: str, options: dict[str, Any], environments: list[dict[str, str]]) -> Callable[[int], list[ResultT]]:
    """Start processes that do their rounds at the same time.

    target (str): What each of them measures, as for `bench.serve`.
    options (dict[str, Any]): Its options.
    environments (list[dict[str, str]]): For each process, what is added to its environment.
    RETURNS (Callable[[int], list[ResultT]]): The round of all; gives what each has measured.
    """
    command = [sys.executable, "-m", SERVE, target, json.dumps(options)]
    streams: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes: list[Any] = [subprocess.Popen(command, env=os.environ | own, **streams) for own in environments]
    for process in processes:
        json.loads(process.stdout.readline())

    def run(number: int) -> list[ResultT]:
        for process in processes:
            process.stdin.write(json.dumps({"round": number}) + "\n")
            process.stdin.flush()
        return [json.loads(process.stdout.readline()) for process in processes]

    return run


def shards(options: dict[str, Any]) -> Callable[[int], ResultT]:
    """Get ready to measure `annotate --engine`. Words are counted from the moment at which each process has made its
    first shard, so that starting and loading play no part.

    options (dict[str, Any]): "model", "corpus", "engine", "workers", "shard_rows", "out" and, if it is not that of the
        corpus, "format".
    RETURNS (Callable[[int], ResultT]): The round; the value is words a second. Beside it: "start", seconds until
        those first shards; "rows", "shards" and "bytes" written; "memory", the most MiB of a process; "cluster", the
        seconds that a cluster took to start.
    """
    cluster = _start_cluster(options["workers"]) if options["engine"] == "ray" else None

    def run(number: int) -> ResultT:
        out = Path(options["out"])
        shutil.rmtree(out, ignore_errors=True)
        start = time.time()
        found = annotate(options, out)
        made = sorted(out.glob("shard-*"), key=lambda path: path.stat().st_mtime_ns)
        first, rest = made[: options["workers"]], made[options["workers"] :]
        begun, ended = (group[-1].stat().st_mtime_ns / 1e9 for group in (first, made))
        words = sum(count_words(path) for path in rest)
        most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / KIB
        facts = {"rows": found.rows, "shards": len(made), "bytes": sum(path.stat().st_size for path in made)}
        facts |= {"start": begun - start, "memory": most, "cluster": cluster, "seconds": time.time() - start}
        return {"value": words / max(ended - begun, 1e-9), **facts}

    return run


def memory(options: dict[str, Any]) -> Callable[[int], ResultT]:
    """The same for the most memory of a process.

    options (dict[str, Any]): As for `shards`.
    RETURNS (Callable[[int], ResultT]): The round; the value is in MiB.
    """
    run = shards(options)
    return lambda number: {"value": run(number)["memory"]}


def annotate(options: dict[str, Any], out: Path) -> Any:
    """RETURNS (Totals): What annotate_corpus makes of the corpus."""
    from spacy_tokclf.annotation.shards.run import annotate_corpus
    from spacy_tokclf.corpus.options import ReadOptions

    given = {name: options[name] for name in ("engine", "workers", "shard_rows")}
    read = ReadOptions(format=options.get("format", "auto"))
    return annotate_corpus(options["model"], options["corpus"], out, options=read, **given)


def killed(options: dict[str, Any]) -> Callable[[int], ResultT]:
    """Get ready to measure what kills cost: a run is killed with all its processes, and gone on with, several times.

    options (dict[str, Any]): As for `shards`, and "kills", how many.
    RETURNS (Callable[[int], ResultT]): The round; the value is seconds lost a kill, starting and loading included.
    """
    out = Path(options["out"])
    command = [sys.executable, "-m", "spacy", "tokclf", "annotate", options["model"], options["corpus"], "--resume"]
    command += ["-o", str(out), "--engine", options["engine"], "--workers", str(options["workers"])]
    command += ["--shard-rows", str(options["shard_rows"])]
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}

    def once(limit: float | None) -> float:
        start = time.perf_counter()
        process = subprocess.Popen(command, **quiet)
        try:
            process.wait(limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return time.perf_counter() - start

    def read() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in out.iterdir() if not path.name.startswith("manifest")}

    def run(number: int) -> ResultT:
        rng = random.Random(number)
        shutil.rmtree(out, ignore_errors=True)
        whole = once(None)
        expected = read()
        shutil.rmtree(out)
        spent = sum(once(rng.uniform(0, whole)) for _ in range(options["kills"])) + once(None)
        if read() != expected:
            raise RuntimeError("A run that was killed and gone on with made other bytes.")
        return {"value": (spent - whole) / options["kills"], "whole": whole}

    return run


def count_words(path: Path) -> int:
    """RETURNS (int): Words of the texts in a shard."""
    if path.suffix == ".parquet":
        import pyarrow.parquet

        texts = pyarrow.parquet.read_table(path, columns=["text"])["text"].to_pylist()
        return sum(len(text.split()) for text in texts)
    with path.open(encoding="utf8") as file:
        return sum(len(json.loads(line)["text"].split()) for line in file)


def _start_cluster(workers: int) -> float:
    """RETURNS (float): How many seconds it took to start Ray on this machine."""
    import ray

    from spacy_tokclf.annotation.shards.local import ONE_THREAD

    start = time.perf_counter()
    environment = {"env_vars": ONE_THREAD}
    ray.init(num_cpus=workers, include_dashboard=False, log_to_driver=False, runtime_env=environment)
    return time.perf_counter() - start
