"""WNUT-17 by its name on the Hub. It comes with a loading script, which `datasets` refuses since version 4: so read its
parquet conversion, else the published CoNLL files, and say which."""

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from ...errors import Errors, Warnings
from ..hf.load import load_split
from ..hf.records import records_from_dataset
from ..records import Record
from ..verify import WNUT17_FILES, check_md5
from .conll import read_conll

NAMES = ("wnut_17", "leondz/wnut_17")
PARQUET = "refs/convert/parquet"
_HUB_SPLITS = {"train": "train", "dev": "validation", "test": "test"}
_OUR_SPLITS = {"train": "train", "dev": "dev", "validation": "dev", "test": "test"}
_logger = logging.getLogger("spacy")
_said: set[str] = set()


def load_wnut17(*, folder: str | Path | None = None) -> dict[str, list[Record]]:
    """Load the three splits, from where wnut17_source finds them.

    folder (str | Path | None): Folder with the CoNLL files; None: WNUT17_DIR, else assets/wnut17.
    RETURNS (dict[str, list[Record]]): The posts of train, dev and test.
    RAISES (ValueError): TC120 if a CoNLL file is not the published one, TC157 if there are no data.
    """
    return {split: list(wnut17_source(split, folder=folder)()) for split in WNUT17_FILES}


def wnut17_source(split: str, *, folder: str | Path | None = None) -> Callable[[], Iterable[Record]]:
    """Find one split: the parquet conversion on the Hub, else the CoNLL files. Log what was taken, once a process.

    split (str): "train", "dev" (or "validation") or "test".
    folder (str | Path | None): Folder with the CoNLL files; None: WNUT17_DIR, else assets/wnut17.
    RETURNS (Callable[[], Iterable[Record]]): Streams the posts from the beginning, each time it is called.
    RAISES (ValueError): TC120 if the CoNLL file is not the published one, TC154 if there is no such split, TC157 if
        there are no data.
    """
    if split not in _OUR_SPLITS:
        raise ValueError(Errors.TC154.format(split=split, where=NAMES[0], found=", ".join(_OUR_SPLITS)))
    split = _OUR_SPLITS[split]
    path = _conll_file(split, folder)
    conll = f"the CoNLL files in {path.parent}" if path else ""
    detail = "not asked again."
    if conll not in _said:  # after one failure the Hub is not waited for again
        try:
            dataset = load_split(NAMES[1], _HUB_SPLITS[split], revision=PARQUET)
        except (ImportError, ValueError) as error:
            detail = str(error)
        else:
            _say(f"its parquet conversion (revision {PARQUET})")
            return partial(records_from_dataset, dataset, name=f"{NAMES[1]} ({split})")
    if path is None:
        places = " or ".join(map(str, _places(folder)))
        files = ", ".join(name for name, _ in WNUT17_FILES.values())
        raise ValueError(Errors.TC157.format(detail=detail, files=files, places=places))
    check_md5(path, WNUT17_FILES[split][1])
    _say(conll)
    return partial(read_conll, path, scheme="IOB2")


def _places(folder: str | Path | None) -> Iterator[Path]:
    """Name the folders that may hold the CoNLL files."""
    if folder is not None:
        yield Path(folder)
        return
    if given := os.environ.get("WNUT17_DIR"):
        yield Path(given)
    yield Path("assets") / "wnut17"


def _conll_file(split: str, folder: str | Path | None) -> Path | None:
    """Find the CoNLL file of a split."""
    paths = (place / WNUT17_FILES[split][0] for place in _places(folder))
    return next((path for path in paths if path.is_file()), None)


def _say(used: str) -> None:
    """Log once where the data come from. As a warning, since it is not the data set of that name itself."""
    if used not in _said:
        _said.add(used)
        _logger.warning(Warnings.TW111.format(path=NAMES[0], used=used))
