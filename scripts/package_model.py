"""Make a Python package (a wheel) of a trained pipeline; its name says which data the pipeline was trained on.

The licences are part of it: LICENSE and LICENSES_SOURCES in the package, and the sources in its meta.json.

Usage: python scripts/package_model.py training/model-best packages --version 0.1.0
"""

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import Any

import srsly
from make_encoder import embedded_at
from project_files import checksum, fail, read_json, write_json
from project_scores import SOURCES
from wasabi import msg

from spacy_tokclf.hub.wheel import build_wheel
from spacy_tokclf.start.embedded_files import license_text

DATA_SOURCE = {
    "wnut17": {
        "name": "WNUT 2017: novel and emerging entities",
        "url": "https://github.com/leondz/emerging_entities_17",
        "author": "Leon Derczynski, Eric Nichols, Marieke van Erp, Nut Limsopatham",
        "license": "CC BY 4.0",
    },
    "sample": {
        "name": "The sample corpus of spacy-tokclf",
        "url": "",
        "author": "The spacy-tokclf developers",
        "license": "MIT",
    },
}


def sources_of(source: str, encoder: str) -> list[dict[str, str]]:
    """List what a pipeline was made of, in the form of meta.json.

    source (str): The data: "wnut17" or "sample".
    encoder (str): The encoder: a folder or a name on the Hugging Face Hub.
    RETURNS (list[dict[str, str]]): Name, url, author and licence of each.
    """
    embedded = embedded_at(encoder)
    if embedded:
        name, license_, author = embedded.origin, "Apache-2.0", "sentence-transformers"
    else:
        name, license_, author = encoder, "see there", ""
    url = "" if Path(encoder).is_dir() and not embedded else f"https://huggingface.co/{name}"
    return [{"name": name, "url": url, "author": author, "license": license_}, DATA_SOURCE[source]]


def add_licences(folder: Path, source: str, encoder: str) -> None:
    """Add licences and sources to a copy of a pipeline, where `spacy package` picks them up.

    folder (Path): The copy.
    source (str): The data.
    encoder (str): The encoder.
    """
    sources = sources_of(source, encoder)
    lines = ["What this pipeline was made of, and the licence of each part.", ""]
    for part in [*sources, {"name": "spacy-tokclf", "url": "", "author": "its developers", "license": "MIT"}]:
        lines += [f"* {part['name']}", *(f"  {key}: {part[key]}" for key in ("url", "author", "license") if part[key])]
    (folder / "LICENSES_SOURCES").write_text("\n".join(lines) + "\n", encoding="utf8")
    if embedded_at(encoder):
        (folder / "LICENSE").write_bytes(license_text())
    meta: dict[str, Any] = srsly.read_json(folder / "meta.json")
    meta["description"] = f"Named entities in noisy text. Trained on {SOURCES[source]}."
    meta["license"] = sources[0]["license"]
    meta["sources"] = sources
    srsly.write_json(folder / "meta.json", meta)


def main() -> None:
    """Package the pipeline named on the command line."""
    parser = argparse.ArgumentParser(description="Make a Python package of a trained pipeline.")
    parser.add_argument("model", type=Path, help="the pipeline's folder")
    parser.add_argument("out", type=Path, help="the folder of all packages")
    parser.add_argument("--version", required=True, help="the package's version")
    parser.add_argument("--layout", default="", help="added to the package's name")
    parser.add_argument("--data", type=Path, default=Path("assets/data.json"), help="which data it is")
    parser.add_argument("--encoder", type=Path, default=Path("assets/encoder.json"), help="which encoder it is")
    parser.add_argument("--stamp", type=Path, required=True, help="write here what was made")
    args = parser.parse_args()
    source, encoder = read_json(args.data)["source"], read_json(args.encoder)["encoder"]
    name = "_".join(part for part in (source, "ner", args.layout) if part)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(args.model, Path(folder) / "model"))
        add_licences(copy, source, encoder)
        try:
            wheel = build_wheel(copy, args.out, name=name, version=args.version)
        except ValueError as error:
            fail("The package could not be built", str(error))
    package = wheel.name.split("-")[0]
    write_json(args.stamp, {"package": package, "wheel": str(wheel), "sha256": checksum(wheel)})
    msg.good(f"Wheel: {wheel} ({wheel.stat().st_size / 1e6:.0f} MB)")


if __name__ == "__main__":
    main()
