"""Write the pages about a trained pipeline on dev and test: scores, curves and mistakes, each in one file.

The page about test shows its gold, so that it adds a line to test_ledger.jsonl, as every reading of it does.

Usage: python scripts/write_reports.py training/model-best
"""

import argparse

from evaluate_model import LEDGER, describe_run, note_test, scoring_parser
from project_files import read_json
from project_scores import remove_other, scores_folder
from wasabi import msg

from spacy_tokclf.cli._device import on_device
from spacy_tokclf.cli._util import failing_cleanly
from spacy_tokclf.cli.report import report

SPLITS = ("dev", "test")
NAMES = tuple(f"report_{split}.html" for split in SPLITS)


def main() -> None:
    """Write the pages about the pipeline named on the command line."""
    args = scoring_parser("Write the pages about a trained pipeline on dev and test.").parse_args()
    with failing_cleanly(), on_device(args.device, args.gpu_id):
        write(args)


def write(args: argparse.Namespace) -> None:
    """Write the pages.

    args (argparse.Namespace): The command line.
    """
    data = read_json(args.data)
    out = scores_folder(args.metrics, data["source"])
    scores = read_json(out / "test.json")
    train = args.corpus / "train.spacy"
    for split, name in zip(SPLITS, NAMES, strict=True):
        gold = args.corpus / f"{split}.spacy"
        report(str(args.model), gold, output=out / name, train=train, use_gpu=args.gpu_id)
        msg.good(f"Page: {out / name}")
    note_test(out / LEDGER, describe_run(args.model, data, read_json(args.encoder)), scores)
    remove_other(args.metrics, data["source"], "", NAMES)


if __name__ == "__main__":
    main()
