"""`spacy tokclf annotate`: texts to entities with scores."""

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import Warnings
from ._app import app
from ._device import DeviceT, GpuT
from ._printer import msg
from ._reading import column, reading
from ._shards import AddressT, EngineT, ResumeT, ShardRowsT, WorkersT, annotate_shards, refuse_without_engine
from ._util import failing_cleanly

if TYPE_CHECKING:
    from ..annotation.run import Summary
    from ..corpus.options import ReadOptions

_IN = (
    "Texts: *.txt (one a line), *.jsonl or *.json, a table with --text-column, a folder of *.txt (one a file), "
    "annotated data in any form that `convert` reads, or - for the standard input, lines or JSONL"
)
_OUT = (
    "*.jsonl, *.csv, *.spacy, *.conll, *.ann (a folder of brat), or - for JSON lines to the standard output; with "
    "--engine a folder of shards"
)


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
    device: DeviceT = None,
    use_gpu: GpuT = -1,
    engine: EngineT = None,
    workers: WorkersT = None,
    shard_rows: ShardRowsT = None,
    resume: ResumeT = False,
    address: AddressT = None,
    *,
    options: "ReadOptions",
) -> None:
    """Annotate texts: entities with scores, in a stream of any length.

    A text that fails is written without annotation, with the reason where the form has a place for it; the rest goes
    on, and the exit code is 0. It is 1 if nothing was written.

    With --engine, IN is a file, a folder or a glob of text lines (*.txt), JSON lines (*.jsonl) or *.parquet, also by an
    address such as s3://; OUT is a folder of shards, jsonl or parquet (--format), a row for each row.
    """
    streams: Any = (typer.get_binary_stream("stdin"), typer.get_binary_stream("stdout"))
    shards: dict[str, Any] = {"workers": workers, "shard_rows": shard_rows, "resume": resume, "address": address}
    said: dict[str, Any] = {"text_column": None if text_column is None else column(text_column), "threshold": threshold}
    said |= {"component": component, "batch_size": batch_size, "options": options}
    from ..runtime.device import choose_gpu, naming_device

    printed = contextlib.redirect_stdout(sys.stderr if output == "-" else sys.stdout)
    with printed, failing_cleanly(), naming_device(device, gpu_id=use_gpu):
        if engine is not None:
            annotate_shards(model, source, output, n_process, {**said, **shards, "engine": engine, "gpu": use_gpu})
            return
        refuse_without_engine(shards)
        from ..annotation.run import annotate_texts
        from ..pipeline.load import load_pipeline

        choose_gpu(use_gpu)
        found = annotate_texts(
            load_pipeline(model),
            source,
            output,
            **said,
            n_process=n_process,
            streams=streams,
        )
        _say(found, output)


def _say(found: "Summary", output: str) -> None:
    """Say what was done."""
    if found.failed:
        facts = {"count": found.failed, "total": found.texts, "first": "\n".join(found.errors)}
        msg.warn(Warnings.TW360.format(**facts))
    if found.left_out:
        msg.warn(Warnings.TW361.format(count=found.left_out, total=found.texts, first=found.first_left_out))
    if found.replaced:
        msg.warn(Warnings.TW390.format(keys=", ".join(map(repr, sorted(found.replaced))), path=output))
    if output != "-":
        name = Path(output).name if len(output) > 60 else output
        msg.good(f"Wrote {found.entities} entities of {found.texts - found.left_out} texts to {name}")
