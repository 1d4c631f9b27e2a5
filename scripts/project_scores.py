"""Where scores and pages go: those of WNUT-17 and those of the sample corpus are never in one folder."""

from pathlib import Path

from wasabi import msg

SOURCES = {"wnut17": "WNUT-17", "sample": "the SAMPLE corpus (these are not WNUT-17 scores)"}


def scores_folder(root: Path, source: str, layout: str = "") -> Path:
    """Say where the scores of a pipeline go.

    root (Path): The folder of all scores.
    source (str): The data, as assets/data.json names it: "wnut17" or "sample".
    layout (str): A sub-folder for pipelines beside the default one, such as "shared".
    RETURNS (Path): The folder.
    """
    return root / ("sample" if source == "sample" else "") / layout


def remove_other(root: Path, source: str, layout: str, names: tuple[str, ...]) -> None:
    """Remove what this step wrote when the project ran on the other data: it would describe another pipeline.

    root (Path): The folder of all scores.
    source (str): The data of this run.
    layout (str): As for `scores_folder`.
    names (tuple[str, ...]): The files that this step writes.
    """
    (other,) = SOURCES.keys() - {source}
    for path in (scores_folder(root, other, layout) / name for name in names):
        if path.exists():
            path.unlink()
            msg.info(f"Removed {path}: the data is {SOURCES[source]} now")
