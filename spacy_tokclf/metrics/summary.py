"""Summary of a comparison as one dictionary: scores, surface scores, error analysis, bootstrap intervals."""

from collections.abc import Collection, Sequence
from typing import Any

from .analysis import EntityError, confusion, count_kinds, find_errors
from .bootstrap import bootstrap_scores
from .groups import scores_by_length, scores_by_novelty
from .seqeval.chunks import Chunks
from .seqeval.compare import Comparison
from .seqeval.counts import count
from .seqeval.report import evaluate_dict
from .surface import surface_scores, surfaces


def summarize(
    comparison: Comparison,
    tokens: Sequence[Sequence[str]],
    *,
    train_texts: Collection[str] | None = None,
    n_resamples: int = 1000,
    seed: int = 0,
    joiner: str = " ",
) -> dict[str, Any]:
    """Summarise a comparison: all scores, and the error analysis.

    comparison (Comparison): Gold beside prediction.
    tokens (Sequence[Sequence[str]]): Gold tokens of each sentence; texts, with joiner "", if it compares characters.
    train_texts (Collection[str] | None): Texts of the entities of the training corpus, for seen and unseen ones.
    n_resamples (int): Resamples for the intervals; 0: none.
    seed (int): Seed of the resamples.
    joiner (str): What to put between tokens.
    RETURNS (dict[str, Any]): The dictionary of `evaluate`'s seqeval module; surface_precision, surface_recall and
        surface_f1; and "details": what was compared, the kinds of error by type, the confusion of types, scores by
        length (in tokens) and by novelty, 95% intervals. Plain Python values, ready for JSON.
    """
    counts = count(comparison)
    errors = find_errors(comparison)
    details: dict[str, Any] = {
        "mode": "strict" if comparison.scheme else "default",
        "scheme": comparison.scheme,
        "n_sentences": len(comparison.sentences.lengths),
        "n_tokens": comparison.n_tokens,
        "n_gold": int(counts.gold.sum()),
        "n_predicted": int(counts.pred.sum()),
        "n_correct": int(counts.tp.sum()),
        "n_ignored": comparison.n_ignored,
        "errors": count_kinds(comparison, errors),
        "confusion": confusion(comparison, errors),
    }
    if joiner:
        details["by_length"] = scores_by_length(comparison)
    if train_texts is not None:
        details["by_novelty"] = scores_by_novelty(comparison, tokens, train_texts, joiner=joiner)
    if n_resamples:
        details["intervals"] = bootstrap_scores(comparison, n_resamples=n_resamples, seed=seed)
    return {
        **evaluate_dict(counts, zero_division=0),
        **surface_scores(comparison, tokens, joiner=joiner),
        "details": details,
    }


def describe_errors(
    comparison: Comparison, tokens: Sequence[Sequence[str]], *, joiner: str = " "
) -> list[dict[str, Any]]:
    """Describe every error with the texts of its entities.

    comparison (Comparison): Gold beside prediction.
    tokens (Sequence[Sequence[str]]): Gold tokens of each sentence.
    joiner (str): What to put between tokens.
    RETURNS (list[dict[str, Any]]): For each error its kind, the index of its sentence, and under "gold" and "pred"
        an entity {type, start, end, text} with an exclusive end, or None.
    """
    gold = _entities(comparison.gold, comparison, tokens, joiner)
    pred = _entities(comparison.pred, comparison, tokens, joiner)
    described = []
    for error in find_errors(comparison):
        one = gold[error.gold] if error.gold >= 0 else None
        other = pred[error.pred] if error.pred >= 0 else None
        described.append({"kind": error.kind, "sentence": _sentence(comparison, error), "gold": one, "pred": other})
    return described


def _sentence(comparison: Comparison, error: EntityError) -> int:
    """Index of the sentence in which an error begins."""
    chunks, index = (comparison.gold, error.gold) if error.gold >= 0 else (comparison.pred, error.pred)
    return int(comparison.sentences.find(chunks.start[index : index + 1])[0])


def _entities(
    chunks: Chunks, comparison: Comparison, tokens: Sequence[Sequence[str]], joiner: str
) -> list[dict[str, Any]]:
    """Describe entities."""
    offsets = comparison.sentences.offsets[comparison.sentences.find(chunks.start)]
    columns = ((chunks.start - offsets).tolist(), (chunks.end - offsets + 1).tolist())
    texts = surfaces(chunks, comparison, tokens, joiner=joiner)
    rows = zip(texts, *columns, strict=True)
    return [{"type": kind, "start": start, "end": end, "text": text} for (text, kind), start, end in rows]
