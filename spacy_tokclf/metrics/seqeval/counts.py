"""Counts by entity type: true positives, predictions and gold entities (the support), and correct tokens."""

from dataclasses import dataclass

import numpy as np

from ...types import Ints
from .compare import Comparison


@dataclass(frozen=True)
class Counts:
    """Counts by type. Types are those of gold and predicted entities together, in code-point order.

    types (list[str]): Names of the types.
    tp (Ints): True positives: predictions with place and type of a gold entity. Shape: (n_types,).
    pred (Ints): Predictions: true and false positives. Shape: (n_types,).
    gold (Ints): Gold entities, the support: true positives and false negatives. Shape: (n_types,).
    correct_tokens (int): Tokens whose predicted tag is the gold tag.
    n_tokens (int): Tokens.
    """

    types: list[str]
    tp: Ints
    pred: Ints
    gold: Ints
    correct_tokens: int
    n_tokens: int

    @property
    def accuracy(self) -> float:
        """RETURNS (float): Share of tokens with the gold tag; 0.0 if there is no token."""
        return self.correct_tokens / self.n_tokens if self.n_tokens else 0.0


def count(comparison: Comparison) -> Counts:
    """Count a comparison by type.

    comparison (Comparison): Gold beside prediction.
    RETURNS (Counts): The counts.
    """
    names, gold, pred = comparison.names, comparison.gold, comparison.pred
    size = len(names)
    gold_count = np.bincount(gold.type, minlength=size)
    pred_count = np.bincount(pred.type, minlength=size)
    tp_count = np.bincount(pred.type[comparison.pred_hit], minlength=size)
    seen = np.flatnonzero(gold_count + pred_count)
    order = np.array(sorted(seen.tolist(), key=names.__getitem__), dtype=np.int64)
    return Counts(
        [names[i] for i in order],
        tp_count[order],
        pred_count[order],
        gold_count[order],
        comparison.correct_tokens,
        comparison.n_tokens,
    )


def count_by_sentence(comparison: Comparison) -> Ints:
    """Count true positives, predictions and gold entities of each sentence.

    comparison (Comparison): Gold beside prediction.
    RETURNS (Ints): Columns tp, pred, gold. Shape: (n_sentences, 3).
    """
    sentences, pred, gold = comparison.sentences, comparison.pred, comparison.gold
    size = len(sentences.lengths)
    columns = (pred.start[comparison.pred_hit], pred.start, gold.start)
    counted = [np.bincount(sentences.find(starts), minlength=size) for starts in columns]
    return np.stack(counted, axis=1) if size else np.zeros((0, 3), dtype=np.int64)
