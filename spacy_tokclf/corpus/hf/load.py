"""Load one split of a data set: from the Hub, from what save_to_disk wrote, from parquet, JSON or JSON lines."""

import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import Errors
from ...runtime.blame import as_cause, short, without_credentials
from .records import import_datasets

if TYPE_CHECKING:
    from datasets import Dataset

FILE_FORMATS = {".parquet": "parquet", ".json": "json", ".jsonl": "json", ".ndjson": "json"}
_SCRIPT = re.compile(r"scripts? (are|is) no longer supported|trust_remote_code|custom code", re.IGNORECASE)


class ScriptError(ValueError):
    """A data set comes with a loading script, which `datasets` refuses."""


def load_split(path: str | Path, split: str, *, name: str | None = None, revision: str | None = None) -> "Dataset":
    """Load one split.

    path (str | Path): Name of a data set on the Hub; or a folder written by save_to_disk; or a file or folder of
        parquet, JSON or JSON lines.
    split (str): Name of the split. A single file, and a single Dataset that save_to_disk wrote, is any split.
    name (str | None): Name of the configuration, if the data set has several.
    revision (str | None): Branch, tag or commit on the Hub.
    RETURNS (Dataset): The split.
    RAISES (ValueError): TC154 if it has no such split; TC155 (a ScriptError) if it needs a loading script; TC156 if it
        cannot be loaded for another reason.
    """
    datasets = import_datasets()
    if is_saved_dataset(path):
        return _saved_split(datasets, path, split)
    options: dict[str, Any] = {"split": split}
    file = Path(path)
    if file.is_file() and file.suffix in FILE_FORMATS:
        options["data_files"] = {re.split(r"\W", split)[0]: [str(file)]}
        path = FILE_FORMATS[file.suffix]
    else:
        options |= {"name": name, "revision": revision}
    if "trust_remote_code" in inspect.signature(datasets.load_dataset).parameters:
        options["trust_remote_code"] = False  # before version 4: neither run code nor ask on the terminal
    try:
        loaded: Dataset = datasets.load_dataset(str(path), **options)
    except (*_FAILURES, datasets.exceptions.DatasetsError) as error:
        detail = " ".join(without_credentials(str(error)).split())
        if isinstance(error, RuntimeError | ValueError) and _SCRIPT.search(detail):
            raise ScriptError(Errors.TC155.format(path=str(path), detail=detail[:200])) from as_cause(error)
        detail = detail[:300] + ("" if detail.endswith(".") else ".")
        facts = {"path": str(file), "split": split, "revision": revision, "detail": detail}
        raise ValueError(Errors.TC156.format(**facts)) from as_cause(error)
    return loaded


def is_saved_dataset(path: str | Path) -> bool:
    """Tell whether a folder was written by save_to_disk.

    path (str | Path): Any path.
    RETURNS (bool): True if it holds a Dataset or a DatasetDict.
    """
    return (Path(path) / "dataset_dict.json").is_file() or (Path(path) / "state.json").is_file()


#: The last three come from a damaged description of the columns.
_FAILURES = (OSError, ValueError, RuntimeError, TypeError, KeyError, AttributeError)


def _saved_split(datasets: Any, path: str | Path, split: str) -> "Dataset":
    """Open one split of what save_to_disk wrote."""
    try:
        loaded = datasets.load_from_disk(str(path))
    except Exception as error:  # nothing in the folder is checked, and anything can be missing
        detail = f"{short(error, limit=200)} The folder is incomplete or damaged; save it again."
        raise ValueError(Errors.TC156.format(path=str(path), split=split, revision=None, detail=detail)) from error
    if not isinstance(loaded, dict):
        return loaded
    if split in loaded:
        return loaded[split]
    raise ValueError(Errors.TC154.format(split=split, where=str(path), found=", ".join(loaded)))
