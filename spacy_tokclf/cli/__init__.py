"""The commands `python -m spacy tokclf ...`. Heavy imports happen inside the commands."""

import typer

app = typer.Typer(name="tokclf", help="Token classification: score, evaluate, and more.", no_args_is_help=True)
