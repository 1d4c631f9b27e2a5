"""The functions of seqeval.metrics under their own names, and `compute` of Hugging Face's seqeval module.

Arguments and numbers are seqeval 1.2.2's; results are Python floats and ints. Which algorithm runs:

- `precision_score`, `recall_score`, `f1_score`: strict only with mode="strict" AND a scheme; without a scheme the
  default mode runs, silently;
- `classification_report`, `compute`: strict with mode="strict"; without a scheme it is detected from y_true;
- any other mode: the default mode, and the scheme is ignored, silently.

So a report and `f1_score` can differ for the same arguments, in seqeval and here. `sample_weight` is accepted and
ignored, as there. A scheme is given by name or as a class of seqeval.scheme.
"""

from collections.abc import Sequence
from typing import cast

import numpy as np

from ...errors import Errors
from ...types import Ints32
from .compare import Comparison, compare_tags
from .counts import count
from .prf import precision_recall_fscore
from .report import Report, evaluate_dict, report_dict, report_text
from .tag_codes import TagSequences, TagVocab, encode

Scores = float | list[float]


def precision_recall_fscore_support(
    y_true: TagSequences,
    y_pred: TagSequences,
    *,
    average: str | None = None,
    warn_for: tuple[str, ...] = ("precision", "recall", "f-score"),
    beta: float = 1.0,
    sample_weight: Sequence[int] | None = None,
    zero_division: str | int = "warn",
    scheme: object = None,
    suffix: bool = False,
    mode: str | None = None,
) -> tuple[Scores, Scores, Scores, int | list[int]]:
    """Compute precision, recall, F and support; strict if mode is "strict" and a scheme is given.

    y_true (list[list[str]]): Gold tags of each sentence.
    y_pred (list[list[str]]): Predicted tags of each sentence.
    average (str | None): None for lists over the types, "micro", "macro" or "weighted".
    warn_for (tuple[str, ...]): Scores to warn of if a denominator is zero.
    beta (float): Weight of recall.
    sample_weight (Sequence[int] | None): Ignored.
    zero_division (str | int): "warn", 0 or 1.
    scheme (str | type | None): Scheme for the strict mode.
    suffix (bool): Whether the prefix stands last ("PER-B").
    mode (str | None): "strict" or None.
    RETURNS (tuple[Scores, Scores, Scores, int | list[int]]): Precision, recall, F, support.
    RAISES (ValueError): TC200 to TC209.
    """
    comparison = _compare(y_true, y_pred, mode=mode, scheme=scheme, suffix=suffix)
    columns = precision_recall_fscore(
        count(comparison), average=average, beta=beta, zero_division=zero_division, warn_for=warn_for
    )
    values = [column.tolist() for column in columns]
    precision, recall, fscore, support = values if average is None else [value[0] for value in values]
    return precision, recall, fscore, support


def _compare(
    y_true: TagSequences, y_pred: TagSequences, *, mode: str | None, scheme: object, suffix: bool
) -> Comparison:
    """Compare by the rule of seqeval's single scores: strict needs a scheme."""
    mode = "strict" if mode == "strict" and scheme else None
    return compare_tags(y_true, y_pred, mode=mode, scheme=scheme, suffix=suffix)


def precision_score(
    y_true: TagSequences,
    y_pred: TagSequences,
    *,
    average: str | None = "micro",
    suffix: bool = False,
    mode: str | None = None,
    sample_weight: Sequence[int] | None = None,
    zero_division: str | int = "warn",
    scheme: object = None,
) -> Scores:
    """Compute the precision; see precision_recall_fscore_support for the arguments.

    RETURNS (float | list[float]): The precision, or that of each type if average is None.
    """
    return precision_recall_fscore_support(
        y_true,
        y_pred,
        average=average,
        warn_for=("precision",),
        zero_division=zero_division,
        scheme=scheme,
        suffix=suffix,
        mode=mode,
    )[0]


def recall_score(
    y_true: TagSequences,
    y_pred: TagSequences,
    *,
    average: str | None = "micro",
    suffix: bool = False,
    mode: str | None = None,
    sample_weight: Sequence[int] | None = None,
    zero_division: str | int = "warn",
    scheme: object = None,
) -> Scores:
    """Compute the recall; see precision_recall_fscore_support for the arguments.

    RETURNS (float | list[float]): The recall, or that of each type if average is None.
    """
    return precision_recall_fscore_support(
        y_true,
        y_pred,
        average=average,
        warn_for=("recall",),
        zero_division=zero_division,
        scheme=scheme,
        suffix=suffix,
        mode=mode,
    )[1]


def f1_score(
    y_true: TagSequences,
    y_pred: TagSequences,
    *,
    average: str | None = "micro",
    suffix: bool = False,
    mode: str | None = None,
    sample_weight: Sequence[int] | None = None,
    zero_division: str | int = "warn",
    scheme: object = None,
) -> Scores:
    """Compute F1; see precision_recall_fscore_support for the arguments.

    RETURNS (float | list[float]): F1, or that of each type if average is None.
    """
    return precision_recall_fscore_support(
        y_true,
        y_pred,
        average=average,
        warn_for=("f-score",),
        zero_division=zero_division,
        scheme=scheme,
        suffix=suffix,
        mode=mode,
    )[2]


def _flat_codes(
    y_true: TagSequences | Sequence[str], y_pred: TagSequences | Sequence[str]
) -> tuple[TagVocab, Ints32, Ints32]:
    """Encode all tokens; surplus tokens of the longer side are dropped without a word, as seqeval's zip does."""
    vocab = TagVocab()
    nested = any(isinstance(item, list) for item in y_true)
    gold, pred = (encode(cast(TagSequences, tags if nested else [tags]), vocab) for tags in (y_true, y_pred))
    return vocab, gold, pred


def accuracy_score(y_true: TagSequences | Sequence[str], y_pred: TagSequences | Sequence[str]) -> float:
    """Compute the accuracy: the share of tokens with the gold tag, prefix and "O" included, whatever mode and scheme.

    If lengths differ, the surplus is dropped silently while the denominator stays the number of gold tokens; this
    is seqeval's behaviour. Without tokens it divides by zero.

    y_true (list[list[str]]): Gold tags, nested or flat.
    y_pred (list[list[str]]): Predicted tags.
    RETURNS (float): The accuracy.
    RAISES (ZeroDivisionError): TC211.
    """
    _, gold, pred = _flat_codes(y_true, y_pred)
    if not len(gold):
        raise ZeroDivisionError(Errors.TC211)
    size = min(len(gold), len(pred))
    return int(np.count_nonzero(gold[:size] == pred[:size])) / len(gold)


def performance_measure(y_true: TagSequences | Sequence[str], y_pred: TagSequences | Sequence[str]) -> dict[str, int]:
    """Count tokens: TP equal and not "O", FP different and not predicted "O", FN missed, TN both "O".

    y_true (list[list[str]]): Gold tags, nested or flat.
    y_pred (list[list[str]]): Predicted tags.
    RETURNS (dict[str, int]): TP, FP, FN, TN. A token of another type counts as FP only.
    """
    vocab, gold, pred = _flat_codes(y_true, y_pred)
    size = min(len(gold), len(pred))
    equal = gold[:size] == pred[:size]
    gold_out, pred_out = (codes[:size] == vocab.get("O", -1) for codes in (gold, pred))
    masks = {"TP": equal & ~gold_out, "FP": ~equal & ~pred_out, "FN": ~gold_out & pred_out}
    counted = {**masks, "TN": gold_out & pred_out}
    return {name: int(np.count_nonzero(mask)) for name, mask in counted.items()}


def classification_report(
    y_true: TagSequences,
    y_pred: TagSequences,
    digits: int = 2,
    suffix: bool = False,
    output_dict: bool = False,
    mode: str | None = None,
    sample_weight: Sequence[int] | None = None,
    zero_division: str | int = "warn",
    scheme: object = None,
) -> str | Report:
    """Build seqeval's report; digits count for the text only.

    y_true (list[list[str]]): Gold tags of each sentence.
    y_pred (list[list[str]]): Predicted tags of each sentence.
    digits (int): Digits after the point.
    suffix (bool): Whether the prefix stands last ("PER-B").
    output_dict (bool): Whether to give a dictionary instead of text.
    mode (str | None): "strict" or None.
    sample_weight (Sequence[int] | None): Ignored.
    zero_division (str | int): "warn", 0 or 1.
    scheme (str | type | None): Scheme for the strict mode; None: detected from y_true.
    RETURNS (str | Report): As report_text or report_dict give it.
    RAISES (ValueError): TC200 to TC207, and TC210 for a text without rows.
    """
    counts = count(compare_tags(y_true, y_pred, mode=mode, scheme=scheme, suffix=suffix))
    if output_dict:
        return report_dict(counts, zero_division=zero_division)
    return report_text(counts, digits=digits, zero_division=zero_division)


def compute(
    predictions: TagSequences,
    references: TagSequences,
    *,
    suffix: bool = False,
    scheme: object = None,
    mode: str | None = None,
    sample_weight: Sequence[int] | None = None,
    zero_division: str | int = "warn",
) -> dict[str, object]:
    """Compute what `evaluate.load("seqeval").compute` returns. Mind the order: predictions come first here.

    predictions (list[list[str]]): Predicted tags of each sentence.
    references (list[list[str]]): Gold tags of each sentence.
    suffix (bool): Whether the prefix stands last ("PER-B").
    scheme (str | None): Scheme for the strict mode; None: detected from the references.
    mode (str | None): "strict" or None.
    sample_weight (Sequence[int] | None): Ignored.
    zero_division (str | int): "warn", 0 or 1.
    RETURNS (dict[str, object]): As evaluate_dict gives it.
    RAISES (ValueError): TC200 to TC207. RAISES (ZeroDivisionError): TC211.
    """
    counts = count(compare_tags(references, predictions, mode=mode, scheme=scheme, suffix=suffix))
    if not counts.n_tokens:
        raise ZeroDivisionError(Errors.TC211)
    return evaluate_dict(counts, zero_division=zero_division)
