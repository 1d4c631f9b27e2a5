"""Train from a config: a config in, `model-best`, `model-last` and `log.jsonl` out, and nothing lost."""

import io
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from spacy.language import Language
from spacy.training.initialize import init_nlp, resolve_dot_names
from spacy.training.loop import DIR_MODEL_BEST
from spacy.util import registry

from ..errors import Errors, Warnings
from ..runtime.device import choose_gpu
from ..runtime.group import Group, joined
from ..runtime.lock import locked
from .config import explained, read_training_config
from .epochs import plan_steps
from .fingerprint import check_same_call
from .folder import check_folder, clear_folder, finish_folder
from .keeper import Keeper
from .log import LOG_NAME
from .loop import make_training, run_training
from .resume import read_data_together

#: The logger that also writes the log, and those of spaCy that it shows as they would.
TRAINING_LOG, CONSOLE = "spacy-tokclf.TrainingLog.v1", "spacy.ConsoleLogger."
#: Steps from one checkpoint to the next, beside those of the evaluations.
CHECKPOINT_STEPS = 1000


def train_pipeline(
    config_path: str | Path,
    out: str | Path,
    *,
    overrides: dict[str, Any] | None = None,
    epochs: float | None = None,
    gpu_id: int = -1,
    resume: bool = False,
    overwrite: bool = False,
    checkpoints: Literal["removed", "kept", "none"] = "removed",
    checkpoint_steps: int = CHECKPOINT_STEPS,
    silent: bool = False,
) -> Path:
    """Train a pipeline as `spacy train` does, with the same weights; a training that was broken off goes on from its
    last checkpoint, with the weights that it would have had. Processes that torchrun has started train together: each
    calls this, learns from its share of each batch, and has the weights of all; the first one writes.

    config_path (str | Path): The config.
    out (str | Path): The folder for model-best, model-last, log.jsonl and the checkpoints.
    overrides (dict[str, Any] | None): Values to set in the config, by "section.key".
    epochs (float | None): The length of training in epochs; None for what the config says.
    gpu_id (int): The GPU, or -1 for the CPU.
    resume (bool): Whether to go on with the training in the folder. Without one, it begins.
    overwrite (bool): Whether to replace a training in the folder: its pipelines stay until the new ones are there.
    checkpoints (str): What becomes of the checkpoints in the end: "removed" or "kept"; "none": none are written, unless
        a training is to go on.
    checkpoint_steps (int): Steps from one checkpoint to the next, beside those of the evaluations; 0 for none.
    silent (bool): Whether to print nothing.
    RETURNS (Path): The folder of the best pipeline.
    RAISES (ValueError): TC353 and TC354, for a config that does not work; TC355, if there is a training in the folder;
        TC356, if the learning rate is 0; TC357, if there are no texts to evaluate on; TC450 to TC460, if a training
        cannot go on, or another one is going on.
    RAISES (ValueError): TC540 to TC547, if processes cannot train together.
    RAISES (ConnectionError): TC542, if another process is gone.
    RAISES (Stopped): A KeyboardInterrupt, after a signal that asked to stop.
    """
    out = Path(out)
    streams = (io.StringIO(), io.StringIO()) if silent else (sys.stdout, sys.stderr)
    with joined() as group:
        if group.is_first:
            check_folder(out, resume=resume, overwrite=overwrite)
        call = {"resume": resume, "overwrite": overwrite, "checkpoints": checkpoints}
        check_same_call(call | {"checkpoint_steps": checkpoint_steps}, group)
        choose_gpu(gpu_id, group.local_rank)
        nlp = _initialize(config_path, out, overrides or {}, epochs=epochs, gpu_id=gpu_id)
        with _held(out, group, resume=resume, overwrite=overwrite) as folder:
            finish = partial(_finish, group, out, keep=checkpoints == "kept")
            training = make_training(nlp, gpu_id=gpu_id, group=group)
            run = partial(run_training, training, folder, stdout=streams[0], stderr=streams[1])
            if checkpoints == "none" and not resume:
                if group.is_alone:
                    training.batches.read()
                else:
                    read_data_together(training, None)
                run()
                finish(folder, None)
                return out / DIR_MODEL_BEST
            keeper = Keeper(training, out, steps=checkpoint_steps, silent=silent)
            if resume and keeper.is_finished():
                finish(out, None)  # if its last process did not come to that
                return out / DIR_MODEL_BEST
            keeper.go_on(folder)
            with keeper.signals:
                run(before_saving=keeper.write, after_step=keeper.after_step)
            finish(folder, keeper.fingerprint)
    return out / DIR_MODEL_BEST


@contextmanager
def _held(out: Path, group: Group, *, resume: bool, overwrite: bool) -> Iterator[Path]:
    """Hold the folder of a training, in the first process: the others do not write. YIELDS (Path): The folder that
    pipelines are saved to."""
    if not group.is_first:
        yield out
        return
    out.mkdir(parents=True, exist_ok=True)
    with locked(out):
        check_folder(out, resume=resume, overwrite=overwrite)  # another process may have been there
        yield clear_folder(out, overwrite=overwrite)


def _finish(group: Group, out: Path, folder: Path, fingerprint: dict[str, Any] | None, *, keep: bool) -> None:
    """End a training, in the first process; the others wait for it."""
    if group.is_first:
        finish_folder(out, folder, fingerprint, keep=keep)
    group.wait()


def _initialize(
    config_path: str | Path, out: Path, overrides: dict[str, Any], *, epochs: float | None, gpu_id: int
) -> Language:
    """Make the pipeline that a config describes, with what it is trained on. RAISES (ValueError): As train_pipeline."""
    config = read_training_config(config_path, overrides, epochs=epochs)
    with explained(config_path):
        nlp = init_nlp(config, use_gpu=gpu_id)
        _check_numbers(nlp)
        _check_dev(nlp)
    _fit_steps(nlp)
    _keep_log(nlp, out)
    return nlp


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
    highest = given if rate is None else next((each for each in islice(rate, steps) if each > 0), 0.0)
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


def _keep_log(nlp: Language, out: Path) -> None:
    """Let the logger of the config write the log, too: in the place of one that would write the same file."""
    logger = dict(nlp.config["training"]["logger"])
    name = logger.get("@loggers", "")
    if name == TRAINING_LOG:
        return
    file = _training(nlp)["logger"].get("output_file")
    if name.startswith(CONSOLE) and file and Path(file).absolute() == (out / LOG_NAME).absolute():
        logger["output_file"] = None
    shown = {} if name.startswith(CONSOLE) and not logger.get("output_file") else {"logger": logger}
    nlp.config["training"]["logger"] = {"@loggers": TRAINING_LOG, **shown}
