"""`spacy tokclf debug-pieces`: what the encoder sees of a text."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import Errors
from ._app import app
from ._device import DeviceT, on_device
from ._printer import msg
from ._reading import reading
from ._table import print_table
from ._util import failing_cleanly

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

    from ..corpus.options import ReadOptions

HEADER = ("#", "word", "piece", "id", "tag", "label", "mask")


@app.command("debug-pieces")
@reading()
def debug_pieces_cli(
    model: Annotated[str, typer.Argument(help="A pipeline: a folder or the name of an installed package")],
    text: Annotated[str | None, typer.Argument(help="The text, to show the best tags")] = None,
    data: Annotated[
        str | None, typer.Option("--data", "-d", help="Annotated data, to show the gold tags as training sees them")
    ] = None,
    row: Annotated[int, typer.Option("--row", "-r", help="Which text of the data, from 0")] = 0,
    component: Annotated[
        str | None, typer.Option("--component", "-c", help="The component, if there are several")
    ] = None,
    device: DeviceT = None,
    *,
    options: "ReadOptions",
) -> None:
    """Print the word pieces of a text, with words, ids, tags, labels (-100: ignored) and attention mask.

    The data may have any form that `convert` reads.
    """
    from ..export.debug_pieces import debug_pieces
    from ..pipeline.load import load_pipeline

    with failing_cleanly(), on_device(device):
        if (text is None) == (data is None):
            raise ValueError(Errors.TC054)
        nlp = load_pipeline(model)
        doc = _annotated_text(data, row, nlp, options) if data is not None else text
        rows = debug_pieces(nlp, doc or "", component=component, gold=data is not None)
        for window in sorted({row.window for row in rows}):
            msg.divider(f"Window {window + 1}")
            table = [
                ("" if row.token is None else row.token, repr(row.word)[1:-1], *row[3:])
                for row in rows
                if row.window == window
            ]
            shown = [tuple("" if value is None else value for value in line) for line in table]
            print_table(shown, header=HEADER, divider=True, aligns=("r", "l", "l", "r", "l", "r", "r"))


def _annotated_text(data: str, row: int, nlp: "Language", options: "ReadOptions") -> "Doc":
    """Read one text of annotated data. RAISES (ValueError): TC055, if there are not so many."""
    from ..corpus.convert import read_any

    docs = list(read_any(data, nlp, options))
    if not 0 <= row < len(docs):
        raise ValueError(Errors.TC055.format(path=Path(data), row=row, count=len(docs)))
    return docs[row]
