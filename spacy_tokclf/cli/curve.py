"""`spacy tokclf curve`: would more annotation help?"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._app import app
from ._device import DeviceT, GpuT, on_device
from ._printer import msg
from ._util import CodeT, failing_cleanly, parse_overrides

if TYPE_CHECKING:
    from ..metrics.learning_curve import PartRun


@app.command("curve", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def curve_cli(
    context: typer.Context,
    config: Annotated[Path, typer.Argument(help="The config of the training")],
    out: Annotated[Path, typer.Argument(help="The folder of curve.json, which `report` shows as a plot")],
    shares: Annotated[
        str, typer.Option("--shares", help="Shares of the training texts, in percent")
    ] = "10,25,50,75,100",
    seeds: Annotated[
        int, typer.Option("--seeds", min=1, help="Trainings with each share: each chooses other texts")
    ] = 3,
    code: CodeT = None,
    device: DeviceT = None,
    use_gpu: GpuT = -1,
) -> None:
    """Train with growing parts of the training data, to see whether more annotation would help.

    Values of the config are changed by --section.key value. The pipelines are not kept. An interrupted command goes on
    where it was, with the same config and data.
    """
    from spacy.cli._util import import_code

    from ..metrics.learning_curve import last_gain
    from ..training.config import read_training_config
    from ..training.curve import train_on_parts
    from ..training.part_config import has_epochs

    with failing_cleanly(), on_device(device, use_gpu):
        parts = read_shares(shares)
        overrides = parse_overrides(context.args)
        import_code(code)
        if not has_epochs(read_training_config(config, overrides)):
            msg.info("The config counts steps, not epochs: its steps, warm-up and patience are scaled by the share.")
        show = None if sys.stderr.isatty() else _show_run  # there is a bar
        runs = train_on_parts(config, out, shares=parts, seeds=seeds, overrides=overrides, gpu_id=use_gpu, show=show)
        _print(runs)
        if sentence := last_gain(runs):
            msg.text(sentence)
        msg.good(f"Wrote {out / 'curve.json'}")


def read_shares(text: str) -> list[float]:
    """Read shares in percent.

    text (str): Numbers with commas between them.
    RETURNS (list[float]): The shares, from 0 to 1.
    RAISES (ValueError): TC381, for anything else.
    """
    from ..errors import Errors

    try:
        found = [float(part) / 100 for part in text.split(",")]
    except ValueError as error:
        raise ValueError(Errors.TC381.format(share=text)) from error
    return found


def _show_run(run: "PartRun") -> None:
    """Print a line about a training."""
    msg.text(f"{100 * run.share:g} %, seed {run.seed}: {run.texts:,} texts, F1 {100 * run.f1:.2f}")


def _print(runs: "list[PartRun]") -> None:
    """Print the table."""
    from ..metrics.learning_curve import curve_points

    rows = [
        (
            f"{100 * point.share:g} %",
            f"{point.texts:,.0f}",
            f"{point.entities:,.0f}",
            f"{100 * point.f1:.2f}",
            f"{100 * point.low:.2f} to {100 * point.high:.2f}" if point.number > 1 else "",
        )
        for point in curve_points(runs)
    ]
    msg.divider("F1 on the development data")
    msg.table(rows, header=("share", "texts", "entities", "F1", "lowest to highest"), aligns=("r",) * 5)
