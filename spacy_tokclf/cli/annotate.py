"""`spacy tokclf annotate`: texts to entities with scores."""

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import Warnings
from ._app import app
from ._printer import msg
from ._reading import column, reading
from ._util import failing_cleanly

if TYPE_CHECKING:
    from ..corpus.options import ReadOptions

_IN = (
    "Texts: *.txt (one a line), *.jsonl or *.json, a table with --text-column, a folder of *.txt (one a file), "
    "annotated data in any form that `convert` reads, or - for the standard input, lines or JSONL"
)
_OUT = "*.jsonl, *.csv, *.spacy, *.conll, *.ann (a folder of brat), or - for JSON lines to the standard output"


@app.command("annotate")
@reading()
def annotate_cli(
    model: Annotated[str, typer.Argument(help="Name or folder of a pipeline that sets doc.ents")],
    source: Annotated[str, typer.Argument(metavar="IN", help=_IN)],
    output: Annotated[str, typer.Option("--output", "-o", help=_OUT)],
    text_column: Annotated[
        str | None,
        typer.Option("--text-column", help="Table: the column of the texts, by name, or by number if it has no names"),
    ] = None,
    threshold: Annotated[
        float | None, typer.Option("--threshold", help="Leave out entities with a lower score; else as in the pipeline")
    ] = None,
    component: Annotated[
        str | None, typer.Option("--component", "-c", help="Whose threshold, if there are several components")
    ] = None,
    batch_size: Annotated[int | None, typer.Option("--batch-size", "-b", help="Texts in a batch")] = None,
    n_process: Annotated[int, typer.Option("--n-process", "-n", help="Number of processes, on the CPU")] = 1,
    use_gpu: Annotated[int, typer.Option("--gpu-id", "-g", help="GPU ID or -1 for CPU")] = -1,
    *,
    options: "ReadOptions",
) -> None:
    """Annotate texts: entities with scores, in a stream of any length.

    A text that fails is written without annotation, with the reason where the form has a place for it; the rest goes
    on, and the exit code is 0. It is 1 if nothing was written.
    """
    streams: Any = (typer.get_binary_stream("stdin"), typer.get_binary_stream("stdout"))
    is_stream = output == "-"
    with contextlib.redirect_stdout(sys.stderr if is_stream else sys.stdout), failing_cleanly():
        from ..annotation.run import annotate_texts
        from ..pipeline.load import load_pipeline
        from ..runtime.device import choose_gpu

        choose_gpu(use_gpu)
        found = annotate_texts(
            load_pipeline(model),
            source,
            output,
            options=options,
            text_column=None if text_column is None else column(text_column),
            threshold=threshold,
            component=component,
            batch_size=batch_size,
            n_process=n_process,
            streams=streams,
        )
        if found.failed:
            facts = {"count": found.failed, "total": found.texts, "first": "\n".join(found.errors)}
            msg.warn(Warnings.TW360.format(**facts))
        if found.left_out:
            msg.warn(Warnings.TW361.format(count=found.left_out, total=found.texts, first=found.first_left_out))
        if found.replaced:
            msg.warn(Warnings.TW390.format(keys=", ".join(map(repr, sorted(found.replaced))), path=output))
        if not is_stream:
            name = Path(output).name if len(output) > 60 else output
            msg.good(f"Wrote {found.entities} entities of {found.texts - found.left_out} texts to {name}")
