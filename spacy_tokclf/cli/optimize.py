"""`spacy tokclf optimize`: a pipeline whose encoder runs faster on CPUs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._app import app
from ._device import DeviceT, on_device
from ._printer import msg
from ._reading import reading
from ._util import failing_cleanly

if TYPE_CHECKING:
    from ..corpus.options import ReadOptions
    from ..export.optimize_check import Agreement

#: Below this share of equal tags, a comparison on texts of our own is worth a warning.
FEW = 0.97


@app.command("optimize")
@reading()
def optimize_cli(
    model: Annotated[str, typer.Argument(help="A pipeline: a folder or the name of an installed package")],
    output: Annotated[Path, typer.Argument(help="Folder for the new pipeline")],
    precision: Annotated[str, typer.Option("--precision", "-p", help="int8 (fastest) or fp32 (same scores)")] = "int8",
    data: Annotated[
        str | None,
        typer.Option("--data", "-d", help="Annotated data to compare on, in any form that `convert` reads"),
    ] = None,
    max_f1_loss: Annotated[
        float, typer.Option("--max-f1-loss", help="How much lower F1 on the data may be; 0.005 is half a point")
    ] = 0.005,
    component: Annotated[
        str | None, typer.Option("--component", "-c", help="The component whose encoder it is; else all encoders")
    ] = None,
    force: Annotated[bool, typer.Option("--force", "-F", help="Replace a pipeline in the folder")] = False,
    device: DeviceT = None,
    *,
    options: "ReadOptions",
) -> None:
    """Make a pipeline of the same components whose encoder runs in ONNX Runtime, for annotation on CPUs.

    It is compared with the original and not written if it is worse. It needs neither torch nor transformers, and cannot
    be trained: keep the original.
    """
    with failing_cleanly(), on_device(device):
        from ..export.optimize import optimize

        agreement = optimize(
            model,
            output,
            precision=precision,
            data=data,
            max_f1_loss=max_f1_loss,
            component=component,
            force=force,
            options=options,
        )
        _print(agreement)
        msg.good(f"Wrote {output}")


def _print(agreement: "Agreement") -> None:
    from ._table import print_table, print_title
    from .tables import percent

    rows = [
        ("Texts", str(agreement.n_texts)),
        ("Tokens", str(agreement.n_tokens)),
        ("Tokens with equal tags", f"{percent(agreement.equal_tokens)}%"),
        ("Texts with equal entities", f"{percent(agreement.equal_texts)}%"),
        ("Largest difference of scores", f"{agreement.difference:.1e} (largest score {agreement.largest:.1f})"),
    ]
    if agreement.f1 is not None:
        before, after = agreement.f1
        rows.append(("F1 before", percent(before)))
        rows.append(("F1 after", f"{percent(after)} ({percent(after - before)})"))
    print_title(f"Compared on {agreement.data or 'texts of our own'}")
    print_table(rows)
    if agreement.f1 is None and agreement.equal_tokens < FEW:
        msg.warn("Many tags differ. Compare on annotated data (--data) before you use this pipeline.")
