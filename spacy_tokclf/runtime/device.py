"""The device that encoders run on, and the mode of a forward pass there.

The device is a fact of the running process, never of a saved pipeline: it follows thinc (`spacy.require_gpu`,
`spacy train --gpu-id 0`) unless `set_device` or the environment variable `SPACY_TOKCLF_DEVICE` names another,
which also serves a machine where torch sees CUDA and CuPy is not installed.
"""

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from thinc.api import get_torch_default_device

from .. import compat
from ..errors import Errors
from .products import resolve_precision
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
    """RETURNS (torch.device): The chosen device, else the environment's, else thinc's."""
    import torch

    name = _chosen or os.environ.get(ENV_DEVICE)
    return torch.device(name) if name and name != "auto" else get_torch_default_device()


@contextlib.contextmanager
def running(device: "torch.device", *, precision: str, train: bool) -> Iterator[None]:
    """Set the mode of a forward pass: autograd or inference, and autocast where bf16 is asked for.

    device (torch.device): Where the encoder runs.
    precision (str): As for `resolve_precision`.
    train (bool): Whether gradients are recorded.
    RAISES (ValueError): TC016, in a forked worker process if the device is a GPU.
    """
    import torch

    bf16 = resolve_precision(precision, device) == "bf16"
    mode = torch.enable_grad() if train else torch.inference_mode()
    threads = contextlib.nullcontext() if train else one_thread_in_workers(device)
    with threads, mode, torch.autocast(device.type, dtype=torch.bfloat16, enabled=bf16):
        yield


def device_of(module: "nn.Module") -> "torch.device":
    """RETURNS (torch.device): Where a module's weights are."""
    return next(module.parameters()).device


def place(module: "nn.Module") -> None:
    """Put a module on the current device, if it is elsewhere.

    module (nn.Module): The module.
    RAISES (ValueError): TC016, if it is on a GPU that was in use before this process was forked.
    """
    here = device_of(module)
    if here.type == "cuda" and compat.in_bad_fork():
        raise ValueError(Errors.TC016.format(device=here))
    device = current_device()
    if here.type != device.type or device.index not in (None, here.index):
        module.to(device)
