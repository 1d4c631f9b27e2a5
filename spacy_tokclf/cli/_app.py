"""The Typer app that all commands belong to."""

import typer

app = typer.Typer(
    name="tokclf",
    help="Begin projects; convert data; import, export, optimize, push, tune, score and evaluate entity recognizers.",
    no_args_is_help=True,
)
