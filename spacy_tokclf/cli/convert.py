"""`spacy tokclf convert`: annotated data from any form to any other."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._app import app
from ._printer import msg
from ._reading import reading
from ._util import failing_cleanly

if TYPE_CHECKING:
    from ..corpus.options import ReadOptions

_IN = (
    "CoNLL or a table with tokens in rows (any other suffix), *.spacy, *.jsonl or *.json (Doccano, Prodigy, Label "
    "Studio, or rows of tokens and tags), a folder of brat, *.parquet, a folder of a data set, or the name of one on "
    "the Hub"
)
_OUT = (
    "*.spacy, *.jsonl or *.json, *.conll (or .iob, .bio, .tsv, .txt), *.csv (a table of entities), *.ann (a folder of "
    "brat), *.parquet, or no suffix for a folder"
)


@app.command("convert")
@reading(data_sets=True)
def convert_cli(
    source: Annotated[str, typer.Argument(metavar="IN", help=f"What to read: {_IN}")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help=f"What to write, by its suffix: {_OUT}")],
    lang: Annotated[
        str, typer.Option("--lang", "-l", help="Language whose tokenizer splits texts with offsets")
    ] = "en",
    to_format: Annotated[
        str | None,
        typer.Option("--to", "-t", help="Shape of JSON written; else prodigy for *.jsonl, label-studio for *.json"),
    ] = None,
    to_scheme: Annotated[str, typer.Option("--to-scheme", help="Scheme of the tags in a CoNLL file written")] = "IOB2",
    *,
    options: "ReadOptions",
) -> None:
    """Convert annotated data: CoNLL, JSON with character offsets, Hugging Face data sets and .spacy files.

    The form read and the form written follow from the names. A span that does not fit the tokens is masked, never
    taught as O, and all that was changed is said in one warning.
    """
    with failing_cleanly():
        from ..corpus.convert import check_target, read_any, write_any
        from ..pipeline.load import blank_pipeline
        from ..runtime.progress import progress

        check_target(target, to_format, to_scheme)
        # All of them first, so that a faulty file leaves nothing half written.
        docs = list(progress(read_any(source, blank_pipeline(lang), options), label="Reading"))
        written = write_any(docs, target, format=to_format, scheme=to_scheme)
        msg.good(f"Wrote {written} text{'' if written == 1 else 's'} to {target}")
