"""`python -m spacy tokclf ...`. spaCy imports this module for every command of its own: nothing heavy up here."""

from spacy.cli._util import app as spacy_app

from ._app import app
from .evaluate import evaluate_cli
from .score import score_cli

spacy_app.add_typer(app)

__all__ = ["app", "evaluate_cli", "score_cli"]
