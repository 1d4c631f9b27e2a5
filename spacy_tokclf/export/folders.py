"""Folders that appear whole or not at all, and replace an earlier one of their kind only."""

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


def put_in_place(made: Path, out_dir: Path, *, old: Path) -> None:
    """Move a folder to its place; what was there comes back if that fails.

    made (Path): The folder.
    out_dir (Path): Its place.
    old (Path): Where to put what is there, on the same disk.
    """
    if out_dir.exists():
        out_dir.rename(old)
    try:
        made.rename(out_dir)
    except OSError:
        if old.exists():
            old.rename(out_dir)
        raise
