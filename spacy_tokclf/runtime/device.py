"""The device that encoders run on, and the mode of a forward pass there.

The device is a fact of the running process, never of a saved pipeline: it follows thinc (`spacy.require_gpu`,
`spacy train --gpu-id 0`) unless `set_device` or the environment variable `SPACY_TOKCLF_DEVICE` names another,
which also serves a machine where torch sees CUDA and CuPy is not installed.
"""

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from thinc.api import get_torch_default_device, require_gpu

from .. import compat
from ..errors import Errors
from .blame import short
from .products import resolve_precision, type_of
from .threads import one_thread_in_workers

if TYPE_CHECKING:
    import torch
    from torch import nn

ENV_DEVICE = "SPACY_TOKCLF_DEVICE"

_chosen: str | None = None


def set_device(name: str | None) -> None:
    """Choose the torch device of encoders used from now on in this process.

    name (str | None): A torch device such as "cpu", "cuda:0" or "mps", or None to follow thinc again.
    """
    global _chosen
    _chosen = name


def current_device() -> "torch.device":
    """Give the device that encoders run on.

    RETURNS (torch.device): The chosen device, else the environment's, else thinc's.
    RAISES (ValueError): TC143, for a name that is none of a device.
    """
    import torch

    name = _chosen or os.environ.get(ENV_DEVICE)
    if not name or name == "auto":
        return get_torch_default_device()
    try:
        return torch.device(name)
    except RuntimeError as error:
        raise ValueError(_refused(name, error)) from error


def _refused(name: str, error: BaseException) -> str:
    return Errors.TC143.format(name=name, env=ENV_DEVICE, detail=short(error, limit=100))


def choose_gpu(number: int, local_rank: int = 0) -> None:
    """Let spaCy and thinc use a GPU, as `--gpu-id` of spaCy's commands does. Of several processes on a machine, each
    takes one: the first has the GPU that is named, or that `SPACY_TOKCLF_DEVICE` names, the next the next.

    number (int): Its number; -1 for the CPU, or for what the environment says.
    local_rank (int): This process among those of its machine.
    RAISES (ValueError): TC142, if there is no such GPU, or CuPy is not installed.
    """
    if local_rank and current_device().type == "cuda" and not _chosen:
        set_device(f"cuda:{(current_device().index or 0) + local_rank}")
    if number == -1:
        return
    number += local_rank if number >= 0 else 0
    try:
        if number < -1:
            raise ValueError("GPUs are counted from 0.")
        require_gpu(number)
    except (ValueError, RuntimeError) as error:
        raise ValueError(Errors.TC142.format(number=number, detail=short(error), env=ENV_DEVICE)) from error


@contextlib.contextmanager
def running(device: "torch.device", *, precision: str, train: bool) -> Iterator[None]:
    """Set the mode of a forward pass: autograd or inference, and autocast where bf16 or fp16 is asked for.

    device (torch.device): Where the encoder runs.
    precision (str): As for `resolve_precision`.
    train (bool): Whether gradients are recorded.
    RAISES (ValueError): TC016, in a forked worker process if the device is a GPU.
    """
    import torch

    kind = type_of(resolve_precision(precision, device))
    half = kind if kind != torch.float32 else torch.bfloat16  # autocast knows no other, and is off then
    mode = torch.enable_grad() if train else torch.inference_mode()
    threads = contextlib.nullcontext() if train else one_thread_in_workers(device)
    with threads, mode, torch.autocast(device.type, dtype=half, enabled=kind == half):
        yield


def device_of(module: "nn.Module") -> "torch.device":
    """RETURNS (torch.device): Where a module's weights are."""
    return next(module.parameters()).device


def place(module: "nn.Module") -> None:
    """Put a module on the current device, if it is elsewhere.

    module (nn.Module): The module.
    RAISES (ValueError): TC016, if it is on a GPU that was in use before this process was forked; TC143, if the device
        cannot be used.
    """
    here = device_of(module)
    if here.type == "cuda" and compat.in_bad_fork():
        raise ValueError(Errors.TC016.format(device=here))
    device = current_device()
    if here.type != device.type or device.index not in (None, here.index):
        try:
            module.to(device)
        except (AssertionError, RuntimeError) as error:  # what torch raises without CUDA, and for a GPU that it lacks
            raise ValueError(_refused(str(device), error)) from error
