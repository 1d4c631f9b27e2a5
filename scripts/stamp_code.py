"""Record which code a step depends on: the checksums of some rooms of the package, and the versions of what computes.

Steps that depend on that code depend on this one file, which stays the same, byte for byte, as long as the code does.
(A folder of sources cannot be such a dependency: its checksum would change with every compiled file that Python leaves
there.)

Usage: python scripts/stamp_code.py assets/code.json errors tags models
"""

import argparse
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from project_files import checksum, fail, write_json

PACKAGE = Path(__file__).resolve().parent.parent / "spacy_tokclf"
VERSIONS = ("spacy", "thinc", "torch", "transformers", "tokenizers", "numpy")


def sources(rooms: Sequence[str], package: Path = PACKAGE) -> list[Path]:
    """List the source files of some rooms.

    rooms (Sequence[str]): Names of modules and of folders directly in the package.
    package (Path): The folder of the package.
    RETURNS (list[Path]): Their files, sorted: Python, and what else is in a room, such as templates.
    RAISES (SystemExit): If there is no such room.
    """
    found: list[Path] = []
    for room in rooms:
        module, folder = package / f"{room}.py", package / room
        files = [module] if module.is_file() else [path for path in folder.rglob("*") if _is_source(path)]
        if not files:
            fail(f"There is no room {room!r} in {package.name}", "The command `code` in project.yml names the rooms.")
        found += files
    return sorted(found)


def _is_source(path: Path) -> bool:
    """Tell what people wrote from what Python compiled."""
    return path.is_file() and path.suffix != ".pyc"


def main() -> None:
    """Write the file named on the command line."""
    parser = argparse.ArgumentParser(description="Record which code a step depends on.")
    parser.add_argument("out", type=Path, help="the JSON file to write")
    parser.add_argument("rooms", nargs="+", help="modules and folders of the package")
    args = parser.parse_args()
    files = {str(path.relative_to(PACKAGE)): checksum(path, "md5") for path in sources(args.rooms)}
    write_json(args.out, {"versions": {name: version(name) for name in VERSIONS}, "files": files})


if __name__ == "__main__":
    main()
