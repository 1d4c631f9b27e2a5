"""One scorer for every system: entities on the gold tokens, counted as seqeval and conlleval count them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from spacy.tokens import DocBin
from spacy.training import Example
from spacy.vocab import Vocab

from spacy_tokclf.corpus import Record, read_docbin, record_to_doc
from spacy_tokclf.metrics import Comparison, compare_examples, count, evaluate_dict


def compare(gold: Iterable[Record], predictions: Path) -> Comparison:
    """Put predictions beside gold.

    gold (Iterable[Record]): The posts with their gold.
    predictions (Path): A .spacy file with the same posts, annotated.
    RETURNS (Comparison): Gold beside prediction.
    RAISES (ValueError): If the posts are not the same.
    """
    vocab = Vocab()
    docs = DocBin().from_disk(predictions).get_docs(vocab)
    pairs = zip(docs, (record_to_doc(record, vocab) for record in gold), strict=True)
    return compare_examples([Example(doc, reference) for doc, reference in pairs])


def scores_of(comparison: Comparison, split: str) -> dict[str, Any]:
    """Score predictions.

    comparison (Comparison): Gold beside prediction.
    split (str): "dev" or "test", which begins every key.
    RETURNS (dict[str, Any]): f1, precision, recall (micro averages), and per_type: F1 of each type.
    """
    scores: dict[str, Any] = evaluate_dict(count(comparison), zero_division=0)
    types = {name: round(value["f1"], 4) for name, value in scores.items() if isinstance(value, dict)}
    overall = {name: round(scores[f"overall_{name}"], 6) for name in ("f1", "precision", "recall")}
    return {f"{split}_{name}": value for name, value in {**overall, "per_type": types}.items()}


def no_scores(split: str) -> dict[str, None]:
    """Give the fields of `scores_of` for what is not scored.

    split (str): "dev" or "test".
    RETURNS (dict[str, None]): The fields.
    """
    return {f"{split}_{name}": None for name in ("f1", "precision", "recall", "per_type")}


def score_dev(gold: Path, predictions: Path) -> dict[str, Any]:
    """Score predictions on dev.

    gold (Path): The .spacy file with the gold.
    predictions (Path): The .spacy file with the predictions.
    RETURNS (dict[str, Any]): As scores_of.
    """
    return scores_of(compare(read_docbin(gold), predictions), "dev")
