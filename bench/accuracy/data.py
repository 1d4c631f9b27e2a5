"""The data sets of the study, as every system reads them: gold for train and dev, words alone for test.

| name | what it is |
|---|---|
| `wnut17` | WNUT-17 as published |
| `resplit` | the training posts of WNUT-17, split anew at random: train 80, dev 10, test 10 percent, no post twice |
| `sample` | the project's own sample corpus |

`NAME+dev` has the dev posts in train as well. The gold of a test set stays in a file that `ledger.py` alone reads.
"""

import random
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from project_files import fail, folder_made_whole, read_json, write_json

from spacy_tokclf.corpus import Record, read_conll, write_conll, write_docbin

from .study import Study, locked

NAMES = ("wnut17", "resplit", "sample")
SPLITS = ("train", "dev", "test")
DEV = "+dev"
#: Posts of WNUT-17 for training: the number that the steps in configs are counted for.
WNUT17_POSTS = 3394
SEED = 17
FORMS = ("spacy", "conll")


class Data(NamedTuple):
    """A data set in files: `SPLIT.spacy` and `SPLIT.conll`, test without its gold.

    folder (Path): The folder.
    test_gold (Path): The file with the gold of test, for `ledger.py`.
    posts (dict[str, int]): The number of posts in each split.
    """

    folder: Path
    test_gold: Path
    posts: dict[str, int]

    def path(self, split: str, form: str = "spacy") -> Path:
        """Name a file.

        split (str): "train", "dev" or "test".
        form (str): "spacy" or "conll".
        RETURNS (Path): The file.
        """
        return self.folder / f"{split}.{form}"


def get_data(study: Study, name: str, *, with_dev: bool = False) -> Data:
    """Make the files of a data set if they are not there yet.

    study (Study): The study.
    name (str): One of NAMES.
    with_dev (bool): Whether train holds the dev posts as well.
    RETURNS (Data): The data set.
    RAISES (SystemExit): If WNUT-17 is not at hand.
    """
    sources = {split: _source(study, name, split) for split in SPLITS}
    folder = study.work / "data" / f"{name}{DEV if with_dev else ''}"
    facts = folder / "data.json"
    with locked(study.work / "locks" / "data"):
        if not facts.is_file():
            records = {split: list(read_conll(path)) for split, path in sources.items()}
            if with_dev:
                records["train"] += records["dev"]
            records["test"] = list(map(without_tags, records["test"]))
            with folder_made_whole(folder) as new:
                for split, each in records.items():
                    write_docbin(each, new / f"{split}.spacy")
                    write_conll(each, new / f"{split}.conll")
                write_json(new / "data.json", {split: len(each) for split, each in records.items()})
    return Data(folder, sources["test"], read_json(facts))


def without_tags(record: Record) -> Record:
    """Take the gold out of a post.

    record (Record): The post.
    RETURNS (Record): Its words, with a missing value for every tag.
    """
    return Record(record.words, ["-"] * len(record.words))


def _source(study: Study, name: str, split: str) -> Path:
    """Name the file that a split is made of, and make sure that it is there."""
    if name == "sample":
        return study.root / "sample" / f"{split}.conll"
    if read_json(study.root / "assets" / "data.json")["source"] != "wnut17":
        fail("The study is about WNUT-17", "The data at hand is the sample corpus; set WNUT17_DIR and run `make run`.")
    wnut17 = study.root / "assets" / "data"
    if name == "wnut17":
        return wnut17 / f"{split}.conll"
    return resplit_files(wnut17 / "train.conll", study.work / "data" / "resplit_source") / f"{split}.conll"


def resplit_files(path: Path, folder: Path) -> Path:
    """Write the new split of a file, unless it is there already.

    path (Path): The file with the posts.
    folder (Path): Where to.
    RETURNS (Path): The folder, with train.conll, dev.conll and test.conll.
    """
    with locked(folder.parent / f"{folder.name}.lock"):
        if not folder.is_dir():
            parts = resplit(read_conll(path))
            with folder_made_whole(folder) as new:
                for split, records in parts.items():
                    write_conll(records, new / f"{split}.conll")
    return folder


def resplit(records: Iterable[Record], *, seed: int = SEED) -> dict[str, list[Record]]:
    """Split posts at random. Of posts with the same words, whatever their case, the first one alone is kept.

    records (Iterable[Record]): The posts.
    seed (int): Seed of the split.
    RETURNS (dict[str, list[Record]]): Train (eight tenths), dev and test (a tenth each).
    """
    kept: dict[str, Record] = {}
    for record in records:
        kept.setdefault(" ".join(record.words).lower(), record)
    posts = list(kept.values())
    random.Random(seed).shuffle(posts)
    tenth = len(posts) // 10
    return {"train": posts[2 * tenth :], "dev": posts[tenth : 2 * tenth], "test": posts[:tenth]}
