"""A folder of .spacy files to a DatasetDict and back, one file a split."""

from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import Errors
from ..docbin import read_docbin, write_docbin
from .records import dataset_from_records, import_datasets, records_from_dataset, tag_names

if TYPE_CHECKING:
    from datasets import DatasetDict

SUFFIX = ".spacy"


def dataset_dict_from_docbins(folder: str | Path) -> "DatasetDict":
    """Make a DatasetDict of a folder of .spacy files. All splits share the tag names of the whole.

    folder (str | Path): The folder.
    RETURNS (DatasetDict): One split a file, called as the file without its suffix.
    RAISES (ValueError): TC158 if there is none.
    """
    datasets = import_datasets()
    posts = {path.stem: list(read_docbin(path)) for path in sorted(Path(folder).glob(f"*{SUFFIX}"))}
    if not posts:
        raise ValueError(Errors.TC158.format(path=folder))
    names = tag_names(post for split in posts.values() for post in split)
    made: DatasetDict = datasets.DatasetDict(
        {split: dataset_from_records(records, names=names) for split, records in posts.items()}
    )
    return made


def docbins_from_dataset_dict(
    splits: "DatasetDict", folder: str | Path, *, tokens: str = "tokens", tags: str | None = "ner_tags"
) -> dict[str, int]:
    """Write each split of a DatasetDict to a file SPLIT.spacy.

    splits (DatasetDict): The splits.
    folder (str | Path): The folder to write to.
    tokens (str): Column of the tokens.
    tags (str | None): Column of the tags, as for records_from_dataset.
    RETURNS (dict[str, int]): Number of Docs written, by split.
    RAISES (ValueError): As records_from_dataset.
    """
    written = {}
    for split, dataset in splits.items():
        records = records_from_dataset(dataset, tokens=tokens, tags=tags)
        written[str(split)] = write_docbin(records, Path(folder) / f"{split}{SUFFIX}")
    return written
