"""Write down which code this is: the package's sources and the versions of what computes.

Steps that depend on the code depend on this one file. (A folder of sources cannot be such a dependency: its
checksum would change with every compiled file that Python leaves there.)

Usage: python scripts/stamp_code.py assets/code.json
       python scripts/stamp_code.py --list-in project.yml   (after a source file came or went)
"""

import argparse
import re
from importlib.metadata import version
from pathlib import Path

from project_files import checksum, write_json, write_whole

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


def list_in(text: str, names: list[str]) -> str:
    """Put the files into the project file, as dependencies of the command that runs this script.

    text (str): The content of project.yml.
    names (list[str]): The files.
    RETURNS (str): The new content.
    """
    line = r"      - spacy_tokclf/.*\.py\n"
    return re.sub(f"(?:{line})+", "".join(f"      - {name}\n" for name in names), text, count=1)


def main() -> None:
    """Write the file named on the command line."""
    parser = argparse.ArgumentParser(description="Write down which code this is.")
    parser.add_argument("out", type=Path, nargs="?", help="the JSON file to write")
    parser.add_argument("--list-in", type=Path, metavar="FILE", help="bring the list in project.yml up to date")
    args = parser.parse_args()
    if args.list_in is not None:
        names = [str(path.relative_to(PACKAGE.parent)) for path in sources()]
        write_whole(args.list_in, list_in(args.list_in.read_text(encoding="utf8"), names).encode("utf8"))
    if args.out is not None:
        files = {str(path.relative_to(PACKAGE)): checksum(path, "md5") for path in sources()}
        write_json(args.out, {"versions": {name: version(name) for name in VERSIONS}, "files": files})


if __name__ == "__main__":
    main()
