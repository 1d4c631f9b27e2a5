"""What the project's scripts share: checksums, atomic writing of files and folders, messages that end a script."""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from wasabi import msg

_BLOCK = 1 << 20


def fail(title: str, text: str = "") -> NoReturn:
    """Print what went wrong and how to fix it, and end the script with exit code 1.

    title (str): One line: what went wrong and where.
    text (str): What was expected and the fix.
    RAISES (SystemExit): Always.
    """
    msg.fail(title, text)
    raise SystemExit(1)


def checksum(path: Path, algorithm: str = "sha256") -> str:
    """Hash a file, a block at a time.

    path (Path): The file.
    algorithm (str): A name that hashlib knows, such as "md5".
    RETURNS (str): The hexadecimal digest.
    """
    digest = hashlib.new(algorithm, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def write_whole(path: Path, data: bytes) -> None:
    """Write a file atomically: under a temporary name first, then renamed.

    path (Path): Where to. Missing folders are made.
    data (bytes): The content.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON, atomically.

    path (Path): Where to.
    value (Any): What `json` can write.
    """
    write_whole(path, (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode("utf8"))


@contextlib.contextmanager
def folder_made_whole(path: Path) -> Iterator[Path]:
    """Make a folder atomically: filled under a temporary name, then renamed; nothing is left behind on an error.

    path (Path): Where the folder will be. One that is there already is replaced.
    YIELDS (Path): The temporary folder, on the same file system.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        temporary.chmod(0o755)
        yield temporary
        if path.exists():
            shutil.rmtree(path)
        temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def read_json(path: Path) -> Any:
    """Read a JSON file that an earlier step wrote.

    path (Path): The file.
    RETURNS (Any): Its content.
    RAISES (SystemExit): If it is not there.
    """
    if not path.is_file():
        fail(f"{path} is not there", "An earlier step of the project writes it: python -m spacy project run all")
    return json.loads(path.read_text(encoding="utf8"))
