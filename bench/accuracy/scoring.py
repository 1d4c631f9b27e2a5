"""One scorer for every system: entities on the gold tokens, counted as seqeval and conlleval count them."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from spacy.tokens import DocBin
from spacy.training import Example
from spacy.vocab import Vocab

from spacy_tokclf.corpus import Record, read_docbin, record_to_doc
from spacy_tokclf.metrics import compare_examples, count, evaluate_dict

from .configs import Definition
from .curves import put_curve
from .study import Study


def pair_up(gold: Iterable[Record], predictions: Path) -> list[Example]:
    """Put predictions beside gold.

    gold (Iterable[Record]): The posts with their gold.
    predictions (Path): A .spacy file with the same posts, annotated.
    RETURNS (list[Example]): The posts.
    RAISES (ValueError): If the posts are not the same.
    """
    vocab = Vocab()
    docs = DocBin().from_disk(predictions).get_docs(vocab)
    pairs = zip(docs, (record_to_doc(record, vocab) for record in gold), strict=True)
    return [Example(doc, reference) for doc, reference in pairs]


def scores_of(examples: Sequence[Example], split: str) -> dict[str, Any]:
    """Score predictions.

    examples (Sequence[Example]): The posts: predictions beside gold.
    split (str): "dev" or "test", which begins every key.
    RETURNS (dict[str, Any]): f1, precision, recall (micro averages), and per_type: F1 of each type.
    """
    scores: dict[str, Any] = evaluate_dict(count(compare_examples(examples)), zero_division=0)
    types = {name: round(value["f1"], 4) for name, value in scores.items() if isinstance(value, dict)}
    overall = {name: round(scores[f"overall_{name}"], 6) for name in ("f1", "precision", "recall")}
    return {f"{split}_{name}": value for name, value in {**overall, "per_type": types}.items()}


def no_scores(split: str) -> dict[str, None]:
    """Give the fields of `scores_of` for what is not scored.

    split (str): "dev" or "test".
    RETURNS (dict[str, None]): The fields.
    """
    return {f"{split}_{name}": None for name in ("f1", "precision", "recall", "per_type")}


def score_dev(study: Study, definition: Definition, *, seed: int, gold: Path, predictions: Path) -> dict[str, Any]:
    """Score the predictions of a run on dev, unless it was trained on that, and write down how sure it was of them.

    study (Study): The study.
    definition (Definition): The config.
    seed (int): The seed.
    gold (Path): The .spacy file with the gold.
    predictions (Path): The .spacy file with the predictions.
    RETURNS (dict[str, Any]): As scores_of.
    """
    if definition.with_dev:
        return dict(no_scores("dev"))
    examples = pair_up(read_docbin(gold), predictions)
    put_curve(study, definition, seed=seed, split="dev", examples=examples)
    return scores_of(examples, "dev")
