"""How each system is trained, and how its predictions come into one form.

Training runs in a process of its own, on one thread, so that two cores train two runs without changing each other.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import time
import warnings
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any, NamedTuple

from project_files import fail, folder_made_whole, write_json
from spacy.util import load_config_from_str
from thinc.api import Config
from train import encoder_sections

from spacy_tokclf.corpus import read_conll, write_docbin

from .configs import Definition, set_steps
from .data import WNUT17_POSTS, Data
from .study import Study

THREADS = 1
#: Of our encoders: bf16 where the hardware has it, as in `make run`.
PRECISION = "auto"
PREDICT = Path(__file__).with_name("predict.py")
#: Where the environment of spacy-transformers is: as in the Makefile.
ST_VENV = os.environ.get("ST_VENV", ".venv-spacy-transformers")
SPLITS = ("dev", "test")


class Training(NamedTuple):
    """A finished training.

    best_epoch (float | None): The epoch that was chosen on dev; None if nothing was chosen.
    epochs (float): The number of epochs.
    seconds (float): How long it took, on a clock.
    cpu_seconds (float): How long it computed.
    """

    best_epoch: float | None
    epochs: float
    seconds: float
    cpu_seconds: float


def train(study: Study, definition: Definition, data: Data, *, seed: int, folder: Path, lock: int) -> Training:
    """Train a system. A training that is in the folder already is not repeated.

    study (Study): The study.
    definition (Definition): What to train.
    data (Data): The data set.
    seed (int): The seed.
    folder (Path): Where to; a system whose pipelines can be loaded leaves one in `model`.
    lock (int): The descriptor of a lock that the training holds on to.
    RETURNS (Training): What came out.
    """
    finished = folder / "training.json"
    if not finished.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        start, cpu = time.perf_counter(), _cpu_seconds()
        function = train_hf if definition.system == "hf_trainer" else train_spacy
        found = function(study, definition, data, seed=seed, folder=folder, lock=lock)
        found |= {"seconds": round(time.perf_counter() - start, 1), "cpu_seconds": round(_cpu_seconds() - cpu, 1)}
        write_json(finished, found)
    return Training(**json.loads(finished.read_text(encoding="utf8")))


def train_spacy(
    study: Study, definition: Definition, data: Data, *, seed: int, folder: Path, lock: int
) -> dict[str, Any]:
    """Train with `spacy train`. The best pipeline on dev is kept, or, where dev is trained on, the last one.

    RETURNS (dict[str, Any]): best_epoch and epochs.
    """
    log = folder / "log.jsonl"
    config, epoch = spacy_config(study, definition, data, seed=seed, log=log)
    config.to_disk(folder / "config.cfg")
    out = folder / "spacy"
    command = ["-m", "spacy", "train", str(folder / "config.cfg"), "--output", str(out)]
    run_python(study, definition, command, lock=lock, log=folder / "log.txt")
    rows = [json.loads(line) for line in log.read_text(encoding="utf8").splitlines()]
    last = out / "model-last"
    (last if definition.with_dev else out / "model-best").rename(folder / "model")
    for path in (out / "model-best", last):
        shutil.rmtree(path, ignore_errors=True)
    # Of equal scores spaCy keeps the later one.
    best = max(rows, key=lambda row: (row["score"], row["step"]))["step"]
    return {
        "best_epoch": None if definition.with_dev else round(best / epoch, 2),
        "epochs": round(config["training"]["max_steps"] / epoch, 2),
    }


def spacy_config(study: Study, definition: Definition, data: Data, *, seed: int, log: Path) -> tuple[Config, int]:
    """Complete a config: paths, the seed, and as many epochs as the recipe has, whatever the size of the data.

    study (Study): The study.
    definition (Definition): The config.
    data (Data): The data set.
    seed (int): The seed.
    log (Path): The file that gets the scores on dev, as JSON lines.
    RETURNS (tuple[Config, int]): The config, and the number of steps in an epoch.
    """
    config = load_config_from_str(Config(definition.settings).to_str(), interpolate=False)
    paths = {"train": data.path("train"), "dev": data.path("dev"), "encoder": study.encoder}
    config["paths"].update({name: str(path) for name, path in paths.items()})
    config["system"]["seed"] = seed
    training = config["training"]
    epoch = max(1, round(training["eval_frequency"] * data.posts["train"] / WNUT17_POSTS))
    set_steps(config, epoch)
    if definition.with_dev:
        training["eval_frequency"] = training["max_steps"]
    for keys in encoder_sections(config):
        reduce(getitem, keys, config)["precision"] = PRECISION
    training["logger"] = {"@loggers": "spacy.ConsoleLogger.v3", "progress_bar": None, "output_file": str(log)}
    return config, epoch


def train_hf(study: Study, definition: Definition, data: Data, *, seed: int, folder: Path, lock: int) -> dict[str, Any]:
    """Train with the Trainer of Hugging Face, which writes its predictions itself.

    RETURNS (dict[str, Any]): best_epoch and epochs.
    """
    recipe = {("learning_rate" if key == "learn_rate" else key): value for key, value in definition.settings.items()}
    out = folder / "model"
    out.mkdir(exist_ok=True)
    settings = {
        "recipe": {**recipe, "seed": seed},
        "encoder": str(study.encoder),
        **{split: str(data.path(split, "conll")) for split in ("train", "dev", "test")},
        "choose": not definition.with_dev,
        "out": str(out),
    }
    write_json(folder / "settings.json", settings)
    command = ["-m", "bench.accuracy.hf_train", str(folder / "settings.json")]
    run_python(study, definition, command, lock=lock, log=folder / "log.txt")
    best = json.loads((out / "result.json").read_text(encoding="utf8"))["best_epoch"]
    return {"best_epoch": best, "epochs": recipe["epochs"]}


def predict(study: Study, definition: Definition, data: Data, *, model: Path, out: Path, lock: int) -> None:
    """Write predictions for dev and test as .spacy files.

    study (Study): The study.
    definition (Definition): What was trained.
    data (Data): The data set.
    model (Path): The pipeline, or the folder with the predictions of a system that wrote them itself.
    out (Path): The folder for dev.spacy and test.spacy.
    lock (int): The descriptor of a lock.
    """
    with folder_made_whole(out) as new:
        _write_predictions(study, definition, data, model=model, out=new, lock=lock)


def _write_predictions(study: Study, definition: Definition, data: Data, *, model: Path, out: Path, lock: int) -> None:
    if definition.system == "hf_trainer":
        with warnings.catch_warnings():
            # The best tag of each word by itself may follow nothing; such a tag begins an entity, as in conlleval.
            warnings.filterwarnings("ignore", message=r"\[TW100\]")
            for split in SPLITS:
                write_docbin(read_conll(model / f"{split}.conll", scheme="IOB2"), out / f"{split}.spacy")
        return
    pairs = [str(path) for split in SPLITS for path in (data.path(split), out / f"{split}.spacy")]
    run_python(study, definition, [str(PREDICT), str(model), *pairs], lock=lock, log=out / "predict.txt")


def run_python(study: Study, definition: Definition, arguments: list[str], *, lock: int, log: Path) -> None:
    """Run Python in the environment of a system.

    study (Study): The study.
    definition (Definition): What is run.
    arguments (list[str]): The arguments.
    lock (int): The descriptor of a lock, which is held until the process ends even if this one is killed.
    log (Path): The file for what it prints.
    RAISES (SystemExit): If it fails.
    """
    python = sys.executable
    if definition.system == "spacy_transformers":
        python = str(study.root / ST_VENV / "bin" / "python")
        if not Path(python).is_file():
            fail(f"{python} is not there", "Make it with `make test-spacy-transformers`, or name it in ST_VENV.")
    variables = {**os.environ, "OMP_NUM_THREADS": str(THREADS), "TOKENIZERS_PARALLELISM": "false"}
    with log.open("w", encoding="utf8") as file:
        done = subprocess.run(
            [python, *arguments],
            cwd=study.root,
            env=variables,
            stdout=file,
            stderr=subprocess.STDOUT,
            pass_fds=[lock],
            check=False,
        )
    if done.returncode != 0:
        tail = "\n".join(log.read_text(encoding="utf8").splitlines()[-15:])
        fail(f"{definition.name} failed: {log}", tail)


def _cpu_seconds() -> float:
    """Sum the time that finished child processes computed."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
