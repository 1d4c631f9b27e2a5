"""The files of a Hugging Face checkpoint, checked before transformers opens any of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...errors import Errors
from ...runtime.blame import short
from ...runtime.reading import LARGE, SMALL, check_file, expect_keys, is_there, read_file, read_json

CONFIG = "config.json"
#: Lists the files of weights that are in several.
INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
WEIGHTS = ("*.safetensors", "*.bin")
#: Types of weights, as safetensors names them.
FLOATS = ("F16", "BF16", "F32", "F64")
#: How buffers of whole numbers are called, which older checkpoints have among their weights.
POSITIONS = ("_ids", "num_batches_tracked")
#: Files that transformers reads if they are there, beside weights.
TEXTS = ("*.json", "*.txt", "*.model", "*.codes", "*.jinja")
#: A model that is put upon another one, which transformers would fetch.
ADAPTER = "adapter_config.json"


def check_checkpoint(folder: Path) -> dict[str, Any]:
    """Check the files of a checkpoint. In the cache of the Hub they are links, which have to end at regular files.

    folder (Path): The folder.
    RETURNS (dict[str, Any]): The contents of its `config.json`.
    RAISES (ValueError): TC420, for what is no regular file, an adapter, or weights in files outside of the folder;
        TC421 or TC423, for a `config.json` that is no object.
    """
    for path in sorted({path for pattern in (*TEXTS, *WEIGHTS) for path in folder.glob(pattern)}):
        large = any(path.match(pattern) for pattern in WEIGHTS)
        check_file(path, within=_home(path), limit=None if large else LARGE)
    if is_there(folder / ADAPTER):
        detail = "it makes this an adapter of another model: merge it with that, and save the result."
        raise ValueError(Errors.TC420.format(path=folder / ADAPTER, detail=detail))
    for name in INDEXES:
        if is_there(folder / name):
            index = read_json(read_file(folder / name, within=_home(folder / name), limit=LARGE), name)
            files = expect_keys(expect_keys(index, ("weight_map",), name)["weight_map"], (), name).values()
            wrong = [file for file in files if not isinstance(file, str) or file != Path(file).name]
            if wrong:
                raise ValueError(Errors.TC420.format(path=wrong[0], detail=f"{name} names it."))
    path = folder / CONFIG
    return expect_keys(read_json(read_file(path, within=_home(path), limit=SMALL), CONFIG), (), CONFIG)


def _home(path: Path) -> Path:
    """Give the folder that a file really is in: links are how the cache of the Hub keeps its files."""
    return path.resolve().parent


def most_numbers(folder: Path) -> int:
    """RETURNS (int): How many numbers the weights in a folder can be, of one byte each at least."""
    return sum(path.stat().st_size for path in _weights(folder))


def check_dtypes(folder: Path) -> None:
    """Refuse weights that are whole numbers, from which transformers would make others without a word: they are
    damaged, or those of a model in 8 or 4 bits.

    folder (Path): The folder.
    RAISES (ValueError): TC424; TC420, for a file that is not whole.
    """
    from safetensors import SafetensorError, safe_open

    for path in sorted(folder.glob("*.safetensors")):
        try:
            with safe_open(path, framework="pt") as file:
                kinds = {name: file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118 (no iterator)
        except SafetensorError as error:
            raise ValueError(Errors.TC420.format(path=path, detail=f"{short(error)}.")) from error
        odd = [name for name, kind in kinds.items() if not (kind in FLOATS or name.endswith(POSITIONS))]
        if odd:
            found = f"of the type {kinds[odd[0]]}"
            raise ValueError(Errors.TC424.format(where=path, weights=", ".join(odd[:3]), found=found))


def _weights(folder: Path) -> Iterator[Path]:
    for pattern in WEIGHTS:
        yield from folder.glob(pattern)
