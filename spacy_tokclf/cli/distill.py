"""`spacy tokclf distill`: a student learns from teachers."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import Errors
from ._app import app
from ._device import DeviceT, GpuT, device_words, on_device
from ._printer import msg
from ._reading import column, reading
from ._util import CodeT, failing_cleanly, parse_overrides
from .train import show_best, stopping

if TYPE_CHECKING:
    from ..corpus.options import ReadOptions

AlsoT = Annotated[
    list[str] | None,
    typer.Option("--also", "-a", help="Another teacher, any number of times; what they say of a text is averaged"),
]
TextsT = Annotated[
    list[str] | None,
    typer.Option("--texts", "-x", help="Texts without gold, in any form that `annotate` reads; any number of times"),
]
ColumnT = Annotated[
    str | None, typer.Option("--text-column", help="Table: the column of the texts, by name or by number")
]
MadeT = Annotated[
    int,
    typer.Option("--made", "-m", min=0, help="Texts made of each training text: other names, casing, fewer words"),
]
TemperatureT = Annotated[float, typer.Option("--temperature", "-t", help="Above 1, small probabilities count more")]
ShareT = Annotated[
    float, typer.Option("--gold-share", help="Share of the gold in the loss of a token that is taught, too")
]
UnseenT = Annotated[
    bool, typer.Option("--unseen", help="No teacher was trained on the gold texts; else those teach that left them out")
]
ComponentT = Annotated[str | None, typer.Option("--component", help="Component of the teachers, if they have several")]
EpochsT = Annotated[float | None, typer.Option("--epochs", "-n", help="How often each text is seen, as for `train`")]
TrainT = Annotated[bool, typer.Option("--train/--no-train", help="Train at once, or only prepare it")]


@app.command("distill", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
@reading()
def distill_cli(
    context: typer.Context,
    teacher: Annotated[str, typer.Argument(help="Name or folder of a pipeline with a token_classifier")],
    config: Annotated[Path, typer.Argument(help="Training config of the student, with the gold texts")],
    out: Annotated[Path, typer.Argument(help="Folder of the training, as for `train`. Overrides: --section.key value")],
    also: AlsoT = None,
    texts: TextsT = None,
    text_column: ColumnT = None,
    made: MadeT = 0,
    temperature: TemperatureT = 2.0,
    gold_share: ShareT = 0.5,
    unseen: UnseenT = False,
    component: ComponentT = None,
    epochs: EpochsT = None,
    train: TrainT = True,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the training that was broken off")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is in OUT")] = False,
    code: CodeT = None,
    device: DeviceT = None,
    use_gpu: GpuT = -1,
    *,
    options: "ReadOptions",
) -> None:
    """Train a student on what teachers say of its training texts, of texts without gold, and of texts that are made.

    Teachers run once; what they say is kept in OUT/distilled, and OUT/student.cfg is an ordinary config that learns
    from it. A gold text is taught by teachers that were trained without its fold (spacy-tokclf.AllButFold.v1), or its
    gold alone is learned. Nothing is learned from development data.
    """
    told: dict[str, Any] = {
        "texts": texts or (),
        "options": options,
        "text_column": None if text_column is None else column(text_column),
        "made": made,
        "unseen": unseen,
        "component": component,
        "temperature": temperature,
        "gold_share": gold_share,
    }
    with failing_cleanly(), on_device(device, use_gpu):
        overrides = parse_overrides(context.args)
        more = [part for name, value in (("--code", code),) if value for part in (name, str(value))]
        more += device_words(device, use_gpu)
        _check(out, resume=resume, overwrite=overwrite, code=code)
        how: dict[str, Any] = {"overrides": overrides, "epochs": epochs, "overwrite": overwrite}
        found = _prepare([teacher, *(also or ())], config, out, told, how)
        command = ["python", "-m", "spacy", "tokclf", "train", str(found), str(out), *more]
        if train:
            _train(found, out, command, {"gpu_id": use_gpu, "resume": resume, "overwrite": overwrite})
        else:
            typer.echo(f"\nNext:\n\n    {shlex.join(command)}\n")  # as one line, to be copied


def _check(out: Path, *, resume: bool, overwrite: bool, code: Path | None) -> None:
    """Refuse what cannot be done before a teacher runs. RAISES (ValueError): TC561; as `check_folder`."""
    from spacy.cli._util import import_code

    from ..runtime.group import is_one_of_several
    from ..training.folder import check_folder

    if is_one_of_several():
        raise ValueError(Errors.TC561)
    check_folder(out, resume=resume, overwrite=overwrite)
    import_code(code)


def _prepare(teachers: list[str], config: Path, out: Path, told: dict[str, Any], how: dict[str, Any]) -> Path:
    """Let the teachers run, and say what there is to learn from. RETURNS (Path): The student's config."""
    from ..distillation.prepare import Lesson, prepare_student

    found = prepare_student(teachers, config, out, Lesson(**told), **how)
    source = "" if found.asked else ", as kept from before"
    msg.info(f"Taught: {found.taught:,} of {found.gold:,} gold texts, and {found.others:,} without gold{source}.")
    return found.config


def _train(config: Path, out: Path, command: list[str], how: dict[str, Any]) -> None:
    """Train the student, and say with which command it goes on if it is stopped."""
    from ..training.run import train_pipeline

    with stopping(shlex.join([*command, "--resume"]), is_told=True):
        best = train_pipeline(config, out, **how)
    show_best(best, config, {})
