"""Random tag sequences, and what seqeval itself says of them: the oracle of the differential tests."""

import random
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

theirs = pytest.importorskip("seqeval.metrics")
schemes = pytest.importorskip("seqeval.scheme")
get_entities = pytest.importorskip("seqeval.metrics.sequence_labeling").get_entities

SCHEMES = ("IOB1", "IOB2", "IOE1", "IOE2", "IOBES", "BILOU")
ALPHABETS = ("BIO", "BIO", "IO", "IOE", "BIOES", "BIOUL", "BIESULO.X", "O", "OOOBI", "BIOE")
TYPES = (["A"], ["A", "B"], ["creative-work", "A", "b-c-d"], ["A", "B", "C", "D"])
ODD = ("B", "I", "ORG", "PER", "A", "-", "B--", "B-", "I--A-", ".", ".-A", "b-A", "E", "S", "-A-B", "OUT", "U", "L-")


@dataclass
class Case:
    """One pair of corpora, and how to score it."""

    y_true: list[list[str]]
    y_pred: list[list[str]]
    suffix: bool
    mode: str | None
    scheme: str | None
    zero_division: str | int
    average: str | None
    beta: float

    @property
    def seqeval_scheme(self) -> Any:
        """The scheme as seqeval wants it."""
        return getattr(schemes, self.scheme) if self.scheme else None


def random_case(rng: random.Random) -> Case:
    """Draw a case: valid and invalid sequences, hyphenated types, odd tags, empty sentences, all-O corpora."""
    letters, types = rng.choice(ALPHABETS), rng.choice(TYPES)
    odd = rng.choice((0.0, 0.0, 0.05, 0.3))

    def tag() -> str:
        if rng.random() < odd:
            return rng.choice(ODD)
        letter = rng.choice(letters)
        return letter if letter == "O" else f"{letter}-{rng.choice(types)}"

    y_true = [[tag() for _ in range(rng.randrange(8))] for _ in range(rng.randrange(1, 5))]
    y_pred = [[kept if rng.random() < 0.6 else tag() for kept in sentence] for sentence in y_true]
    suffix = rng.random() < 0.1
    if suffix:
        y_true, y_pred = ([[_turn(tag) for tag in sentence] for sentence in side] for side in (y_true, y_pred))
    return Case(
        y_true,
        y_pred,
        suffix,
        mode=rng.choice((None, "strict", "strict", "other")),
        scheme=rng.choice((None, *SCHEMES)),
        zero_division=rng.choice(("warn", 0, 1)),
        average=rng.choice((None, "micro", "macro", "weighted")),
        beta=rng.choice((1.0, 1.0, 0.5, 2.0, 0.0, float("inf"))),
    )


def _turn(tag: str) -> str:
    """Write a tag with its letter last."""
    letter, hyphen, label = tag.partition("-")
    return f"{label}-{letter}" if hyphen and len(letter) == 1 and label else tag


def outcome(function: Callable[..., Any], *args: Any, **kwargs: Any) -> tuple[str, Any]:
    """Call a function without warnings: ("value", result), or ("error", exception)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return "value", function(*args, **kwargs)
        except (ValueError, KeyError, TypeError, AttributeError, ZeroDivisionError) as error:
            return "error", error


def agree(theirs: tuple[str, Any], ours: tuple[str, Any]) -> bool:
    """Tell whether two outcomes are the same: equal numbers in the same order, or an error of the same type."""
    if theirs[0] != ours[0]:
        return False
    return isinstance(ours[1], type(theirs[1])) if theirs[0] == "error" else _equal(theirs[1], ours[1])


def _equal(theirs: Any, ours: Any) -> bool:
    """Compare values; numpy's and Python's numbers are the same, nan is nan."""
    if isinstance(theirs, dict):
        return list(theirs) == list(ours) and all(_equal(theirs[key], ours[key]) for key in theirs)
    if hasattr(theirs, "tolist"):
        theirs = theirs.tolist()
    if isinstance(theirs, (list, tuple)):
        return len(theirs) == len(ours) and all(map(_equal, theirs, ours))
    return bool(theirs == ours or (theirs != theirs and ours != ours))


def seqeval_entities(tags: list[list[str]], scheme: str | None, suffix: bool) -> set[tuple[Any, ...]]:
    """Read entities with seqeval: type, start and end on the axis on which one "O" follows each sentence."""
    if scheme is None:
        return set(get_entities(tags, suffix))
    shift, found = 0, set()
    read = schemes.Entities(tags, getattr(schemes, scheme), suffix).entities
    for sentence, entities in zip(tags, read, strict=True):
        found |= {(entity.tag, shift + entity.start, shift + entity.end - 1) for entity in entities}
        shift += len(sentence) + 1
    return found


def seqeval_counts(case: Case, scheme: str | None) -> dict[str, tuple[int, int, int]]:
    """Count right, predicted and gold entities by type from what seqeval reads."""
    gold = seqeval_entities(case.y_true, scheme, case.suffix)
    pred = seqeval_entities(case.y_pred, scheme, case.suffix)
    types = sorted({entity[0] for entity in gold | pred})
    sides = (gold & pred, pred, gold)
    return {name: tuple(sum(entity[0] == name for entity in side) for side in sides) for name in types}  # type: ignore


def evaluate_with_seqeval(predictions: Any, references: Any, **settings: Any) -> dict[str, Any]:
    """What `evaluate`'s seqeval module returns, put together from seqeval's own functions."""
    if settings.get("scheme") is not None:
        settings["scheme"] = getattr(schemes, settings["scheme"])
    report = theirs.classification_report(references, predictions, output_dict=True, **settings)
    del report["macro avg"], report["weighted avg"]
    overall = report.pop("micro avg")
    scores: dict[str, Any] = {
        name: {"precision": row["precision"], "recall": row["recall"], "f1": row["f1-score"], "number": row["support"]}
        for name, row in report.items()
    }
    scores["overall_precision"] = overall["precision"]
    scores["overall_recall"] = overall["recall"]
    scores["overall_f1"] = overall["f1-score"]
    scores["overall_accuracy"] = theirs.accuracy_score(references, predictions)
    return scores
