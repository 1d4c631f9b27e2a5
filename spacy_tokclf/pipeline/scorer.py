"""The registered scorer of training and evaluation: spaCy's entity scores and seqeval's, side by side."""

import warnings
from collections.abc import Callable, Iterable
from typing import Any

from spacy.scorer import PRFScore, get_ner_prf
from spacy.training import Example

from ..errors import Warnings
from ..metrics.examples import compare_examples
from ..metrics.gold_groups import check_groups, gold_key
from ..metrics.seqeval.counts import Counts, count
from ..metrics.seqeval.report import evaluate_dict
from ..types import SCORES

_SEQEVAL_KEYS = ("precision", "recall", "f1", "accuracy")


def make_seqeval_scorer_v1(spans_key: str | None = None, score_prefix: str = "") -> Callable[..., dict[str, Any]]:
    """Make the scorer "spacy-tokclf.seqeval_scorer.v1".

    It returns ents_p, ents_r, ents_f and ents_per_type as spaCy's own `get_ner_prf` counts them, and
    seqeval_precision, seqeval_recall, seqeval_f1, seqeval_accuracy and seqeval_per_type as seqeval does (both modes
    agree on entities of a Doc). Scores are always floats, 0.0 where there is nothing to count, since spaCy's
    training loop forgets a score that was None once. Tokens without gold annotation are left out on both sides.

    With several components in one pipeline, each is measured on its own span group: against the gold group of the same
    key, or else the gold entities that have one of its labels.

    spans_key (str | None): Score the spans in doc.spans[spans_key]. None: those of the component's own group if the
        gold has that group, or if the component does not set doc.ents; else doc.ents.
    score_prefix (str): Put before every key, so that two components do not overwrite each other's scores.
    RETURNS (Callable): The scorer, `scorer(examples, **cfg)`.
    """

    return SeqevalScorer(spans_key, score_prefix)


class SeqevalScorer:
    """Scores examples with spaCy's keys and seqeval's.

    A class, so that a pipeline can be sent to another process, and a call's `cfg` can hold keys of the same names.
    """

    def __init__(self, spans_key: str | None, score_prefix: str) -> None:
        self.spans_key = spans_key
        self.score_prefix = score_prefix

    def __call__(self, examples: Iterable[Example], **cfg: Any) -> dict[str, Any]:
        """Score some examples.

        examples (Iterable[Example]): The examples.
        **cfg: The component's settings, with its labels.
        RETURNS (dict[str, Any]): The scores.
        RAISES (ValueError): TC050, if only some of the texts have the component's group; TC051, if spans of a gold
            group overlap.
        """
        examples = list(examples)
        labels = cfg.get("labels") or ()
        annotate_ents = bool(cfg.get("annotate_ents"))
        key = self.spans_key
        if key is None:
            key = gold_key(examples, cfg.get("spans_key"), annotate_ents=cfg.get("annotate_ents", True))
        if key is None and annotate_ents and not cfg.get("overwrite_ents"):
            _warn_of_gold(examples, cfg.get("spans_key"))
        if key is not None and labels:
            check_groups(examples, key, labels, annotate_ents=annotate_ents)
        comparison = compare_examples(examples, spans_key=key, labels=labels, annotate_ents=annotate_ents)
        counts = count(comparison)
        scores = _spacy_scores(counts) if key is not None else get_ner_prf(examples)
        scores = {key: _no_none(key, value) for key, value in scores.items()}
        scores.update(_seqeval_scores(counts))
        return {f"{self.score_prefix}{key}": value for key, value in scores.items()}


def _warn_of_gold(examples: list[Example], spans_key: str | None) -> None:
    """Warn (TW013) if the texts had their gold entities before the component saw them, which then stay: all gold is
    found, and what the component has not found itself is gold."""
    kept: set[tuple[int, int, int, int]] = set()
    for index, eg in enumerate(examples):
        group = eg.predicted.spans.get(spans_key)
        if group is None or SCORES not in group.attrs:
            return
        gold, ents, own = (
            {(index, span.start_char, span.end_char, span.label) for span in spans}
            for spans in (eg.reference.ents, eg.predicted.ents, group)
        )
        if not gold <= ents or not ents - own <= gold:
            return
        kept |= ents - own
    if kept:
        warnings.warn(Warnings.TW013.format(count=len(kept), texts=len({each[0] for each in kept})), stacklevel=2)


def _no_none(key: str, value: Any) -> Any:
    """Replace spaCy's None for "nothing to count"."""
    if value is not None:
        return value
    return {} if key.endswith("_per_type") else 0.0


def _seqeval_scores(counts: Counts) -> dict[str, Any]:
    """Give the scores under seqeval's names."""
    evaluated = evaluate_dict(counts, zero_division=0)
    scores: dict[str, Any] = {f"seqeval_{name}": evaluated[f"overall_{name}"] for name in _SEQEVAL_KEYS}
    scores["seqeval_per_type"] = {name: evaluated[name] for name in counts.types}
    return scores


def _spacy_scores(counts: Counts) -> dict[str, Any]:
    """Give the scores of spaCy's `get_ner_prf` for spans outside of doc.ents, by spaCy's own arithmetic."""
    columns = zip(counts.types, counts.tp.tolist(), counts.pred.tolist(), counts.gold.tolist(), strict=True)
    per_type = {name: PRFScore(tp=tp, fp=pred - tp, fn=gold - tp) for name, tp, pred, gold in columns}
    total = PRFScore()
    for score in per_type.values():
        total += score
    return {
        "ents_p": total.precision,
        "ents_r": total.recall,
        "ents_f": total.fscore,
        "ents_per_type": {name: score.to_dict() for name, score in per_type.items()},
    }
