"""What tells a pipeline, or a file, from others: a digest."""

import hashlib
from pathlib import Path
from typing import Any

from spacy.util import get_package_path, is_package

from ...errors import Errors


def model_facts(model: str) -> dict[str, Any]:
    """Tell a pipeline from others.

    model (str): Its folder, or the name of an installed package.
    RETURNS (dict[str, Any]): The "sha256" of all its files with their names, wherever they lie.
    RAISES (ValueError): TC292, if there is none.
    """
    folder = get_package_path(model) if is_package(model) else Path(model)
    if not folder.is_dir():
        raise ValueError(Errors.TC292.format(model=model))
    found = hashlib.sha256()
    files = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    for path in sorted(files, key=lambda path: path.relative_to(folder).as_posix()):
        found.update(f"{path.relative_to(folder).as_posix()}\0{file_facts(path)['sha256']}\n".encode())
    return {"sha256": found.hexdigest()}


def file_facts(path: Path) -> dict[str, Any]:
    """Tell a file from others.

    path (Path): The file.
    RETURNS (dict[str, Any]): Its "sha256" and "size".
    """
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            found.update(block)
    return {"sha256": found.hexdigest(), "size": path.stat().st_size}
