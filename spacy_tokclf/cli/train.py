"""`spacy tokclf train`: spaCy's training from a config, or from data at once."""

import math
import os
import shlex
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import Errors, Warnings
from ._app import app
from ._device import DeviceT, GpuT, device_words, on_device
from ._printer import msg
from ._reading import reading
from ._util import CodeT, failing_cleanly, parse_overrides

if TYPE_CHECKING:
    from ..corpus.options import ReadOptions

#: What tells a config from data.
SUFFIX = ".cfg"
#: The config that `init` makes of data.
CONFIG = "config.cfg"


@app.command("train", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
@reading(data_sets=True)
def train_cli(
    context: typer.Context,
    source: Annotated[
        str,
        typer.Argument(metavar="CONFIG|DATA", help="Training config (.cfg), or annotated data as for `init`"),
    ],
    out: Annotated[
        Path, typer.Argument(help="Folder for model-best, model-last and log.jsonl. Overrides: --section.key value")
    ],
    epochs: Annotated[
        float | None, typer.Option("--epochs", "-n", help="How often each text is seen; else as the config says")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the training in OUT that was broken off; without one, begin")
    ] = False,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Replace the training in OUT; its pipelines stay until there are new ones"),
    ] = False,
    checkpoint_steps: Annotated[
        int, typer.Option(min=0, help="A checkpoint every so many steps, beside that of each evaluation; 0: none")
    ] = 1000,
    dev: Annotated[str | None, typer.Option("--dev", "-d", help="DATA: as for `init` (0.2)")] = None,
    encoder: Annotated[str | None, typer.Option("--encoder", "-e", help="DATA: as for `init`")] = None,
    lang: Annotated[str | None, typer.Option("--lang", "-l", help="DATA: as for `init` (en)")] = None,
    base: Annotated[str | None, typer.Option("--from", help="DATA: as for `init`")] = None,
    code: CodeT = None,
    device: DeviceT = None,
    use_gpu: GpuT = -1,
    *,
    options: "ReadOptions",
) -> None:
    """Train a pipeline as `spacy train` does, with the last step evaluated, a log, and nothing lost: after a crash,
    Ctrl-C or SIGTERM the same command with --resume goes on.

    With data in the place of a config, `init` makes one first. Started by torchrun, several processes train together:
    torchrun --nproc-per-node 2 -m spacy tokclf train CONFIG OUT
    """
    from spacy.cli._util import import_code

    from ..runtime.group import joined
    from ..training.folder import check_folder
    from ..training.run import train_pipeline

    with failing_cleanly(), on_device(device, use_gpu), joined() as group:
        again = partial(_command, out, {"-n": epochs, "-c": code}, [*device_words(device, use_gpu), *context.args])
        overrides = parse_overrides(context.args)  # which empties the list
        if not group.is_first:
            warnings.filterwarnings("ignore", message=r"\[TW")  # the first process says the same
        import_code(code)
        given = {"--dev": dev, "--encoder": encoder, "--lang": lang, "--from": base}
        if Path(source).suffix == SUFFIX:
            _check_unused(given, options)
        elif group.is_first:
            if resume and (out / CONFIG).exists():
                raise ValueError(Errors.TC455.format(path=out / CONFIG, command=again(out / CONFIG)))
            check_folder(out, resume=resume, overwrite=overwrite)
            _init(source, out, given, epochs=epochs, overwrite=overwrite, options=options)
        group.wait()
        config = Path(source) if Path(source).suffix == SUFFIX else out / CONFIG
        settings: Any = {"resume": resume, "overwrite": overwrite, "checkpoint_steps": checkpoint_steps}
        with stopping(again(config), is_told=group.is_first):
            best = train_pipeline(config, out, overrides=overrides, epochs=epochs, gpu_id=use_gpu, **settings)
        if group.is_first:
            show_best(best, config, overrides)


def _check_unused(given: dict[str, str | None], options: "ReadOptions") -> None:
    """Refuse options that a config decides. RAISES (ValueError): TC358."""
    from ..corpus.options import ReadOptions

    unused = [name for name, value in given.items() if value is not None]
    if options != ReadOptions():
        unused.append("the options of reading")
    if unused:
        raise ValueError(Errors.TC358.format(options=", ".join(unused)))


def _init(
    data: str,
    out: Path,
    given: dict[str, str | None],
    *,
    epochs: float | None,
    overwrite: bool,
    options: "ReadOptions",
) -> None:
    """Make a config from data, in the folder of the training: those that are there may be a running training's."""
    from ..runtime.lock import locked
    from ..training.config import check_epochs
    from .init import init

    if epochs is not None:
        check_epochs(epochs)
    with locked(out) if out.is_dir() else nullcontext():
        init(
            data,
            out,
            dev=given["--dev"] or "0.2",
            encoder=given["--encoder"],
            lang=given["--lang"],
            source=given["--from"],
            epochs=None if epochs is None else math.ceil(epochs),
            force=overwrite,
            options=options,
        )


def _dev_path(config: Path, overrides: dict[str, Any]) -> str:
    """Find the data that a training was evaluated on, to name them in the next command."""
    from ..training.config import read_training_config

    settings: Any = read_training_config(config, overrides).interpolate()
    path = settings.get("paths", {}).get("dev")
    for key in settings["training"].get("dev_corpus", "corpora.dev").split("."):
        settings = settings.get(key, {})
    return as_typed(str(settings.get("path") or path or "DATA"))


def _command(out: Path, told: dict[str, Any], words: list[str], config: Path) -> str:
    """RETURNS (str): The command that goes on with a training."""
    given = [part for name, value in told.items() if value is not None for part in (name, str(value))]
    several = os.environ.get("LOCAL_WORLD_SIZE")  # set by torchrun
    start = ["torchrun", "--nproc-per-node", several] if several else ["python"]
    return shlex.join([*start, "-m", "spacy", "tokclf", "train", str(config), str(out), "--resume", *given, *words])


@contextmanager
def stopping(command: str, *, is_told: bool) -> Iterator[None]:
    """Say where a training stopped after a signal, and with which command it goes on; the exit code is the shell's for
    the signal.

    command (str): The command.
    is_told (bool): Whether anything is said.
    """
    from ..runtime.signals import Stopped

    try:
        yield
    except Stopped as stopped:
        if stopped.is_kept and is_told:
            msg.info(f"Stopped by {stopped}. To go on:")
            typer.echo(f"\n    {command}\n")  # as one line, to be copied
        elif is_told:
            msg.warn(f"Stopped by {stopped}, without a checkpoint of the last step.")
        raise typer.Exit(128 + stopped.number) from None


def as_typed(path: str) -> str:
    """Give a path as one would type it: from the working folder, if it lies below that."""
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path


def show_best(best: Path, config: Path, overrides: dict[str, Any]) -> None:
    """Print the best evaluation, where the pipeline is, and what comes next.

    best (Path): The folder of the pipeline.
    config (Path): The config that it was trained by.
    overrides (dict[str, Any]): Values that were set in it.
    """
    from ..training.log import LOG_NAME, best_row, read_rows

    rows = read_rows(best.parent / LOG_NAME)
    row = best_row(rows)
    if row["score"] <= rows[0]["score"]:
        warnings.warn(Warnings.TW357.format(score=row["score"], step=row["step"]), stacklevel=2)
    f1 = row["scores"].get("ents_f")
    score = f"score {row['score']:.4f}" if f1 is None else f"F1 {f1:.2f}"
    msg.good(f"Best on dev: {score}, epoch {row['epoch']}, step {row['step']} of {rows[-1]['step']}: {best}")
    page, dev = best.parent / "report.html", _dev_path(config, overrides)
    command = shlex.join(["python", "-m", "spacy", "tokclf", "report", str(best), dev, "-o", str(page)])
    typer.echo(f"\nNext:\n\n    {command}\n")  # as one line, to be copied
