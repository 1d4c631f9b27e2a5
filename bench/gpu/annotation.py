"""Annotation from raw text to entities, beside `pipeline("ner")` and the bare module."""

import dataclasses

from wasabi import msg

from ..data import Texts, entity_f1, read_texts, write_sample, write_texts
from ..rounds import Worker
from ..rows import Row, make_rows
from ..system import OURS, System
from .run import PLAIN, Run, measured
from .training import our_overrides

WORK = "annotate on a card"
PIPE = f"{OURS} nlp.pipe, batches of"


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

    def __enter__(self) -> "Pipeline":
        return self

    def __exit__(self, *_: object) -> None:
        self.worker.__exit__()

    def folders(self) -> dict[str, str]:
        """RETURNS (dict[str, str]): "model" and "hf"; empty if they could not be made, which is said."""
        try:
            self.worker.hear()
            return self.worker.hear()
        except (RuntimeError, OSError) as error:
            self.run.failed["annotation"] = str(error)
            msg.warn("There is no pipeline to annotate with", str(error))
            return {}


def annotators(run: Run, folders: dict[str, str], texts: Texts) -> dict[str, list[System]]:
    """List what annotates, by family. `pipeline("ner")` goes through the texts once, and the faster ones several times.

    run (Run): What is shared.
    folders (dict[str, str]): "model" and "hf".
    texts (Texts): The texts.
    RETURNS (dict[str, list[System]]): The systems.
    """
    folder, times = run.setting.work / "gpu", run.size.times
    often = {"texts": write_texts(folder / "often.json", texts.texts * times), "words": texts.words * times}
    once = {"texts": write_texts(folder / "once.json", texts.texts), "words": texts.words}
    ours = {**often, "model": folders["model"], "precision": "bf16"}
    theirs = {**once, "model": folders["hf"]}
    bare = {**often, "model": folders["hf"], "device": run.device}
    pipeline = 'pipeline("ner")'
    return {
        "ours": [
            System(f"{PIPE} {size}", "bench.gpu.annotators:ours", {**ours, "batch_size": size}, "bf16")
            for size in run.size.pipe_batches
        ],
        "pipeline of transformers": [
            System(
                f"{pipeline}, batches of 32",
                "bench.gpu.annotators:pipeline_ner",
                {**theirs, "batch_size": 32},
                reference=True,
            ),
            System(
                f"{pipeline}, sorted batches of 128",
                "bench.gpu.annotators:pipeline_ner",
                {**theirs, "batch_size": 128, "sort": True, "bf16": True},
                "bf16",
                reference=True,
            ),
        ],
        "bare": [System("bare torch forward, sorted batches of 128", "bench.gpu.annotators:bare", bare, "bf16")],
    }


def measure_annotation(run: Run, folders: dict[str, str], until: float) -> list[Row]:
    """Measure annotation, from raw text to entities.

    run (Run): What is shared.
    folders (dict[str, str]): "model" and "hf".
    until (float): When it is over, by `time.monotonic`.
    RETURNS (list[Row]): The rows.
    """
    texts = read_texts(dataclasses.replace(run.setting, texts=run.size.texts))
    families = annotators(run, folders, texts)
    answers = measured(run, families, until)
    for _about, *results in answers.values():
        for result in results:
            found = result.pop("entities", None)
            if found is not None:
                result["f1"] = entity_f1(texts.gold * (len(found) // len(texts.gold)), found)
    systems = [system for members in families.values() for system in members if system.key in answers]
    return make_rows(WORK, "words/s", systems, answers, words=texts.words, encoder="random", **run.facts)
