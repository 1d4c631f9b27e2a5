"""`spacy tokclf report`: one page about one or two pipelines on annotated data."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._app import app
from ._device import DeviceT, GpuT, on_device
from ._printer import msg
from ._reading import reading
from ._util import RESAMPLES_HELP, TRAIN_HELP, failing_cleanly

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

    from ..corpus.options import ReadOptions
    from ..report.page import System


@app.command("report")
@reading()
def report_cli(
    model: Annotated[str, typer.Argument(help="Name or folder of a pipeline that sets doc.ents")],
    data: Annotated[Path, typer.Argument(help="Annotated data, in any form that `convert` reads")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The page")] = Path("report.html"),
    other: Annotated[str | None, typer.Option("--other", help="A second pipeline, to compare with")] = None,
    train: Annotated[Path | None, typer.Option("--train", "-t", help=TRAIN_HELP)] = None,
    log: Annotated[
        Path | None,
        typer.Option("--log", help="Log of the training; else log.jsonl in MODEL or beside it, if it is there"),
    ] = None,
    curve: Annotated[
        Path | None,
        typer.Option("--curve", help="What `curve` wrote; else curve.json in MODEL or beside it, if it is there"),
    ] = None,
    component: Annotated[
        str | None, typer.Option("--component", "-c", help="Whose threshold moves, if there are several components")
    ] = None,
    resamples: Annotated[int, typer.Option("--resamples", help=RESAMPLES_HELP)] = 1000,
    batch_size: Annotated[int | None, typer.Option("--batch-size", "-b", help="Texts in a batch")] = None,
    device: DeviceT = None,
    use_gpu: GpuT = -1,
    *,
    options: "ReadOptions",
) -> None:
    """Write a page about a pipeline: scores, a threshold to move, curves, mistakes in their texts, two pipelines
    side by side.

    The page is one file and needs no network. It holds the texts: share it only with whom you may share them.
    """
    with failing_cleanly(), on_device(device, use_gpu):
        page = report(
            model,
            data,
            other=other,
            train=train,
            log=log,
            curve=curve,
            component=component,
            resamples=resamples,
            batch_size=batch_size,
            use_gpu=use_gpu,
            output=output,
            options=options,
        )
        msg.good(f"Wrote {output} ({len(page.encode('utf8')) / 1e6:.1f} MB)")


def report(
    model: str,
    data: Path,
    *,
    output: Path,
    other: str | None = None,
    train: Path | None = None,
    log: Path | None = None,
    curve: Path | None = None,
    component: str | None = None,
    resamples: int = 1000,
    batch_size: int | None = None,
    use_gpu: int = -1,
    options: "ReadOptions | None" = None,
) -> str:
    """Make and write the page; the options are those of the command.

    model (str): Name or folder of the pipeline.
    data (Path): A file of annotated data, in any form.
    output (Path): The file to write.
    options (ReadOptions | None): How to read the data, and the training data.
    RETURNS (str): The page.
    RAISES (ValueError): TC1xx, if the data are at fault; TC213, TC240, TC255; TC320, if no text is annotated; TC321 or
        TC322, if the log is at fault; TC323, if the output is a folder; TC384, if the file of `curve` is at fault;
        TC142 and TC143, for the device; as load_pipeline.
    """
    from ..corpus.convert import read_file
    from ..corpus.data_facts import entity_texts
    from ..errors import Errors
    from ..metrics.learning_curve import read_curve, read_found_curve
    from ..pipeline.load import load_pipeline
    from ..report.page import make_page
    from ..report.training_log import read_found_log, read_log
    from ..runtime.device import choose_gpu

    if output.is_dir():
        raise ValueError(Errors.TC323.format(path=output, example=output / "report.html"))
    evaluations = read_log(log) if log is not None else read_found_log(model)
    parts = read_curve(curve)["runs"] if curve is not None else read_found_curve(model)
    choose_gpu(use_gpu)
    nlp = load_pipeline(model)
    references = read_file(data, nlp, options)
    texts = entity_texts(read_file(train, nlp, options)) if train is not None else None
    second = load_pipeline(other) if other is not None else None
    settings: dict[str, Any] = {"batch_size": batch_size, "source": str(data)}
    page = make_page(
        _system(nlp, model, references, component=component, **settings),
        data_name=data.name,
        other=None if second is None else _system(second, str(other), references, **settings),
        train_texts=texts,
        train_name=train.name if train is not None else "",
        log=evaluations,
        parts=parts,
        n_resamples=resamples,
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(page, encoding="utf-8", newline="\n")
    return page


def _system(nlp: "Language", name: str, references: "list[Doc]", **settings: Any) -> "System":
    """Let a pipeline predict."""
    from ..report.candidates import find_candidates
    from ..report.page import System

    return System.of(nlp, name, find_candidates(nlp, references, **settings))
