"""The folder of a training: the pipelines, the log and the checkpoints in it, and what may become of them."""

import errno
import json
import os
import shutil
from pathlib import Path
from typing import Any

from spacy.training.loop import DIR_MODEL_BEST, DIR_MODEL_LAST

from ..errors import Errors
from ..runtime.files import copy_whole, whole_file, whole_folder
from .checkpoint import FOLDER, find_checkpoints, remove_checkpoints
from .log import LOG_NAME

#: Says that a training is finished, and of what it was.
FINISHED = "training.json"
#: Where pipelines wait that are to replace others, in the folder of the checkpoints.
WAITING = "pipelines"
PIPELINES = (DIR_MODEL_BEST, DIR_MODEL_LAST)


def check_folder(out: Path, *, resume: bool, overwrite: bool) -> None:
    """Refuse a folder whose pipelines or checkpoints would be lost, and one where there is nothing to go on with.

    out (Path): The folder.
    resume (bool): Whether a training is to go on in it.
    overwrite (bool): Whether an earlier one may be replaced.
    RAISES (ValueError): TC355, if an earlier training would be lost; TC453, if it left no checkpoint; TC454, if both
        are asked for.
    RAISES (OSError): FileExistsError, if it is no folder.
    """
    if resume and overwrite:
        raise ValueError(Errors.TC454)
    if out.exists() and not out.is_dir():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(out))
    pipelines = _pipelines(out)
    checkpoints = find_checkpoints(out)
    if resume:
        if pipelines and not (checkpoints or (out / FINISHED).is_file() or (out / FOLDER / WAITING).is_dir()):
            raise ValueError(Errors.TC453.format(path=pipelines[0]))
    elif not overwrite and (pipelines or checkpoints):
        raise ValueError(Errors.TC355.format(path=[*pipelines, *checkpoints][0]))


def check_there(folder: Path, *names: str) -> None:
    """Refuse to go on where something is missing that cannot be made again.

    folder (Path): The folder of the pipelines.
    names (str): What has to be in it.
    RAISES (ValueError): TC460.
    """
    for name in names:
        if not (folder / name).exists():
            raise ValueError(Errors.TC460.format(path=folder / name))


def clear_folder(out: Path, *, overwrite: bool) -> Path:
    """Give the folder that pipelines are saved to. Where there are others, they stay until the training is at its end,
    and the new ones wait beside the checkpoints.

    out (Path): The folder of the training.
    overwrite (bool): Whether another training was in it, which goes.
    RETURNS (Path): That folder, or one in it.
    """
    if overwrite:
        remove_checkpoints(out)
        (out / FINISHED).unlink(missing_ok=True)
        if _pipelines(out):
            (out / FOLDER / WAITING).mkdir(parents=True)
    waiting = out / FOLDER / WAITING
    return waiting if waiting.is_dir() else out


def finish_folder(out: Path, folder: Path, fingerprint: dict[str, Any] | None, *, keep: bool) -> None:
    """End a training: pipelines that waited take their place, what it was of is written down, checkpoints go. Each step
    can be made again.

    out (Path): The folder of the training.
    folder (Path): What `clear_folder` gave.
    fingerprint (dict[str, Any] | None): What the training was of; None if that is not written down.
    keep (bool): Whether the checkpoints stay.
    """
    if folder != out:
        for name in PIPELINES:
            with whole_folder(out / name) as made:
                copy_whole(folder / name, made)
        with whole_file(out / LOG_NAME) as made:
            shutil.copyfile(folder / LOG_NAME, made)
    if fingerprint is not None:
        with whole_file(out / FINISHED) as made:
            made.write_text(json.dumps(fingerprint) + "\n", encoding="utf-8")
    if folder != out:
        shutil.rmtree(folder)
    if not keep:
        remove_checkpoints(out)


def read_finished(out: Path) -> dict[str, Any] | None:
    """Read what a finished training was of.

    out (Path): The folder of the training.
    RETURNS (dict[str, Any] | None): Its fingerprint; None if no training is finished.
    RAISES (ValueError): TC458, if the file cannot be read.
    """
    path = out / FINISHED
    if not path.is_file():
        return None
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if {"config", "data", "parts", "versions"} <= found.keys():
            return found
        detail = "It is something else."
    except (json.JSONDecodeError, UnicodeDecodeError, AttributeError) as error:
        detail = str(error)
    raise ValueError(Errors.TC458.format(path=path, detail=detail))


def _pipelines(out: Path) -> list[Path]:
    """RETURNS (list[Path]): The pipelines of an earlier training."""
    return [path for name in PIPELINES if (path := out / name).exists()]
