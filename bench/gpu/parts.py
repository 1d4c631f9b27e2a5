"""The parts of `python -m bench gpu`: what each measures, and the rows that come of it."""

import dataclasses
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from spacy.util import load_config
from wasabi import msg

from spacy_tokclf.corpus import read_conll
from spacy_tokclf.corpus.forms.docbin import write_docbin

from ..data import entity_f1, read_texts, write_sample, write_texts
from ..rounds import Worker, missing, run_rounds, variables
from ..rows import Row, make_rows
from ..system import OURS, ROOT, Setting, System
from . import card
from .family import apart, family, note
from .size import Size

PLAIN = ROOT / "bench" / "accuracy" / "plain.cfg"
RECIPE = ROOT / "configs" / "wnut17.cfg"
TRAIN, ANNOTATE, STEP, MEMORY, RECIPE_F1 = (
    "train on a card, batches of {}",
    "annotate on a card",
    "step on a card",
    "memory of training on a card",
    "recipe on a card",
)
TUTORIAL, GROUPED = "Trainer, tutorial recipe", "Trainer, group_by_length"
INLINE, SHARED = f"{OURS} train, inline", f"{OURS} train, shared"
SPACY_TRAIN, CUPY = f"{OURS} spacy train, inline", f"{OURS} train, inline, thinc on CuPy"
PIPE = f"{OURS} nlp.pipe, batches of"
TESTS = re.compile(r"(\d+) (passed|failed|skipped|error)")


@dataclasses.dataclass
class Run:
    """All that the parts share.

    setting (Setting): Paths, and until when a part may take.
    size (Size): How much is measured.
    device (str): "cpu", or a card.
    facts (dict[str, Any]): What all rows say.
    failed (dict[str, str]): What failed, and why; filled in on the way.
    """

    setting: Setting
    size: Size
    device: str
    facts: dict[str, Any]
    failed: dict[str, str] = dataclasses.field(default_factory=dict)

    def until(self, end: float) -> Setting:
        """RETURNS (Setting): The setting of a part that has to be over at a time."""
        return dataclasses.replace(self.setting, until=end)

    def out(self, name: str) -> str:
        """RETURNS (str): A folder for what a training writes."""
        return str(self.setting.work / "gpu" / "".join(c if c.isalnum() else "-" for c in name))


def run_tests(run: Run, until: float) -> list[Row]:
    """Run the tests that are marked `gpu`, and stop at the first that fails.

    run (Run): What is shared.
    until (float): When they are broken off, by `time.monotonic`.
    RETURNS (list[Row]): A row; the value is the number of tests that passed.
    """
    if missing(Path(sys.executable), ("pytest",)):
        run.failed["tests marked gpu"] = "pytest is not installed"
        return []
    files = sorted(str(path) for path in (ROOT / "tests").rglob("test_*.py") if "mark.gpu" in path.read_text("utf8"))
    command = [sys.executable, "-m", "pytest", "-m", "gpu", "-x", "-p", "no:cacheprovider", *files]
    env = {name: value for name, value in variables(run.setting).items() if name != card.DEVICE}  # they choose it
    start = time.monotonic()
    try:
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=until - start)
    except subprocess.TimeoutExpired:
        run.failed["tests marked gpu"] = "they took too long"
        return []
    found = {name: int(number) for number, name in TESTS.findall(done.stdout.splitlines()[-1] if done.stdout else "")}
    if done.returncode not in (0, 5):  # 5: none were collected
        run.failed["tests marked gpu"] = "\n".join((done.stdout + done.stderr).splitlines()[-40:])
        msg.fail("Tests failed", run.failed["tests marked gpu"])
    about = {"seconds": round(time.monotonic() - start, 1), **found}
    return [single("tests on a card", OURS, found.get("passed", 0), "passed", **about, **run.facts)]


def single(work: str, system: str, value: float, unit: str, *, precision: str = "", **facts: Any) -> Row:
    """RETURNS (Row): A row of a value that was measured once."""
    given = {"work": work, "system": system, "precision": precision, "value": value, "unit": unit}
    return {**given, "ratio": None, "f1": None, "reference": False, "values": [], "environment": "newest", **facts}


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
    """List the trainings by family, one process each.

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
        given = {
            "config": config,
            "overrides": overrides,
            "batch_size": size,
            "loop": "tokclf",
            "gpu_id": gpu_id,
            **more,
        }
        key = f"{name} by {size}"
        return System(key, "bench.gpu.gate:measured", {**given, "out": run.out(key)}, "bf16")

    def trainer(name: str, size: int, precision: str, **recipe: Any) -> System:
        given = {"encoder": encoder, "posts": files["posts"], "recipe": {"batch_size": size, **recipe}}
        plain = name == TUTORIAL
        return System(f"{name} by {size}", "bench.gpu.trainer:measured", given, precision, reference=plain)

    found = {
        "ours": [
            ours(INLINE, small, profiled=run.size.profiled),
            ours(INLINE, large),
            ours(SHARED, small, config=shared, profiled=run.size.profiled),
            ours(SPACY_TRAIN, small, loop="spacy"),
        ],
        "ours with CuPy": [ours(CUPY, small, gpu_id=0, profiled=run.size.profiled)],
        "Trainer": [
            trainer(name, size, precision, **recipe)
            for size in run.size.batches
            for name, precision, recipe in (
                (TUTORIAL, "fp32", {}),
                (GROUPED, "bf16", {"group_by_length": True, "bf16": True}),
            )
        ],
    }
    here = Path(sys.executable)
    for name, needs in (("ours with CuPy", ("cupy",)), ("Trainer", ("accelerate",))):
        lack = "it needs a card" if name == "ours with CuPy" and run.device == "cpu" else _lack(here, needs)
        if lack:
            run.failed[name] = lack
            msg.warn(f"Skipped: {name}", lack)
            del found[name]
    return found


def _lack(python: Path, needs: tuple[str, ...]) -> str:
    """Say what is not there. CuPy has a distribution for each version of CUDA."""
    if needs != ("cupy",):
        return missing(python, needs)
    from importlib.util import find_spec

    return "" if find_spec("cupy") else "CuPy is not installed"


def measure_training(run: Run, encoder: str, until: float) -> list[Row]:
    """Measure training: speed by size of batch, steps taken apart, memory.

    run (Run): What is shared.
    encoder (str): The encoder's folder.
    until (float): When it is over, by `time.monotonic`.
    RETURNS (list[Row]): The rows.
    """
    files = write_sample(dataclasses.replace(run.setting, posts=run.size.posts))
    families = trainings(run, encoder, files)
    answers = _answers(run, families, until)
    rows: list[Row] = []
    systems = [system for members in families.values() for system in members if system.key in answers]
    for size in run.size.batches:
        own = [system for system in systems if system.name.endswith(f" by {size}")]
        facts = {"batch_size": size, "encoder": "random", **run.facts}
        rows += make_rows(TRAIN.format(size), "posts/s", own, answers, **facts)
    for system in systems:
        about, first, *_ = answers[system.key]
        row = next(row for row in rows if row["system"] == system.name and row["precision"] == system.precision)
        if "first" in first:
            row["first_epoch"] = round(first["first"], 1)
        more = {**about, **run.facts, "precision": system.precision}
        if first.get("memory") is not None:
            most = max(result["memory"] for result in answers[system.key][1:])
            rows.append(single(MEMORY, system.name, round(most, 1), "MiB", **more))
        if first.get("step"):
            wall = 1000 * statistics.median(result["seconds"] / result["steps"] for result in answers[system.key][1:])
            step = {"wall_ms": round(wall, 3), **first["step"]}
            rows.append(single(STEP, system.name, step["launches"], "launches", **step, **more))
    for row in rows:
        row["system"] = re.sub(r" by \d+$", "", row["system"]) if row["work"].startswith("train") else row["system"]
    return rows


def _answers(run: Run, families: dict[str, list[System]], until: float) -> dict[str, list[dict[str, Any]]]:
    """Measure families of systems in rounds, each in its process. RETURNS: Answers by the systems' keys."""
    processes = [family(name, members, run.device) for name, members in families.items()]
    answers = run_rounds(processes, run.until(until), note=note, failed=run.failed)
    for key, (_about, *results) in answers.items():
        if any(result["tf32"] != run.facts["tf32"] for result in results):
            run.failed[f"tf32 of {key}"] = f"it is not {run.facts['tf32']} as elsewhere"
    return apart(answers, run.failed)


class Pipeline:
    """The pipeline that annotates, trained for a few steps in a process beside other parts that measure no time."""

    def __init__(self, run: Run, encoder: str, until: float) -> None:
        files = write_sample(dataclasses.replace(run.setting, posts=run.size.posts))
        overrides = our_overrides(encoder, files)
        steps = {"training.max_steps": run.size.steps, "training.eval_frequency": run.size.steps}
        overrides |= {**steps, "training.optimizer.learn_rate.warmup_steps": run.size.steps // 10}
        options = {"device": run.device, "config": str(PLAIN), "overrides": overrides, "out": run.out("pipeline")}
        self.run = run
        self.worker = Worker(
            System("pipeline to annotate with", "bench.gpu.train_once:pipeline", options), run.until(until)
        )
        self.worker.ask(0)

    def folders(self) -> dict[str, str]:
        """RETURNS (dict[str, str]): "model" and "hf"; empty if they could not be made, which is said."""
        with self.worker:
            try:
                self.worker.hear()
                return self.worker.hear()
            except (RuntimeError, OSError) as error:
                self.run.failed["annotation"] = str(error)
                msg.warn("There is no pipeline to annotate with", str(error))
                return {}


def annotators(run: Run, folders: dict[str, str], texts: str, words: int) -> dict[str, list[System]]:
    """List what annotates, by family.

    run (Run): What is shared.
    folders (dict[str, str]): "model" and "hf".
    texts (str): The file of the texts.
    words (int): Their words.
    RETURNS (dict[str, list[System]]): The systems.
    """
    given = {"texts": texts, "words": words, "device": run.device}
    ours = {**given, "model": folders["model"], "precision": "bf16"}
    theirs = {**given, "model": folders["hf"]}
    pipeline = 'pipeline("ner")'
    return {
        "ours": [
            System(
                f"{OURS} nlp.pipe, batches of {size}", "bench.gpu.annotate:ours", {**ours, "batch_size": size}, "bf16"
            )
            for size in run.size.pipe_batches
        ],
        "pipeline of transformers": [
            System(
                f"{pipeline}, batches of 32",
                "bench.gpu.annotate:pipeline_ner",
                {**theirs, "batch_size": 32},
                reference=True,
            ),
            System(
                f"{pipeline}, sorted batches of 128",
                "bench.gpu.annotate:pipeline_ner",
                {**theirs, "batch_size": 128, "sort": True, "bf16": True},
                "bf16",
                reference=True,
            ),
        ],
        "bare": [System("bare torch forward, sorted batches of 128", "bench.gpu.annotate:bare", theirs, "bf16")],
    }


def measure_annotation(run: Run, folders: dict[str, str], until: float) -> list[Row]:
    """Measure annotation, from raw text to entities.

    run (Run): What is shared.
    folders (dict[str, str]): "model" and "hf".
    until (float): When it is over, by `time.monotonic`.
    RETURNS (list[Row]): The rows.
    """
    given = read_texts(dataclasses.replace(run.setting, texts=run.size.texts))
    texts, gold = (list(each) * run.size.times for each in (given.texts, given.gold))
    words = given.words * run.size.times
    path = write_texts(run.setting.work / "gpu" / "texts.json", texts)
    families = annotators(run, folders, path, words)
    answers = _answers(run, families, until)
    for _about, *results in answers.values():
        for result in results:
            if result.get("entities") is not None:
                result["f1"] = entity_f1(gold, result.pop("entities"))
    systems = [system for members in families.values() for system in members if system.key in answers]
    return make_rows(ANNOTATE, "words/s", systems, answers, words=words, encoder="random", **run.facts)


def train_recipe(run: Run, until: float) -> list[Row]:
    """Train the recipe with some seeds, all at the same time, and score them on the development data.

    run (Run): What is shared.
    until (float): When it is over, by `time.monotonic`.
    RETURNS (list[Row]): A row a seed.
    """
    files = {}
    for split in ("train", "dev"):
        posts = list(read_conll(run.setting.data / f"{split}.conll"))[: run.size.posts]
        files[split] = str(run.setting.work / "gpu" / f"{split}.spacy")
        write_docbin(posts, files[split])
    paths = {f"paths.{split}": path for split, path in files.items()} | {"paths.encoder": str(run.setting.encoder)}
    precision = {"components.ner.model.tok2vec.precision": "bf16"}
    workers = []
    for seed in run.size.seeds:
        options = {"device": run.device, "config": str(RECIPE), "dev": files["dev"], "out": run.out(f"recipe {seed}")}
        overrides = {**paths, **precision, **run.size.recipe, "system.seed": seed}
        system = System(
            f"recipe, seed {seed}", "bench.gpu.train_once:recipe", {**options, "overrides": overrides}, "bf16"
        )
        workers.append(Worker(system, run.until(until)))
        workers[-1].ask(0)
    rows = []
    for seed, worker in zip(run.size.seeds, workers, strict=True):
        with worker:
            try:
                about, found = worker.hear(), worker.hear()
            except (RuntimeError, OSError) as error:
                run.failed[worker.system.name] = str(error)
                msg.warn(f"Failed: {worker.system.name}", str(error))
                continue
        facts = {"seed": seed, "at_once": len(workers), "untuned": round(100 * found["untuned"], 2)}
        facts |= {"seconds": round(found["seconds"], 1), **about, **run.facts}
        value = round(100 * found["value"], 2)
        rows.append(single(RECIPE_F1, f"{OURS}, seed {seed}", value, "dev F1", precision="bf16", **facts))
    return rows
