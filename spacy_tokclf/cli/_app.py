"""The Typer app that all commands belong to."""

import typer

app = typer.Typer(
    name="tokclf",
    help="Begin projects, convert data; train, tune, score and evaluate; import, export, optimize and push.",
    no_args_is_help=True,
)
