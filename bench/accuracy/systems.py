"""How each system is trained, and how its predictions come into one form.

Training runs in a process of its own, on one thread. The model is deleted once its predictions are written.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import time
import warnings
from dataclasses import dataclass
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import thinc.api
from project_files import fail, folder_made_whole, read_json, write_json
from spacy.util import load_config, load_config_from_str
from train import encoder_sections

from spacy_tokclf.corpus import Record, read_conll, write_conll, write_docbin

from .configs import Config, set_steps
from .data import get_data
from .study import Study

THREADS = 1
#: The seed of the teachers of every student.
TEACHER_SEED = 0
#: The file beside predictions that says what they are of.
FACTS = "facts.json"
#: Of our encoders: bf16 where the hardware has it, as in `make run`.
PRECISION = "auto"
#: Posts of WNUT-17 for training: the number that the steps in configs are counted for.
WNUT17_POSTS = 3394
#: Where the environment of spacy-transformers is: as in the Makefile.
ST_VENV = os.environ.get("ST_VENV", ".venv-spacy-transformers")


@dataclass
class Training:
    """What is being trained: programs one after the other.

    study (Study): The study.
    config (Config): The config.
    seed (int): The seed.
    folder (Path): Where its models are, and log.txt with what the programs print.
    device (str): Where encoders run: "cpu" or "cuda:0" and the like.
    cpu_seconds (float): What the programs have computed, on all threads together.
    """

    study: Study
    config: Config
    seed: int
    folder: Path
    device: str = "cpu"
    cpu_seconds: float = 0.0

    @property
    def data(self) -> Path:
        """The folder of the data set."""
        return get_data(self.study, self.config.data, with_dev=self.config.with_dev)


def train_and_predict(
    study: Study,
    config: Config,
    *,
    seed: int,
    out: Path,
    facts: dict[str, Any] | None = None,
    device: str = "cpu",
    keep: bool = False,
) -> None:
    """Train a system, tune it on dev if the config says so, and write its predictions.

    study (Study): The study.
    config (Config): What to train.
    seed (int): The seed.
    out (Path): The folder for the predictions: dev.spacy, test.spacy, and FACTS.
    facts (dict[str, Any] | None): What is put into FACTS, beside "cpu_seconds", what training computed on all threads
        together, and "seconds", how long it took, with whatever else ran at the same time.
    device (str): Where encoders run.
    keep (bool): Whether the model is kept as a teacher, in the place that `teacher_folder` says.
    """
    folder = study.work / "models" / out.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    training = Training(study, config, seed, folder, device)
    by_hf = config.system == "hf_trainer"
    start = time.perf_counter()
    (_train_hf if by_hf else _train_spacy)(training)
    took = {"cpu_seconds": round(training.cpu_seconds, 1), "seconds": round(time.perf_counter() - start, 1)}
    with folder_made_whole(out) as new:
        (_predict_hf if by_hf else _predict_spacy)(training, new)
        write_json(new / FACTS, {**(facts or {}), **took})
    if keep:
        with folder_made_whole(teacher_folder(study, config)) as kept:
            kept.rmdir()
            shutil.move(_best(training), kept)
    shutil.rmtree(folder)


def teacher_folder(study: Study, config: Config) -> Path:
    """RETURNS (Path): Where the pipeline of a config is kept that others learn from."""
    return study.work / "teachers" / config.hash


def _best(training: Training) -> Path:
    return training.folder / ("model-last" if training.config.with_dev else "model-best")


def _train_spacy(training: Training) -> None:
    """Train with `spacy train`, which leaves model-best and model-last in the folder."""
    path = training.folder / "config.cfg"
    settings = spacy_config(training.study, training.config, training.data, seed=training.seed)
    if training.config.teachers:
        settings = load_config(_lesson(training, settings) / "student.cfg", interpolate=False)
        settings["system"]["seed"] = training.seed
    settings.to_disk(path)
    _run_python(training, "-m", "spacy", "train", path, "--output", training.folder)


def _lesson(training: Training, settings: thinc.api.Config) -> Path:
    """Let the teachers say what they think of the texts, by `spacy tokclf distill`, once for all seeds of a student.

    RETURNS (Path): The folder of what was said, and of the student's config.
    """
    study, config = training.study, training.config
    folders = [teacher_folder(study, each) for each in config.teachers]
    missing = [each.name for each, folder in zip(config.teachers, folders, strict=True) if not folder.is_dir()]
    if missing:
        command = f"python -m bench.accuracy train {' '.join(missing)} --seeds {TEACHER_SEED}"
        fail(f"{config.name} has no teachers", f"They are trained first: {command}")
    lesson = study.work / "lessons" / config.hash
    lesson.mkdir(parents=True, exist_ok=True)
    with (lesson / "lock").open("a") as lock:  # other seeds are trained at the same time
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (lesson / "student.cfg").is_file():
            settings.to_disk(lesson / "config.cfg")
            also = [part for folder in folders[1:] for part in ("--also", folder)]
            options = [*also, *(config.distill or []), "--no-train", "--overwrite"]
            out = [lesson / "config.cfg", lesson]
            _run_python(training, "-m", "spacy", "tokclf", "distill", folders[0], *out, *options)
    return lesson


def _predict_spacy(training: Training, out: Path) -> None:
    """Tune on dev with `spacy tokclf tune`, unless dev was trained on, and annotate."""
    config, data, model = training.config, training.data, _best(training)
    if config.tune is not None and not config.with_dev:
        tuned = training.folder / "tuned"
        options = [model, data / "dev.spacy", *config.tune, "--output", tuned]
        _run_python(training, "-m", "spacy", "tokclf", "tune", *options)
        model = tuned
    files = [place / f"{split}.spacy" for split in ("dev", "test") for place in (data, out)]
    _run_python(training, Path(__file__).with_name("predict.py"), model, *files)


def spacy_config(study: Study, config: Config, data: Path, *, seed: int) -> thinc.api.Config:
    """RETURNS (thinc.api.Config): A config of spaCy with paths to a data set in a folder, the seed, and as many epochs
    as the recipe has, whatever the size of the data."""
    settings = load_config_from_str(thinc.api.Config(config.settings).to_str(), interpolate=False)
    paths = {"train": data / "train.spacy", "dev": data / "dev.spacy", "encoder": study.root / config.encoder}
    settings["paths"].update({name: str(path) for name, path in paths.items()})
    settings["system"]["seed"] = seed
    training = settings["training"]
    epoch = max(1, round(training["eval_frequency"] * read_json(data / "data.json")["train"] / WNUT17_POSTS))
    set_steps(settings, epoch)
    if config.with_dev:
        training["eval_frequency"] = training["max_steps"]
    for keys in encoder_sections(settings):
        reduce(getitem, keys, settings)["precision"] = PRECISION
    return settings


def _train_hf(training: Training) -> None:
    """Train with the Trainer of Hugging Face; the tags of dev and test come with its result."""
    config, result = training.config, training.folder / "result.json"
    files = [part for split in ("train", "dev", "test") for part in (f"--{split}", training.data / f"{split}.conll")]
    options = ["--encoder", training.study.root / config.encoder, "--seed", training.seed, "--json", result, *files]
    for key, value in {**config.settings, "select": not config.with_dev}.items():
        flag = "--learning-rate" if key == "learn_rate" else f"--{key.replace('_', '-')}"
        options += [flag] * value if isinstance(value, bool) else [flag, value]
    _run_python(training, "-m", "bench.peers.hf_trainer", *options)


def _predict_hf(training: Training, out: Path) -> None:
    """Turn the tags into entities. The best tag of each word by itself may follow nothing; such a tag begins an entity,
    as in conlleval."""
    folder = training.folder
    for split in ("dev", "test"):
        tags = read_json(folder / "result.json")[split]["tags"]
        posts = zip(read_conll(training.data / f"{split}.conll"), tags, strict=True)
        write_conll([Record(post.words, row) for post, row in posts], folder / f"{split}.conll")
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"\[TW100\]")
            write_docbin(read_conll(folder / f"{split}.conll", scheme="IOB2"), out / f"{split}.spacy")


def _run_python(training: Training, *arguments: object) -> None:
    """Run Python in the environment of a system, and add up what it computes. What it prints goes to log.txt."""
    config, python = training.config, Path(sys.executable)
    if config.system == "spacy_transformers":
        python = training.study.root / ST_VENV / "bin" / "python"
        if not python.is_file():
            fail(f"{python} is not there", "Make it with `make test-spacy-transformers`, or name it in ST_VENV.")
    variables = {**os.environ, "OMP_NUM_THREADS": str(THREADS), "TOKENIZERS_PARALLELISM": "false"}
    variables |= device_variables(training.device)
    with (training.folder / "log.txt").open("a+", encoding="utf8") as log:
        command = [str(python), *map(str, arguments)]
        child = subprocess.Popen(command, cwd=training.study.root, env=variables, stdout=log, stderr=log)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        training.cpu_seconds += usage.ru_utime + usage.ru_stime
        if child.returncode != 0:
            log.seek(0)
            fail(f"{config.name} failed: {log.name}", "".join(log.readlines()[-15:]))


def device_variables(device: str) -> dict[str, str]:
    """Say where programs run.

    device (str): "cpu", or "cuda:0" and the like.
    RETURNS (dict[str, str]): Variables of the environment: what our encoders take, and the one GPU that is seen, since
        the Trainer takes all that it sees.
    """
    kind, _, number = device.partition(":")
    if kind != "cuda":
        return {"SPACY_TOKCLF_DEVICE": device, "CUDA_VISIBLE_DEVICES": ""}
    return {"SPACY_TOKCLF_DEVICE": "cuda:0", "CUDA_VISIBLE_DEVICES": number or "0"}
