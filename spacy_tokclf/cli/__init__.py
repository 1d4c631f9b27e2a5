"""`python -m spacy tokclf ...`. spaCy imports this module for each of its commands: nothing heavy up here."""

from spacy.cli._util import app as spacy_app

from ._app import app
from .annotate import annotate_cli
from .convert import convert_cli
from .curve import curve_cli
from .debug import debug_cli
from .debug_pieces import debug_pieces_cli
from .distill import distill_cli
from .evaluate import evaluate_cli
from .export_hf import export_hf_cli
from .import_hf import import_hf_cli
from .init import init_cli
from .optimize import optimize_cli
from .push import push_cli
from .report import report_cli
from .score import score_cli
from .train import train_cli
from .tune import tune_cli

spacy_app.add_typer(app)

__all__ = [
    "annotate_cli",
    "app",
    "convert_cli",
    "curve_cli",
    "debug_cli",
    "debug_pieces_cli",
    "distill_cli",
    "evaluate_cli",
    "export_hf_cli",
    "import_hf_cli",
    "init_cli",
    "optimize_cli",
    "push_cli",
    "report_cli",
    "score_cli",
    "train_cli",
    "tune_cli",
]
