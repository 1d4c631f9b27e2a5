"""How each system is trained, and how its predictions come into one form.

Training runs in a process of its own, on one thread. The model is deleted once its predictions are written.
"""

import os
import shutil
import subprocess
import sys
import warnings
from functools import reduce
from operator import getitem
from pathlib import Path

import thinc.api
from project_files import fail, folder_made_whole, read_json
from spacy.util import load_config_from_str
from train import encoder_sections

from spacy_tokclf.corpus import Record, read_conll, write_conll, write_docbin

from .configs import Config, set_steps
from .data import get_data
from .study import Study

THREADS = 1
#: What every system starts from.
ENCODER = "assets/encoder"
#: Of our encoders: bf16 where the hardware has it, as in `make run`.
PRECISION = "auto"
#: Posts of WNUT-17 for training: the number that the steps in configs are counted for.
WNUT17_POSTS = 3394
#: Where the environment of spacy-transformers is: as in the Makefile.
ST_VENV = os.environ.get("ST_VENV", ".venv-spacy-transformers")


def train_and_predict(study: Study, config: Config, *, seed: int, out: Path) -> float:
    """Train a system, tune it on dev if the config says so, and write its predictions.

    study (Study): The study.
    config (Config): What to train.
    seed (int): The seed.
    out (Path): The folder for the predictions: dev.spacy and test.spacy.
    RETURNS (float): The seconds that training computed, on all threads together.
    """
    data = get_data(study, config.data, with_dev=config.with_dev)
    folder = study.work / "models" / out.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    by_hf = config.system == "hf_trainer"
    before = _child_seconds()
    (_train_hf if by_hf else _train_spacy)(study, config, data, seed=seed, folder=folder)
    seconds = _child_seconds() - before
    with folder_made_whole(out) as new:
        (_predict_hf if by_hf else _predict_spacy)(study, config, data, folder=folder, out=new)
    shutil.rmtree(folder)
    return round(seconds, 1)


def _train_spacy(study: Study, config: Config, data: Path, *, seed: int, folder: Path) -> None:
    """Train with `spacy train`, which leaves model-best and model-last in the folder."""
    spacy_config(study, config, data, seed=seed).to_disk(folder / "config.cfg")
    _run_python(study, config, folder, "-m", "spacy", "train", folder / "config.cfg", "--output", folder)


def _predict_spacy(study: Study, config: Config, data: Path, *, folder: Path, out: Path) -> None:
    """Tune on dev with `spacy tokclf tune`, unless dev was trained on, and annotate."""
    model = folder / ("model-last" if config.with_dev else "model-best")
    if config.tune is not None and not config.with_dev:
        options = [model, data / "dev.spacy", *config.tune, "--output", folder / "tuned"]
        _run_python(study, config, folder, "-m", "spacy", "tokclf", "tune", *options)
        model = folder / "tuned"
    files = [place / f"{split}.spacy" for split in ("dev", "test") for place in (data, out)]
    _run_python(study, config, folder, Path(__file__).with_name("predict.py"), model, *files)


def spacy_config(study: Study, config: Config, data: Path, *, seed: int) -> thinc.api.Config:
    """RETURNS (thinc.api.Config): A config of spaCy with paths to a data set in a folder, the seed, and as many epochs
    as the recipe has, whatever the size of the data."""
    settings = load_config_from_str(thinc.api.Config(config.settings).to_str(), interpolate=False)
    paths = {"train": data / "train.spacy", "dev": data / "dev.spacy", "encoder": study.root / ENCODER}
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


def _train_hf(study: Study, config: Config, data: Path, *, seed: int, folder: Path) -> None:
    """Train with the Trainer of Hugging Face; the tags of dev and test come with its result."""
    files = [part for split in ("train", "dev", "test") for part in (f"--{split}", data / f"{split}.conll")]
    options = ["--encoder", study.root / ENCODER, "--seed", seed, "--json", folder / "result.json", *files]
    for key, value in {**config.settings, "select": not config.with_dev}.items():
        flag = "--learning-rate" if key == "learn_rate" else f"--{key.replace('_', '-')}"
        options += [flag] * value if isinstance(value, bool) else [flag, value]
    _run_python(study, config, folder, "-m", "bench.peers.hf_trainer", *options)


def _predict_hf(study: Study, config: Config, data: Path, *, folder: Path, out: Path) -> None:
    """Turn the tags into entities. The best tag of each word by itself may follow nothing; such a tag begins an entity,
    as in conlleval."""
    for split in ("dev", "test"):
        tags = read_json(folder / "result.json")[split]["tags"]
        posts = zip(read_conll(data / f"{split}.conll"), tags, strict=True)
        write_conll([Record(post.words, row) for post, row in posts], folder / f"{split}.conll")
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"\[TW100\]")
            write_docbin(read_conll(folder / f"{split}.conll", scheme="IOB2"), out / f"{split}.spacy")


def _run_python(study: Study, config: Config, folder: Path, *arguments: object) -> None:
    """Run Python in the environment of a system. What it prints goes to log.txt in the folder."""
    python = Path(sys.executable)
    if config.system == "spacy_transformers":
        python = study.root / ST_VENV / "bin" / "python"
        if not python.is_file():
            fail(f"{python} is not there", "Make it with `make test-spacy-transformers`, or name it in ST_VENV.")
    variables = {**os.environ, "OMP_NUM_THREADS": str(THREADS), "TOKENIZERS_PARALLELISM": "false"}
    with (folder / "log.txt").open("a+", encoding="utf8") as log:
        command = [str(python), *map(str, arguments)]
        done = subprocess.run(command, cwd=study.root, env=variables, stdout=log, stderr=log, check=False)
        if done.returncode != 0:
            log.seek(0)
            fail(f"{config.name} failed: {log.name}", "".join(log.readlines()[-15:]))


def _child_seconds() -> float:
    """Sum the time that finished child processes computed."""
    times = os.times()
    return times.children_user + times.children_system
