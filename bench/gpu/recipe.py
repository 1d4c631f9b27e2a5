"""The project's recipe, trained to its score on the development data."""

from wasabi import msg

from spacy_tokclf.corpus import read_conll
from spacy_tokclf.corpus.forms.docbin import write_docbin

from ..rounds import Worker
from ..rows import Row
from ..system import OURS, ROOT, System
from .run import Run, single

WORK = "recipe on a card"
CONFIG = ROOT / "configs" / "wnut17.cfg"


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
        options = {"device": run.device, "config": str(CONFIG), "dev": files["dev"], "out": run.out(f"recipe {seed}")}
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
        rows.append(single(WORK, f"{OURS}, seed {seed}", value, "dev F1", precision="bf16", **facts))
    return rows
