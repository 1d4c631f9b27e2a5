"""Metrics: entity scores equal to seqeval's, surface F1 of WNUT-17, error analysis and bootstrap. numpy only."""

from pathlib import Path

from .analysis import EntityError, confusion, count_kinds, find_errors
from .bootstrap import bootstrap_scores, paired_bootstrap, paired_bootstrap_counts
from .examples import (
    annotated,
    compare_characters,
    compare_examples,
    score_character_spans,
    score_examples,
)
from .groups import group_scores, scores_by_length, scores_by_novelty
from .seqeval.chunks import Chunks, UnknownPrefixError, get_entities, unique_labels
from .seqeval.compare import Comparison, compare_columns, compare_tags
from .seqeval.counts import Counts, count, count_by_sentence
from .seqeval.prf import UndefinedMetricWarning, precision_recall_fscore
from .seqeval.report import evaluate_dict, report_dict, report_text
from .seqeval.scores import (
    accuracy_score,
    classification_report,
    compute,
    f1_score,
    performance_measure,
    precision_recall_fscore_support,
    precision_score,
    recall_score,
)
from .seqeval.tag_codes import NotAListError
from .summary import describe_errors, summarize
from .surface import surface_scores, surfaces

__all__ = [
    "Chunks",
    "Comparison",
    "Counts",
    "EntityError",
    "NotAListError",
    "UndefinedMetricWarning",
    "UnknownPrefixError",
    "accuracy_score",
    "annotated",
    "bootstrap_scores",
    "classification_report",
    "compare_characters",
    "compare_columns",
    "compare_examples",
    "compare_tags",
    "compute",
    "confusion",
    "count",
    "count_by_sentence",
    "count_kinds",
    "describe_errors",
    "evaluate_dict",
    "evaluate_module_path",
    "f1_score",
    "find_errors",
    "get_entities",
    "group_scores",
    "paired_bootstrap",
    "paired_bootstrap_counts",
    "performance_measure",
    "precision_recall_fscore",
    "precision_recall_fscore_support",
    "precision_score",
    "recall_score",
    "report_dict",
    "report_text",
    "score_character_spans",
    "score_examples",
    "scores_by_length",
    "scores_by_novelty",
    "summarize",
    "surface_scores",
    "surfaces",
    "unique_labels",
]


def evaluate_module_path() -> str:
    """Tell where the metric for Hugging Face's `evaluate` lies: `evaluate.load(evaluate_module_path())`.

    RETURNS (str): Path of a file of this package; nothing is fetched to open it.
    """
    return str(Path(__file__).parent / "hf_module" / "tokclf_seqeval.py")
