"""Run by the tests in a process of its own: `evaluate` with the network blocked and an empty home of Hugging Face."""

import json
import os
import socket
import sys
from typing import Any

os.environ["HF_HOME"] = sys.argv[1]


def refuse(*args: Any, **kwargs: Any) -> Any:
    """Stand in for every way out."""
    raise OSError("the network was used")


socket.socket.connect = refuse  # type: ignore
socket.create_connection = socket.getaddrinfo = refuse  # type: ignore

import datasets  # noqa: E402
import evaluate  # noqa: E402
import spacy  # noqa: E402

from spacy_tokclf.hub.evaluator import SpacyPipe, register_evaluator  # noqa: E402
from spacy_tokclf.metrics import evaluate_module_path  # noqa: E402

datasets.disable_progress_bars()
CASES = json.loads(sys.argv[2])
WORDS = [["New", "York", "is", "do n't", "and", "Felix"], ["felix", "naps"]]
TAGS = [["B-LOC", "I-LOC", "O", "O", "O", "B-PER"], ["B-PER", "O"]]
NAMES = ["O", "B-LOC", "I-LOC", "B-PER"]


def run_module() -> list[dict[str, Any]]:
    """Compute every case by the module."""
    metric = evaluate.load(evaluate_module_path())
    return [metric.compute(**case) for case in CASES]


def run_evaluators() -> dict[str, Any]:
    """Evaluate a pipeline given as such, as a folder and as a stranger's pipeline; tags as text and as class labels."""
    nlp = spacy.blank("en")
    patterns = [{"label": "LOC", "pattern": "New York"}, {"label": "PER", "pattern": "Felix"}]
    nlp.add_pipe("entity_ruler").add_patterns(patterns)  # type: ignore
    nlp.to_disk(f"{sys.argv[1]}/pipeline")
    texts = datasets.Dataset.from_dict({"tokens": WORDS, "ner_tags": TAGS})
    numbers = [[NAMES.index(tag) for tag in tags] for tags in TAGS]
    columns = {
        "tokens": datasets.Sequence(datasets.Value("string")),
        "ner_tags": datasets.Sequence(datasets.ClassLabel(names=NAMES)),
    }
    labels = datasets.Dataset.from_dict({"tokens": WORDS, "ner_tags": numbers}, features=datasets.Features(columns))
    theirs = evaluate.evaluator("token-classification")
    evaluator = register_evaluator()
    assert type(evaluate.evaluator("token-classification")) is type(evaluator) is not type(theirs)
    results = {
        "pipeline": evaluator.compute(model_or_pipeline=nlp, data=texts),
        "folder": evaluator.compute(model_or_pipeline=f"{sys.argv[1]}/pipeline", data=labels),
        "joined": evaluator.compute(model_or_pipeline=nlp, data=labels, join_by="::"),
        "plain texts": evaluator.compute(model_or_pipeline=Stranger(nlp), data=texts),
    }
    try:
        evaluator.prepare_pipeline(Stranger(nlp, task="fill-mask"))
    except ValueError as error:
        results["refused"] = str(error)
    try:
        theirs.compute(model_or_pipeline=nlp, data=texts, metric=evaluate.load(evaluate_module_path()))
    except Exception as error:  # noqa: BLE001
        results["theirs"] = type(error).__name__
    return results


class Stranger:
    """Another pipeline: it sees plain texts and tokenises them itself."""

    def __init__(self, nlp: spacy.language.Language, task: str = "token-classification") -> None:
        """Keep the pipeline."""
        self.pipe, self.task = SpacyPipe(nlp), task

    def __call__(self, inputs: Any, **kwargs: Any) -> Any:
        """Annotate texts."""
        return self.pipe([str(text) for text in inputs], **kwargs)


print(json.dumps({"module": run_module(), "evaluator": run_evaluators()}))
