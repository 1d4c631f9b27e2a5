"""`spacy tokclf convert`: annotated data from any form to any other."""

from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg

from ._app import app
from ._util import failing_cleanly

_IN = (
    "CoNLL (any other suffix), *.spacy, *.jsonl or *.json (Doccano, Prodigy, Label Studio, or rows of tokens and "
    "tags), *.parquet, a folder of a data set, or the name of one on the Hub"
)
_OUT = "*.spacy, *.jsonl or *.json, *.conll (or .iob, .bio, .tsv, .txt), *.parquet, or no suffix for a folder"


@app.command("convert")
def convert_cli(
    source: Annotated[str, typer.Argument(metavar="IN", help=f"What to read: {_IN}")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help=f"What to write, by its suffix: {_OUT}")],
    lang: Annotated[
        str, typer.Option("--lang", "-l", help="Language whose tokenizer splits texts with offsets")
    ] = "en",
    on_misaligned: Annotated[
        str, typer.Option("--on-misaligned", help="Spans that do not fit the tokens: mask, expand, contract or error")
    ] = "mask",
    overlap: Annotated[str, typer.Option("--overlap", help="Spans that overlap: error, longest or first")] = "error",
    keep_tokens: Annotated[
        bool, typer.Option("--keep-tokens", help="Keep the tokens of the file, where it has any, as Prodigy's do")
    ] = False,
    format: Annotated[
        str, typer.Option("--format", "-f", help="Shape of JSON read: auto, doccano, prodigy or label-studio")
    ] = "auto",
    to_format: Annotated[
        str | None,
        typer.Option("--to", "-t", help="Shape of JSON written; else prodigy for *.jsonl, label-studio for *.json"),
    ] = None,
    scheme: Annotated[str, typer.Option("--scheme", "-s", help="Scheme of the tags read, or auto")] = "auto",
    to_scheme: Annotated[str, typer.Option("--to-scheme", help="Scheme of the tags in a CoNLL file written")] = "IOB2",
    token_column: Annotated[int, typer.Option("--token-column", help="CoNLL: column of the tokens, from 0")] = 0,
    tag_column: Annotated[int, typer.Option("--tag-column", help="CoNLL: column of the tags; -1 is the last")] = -1,
    split: Annotated[str, typer.Option("--split", help="Data set: which split")] = "train",
    name: Annotated[str | None, typer.Option("--name", help="Data set: its configuration")] = None,
    revision: Annotated[str | None, typer.Option("--revision", help="Data set: its revision on the Hub")] = None,
    tokens: Annotated[str, typer.Option("--tokens", help="Data set: column of the tokens")] = "tokens",
    tags: Annotated[
        str | None, typer.Option("--tags", help="Data set: column of the tags; else ner_tags, tags or labels")
    ] = None,
) -> None:
    """Convert annotated data: CoNLL, JSON with character offsets, Hugging Face data sets and .spacy files.

    The form read and the form written follow from the names. A span that does not fit the tokens is masked, never
    taught as O, and all that was changed is said in one warning.
    """
    from ..corpus.convert import ReadOptions

    options = ReadOptions(
        on_misaligned=on_misaligned,
        overlap=overlap,
        keep_tokens=keep_tokens,
        format=format,
        scheme=scheme,
        token_column=token_column,
        tag_column=tag_column,
        split=split,
        name=name,
        revision=revision,
        tokens=tokens,
        tags=tags,
    )
    with failing_cleanly():
        from ..corpus.convert import check_target, read_any, write_any
        from ..pipeline.load import blank_pipeline

        check_target(target, to_format)
        docs = list(
            read_any(source, blank_pipeline(lang), options)
        )  # so that a faulty file leaves nothing half written
        written = write_any(docs, target, format=to_format, scheme=to_scheme)
        msg.good(f"Wrote {written} text{'' if written == 1 else 's'} to {target}")
