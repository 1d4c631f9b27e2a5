"""One scorer for every system: entities on the gold tokens, counted as seqeval and conlleval count them."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from spacy.tokens import DocBin
from spacy.training import Example
from spacy.vocab import Vocab

from spacy_tokclf.corpus import Record, record_to_doc
from spacy_tokclf.metrics import compare_examples, count, count_by_sentence, evaluate_dict
from spacy_tokclf.types import Bools, Floats64

from .configs import BEST
from .study import Line, Study, put_line

#: The columns of `count_by_sentence`, as fields of a line of posts.jsonl.
COUNTS = ("true_positives", "predicted", "gold")
#: The best recipe before and after its scores were calibrated on dev, and that on the large encoder.
CALIBRATION = (f"{BEST}-calibration", BEST, "large")
#: The scores of predicted entities and whether each is a true positive, (n_predicted,); the number of gold entities.
EntityScores = tuple[Floats64, Bools, int]


def pair_up(gold: Iterable[Record], predictions: Path) -> list[Example]:
    """RETURNS (list[Example]): The predictions in a .spacy file beside the gold of the same posts."""
    vocab = Vocab()
    docs = DocBin().from_disk(predictions).get_docs(vocab)
    pairs = zip(docs, (record_to_doc(record, vocab) for record in gold), strict=True)
    return [Example(doc, reference) for doc, reference in pairs]


def scores_of(examples: Sequence[Example] | None, split: str) -> dict[str, Any]:
    """Score predictions.

    examples (Sequence[Example] | None): The posts, predictions beside gold; None: nothing is scored, all is None.
    split (str): "dev" or "test", which begins every key.
    RETURNS (dict[str, Any]): f1, precision, recall (micro averages), and per_type: F1 of each type.
    """
    found = dict.fromkeys(("f1", "precision", "recall", "per_type"))
    if examples is not None:
        scores: dict[str, Any] = evaluate_dict(count(compare_examples(examples)), zero_division=0)
        found = {name: round(scores[f"overall_{name}"], 6) for name in ("f1", "precision", "recall")}
        found["per_type"] = {name: round(each["f1"], 4) for name, each in scores.items() if isinstance(each, dict)}
    return {f"{split}_{name}": value for name, value in found.items()}


def counts_of(examples: Sequence[Example]) -> dict[str, list[int]]:
    """RETURNS (dict[str, list[int]]): For each of COUNTS a number a post: enough to test significance without gold."""
    counts = count_by_sentence(compare_examples(examples))
    return dict(zip(COUNTS, counts.T.tolist(), strict=True))


def keep_entity_scores(study: Study, run: Line, examples: Iterable[Example]) -> None:
    """Write the scores of predicted entities into scores.jsonl: a line a run and split, for the configs of CALIBRATION.

    study (Study): The study.
    run (dict[str, Any]): What tells the line apart: "config", "config_hash", "seed" and "split", beside others.
    examples (Iterable[Example]): The posts: predictions beside gold.
    """
    if run["config"] not in CALIBRATION:
        return
    found: dict[bool, list[int]] = {True: [], False: []}
    gold = 0
    for example in examples:
        wanted = {(ent.start, ent.end, ent.label_) for ent in example.reference.ents}
        gold += len(wanted)
        spans = example.predicted.spans["entities"]
        for span, score in zip(spans, spans.attrs["scores"], strict=True):
            found[(span.start, span.end, span.label_) in wanted].append(round(1000 * score))
    lists = {"correct": sorted(found[True]), "wrong": sorted(found[False])}
    put_line(study.file("scores.jsonl"), {**run, "gold": gold, **lists}, "config_hash", "seed", "split")


def read_entity_scores(lines: Sequence[Line]) -> EntityScores:
    """RETURNS (EntityScores): The entities in some lines of scores.jsonl: of several runs, all count."""
    correct, wrong = ([score for line in lines for score in line[side]] for side in ("correct", "wrong"))
    is_correct = np.arange(len(correct) + len(wrong)) < len(correct)
    return np.array(correct + wrong) / 1000, is_correct, sum(line["gold"] for line in lines)
