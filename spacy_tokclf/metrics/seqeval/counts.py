"""The counts that all scores come from: right, predicted and gold entities by type, and right tokens."""

from dataclasses import dataclass

import numpy as np

from ...types import Ints
from .compare import Comparison


@dataclass(frozen=True)
class Counts:
    """Counts by type. Types are those of gold and predicted entities together, in code-point order.

    types (list[str]): Names of the types.
    tp (Ints): Predicted entities with the right place and type, (n_types,).
    pred (Ints): Predicted entities, (n_types,).
    gold (Ints): Gold entities (the support), (n_types,).
    correct_tokens (int): Tokens with the right tag.
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
        """Share of tokens with the right tag; 0.0 if there is no token."""
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
    """Count right, predicted and gold entities of each sentence.

    comparison (Comparison): Gold beside prediction.
    RETURNS (Ints): Columns tp, pred, gold; (n_sentences, 3).
    """
    sentences, pred, gold = comparison.sentences, comparison.pred, comparison.gold
    size = len(sentences.lengths)
    columns = (pred.start[comparison.pred_hit], pred.start, gold.start)
    counted = [np.bincount(sentences.find(starts), minlength=size) for starts in columns]
    return np.stack(counted, axis=1) if size else np.zeros((0, 3), dtype=np.int64)
