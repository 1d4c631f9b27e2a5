"""Run spaCy's own training: a config in, `model-best`, `model-last` and `log.jsonl` out, and nothing lost."""

import contextlib
import errno
import io
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.training.initialize import init_nlp, resolve_dot_names
from spacy.training.loop import DIR_MODEL_BEST, DIR_MODEL_LAST
from spacy.training.loop import train as run_loop
from spacy.util import registry

from ..errors import Errors, Warnings
from ..runtime.device import choose_gpu
from ..runtime.files import whole_file, whole_folder
from ..runtime.workplace import workplace
from .config import explained, read_training_config
from .epochs import plan_steps
from .log import LOG_NAME
from .unmeasured import drop_unmeasured

#: The logger that also writes the log, and those of spaCy that it shows as they would.
TRAINING_LOG, CONSOLE = "spacy-tokclf.TrainingLog.v1", "spacy.ConsoleLogger."


def train_pipeline(
    config_path: str | Path,
    out: str | Path,
    *,
    overrides: dict[str, Any] | None = None,
    epochs: float | None = None,
    gpu_id: int = -1,
    force: bool = False,
    silent: bool = False,
) -> Path:
    """Train a pipeline as `spacy train` does: the same loop, and the same weights.

    config_path (str | Path): The config.
    out (str | Path): The folder for model-best, model-last and log.jsonl.
    overrides (dict[str, Any] | None): Values to set in the config, by "section.key".
    epochs (float | None): The length of training in epochs; None for what the config says.
    gpu_id (int): The GPU, or -1 for the CPU.
    force (bool): Whether pipelines that are in the folder may be replaced; they stay until the new ones are there.
    silent (bool): Whether to print nothing.
    RETURNS (Path): The folder of the best pipeline.
    RAISES (ValueError): TC353 and TC354, for a config that does not work; TC355, if there are pipelines in the folder;
        TC356, if the learning rate is 0; TC357, if there are no texts to evaluate on.
    """
    out = Path(out)
    check_place(out, force=force)
    choose_gpu(gpu_id)
    config = read_training_config(config_path, overrides or {}, epochs=epochs)
    with explained(config_path):
        nlp = init_nlp(config, use_gpu=gpu_id)
        _check_numbers(nlp)
        _check_dev(nlp)
    _fit_steps(nlp)
    _keep_log(nlp)
    streams = (io.StringIO(), io.StringIO()) if silent else (sys.stdout, sys.stderr)
    with _place(out) as folder:
        run_loop(nlp, folder, use_gpu=gpu_id, stdout=streams[0], stderr=streams[1])
        drop_unmeasured(nlp, (folder / name for name in (DIR_MODEL_BEST, DIR_MODEL_LAST)))
    return out / DIR_MODEL_BEST


def _pipelines(out: Path) -> list[Path]:
    """RETURNS (list[Path]): The pipelines of an earlier training."""
    return [path for name in (DIR_MODEL_BEST, DIR_MODEL_LAST) if (path := out / name).exists()]


def check_place(out: Path, *, force: bool) -> None:
    """Refuse a folder with pipelines in it.

    out (Path): The folder.
    force (bool): Whether they may be replaced.
    RAISES (ValueError): TC355.
    RAISES (OSError): FileExistsError, if it is no folder.
    """
    if out.exists() and not out.is_dir():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(out))
    found = _pipelines(out)
    if found and not force:
        raise ValueError(Errors.TC355.format(path=found[0]))


@contextlib.contextmanager
def _place(out: Path) -> Iterator[Path]:
    """Give the folder to train in: that of the result, where a training that is broken off leaves its best pipeline so
    far; where an earlier one is, a folder beside it, whose contents take its place in the end."""
    out.mkdir(parents=True, exist_ok=True)
    if not _pipelines(out):
        yield out
        return
    with workplace(out) as temporary:
        yield temporary
        for name in (DIR_MODEL_BEST, DIR_MODEL_LAST):
            with whole_folder(out / name) as made:
                (temporary / name).rename(made)
        with whole_file(out / LOG_NAME) as made:
            (temporary / LOG_NAME).rename(made)


def _training(nlp: Language) -> Any:
    return nlp.config.interpolate()["training"]


def _check_numbers(nlp: Language) -> None:
    """Refuse a learning rate that is 0 all the way, and numbers that are none of steps. RAISES (ValueError): TC356,
    TC031."""
    training = _training(nlp)
    for name, least in {"max_steps": 0, "eval_frequency": 1}.items():
        if training[name] < least:
            raise ValueError(
                Errors.TC031.format(name=f"training.{name}", value=training[name], expected=f"at least {least}")
            )
    rate = registry.resolve({"optimizer": training["optimizer"]})["optimizer"].schedules.get("learn_rate")
    given = training["optimizer"].get("learn_rate")
    steps = training["max_steps"] or 1000
    highest = given if rate is None else max(next(rate) for _ in range(steps))
    if isinstance(highest, int | float) and highest <= 0:
        raise ValueError(Errors.TC356.format(rate=highest, steps=steps))


def _check_dev(nlp: Language) -> None:
    """Refuse data to evaluate on that cannot be read, before there is anything to lose. RAISES (ValueError): TC357."""
    config: Any = nlp.config.interpolate()
    name = config["training"]["dev_corpus"]
    (corpus,) = resolve_dot_names(config, [name])
    if next(iter(corpus(nlp)), None) is None:
        raise ValueError(Errors.TC357.format(name=name))


def _fit_steps(nlp: Language) -> None:
    """Choose steps by which the last one is evaluated, where those of the config do not."""
    training = _training(nlp)
    steps, frequency = training["max_steps"], training["eval_frequency"]
    if training["max_epochs"] > 0 or not steps or not steps % frequency:
        return
    fitting = plan_steps(steps, max(1, round(steps / frequency)))
    warnings.warn(Warnings.TW353.format(given=(steps, frequency), fitting=fitting), stacklevel=3)
    nlp.config["training"].update(zip(("max_steps", "eval_frequency"), fitting, strict=True))


def _keep_log(nlp: Language) -> None:
    """Let the logger of the config write the log, too."""
    logger = nlp.config["training"]["logger"]
    name = logger.get("@loggers", "")
    if name == TRAINING_LOG:
        return
    shown = {} if name.startswith(CONSOLE) and not logger.get("output_file") else {"logger": logger}
    nlp.config["training"]["logger"] = {"@loggers": TRAINING_LOG, **shown}
