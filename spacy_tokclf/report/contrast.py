"""Two pipelines on the same gold: what one gets right and the other does not, and whether that may be chance."""

from typing import Any

import numpy as np

from ..metrics.bootstrap import paired_bootstrap
from ..metrics.seqeval.compare import Comparison
from ..metrics.seqeval.counts import count
from ..metrics.seqeval.report import evaluate_dict


def contrast(one: Comparison, other: Comparison, *, n_resamples: int = 1000) -> dict[str, Any]:
    """Compare two pipelines. A gold entity or a false prediction counts as fixed if the first is right there and the
    other is not, as broken the other way round.

    one (Comparison): The first pipeline.
    other (Comparison): The other one, which came before.
    n_resamples (int): Resamples of the paired test; 0: none.
    RETURNS (dict[str, Any]): found and lost (gold entities that only the first predicts, or only the other), removed
        and added (false positives that only the other has, or only the first); fixed and broken, their sums;
        one and other, precision, recall and f1 of each; by_type, F1 of both by type; paired, the result of
        `paired_bootstrap`.
    RAISES (ValueError): TC214, if the gold is not the same.
    """
    false_one, false_other = _false(one), _false(other)
    found = {
        "found": int(np.count_nonzero(one.gold_hit & ~other.gold_hit)),
        "lost": int(np.count_nonzero(~one.gold_hit & other.gold_hit)),
        "removed": len(false_other - false_one),
        "added": len(false_one - false_other),
    }
    scores = [evaluate_dict(count(each), zero_division=0) for each in (one, other)]
    types = sorted({*count(one).types, *count(other).types})
    paired = paired_bootstrap(one, other, n_resamples=n_resamples) if n_resamples else None
    return {
        **found,
        "fixed": found["found"] + found["removed"],
        "broken": found["lost"] + found["added"],
        **{name: _overall(each) for name, each in zip(("one", "other"), scores, strict=True)},
        "by_type": {name: [_f1(each, name) for each in scores] for name in types},
        "paired": paired,
    }


def _false(comparison: Comparison) -> set[tuple[str, int, int]]:
    """Give type, start and end of the false positives."""
    wrong = comparison.pred.where(~comparison.pred_hit)
    columns = (wrong.type.tolist(), wrong.start.tolist(), wrong.end.tolist())
    return {(comparison.names[kind], start, end) for kind, start, end in zip(*columns, strict=True)}


def _overall(scores: dict[str, Any]) -> dict[str, float]:
    """Give the micro average."""
    return {key: scores[f"overall_{key}"] for key in ("precision", "recall", "f1")}


def _f1(scores: dict[str, Any], name: str) -> float:
    """Give the F1 of a type, 0.0 where a pipeline has nothing of it."""
    return float(scores[name]["f1"]) if name in scores else 0.0
