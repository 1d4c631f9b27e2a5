"""Checkpoints: all that a training needs to go on in another process, in folders of JSON and safetensors."""

import json
import re
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import Errors, Warnings
from ..runtime.blame import short
from ..runtime.files import whole_folder
from ..runtime.group import Group
from ..runtime.manifest import check_manifest, write_manifest

if TYPE_CHECKING:
    import torch

#: The folder of all checkpoints, beside the pipelines.
FOLDER = "checkpoints"
NUMBERS, TENSORS = "state.json", "state.safetensors"
FORMAT = 1
#: As many checkpoints are kept: the last, and the one before.
KEPT = 2
_NAME = re.compile(r"step-(\d{6,})")


class Checkpoint(NamedTuple):
    """What is in a checkpoint.

    numbers (dict[str, Any]): What JSON can hold.
    tensors (dict[str, torch.Tensor]): The rest, in the memory of the CPU.
    """

    numbers: dict[str, Any]
    tensors: "dict[str, torch.Tensor]"


def find_checkpoints(out: Path) -> list[Path]:
    """Find the checkpoints of a training.

    out (Path): The folder of the training.
    RETURNS (list[Path]): Their folders, the last one first.
    """
    folder = out / FOLDER
    found = [path for path in folder.iterdir() if _NAME.fullmatch(path.name)] if folder.is_dir() else []
    return sorted(found, key=_step_of, reverse=True)


def write_checkpoint(out: Path, step: int, checkpoint: Checkpoint) -> Path:
    """Write a checkpoint, whole or not at all, and remove all but the last two.

    out (Path): The folder of the training.
    step (int): The step that it was written after.
    checkpoint (Checkpoint): What is in it.
    RETURNS (Path): Its folder.
    RAISES (OSError): If it cannot be written; those of before are still there.
    """
    from safetensors.torch import save_file

    path = out / FOLDER / f"step-{step:06d}"
    with whole_folder(path) as made:
        made.mkdir()
        save_file(checkpoint.tensors, str(made / TENSORS))
        text = json.dumps({"format": FORMAT, **checkpoint.numbers}, default=_plain)
        (made / NUMBERS).write_text(text + "\n", encoding="utf-8")
        write_manifest(made)
    for old in find_checkpoints(out)[KEPT:]:
        shutil.rmtree(old)
    return path


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint that is whole.

    path (Path): Its folder.
    RETURNS (Checkpoint): What is in it.
    RAISES (ValueError): TC458, if it is not whole, or of a later version; TC403, if a file in it was changed.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if check_manifest(path) is None:
            raise ValueError(Errors.TC458.format(path=path, detail="It has no manifest."))
        numbers = json.loads((path / NUMBERS).read_text(encoding="utf-8"))
        tensors = load_file(str(path / TENSORS))
    except (OSError, json.JSONDecodeError, UnicodeDecodeError, SafetensorError) as error:
        raise ValueError(Errors.TC458.format(path=path, detail=short(error, limit=150))) from error
    if not isinstance(numbers, dict) or numbers.get("format") != FORMAT:
        raise ValueError(Errors.TC458.format(path=path, detail="It comes from another version of spacy-tokclf."))
    return Checkpoint(numbers, tensors)


def read_last(out: Path) -> Checkpoint | None:
    """Read the last checkpoint that is whole; those that are not are passed over with a warning (TW451), and removed.

    out (Path): The folder of the training.
    RETURNS (Checkpoint | None): The checkpoint; None if there is no folder of one.
    RAISES (ValueError): TC452, if none is whole.
    """
    paths = find_checkpoints(out)
    for index, path in enumerate(paths):
        try:
            found = read_checkpoint(path)
        except ValueError as error:
            warnings.warn(Warnings.TW451.format(path=path, detail=error), stacklevel=2)
            continue
        for broken in paths[:index]:
            shutil.rmtree(broken)
        return found
    if paths:
        raise ValueError(Errors.TC452.format(path=out / FOLDER))
    return None


def read_last_together(out: Path, group: Group) -> Checkpoint | None:
    """Read the last checkpoint in the first process, as `read_last` does, and give it to all: the others need not see
    the folder.

    out (Path): The folder of the training.
    group (Group): The processes.
    RETURNS (Checkpoint | None): The checkpoint, the same in all.
    RAISES (ValueError): TC452, in the first process, if none is whole.
    RAISES (ConnectionError): TC542, if a process is gone.
    """
    found = read_last(out) if group.is_first else None
    if group.is_alone:
        return found
    import torch

    kinds: dict[str, Any] = {}
    if found is not None:
        kinds = {name: [str(value.dtype), list(value.shape)] for name, value in found.tensors.items()}
    told = group.of_first(json.dumps(found and [found.numbers, kinds]).encode("utf-8"))
    if json.loads(told) is None:
        return None
    numbers, kinds = json.loads(told)
    tensors = {}
    for name, (kind, shape) in kinds.items():
        own = None if found is None else found.tensors[name].contiguous()
        blank = torch.empty(shape, dtype=getattr(torch, kind.removeprefix("torch."))) if own is None else own
        group.tensor_of_first(blank.view(-1).view(torch.uint8))  # as bytes: Gloo does not know all kinds of numbers
        tensors[name] = blank
    return Checkpoint(numbers, tensors)


@contextmanager
def well_formed() -> Iterator[None]:
    """Say with a code that what a checkpoint holds was never written so: it was changed by hand, and sealed anew.

    RAISES (ValueError): TC458.
    """
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RuntimeError) as error:
        if str(error).startswith("[TC"):
            raise
        detail = f"It was changed by hand: {type(error).__name__}: {short(error, limit=150)}"
        raise ValueError(Errors.TC458.format(path=FOLDER, detail=detail)) from error


def remove_checkpoints(out: Path) -> None:
    """Remove the folder of all checkpoints.

    out (Path): The folder of the training.
    """
    if (out / FOLDER).is_dir():
        shutil.rmtree(out / FOLDER)


def _plain(value: Any) -> Any:
    """RETURNS (Any): A number of numpy's, as in scores, as JSON has it."""
    return value.item()


def _step_of(path: Path) -> int:
    found = _NAME.fullmatch(path.name)
    return int(found[1]) if found else -1
