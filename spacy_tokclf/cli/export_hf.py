"""`spacy tokclf export-hf`: a pipeline as a Hugging Face token classifier."""

from pathlib import Path
from typing import Annotated

import typer

from ._app import app
from ._printer import msg
from ._util import failing_cleanly


@app.command("export-hf")
def export_hf_cli(
    model: Annotated[str, typer.Argument(help="A pipeline: a folder or the name of an installed package")],
    output: Annotated[Path, typer.Argument(help="Folder for AutoModelForTokenClassification and AutoTokenizer")],
    component: Annotated[
        str | None, typer.Option("--component", "-c", help="The component, if there are several")
    ] = None,
    force: Annotated[bool, typer.Option("--force", "-F", help="Replace an earlier export")] = False,
) -> None:
    """Write a pipeline's token classifier as a folder that Hugging Face opens."""
    from ..export.export_hf import export_hf

    with failing_cleanly():
        export_hf(model, output, component=component, force=force)
        msg.good(f"Wrote {output}")
