"""Output folders that appear whole or not at all, and replace an earlier one of their kind only."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ..errors import Errors


def check_target(out_dir: Path, *, mark: str, force: bool) -> None:
    """Make sure that a folder may be written.

    out_dir (Path): The folder.
    mark (str): A file that every folder of the kind has.
    force (bool): Whether to replace one that is there.
    RAISES (ValueError): TC259, if there is something in it; TC260, if that is nothing of the kind.
    """
    if out_dir.is_dir() and not any(out_dir.iterdir()):
        return
    if out_dir.exists() and not force:
        raise ValueError(Errors.TC259.format(path=out_dir))
    if out_dir.exists() and not (out_dir / mark).is_file():
        raise ValueError(Errors.TC260.format(path=out_dir, mark=mark))


@contextlib.contextmanager
def whole_folder(out_dir: Path) -> Iterator[Path]:
    """Write a folder that appears whole or not at all: beside its place, and moved there at the end. After an error
    what was there before is there again.

    out_dir (Path): Its place.
    YIELDS (Path): Where to write it: a path at which nothing is yet. What is written beside it is removed in the end.
    """
    out_dir.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out_dir.name}-", dir=out_dir.parent) as workplace:
        made, old = Path(workplace) / "new", Path(workplace) / "old"
        yield made
        if out_dir.exists():
            out_dir.rename(old)
        try:
            made.rename(out_dir)
        except OSError:
            if old.exists():
                old.rename(out_dir)
            raise
