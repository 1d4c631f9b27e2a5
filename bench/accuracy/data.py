"""The data sets of the study, as every system reads them: gold for train and dev, words alone for test.

`wnut17` is WNUT-17 as published; `resplit` its training posts, split anew at random, no post twice; `sample` the
project's own sample corpus.
"""

import random
from collections.abc import Iterable
from pathlib import Path
from threading import Lock

from project_files import fail, folder_made_whole, read_json, write_json

from spacy_tokclf.corpus import Record, read_conll, write_conll, write_docbin

from .study import Study

NAMES = ("wnut17", "resplit", "sample")
SPLITS = ("train", "dev", "test")
#: Held while a data set is made: several runs may need it at the same time.
_MAKING = Lock()


def get_data(study: Study, name: str, *, with_dev: bool = False) -> Path:
    """Make the files of a data set, if they are not there yet.

    study (Study): The study.
    name (str): One of NAMES.
    with_dev (bool): Whether train holds the dev posts as well.
    RETURNS (Path): A folder with SPLIT.spacy and SPLIT.conll for each split, test without its gold; and data.json,
        the number of posts in each split.
    """
    folder = study.work / "data" / f"{name}{'+dev' if with_dev else ''}"
    with _MAKING:
        if not folder.is_dir():
            _make_data(study, name, folder, with_dev=with_dev)
    return folder


def _make_data(study: Study, name: str, folder: Path, *, with_dev: bool) -> None:
    posts = {split: list(read_conll(gold_file(study, name, split))) for split in SPLITS}
    posts["train"] += posts["dev"] if with_dev else []
    # "-" is a missing value: nobody has tagged these words.
    posts["test"] = [Record(record.words, ["-"] * len(record.words)) for record in posts["test"]]
    with folder_made_whole(folder) as new:
        for split, records in posts.items():
            write_docbin(records, new / f"{split}.spacy")
            write_conll(records, new / f"{split}.conll")
        write_json(new / "data.json", {split: len(records) for split, records in posts.items()})


def gold_file(study: Study, name: str, split: str) -> Path:
    """RETURNS (Path): The CoNLL file with the gold of a split of a data set. Of "test" it is for `ledger.py` alone."""
    folder = study.root / "sample"
    if name != "sample":
        folder = study.root / "assets" / "data"
        if read_json(study.root / "assets" / "data.json")["source"] != "wnut17":
            fail("The study is about WNUT-17", "There is the sample corpus only; set WNUT17_DIR and run `make run`.")
    if name == "resplit":
        parts = resplit(read_conll(folder / "train.conll"))
        folder = study.work / "data" / "resplit_gold"
        if not folder.is_dir():
            with folder_made_whole(folder) as new:
                for part, records in parts.items():
                    write_conll(records, new / f"{part}.conll")
    return folder / f"{split}.conll"


def resplit(records: Iterable[Record], *, seed: int = 17) -> dict[str, list[Record]]:
    """Split posts at random. Of posts with the same words, whatever their case, the first one alone is kept.

    records (Iterable[Record]): The posts.
    seed (int): Seed of the split.
    RETURNS (dict[str, list[Record]]): Train (eight tenths), dev and test (a tenth each).
    """
    first: dict[str, Record] = {}
    for record in records:
        first.setdefault(" ".join(record.words).lower(), record)
    posts = list(first.values())
    random.Random(seed).shuffle(posts)
    tenth = len(posts) // 10
    return {"train": posts[2 * tenth :], "dev": posts[tenth : 2 * tenth], "test": posts[:tenth]}
