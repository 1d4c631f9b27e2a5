"""`spacy tokclf tune`: fit a decision bias and the scores of entities on development data."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._app import app
from ._device import DeviceT, GpuT, on_device
from ._printer import msg
from ._reading import reading
from ._util import failing_cleanly, write_json

if TYPE_CHECKING:
    from ..corpus.options import ReadOptions


@app.command("tune")
@reading()
def tune_cli(
    model: Annotated[str, typer.Argument(help="A trained pipeline: a folder, or a package's name with --output")],
    data: Annotated[
        Path | None, typer.Argument(help="Data that it was not trained on, in any form that `convert` reads")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder of the tuned pipeline; else MODEL itself is tuned")
    ] = None,
    bias: Annotated[bool, typer.Option(help="Fit how readily tokens become entities, for the best F1")] = True,
    per_type: Annotated[bool, typer.Option(help="With a bias for each entity type")] = False,
    calibration: Annotated[bool, typer.Option(help="Fit the scores of entities to the share that is right")] = True,
    temperature: Annotated[
        bool, typer.Option(help="Fit the probabilities that an export to Hugging Face gives")
    ] = False,
    like: Annotated[
        str | None, typer.Option("--like", help="Fit nothing, take the numbers of this tuned pipeline")
    ] = None,
    component: Annotated[
        str | None, typer.Option("--component", "-c", help="The component, if there are several")
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", "-r", help="Write numbers and scores to a JSON file")
    ] = None,
    device: DeviceT = None,
    use_gpu: GpuT = -1,
    *,
    options: "ReadOptions",
) -> None:
    """Tune a trained pipeline on development data. The numbers are stored in it; `tuned = false` leaves them out.

    "held out" in the table: each fifth of the texts, with what was fitted on the others.
    """
    from ..corpus.convert import read_file
    from ..errors import Errors
    from ..export.folders import check_output
    from ..pipeline.load import load_pipeline
    from ..pipeline.tuning.tune import copy_tuning, tune
    from ..runtime.saving import save_pipeline

    with failing_cleanly(), on_device(device, use_gpu):
        if output is None and not Path(model).is_dir():
            raise ValueError(Errors.TC065.format(model=model))
        if (data is None) == (like is None):
            raise ValueError(Errors.TC066)
        if output is not None:
            check_output(output)
        nlp = load_pipeline(model)
        if data is None:
            found = copy_tuning(nlp, load_pipeline(str(like)), component=component)
        else:
            fits = {"bias": bias, "per_type": per_type, "calibration": calibration, "temperature": temperature}
            found = tune(nlp, read_file(data, nlp, options), component=component, source=str(data), **fits)
        _print(found)
        pipe: Any = nlp.get_pipe(found["component"])
        if not pipe.cfg["tuned"]:
            msg.warn(f"The config says tuned = false for {pipe.name}: the numbers are stored, and not used.")
        if output is None:
            update_pipeline(nlp, pipe, Path(model))
        else:
            save_pipeline(nlp, output)
        msg.good(f"Wrote {output or model}")
        if report is not None:
            write_json(report, found)


def update_pipeline(nlp: Any, pipe: Any, model: Path) -> None:
    """Write the settings of a component, and its scores, into a saved pipeline: nothing else of it has changed."""
    import srsly

    from ..runtime.files import whole_file
    from ..runtime.saving import updated_pipeline

    with updated_pipeline(model) as made:
        pipe.to_disk(made / pipe.name, exclude=("vocab", "model", "encoder"))
        meta = srsly.read_json(made / "meta.json")
        scores = nlp.meta.get("performance")
        if meta.get("performance") != scores:
            with whole_file(made / "meta.json") as file:
                file.write_text(srsly.json_dumps({**meta, "performance": scores}, indent=2), encoding="utf-8")


def _print(found: dict[str, Any]) -> None:
    """Print numbers and scores."""
    from ._table import print_table, print_title
    from .tables import SCORED, print_legend, scored_row

    names = [name for name in ("untuned", "tuned", "held_out") if name in found]
    if names:
        print_title(f"{found['component']}: {found['texts']} texts, {found['gold']} entities")
        keys = ("precision", "recall", "f1", *SCORED)
        rows = [(name.replace("_", " "), *scored_row(found[name], keys)) for name in names]
        header = ("", "P", "R", "F1", *SCORED.values())
        print_table(rows, header=header, aligns=("l", *"r" * len(keys)))
        print_legend()
    tuning = found["tuning"]
    by_type = [f"{value:+.2f} {name}" for name, value in tuning["bias"].items()]
    common = set(tuning["bias"].values())
    msg.text("Bias: " + (", ".join(by_type) if len(common) > 1 else f"{max(common, default=0.0):+.2f}"))
    msg.text(
        f"Scores: slope {tuning['slope']:.3f}, shift {tuning['shift']:+.3f}; temperature {tuning['temperature']:.3f}"
    )
