"""Write down which code this is: the package's sources and the versions of what computes.

Steps that depend on the code depend on this one file. (A folder of sources cannot be such a dependency: its
checksum would change with every compiled file that Python leaves there.)

Usage: python scripts/stamp_code.py assets/code.json
"""

import argparse
from importlib.metadata import version
from pathlib import Path

from project_files import checksum, write_json

PACKAGE = Path(__file__).resolve().parent.parent / "spacy_tokclf"
VERSIONS = ("spacy", "thinc", "torch", "transformers", "tokenizers", "numpy")
# Changing these rooms changes neither a trained pipeline nor its scores.
LEFT_OUT = ("cli", "export", "hub", "report", "scale")


def sources(package: Path = PACKAGE) -> list[Path]:
    """List the files that decide what is trained and predicted.

    package (Path): The folder of the package.
    RETURNS (list[Path]): Its Python files, sorted.
    """
    files = package.rglob("*.py")
    return sorted(path for path in files if path.relative_to(package).parts[0] not in LEFT_OUT)


def main() -> None:
    """Write the file named on the command line."""
    parser = argparse.ArgumentParser(description="Write down which code this is.")
    parser.add_argument("out", type=Path, help="the JSON file to write")
    files = {str(path.relative_to(PACKAGE)): checksum(path, "md5") for path in sources()}
    write_json(parser.parse_args().out, {"versions": {name: version(name) for name in VERSIONS}, "files": files})


if __name__ == "__main__":
    main()
