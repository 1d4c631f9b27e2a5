"""`spacy tokclf debug-pieces`: what the encoder sees of a text."""

from typing import Annotated

import typer
from wasabi import msg

from ._app import app
from ._util import failing_cleanly

HEADER = ("#", "word", "piece", "id", "tag", "label", "mask")


@app.command("debug-pieces")
def debug_pieces_cli(
    model: Annotated[str, typer.Argument(help="A pipeline: a folder or the name of an installed package")],
    text: Annotated[str, typer.Argument(help="The text")],
    component: Annotated[
        str | None, typer.Option("--component", "-c", help="The component, if there are several")
    ] = None,
) -> None:
    """Print the word pieces of a text, with words, ids, best tags, labels (-100: ignored) and attention mask."""
    import spacy

    from ..export.pieces import debug_pieces

    with failing_cleanly():
        rows = debug_pieces(spacy.load(model), text, component=component)
        for window in sorted({row.window for row in rows}):
            msg.divider(f"Window {window + 1}")
            table = [
                ("" if row.token is None else row.token, repr(row.word)[1:-1], *row[3:])
                for row in rows
                if row.window == window
            ]
            shown = [tuple("" if value is None else value for value in line) for line in table]
            msg.table(shown, header=HEADER, divider=True, aligns=("r", "l", "l", "r", "l", "r", "r"))
