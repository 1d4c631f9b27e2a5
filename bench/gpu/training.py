"""Training: ours in several forms beside the Trainer. Speed, what a step is made of, and memory."""

import dataclasses
import statistics
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from spacy.util import load_config
from wasabi import msg

from ..data import write_sample
from ..rounds import missing
from ..rows import Row, make_rows, significant
from ..system import OURS, System
from .family import AnswersT
from .run import PLAIN, Run, measured, single

WORK, STEP, MEMORY = (
    "train on a card, batches of {}",
    "step on a card, batches of {}",
    "memory of training on a card, batches of {}",
)
TUTORIAL, GROUPED = "Trainer, tutorial recipe", "Trainer, group_by_length"
INLINE, SHARED = f"{OURS} train, inline", f"{OURS} train, shared"
#: What the rows of memory and of steps say as those of speed do.
FACTS = ("precision", "batch_size", "encoder", "card", "data", "tf32", "versions", "threads")
SPACY_TRAIN, CUPY = f"{OURS} spacy train, inline", f"{OURS} train, inline, thinc on CuPy"


def write_encoder(run: Run) -> str:
    """Make the encoder that speed is measured with: of distilbert-base's size, with random weights and with the
    tokenizer of the setting's encoder.

    run (Run): What is shared.
    RETURNS (str): Its folder.
    """
    import torch
    from transformers import AutoTokenizer, DistilBertConfig, DistilBertModel

    out = run.out("encoder")
    tokenizer = AutoTokenizer.from_pretrained(run.setting.encoder)
    torch.manual_seed(0)
    DistilBertModel(DistilBertConfig(vocab_size=len(tokenizer), **run.size.encoder)).save_pretrained(out)
    tokenizer.save_pretrained(out)
    return out


def write_shared(out: Path) -> str:
    """Write the plain config with the encoder in a component of its own.

    out (Path): The folder.
    RETURNS (str): The file.
    """
    config = load_config(PLAIN, interpolate=False)
    ner, initialize = config["components"]["ner"], config["initialize"]
    config["components"]["transformer"] = {"factory": "transformer_encoder", "model": ner["model"]["tok2vec"]}
    ner["model"]["tok2vec"] = {"@architectures": "spacy-tokclf.EncoderListener.v1", "upstream": "transformer"}
    config["nlp"]["pipeline"] = ["transformer", "ner"]
    initialize["components"] = {"transformer": initialize["components"]["ner"]}
    out.mkdir(parents=True, exist_ok=True)
    config.to_disk(out / "plain_shared.cfg")
    return str(out / "plain_shared.cfg")


def our_overrides(encoder: str, files: dict[str, str], *, owner: str = "ner.model.tok2vec") -> dict[str, Any]:
    """RETURNS (dict[str, Any]): What differs from the plain config."""
    return {
        "paths.train": files["train"],
        "paths.dev": files["dev"],
        "paths.encoder": encoder,
        f"components.{owner}.precision": "bf16",
    }


def trainings(run: Run, encoder: str, files: dict[str, str]) -> dict[str, list[System]]:
    """List the trainings by family, one process each. What is missing is said.

    run (Run): What is shared.
    encoder (str): The encoder's folder.
    files (dict[str, str]): What `write_sample` gave.
    RETURNS (dict[str, list[System]]): The systems; their names end with the size of a batch.
    """
    small, large = run.size.batches
    shared = write_shared(Path(run.out("configs")))

    def ours(name: str, size: int, *, config: str = str(PLAIN), gpu_id: int = -1, **more: Any) -> System:
        owner = "transformer.model" if config == shared else "ner.model.tok2vec"
        overrides = our_overrides(encoder, files, owner=owner)
        key = f"{name} by {size}"
        given = {"config": config, "overrides": overrides, "batch_size": size, "out": run.out(key), "gpu_id": gpu_id}
        return System(key, "bench.gpu.gate:measured", {"loop": "tokclf", **given, **more}, "bf16")

    def trainer(name: str, size: int, precision: str, **recipe: Any) -> System:
        given = {"encoder": encoder, "posts": files["posts"], "recipe": {"batch_size": size, **recipe}}
        plain = name == TUTORIAL
        return System(f"{name} by {size}", "bench.gpu.trainer:measured", given, precision, reference=plain)

    taken_apart = {"profiled": run.size.profiled}
    found = {
        "ours": [
            ours(INLINE, small, **taken_apart),
            ours(INLINE, large, **taken_apart),
            ours(SHARED, small, config=shared, **taken_apart),
            ours(SPACY_TRAIN, small, loop="spacy"),
        ],
        "ours with CuPy": [ours(CUPY, small, gpu_id=0, **taken_apart)],
        "Trainer": [],
    }
    for size in run.size.batches:
        found["Trainer"].append(trainer(TUTORIAL, size, "fp32"))
        found["Trainer"].append(trainer(GROUPED, size, "bf16", group_by_length=True, bf16=True))
    lacks = {"ours with CuPy": cupy_missing(run.device), "Trainer": missing(Path(sys.executable), ("accelerate",))}
    for name, lack in lacks.items():
        if lack:
            run.failed[name] = lack
            msg.warn(f"Skipped: {name}", lack)
            del found[name]
    return found


def cupy_missing(device: str) -> str:
    """RETURNS (str): Why thinc cannot be measured on CuPy (it has a distribution for each version of CUDA); or ""."""
    if device == "cpu":
        return "it needs a card"
    return "" if find_spec("cupy") else "CuPy is not installed"


def measure_training(run: Run, encoder: str, until: float) -> list[Row]:
    """Measure training.

    run (Run): What is shared.
    encoder (str): The encoder's folder.
    until (float): When it is over, by `time.monotonic`.
    RETURNS (list[Row]): The rows of all works.
    """
    files = write_sample(dataclasses.replace(run.setting, posts=run.size.posts))
    families = trainings(run, encoder, files)
    answers = measured(run, families, until)
    rows: list[Row] = []
    for size in run.size.batches:
        end = f" by {size}"
        systems = [
            system
            for members in families.values()
            for system in members
            if system.name.endswith(end) and system.key in answers
        ]
        facts = {"batch_size": size, "encoder": "random", **run.facts}
        found = make_rows(WORK.format(size), "posts/s", systems, answers, **facts)
        more = [row for each in zip(found, systems, strict=True) for row in beside(*each, answers, size)]
        for row in found + more:
            row["system"] = row["system"].removesuffix(end)
        rows += found + more
    return rows


def beside(row: Row, system: System, answers: AnswersT, size: int) -> Iterator[Row]:
    """Say what else was measured of a system: its first epoch, with all that is done once, in its row; and the memory
    and the steps in rows of their own.

    row (Row): The row of its speed.
    system (System): The system.
    answers (AnswersT): What was measured.
    size (int): Posts of a batch.
    YIELDS (Row): The other rows.
    """
    _about, *results = answers[system.key]
    facts = {name: row[name] for name in row if name in FACTS}
    if "first" in results[0]:
        row["first_epoch"] = significant(results[0]["first"])
    if results[0].get("memory") is not None:
        most = max(result["memory"] for result in results)
        yield single(MEMORY.format(size), system.name, round(most, 1), "MiB", **facts)
    taken_apart = results[-1].get("step")
    if taken_apart:
        wall = 1000 * statistics.median(result["seconds"] / result["steps"] for result in results)
        step = {"wall_ms": round(wall, 3), **taken_apart}
        yield single(STEP.format(size), system.name, step["launches"], "launches", **step, **facts)
