"""Score a trained pipeline on dev and test, and write down what was scored.

dev.json and test.json are the standard scores, on gold tokens, with the keys of `evaluate`'s seqeval. raw_text.json
holds the scores that users get: spaCy's own tokens, entities compared as character spans. run.json says which data,
encoder, settings and versions they belong to, and what computed the training and these scores. Every reading of the
test gold adds a line to test_ledger.jsonl, in the folder of all scores on that data; it is never removed.

Usage: python scripts/evaluate_model.py training/model-best
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Sequence
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

import spacy
from compute_facts import add_device_options, describe_compute
from project_files import checksum, read_json, write_json
from project_scores import SOURCES, remove_other, scores_folder
from spacy import Language, util
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from wasabi import msg

from spacy_tokclf.cli._device import on_device
from spacy_tokclf.cli._util import failing_cleanly
from spacy_tokclf.corpus.docs import bare_copy
from spacy_tokclf.metrics.examples import score_character_spans, score_examples

SPLITS = ("dev", "test")
NAMES = ("dev.json", "test.json", "raw_text.json", "run.json")
LEDGER = "test_ledger.jsonl"
VERSIONS = ("spacy-tokclf", "spacy", "thinc", "torch", "transformers", "tokenizers", "numpy")


def annotate(nlp: Language, gold: list[Doc], *, raw_text: bool) -> tuple[list[Example], float]:
    """Run the pipeline over texts whose entities are known.

    nlp (Language): The pipeline.
    gold (list[Doc]): The texts, with gold tokens and entities.
    raw_text (bool): Whether the pipeline's own tokenizer reads the text, instead of being given the gold tokens.
    RETURNS (tuple[list[Example], float]): Prediction beside gold for each text, and the seconds it took.
    """
    inputs = [doc.text if raw_text else bare_copy(doc, nlp.vocab) for doc in gold]
    start = time.perf_counter()
    docs = list(nlp.pipe(inputs))
    seconds = time.perf_counter() - start
    return [Example(doc, reference) for doc, reference in zip(docs, gold, strict=True)], seconds


def evaluate(nlp: Language, corpus: Path, splits: Sequence[str] = SPLITS) -> dict[str, Any]:
    """Score a pipeline on gold tokens and on raw text.

    nlp (Language): The pipeline.
    corpus (Path): The folder with dev.spacy and test.spacy.
    splits (Sequence[str]): What to score on.
    RETURNS (dict[str, Any]): The scores of each split, "raw_text" (scores of each), "speed" (words per second).
    """
    found: dict[str, Any] = {"raw_text": {}, "speed": {}}
    for split in splits:
        gold = list(DocBin().from_disk(corpus / f"{split}.spacy").get_docs(nlp.vocab))
        examples, seconds = annotate(nlp, gold, raw_text=False)
        found[split] = score_examples(examples)
        found["speed"][split] = round(sum(map(len, gold)) / seconds)
        examples, _ = annotate(nlp, gold, raw_text=True)
        found["raw_text"][split] = score_character_spans(examples)
    return found


def describe_run(model: Path, data: dict[str, Any], encoder: dict[str, Any]) -> dict[str, Any]:
    """Describe what a pipeline was made of, and what computes on this machine.

    model (Path): The pipeline's folder; train.py may have written time.json beside it.
    data (dict[str, Any]): The content of assets/data.json.
    encoder (dict[str, Any]): The content of assets/encoder.json.
    RETURNS (dict[str, Any]): The content of run.json, without what scoring adds.
    """
    config = util.load_config(model / "config.cfg", interpolate=True)
    times = model.parent / "time.json"
    files = encoder["files"] or {}
    return {
        "data": data["source"],
        "splits": data["splits"],
        "encoder": {"name": encoder["encoder"], "sha256": files.get("model.safetensors")},
        "pipeline": config["nlp"]["pipeline"],
        "seed": config["training"]["seed"],
        "config_sha256": checksum(model / "config.cfg"),
        "training": read_json(times) if times.is_file() else None,
        "versions": {"python": platform.python_version(), **{name: version(name) for name in VERSIONS}},
        "machine": {"system": platform.system(), "processor": platform.machine(), "cores": os.cpu_count()},
        "compute": describe_compute(config),
    }


def note_test(ledger: Path, run: dict[str, Any], scores: dict[str, Any]) -> None:
    """Record that the gold of test was read, for which pipeline, and its score.

    ledger (Path): The file; a line is appended.
    run (dict[str, Any]): What `describe_run` gave.
    scores (dict[str, Any]): The scores on test.
    """
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    line = {
        "time": now,
        **{key: run[key] for key in ("data", "config_sha256", "seed")},
        "test_f1": scores["overall_f1"],
    }
    ledger.parent.mkdir(parents=True, exist_ok=True)
    with ledger.open("a", encoding="utf8") as file:
        file.write(json.dumps(line) + "\n")


def scoring_parser(description: str) -> argparse.ArgumentParser:
    """Make the command line of a script that scores a pipeline.

    description (str): What the script does.
    RETURNS (argparse.ArgumentParser): The parser.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("model", type=Path, help="the pipeline's folder")
    parser.add_argument("--corpus", type=Path, default=Path("corpus"), help="the folder with the .spacy files")
    parser.add_argument("--data", type=Path, default=Path("assets/data.json"), help="which data it is")
    parser.add_argument("--encoder", type=Path, default=Path("assets/encoder.json"), help="which encoder it is")
    parser.add_argument("--metrics", type=Path, default=Path("metrics"), help="the folder of all scores")
    add_device_options(parser)
    return parser


def main() -> None:
    """Score the pipeline named on the command line, and write the files."""
    parser = scoring_parser("Score a trained pipeline on dev and test.")
    parser.add_argument("--layout", default="", help="a sub-folder of it")
    parser.add_argument("--splits", nargs="+", default=SPLITS, choices=SPLITS, help="what to score on")
    args = parser.parse_args()
    with failing_cleanly(), on_device(args.device, args.gpu_id):
        score(args)


def score(args: argparse.Namespace) -> None:
    """Score a pipeline, write the files and print the scores.

    args (argparse.Namespace): The command line.
    """
    data = read_json(args.data)
    run = describe_run(args.model, data, read_json(args.encoder))
    nlp = spacy.load(args.model)
    found = evaluate(nlp, args.corpus, args.splits)
    if "test" in found:
        note_test(scores_folder(args.metrics, data["source"]) / LEDGER, run, found["test"])
    out = scores_folder(args.metrics, data["source"], args.layout)
    for split in args.splits:
        write_json(out / f"{split}.json", found[split])
    write_json(out / "raw_text.json", found["raw_text"])
    write_json(out / "run.json", {**run, "words_per_second": found["speed"]})
    remove_other(args.metrics, data["source"], args.layout, NAMES)
    keys = ("overall_precision", "overall_recall", "overall_f1")
    table = [(split, *(f"{found[split][key]:.4f}" for key in keys)) for split in args.splits]
    table += [
        (f"{split}, raw text", *(f"{found['raw_text'][split][key]:.4f}" for key in keys)) for split in args.splits
    ]
    msg.divider(f"Scores on {SOURCES[data['source']]}")
    msg.table(table, header=("", "precision", "recall", "F1"), aligns=("l", "r", "r", "r"), divider=True)
    msg.good(f"Scores: {out}")


if __name__ == "__main__":
    main()
