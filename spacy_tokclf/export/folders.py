"""Where output folders may be written: at a new or empty place, or over an earlier one of their kind."""

from pathlib import Path

from ..errors import Errors
from ..pipeline.load import META


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


def check_output(out_dir: Path) -> None:
    """Make sure that a pipeline may be written to a folder: a new or empty one, or one with a pipeline.

    out_dir (Path): The folder.
    RAISES (ValueError): TC260, if there is something else in it.
    """
    if out_dir.is_dir() and any(out_dir.iterdir()):
        check_target(out_dir, mark=META, force=True)


def check_apart(out_dir: Path, pipeline: Path | None) -> None:
    """Refuse to write into, or over, the pipeline that is read.

    out_dir (Path): The folder.
    pipeline (Path | None): The folder of the pipeline, if it has one.
    RAISES (ValueError): TC306, if one is in the other.
    """
    if pipeline is None:
        return
    place, source = out_dir.resolve(), Path(pipeline).resolve()
    if place.is_relative_to(source) or source.is_relative_to(place):
        raise ValueError(Errors.TC306.format(path=out_dir))
