"""Write the CoNLL files in assets/data/ as .spacy files in corpus/, with their gold tokens kept: train, dev and test,
and train and dev together for the final fit.

Usage: python scripts/convert.py assets/data corpus
"""

import argparse
from pathlib import Path

from project_files import fail
from wasabi import msg

SPLITS = ("train", "dev", "test")


def convert(source: Path, target: Path) -> dict[str, int]:
    """Convert the three splits, and the first two as one.

    source (Path): The folder with SPLIT.conll.
    target (Path): The folder that gets SPLIT.spacy and train_dev.spacy.
    RETURNS (dict[str, int]): The number of posts in each file.
    RAISES (ValueError): If a file is at fault; the message says where.
    """
    from spacy_tokclf.corpus import read_conll, write_docbin

    records = {split: list(read_conll(source / f"{split}.conll")) for split in SPLITS}
    records["train_dev"] = records["train"] + records["dev"]
    return {name: write_docbin(each, target / f"{name}.spacy") for name, each in records.items()}


def main() -> None:
    """Convert the splits named on the command line."""
    parser = argparse.ArgumentParser(description="Convert CoNLL files to .spacy files.")
    parser.add_argument("source", type=Path, help="the folder with train.conll, dev.conll and test.conll")
    parser.add_argument("target", type=Path, help="the folder for the .spacy files")
    args = parser.parse_args()
    try:
        counts = convert(args.source, args.target)
    except ValueError as error:
        fail("The data cannot be converted", str(error))
    for split, count in counts.items():
        msg.good(f"{args.target / split}.spacy: {count} posts")


if __name__ == "__main__":
    main()
