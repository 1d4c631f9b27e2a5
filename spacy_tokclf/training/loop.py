"""The loop of a training: what spaCy's own does, with the same bits, from any checkpoint on.

Drawing batches, taking a step, evaluating and saving are functions of their own. A step that is evaluated writes its
checkpoint first and the pipelines after it: what is saved is never ahead of what can be gone on from.
"""

import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from timeit import default_timer
from typing import IO, Any

from spacy.errors import Errors as SpacyErrors
from spacy.language import Language
from spacy.schemas import ConfigSchemaTraining
from spacy.training import Example
from spacy.training.initialize import resolve_dot_names
from spacy.training.loop import (
    DIR_MODEL_BEST,
    DIR_MODEL_LAST,
    create_before_to_disk_callback,
    subdivide_batch,
    update_meta,
)
from spacy.ty import TrainableComponent
from spacy.util import registry
from thinc.api import Optimizer, constant, fix_random_seed, set_gpu_allocator
from wasabi import Printer

from ..errors import Errors
from ..runtime.files import copy_whole, whole_folder
from ..runtime.group import ALONE, Group
from ..runtime.memory import objects_settled
from ..runtime.random_state import kept_states
from ..runtime.saving import save_pipeline
from .ahead import draw_ahead, find_ahead
from .batches import Batches
from .evaluation import evaluate_together
from .log import columns_of, make_row
from .shares import drawn_apart, share_of_batch
from .state import check_finite, check_same_weights
from .summing import StepSum
from .unmeasured import measured

ScoresT = dict[str, Any]


@dataclass
class Progress:
    """How far a training is.

    step (int): The last step that was taken; -1 before the first.
    results (list[tuple[float, int]]): The score and the step of each evaluation.
    losses (dict[str, Any]): Losses by component since the last evaluation.
    words (int): Words that were trained on.
    seconds (float): The time that it took in earlier processes.
    rows (list[dict[str, Any]]): The rows of the log.
    score_keys (list[str] | None): The scores that count, once the first evaluation has shown which there are.
    performance (dict[str, Any]): The scores of the last evaluation, as the pipeline's meta.json has them.
    """

    step: int = -1
    results: list[tuple[float, int]] = field(default_factory=list)
    losses: dict[str, Any] = field(default_factory=dict)
    words: int = 0
    seconds: float = 0.0
    rows: list[dict[str, Any]] = field(default_factory=list)
    score_keys: list[str] | None = None
    performance: dict[str, Any] = field(default_factory=dict)

    @property
    def is_evaluated(self) -> bool:
        """RETURNS (bool): Whether the last step was evaluated."""
        return bool(self.results) and self.results[-1][1] == self.step

    @property
    def is_best(self) -> bool:
        """RETURNS (bool): Whether the last evaluation is the best so far; of equal ones, the last is."""
        return self.results[-1][0] == max(self.results)[0]


@dataclass
class Training:
    """All that a training needs.

    nlp (Language): The pipeline, initialized.
    optimizer (Optimizer): The optimizer.
    batches (Batches): The training data.
    dev_corpus (Callable): Reads the development data.
    dropouts (Iterator[float]): The rate of dropout at each step.
    settings (dict[str, Any]): The block `[training]` of the config, resolved.
    group (Group): The processes that train together.
    sums (StepSum | None): Adds up their steps, if there are several.
    n_strings (int): The strings of the vocabulary before data were read.
    progress (Progress): How far it is.
    ahead (tuple[int, list[Example]] | None): The next batch, after its epoch, if it was drawn already.
    looks_ahead (bool): Whether it may be.
    """

    nlp: Language
    optimizer: Optimizer
    batches: Batches
    dev_corpus: Callable[[Language], Iterable[Example]]
    dropouts: Iterator[float]
    settings: dict[str, Any]
    group: Group = ALONE
    sums: StepSum | None = None
    n_strings: int = 0
    progress: Progress = field(default_factory=Progress)
    ahead: tuple[int, list[Example]] | None = None
    looks_ahead: bool = True

    @property
    def frozen(self) -> list[str]:
        """RETURNS (list[str]): The components that are not trained."""
        names: list[str] = self.settings["frozen_components"]
        return names


def make_training(nlp: Language, *, gpu_id: int = -1, group: Group = ALONE) -> Training:
    """Set the random state, and make what the config of a pipeline says. No data are read yet.

    nlp (Language): The pipeline, initialized.
    gpu_id (int): The GPU, or -1 for the CPU.
    group (Group): The processes that train together.
    RETURNS (Training): The training before its first step.
    RAISES (ValueError): TC545, if several processes cannot train the pipeline.
    """
    config: Any = nlp.config.interpolate()
    if config["training"]["seed"] is not None:
        fix_random_seed(config["training"]["seed"])
    allocator = config["training"]["gpu_allocator"]
    if gpu_id >= 0 and allocator:
        set_gpu_allocator(allocator)
    settings: Any = registry.resolve(config["training"], schema=ConfigSchemaTraining)
    if not group.is_alone and settings["seed"] is None:
        raise ValueError(Errors.TC545.format(reason="training.seed is null, so that each would draw something else"))
    train, dev = resolve_dot_names(config, [settings["train_corpus"], settings["dev_corpus"]])
    dropout = settings["dropout"]
    return Training(
        nlp=nlp,
        optimizer=settings["optimizer"],
        batches=Batches(nlp, train, settings["batcher"], max_epochs=settings["max_epochs"]),
        dev_corpus=dev,
        dropouts=iter(constant(dropout) if isinstance(dropout, float) else dropout),
        settings=settings,
        group=group,
        sums=None if group.is_alone else StepSum(nlp, settings["frozen_components"], group),
        n_strings=len(nlp.vocab.strings),
    )


def run_training(
    training: Training,
    folder: Path,
    *,
    stdout: IO[str],
    stderr: IO[str],
    before_saving: Callable[[Training], None] | None = None,
    after_step: Callable[[Training], None] | None = None,
) -> None:
    """Train to the end: from the first step on, or from where a checkpoint was. Of several processes, the first one
    logs and saves.

    `model-last` is the pipeline of the last evaluation, and in the end that of the last step. An error leaves both
    pipelines as they are.

    training (Training): The training, its data read.
    folder (Path): The folder for model-best, model-last and the log.
    stdout, stderr (IO[str]): Where progress is shown.
    before_saving (Callable[[Training], None] | None): Called when a step was evaluated, before the pipelines are saved.
    after_step (Callable[[Training], None] | None): Called at the end of every step.
    """
    if training.group.is_first:
        _show_start(training, stdout)
    goes_on = training.progress.step >= 0
    kept = nullcontext if training.group.is_alone else kept_states  # what one process draws, the others do not
    log_step, finalize = _no_log, _no_end
    if training.group.is_first:
        with training.nlp.select_pipes(disable=training.frozen), kept_states() if goes_on else kept():
            log_step, finalize = training.settings["logger"](training.nlp, stdout, stderr)
    start = default_timer()
    with ExitStack() as stack:
        stack.callback(finalize)
        stack.enter_context(objects_settled())
        while not is_over(training):
            batch = training.ahead or next(training.batches, None)
            if batch is None:
                break
            take_step(training, *batch)
            info = None
            if not training.progress.step % training.settings["eval_frequency"]:
                info = evaluate(training, seconds=training.progress.seconds + default_timer() - start)
                if before_saving is not None:
                    before_saving(training)
                with kept():
                    save(training, folder, best=training.progress.is_best)
                info["output_path"] = str(folder / DIR_MODEL_LAST)
            with kept():
                log_step(info)
            if after_step is not None:
                after_step(training)
    if not training.progress.is_evaluated:
        check_learned(training)
        save(training, folder, best=False)


def is_over(training: Training) -> bool:
    """RETURNS (bool): Whether no step is to follow: all were taken, or patience is at its end."""
    progress, settings = training.progress, training.settings
    if progress.step < 0:
        return False
    best = max((score, -step) for score, step in progress.results)  # the first of the best
    if settings["patience"] and progress.step + best[1] >= settings["patience"]:
        return True
    return bool(settings["max_steps"]) and progress.step >= settings["max_steps"]


def take_step(training: Training, epoch: int, batch: list[Example]) -> None:
    """Learn from a batch: gradients of all its parts and components first, then the step of each component.

    training (Training): The training.
    epoch (int): The epoch.
    batch (list[Example]): The batch.
    """
    nlp, settings, progress = training.nlp, training.settings, training.progress
    progress.step += 1
    if settings["before_update"]:
        settings["before_update"](nlp, {"step": progress.step, "epoch": epoch})
    dropout = next(training.dropouts)
    if training.sums is None:
        _learn(training, batch, dropout, progress.losses)
    else:
        losses: dict[str, float] = {}
        with drawn_apart(training.group, seed=settings["seed"], step=progress.step):
            _learn(training, share_of_batch(batch, training.group), dropout, losses)
        for name, loss in training.sums.run(batch, losses).items():
            progress.losses[name] = progress.losses.get(name, 0.0) + loss
    for name, pipe in nlp.pipeline:
        learns = name not in training.frozen and getattr(pipe, "is_trainable", False)
        if learns and isinstance(pipe, TrainableComponent) and pipe.model not in (True, False, None):
            pipe.finish_update(training.optimizer)
    training.optimizer.step_schedules()
    progress.words += sum(len(example) for example in batch)


def _learn(training: Training, batch: list[Example], dropout: float, losses: dict[str, float]) -> None:
    """Add up the gradients of a batch, part by part, and its losses. While a device computes, the next batch is drawn,
    unless this step is evaluated: what is saved then is the place after this batch."""
    ahead, training.ahead = training.ahead, None
    step, settings = training.progress.step, training.settings
    pipe: Any = find_ahead(training)
    goes_on = step % settings["eval_frequency"] and step != settings["max_steps"]
    if pipe is not None and training.looks_ahead and goes_on:
        pipe.meanwhile = partial(draw_ahead, training, pipe)
    if pipe is not None and ahead is not None and ahead[1] is batch:
        pipe.update(batch, drop=dropout, losses=losses, sgd=False)  # as `nlp.update`, without a copy of each text
        return
    parts = list(subdivide_batch(batch, settings["accumulate_gradient"]))
    for number, part in enumerate(parts, 1):
        if training.sums is not None and number == len(parts):
            training.sums.expect_last()
        training.nlp.update(
            part,
            drop=dropout,
            losses=losses,
            sgd=False,  # type: ignore[arg-type]  # "no step", for spaCy
            exclude=training.frozen,
            annotates=settings["annotating_components"],
        )


def check_learned(training: Training) -> None:
    """Refuse to keep what was learned if it is no numbers, or not the same in all processes.

    training (Training): The training, after a step.
    RAISES (ValueError): TC456, if it is no numbers; TC544, if processes have learned something else.
    """
    step = training.progress.step
    check_finite(training.nlp, training.optimizer, step)
    check_same_weights(training.nlp, training.group, after=f"step {step}")


def evaluate(training: Training, *, seconds: float) -> dict[str, Any]:
    """Evaluate the pipeline, with averaged weights if there are any, and note the result.

    training (Training): The training, after a step.
    seconds (float): How long it has taken.
    RETURNS (dict[str, Any]): What spaCy tells its loggers.
    RAISES (ValueError): TC456, if what was learned is no numbers; TC544, if processes have learned something else.
    """
    nlp, progress = training.nlp, training.progress
    check_learned(training)
    if training.optimizer.averages:
        with nlp.use_params(training.optimizer.averages):
            score, scores = _score(training)
    else:
        score, scores = _score(training)
    progress.results.append((score, progress.step))
    info = {
        "epoch": training.batches.epoch,
        "step": progress.step,
        "score": score,
        "other_scores": scores,
        "losses": progress.losses,
        "checkpoints": progress.results,
        "seconds": int(seconds),
        "words": progress.words,
    }
    with nlp.select_pipes(disable=training.frozen):
        update_meta(training.settings, nlp, info)
    nlp.meta["performance"] = progress.performance = measured(nlp, nlp.meta["performance"])
    progress.rows.append(make_row(info, columns_of(training.settings["score_weights"])))
    progress.losses = {}
    return info


def _score(training: Training) -> tuple[float, ScoresT]:
    """Give the weighted score on the development data, and all scores. As in spaCy, a score that was once not there
    does not count any more."""
    nlp, progress = training.nlp, training.progress
    try:
        scores = evaluate_together(nlp, training.dev_corpus(nlp), training.group)
    except KeyError as error:
        raise KeyError(SpacyErrors.E900.format(pipeline=nlp.pipe_names)) from error
    scores = {key: value for key, value in scores.items() if value is not None}
    weights = {key: value for key, value in training.settings["score_weights"].items() if value is not None}
    known = weights if progress.score_keys is None else progress.score_keys
    progress.score_keys = [key for key in weights if key in known and key in scores]
    for key in progress.score_keys:
        if not isinstance(scores[key], int | float):
            raise ValueError(SpacyErrors.E915.format(name=key, score_type=type(scores[key])))
    score = sum(scores[key] * weights[key] for key in progress.score_keys)
    return training.group.number_of_first(float(score)), scores


def save(training: Training, folder: Path, *, best: bool) -> None:
    """Save the pipeline as `model-last`, and as `model-best`, each whole or not at all. Of several processes, the first
    one does.

    training (Training): The training.
    folder (Path): The folder of both.
    best (bool): Whether it is the best so far.
    """
    if not training.group.is_first:
        return
    nlp = training.nlp
    with nlp.use_params(training.optimizer.averages):
        prepare = create_before_to_disk_callback(training.settings["before_to_disk"])
        save_pipeline(prepare(nlp), folder / DIR_MODEL_LAST)
    if best:
        with whole_folder(folder / DIR_MODEL_BEST) as made:
            copy_whole(folder / DIR_MODEL_LAST, made)


def advance_schedules(training: Training, steps: int) -> None:
    """Go to the rates after some steps, without taking them.

    training (Training): The training, before its first step.
    steps (int): The number of steps.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they were given when the steps were taken
        for _ in range(steps):
            next(training.dropouts)
            training.optimizer.step_schedules()


def _no_log(info: dict[str, Any] | None) -> None:
    """Log nothing: another process does."""


def _no_end() -> None:
    """End nothing."""


def _show_start(training: Training, stdout: IO[str]) -> None:
    """Say what is trained, as spaCy does."""
    msg = Printer(no_print=True)
    stdout.write(msg.info(f"Pipeline: {training.nlp.pipe_names}") + "\n")
    if training.frozen:
        stdout.write(msg.info(f"Frozen components: {training.frozen}") + "\n")
    annotating = training.settings["annotating_components"]
    if annotating:
        stdout.write(msg.info(f"Set annotations on update for: {annotating}") + "\n")
    stdout.write(msg.info(f"Initial learn rate: {training.optimizer.learn_rate}") + "\n")
