"""The device that encoders run on, and the mode of a forward pass there.

The device is a fact of the running process, never of a saved pipeline: `set_device`, the option `--device` of commands
or the environment variable `SPACY_TOKCLF_DEVICE` names it, for which torch has to see it, and CuPy is not needed; else
it follows thinc (`spacy.require_gpu`, `spacy train --gpu-id 0`).
"""

import contextlib
import copy
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from thinc.api import get_torch_default_device, require_gpu

from .. import compat
from ..errors import Errors
from .blame import short
from .found_devices import ENV_DEVICE, check_device, parse_device, refused
from .products import resolve_precision, type_of
from .threads import one_thread_in_workers

if TYPE_CHECKING:
    import torch
    from torch import nn

#: The name that says: where spaCy computes.
AUTO = "auto"

_chosen: str | None = None


def set_device(name: str | None) -> None:
    """Choose the torch device of encoders used from now on in this process.

    name (str | None): A torch device such as "cpu", "cuda:0" or "mps", or None to follow thinc again.
    """
    global _chosen
    _chosen = name


def named_device() -> "torch.device | None":
    """Give the device that somebody has named.

    RETURNS (torch.device | None): The chosen device, else the environment's; None: encoders run where thinc computes.
    RAISES (ValueError): TC143, for a name that is none of a device.
    """
    name = _chosen or os.environ.get(ENV_DEVICE)
    return parse_device(name) if name and name != AUTO else None


def current_device() -> "torch.device":
    """Give the device that encoders run on.

    RETURNS (torch.device): The one that is named, else thinc's.
    RAISES (ValueError): TC143, for a name that is none of a device.
    """
    return named_device() or get_torch_default_device()


@contextlib.contextmanager
def naming_device(name: str | None, *, gpu_id: int = -1) -> Iterator[None]:
    """Name the device of encoders for as long as a command runs, in this process and in those that it starts.

    name (str | None): The device, or "auto" for that of thinc; None: what was named before stays.
    gpu_id (int): The GPU that is asked for besides, for all of spaCy; -1 for none.
    RAISES (ValueError): TC143, for a name that is none of a device; TC562, if the two contradict each other.
    """
    global _chosen
    if not name:
        yield
        return
    if name != AUTO:
        device = parse_device(name)
        if gpu_id >= 0 and (device.type != "cuda" or device.index not in (None, gpu_id)):
            raise ValueError(Errors.TC562.format(device=name, number=gpu_id))
    before = _chosen, os.environ.get(ENV_DEVICE)
    _chosen, os.environ[ENV_DEVICE] = None, name
    try:
        yield
    finally:
        _chosen = before[0]
        os.environ.pop(ENV_DEVICE)
        if before[1] is not None:
            os.environ[ENV_DEVICE] = before[1]


def choose_gpu(number: int, local_rank: int = 0) -> None:
    """Make ready the device that is named, and let spaCy and thinc use a GPU, as `--gpu-id` of spaCy's commands does.
    Of several processes on a machine, each takes one: the first has the GPU that is named, the next the next.

    number (int): The number of spaCy's GPU; -1 for none.
    local_rank (int): This process among those of its machine.
    RAISES (ValueError): TC142, if there is no such GPU, or CuPy is not installed; TC143, if the device that is named is
        not there.
    """
    device = named_device()
    is_shared_out = bool(local_rank) and device is not None and device.type == "cuda" and not _chosen
    if device is not None and is_shared_out:
        first = max(number, 0) if device.index is None else device.index
        device = parse_device(f"cuda:{first + local_rank}")
    if device is not None:
        check_device(device)
    if number != -1:
        _require_gpu(number + local_rank if number >= 0 else number)
    elif device is not None and device.type == "cuda" and device.index is not None:
        _make_current(device)
    if is_shared_out:
        set_device(str(device))


def _require_gpu(number: int) -> None:
    """Let spaCy use a GPU. RAISES (ValueError): TC142."""
    try:
        if number < -1:
            raise ValueError("GPUs are counted from 0.")
        require_gpu(number)
    except (ValueError, RuntimeError) as error:
        raise ValueError(Errors.TC142.format(number=number, detail=short(error), env=ENV_DEVICE)) from error


def _make_current(device: "torch.device") -> None:
    """Let a GPU be the one that torch means where none is named: in streams, and when processes add up gradients.
    RAISES (ValueError): TC143, if it cannot be used."""
    import torch

    try:
        torch.cuda.set_device(device)
    except RuntimeError as error:  # such as one that another process has to itself
        raise ValueError(refused(device, error)) from error


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


def copy_to_host(module: "nn.Module") -> "nn.Module":
    """Copy a module into the memory of the CPU.

    module (nn.Module): The module, on any device.
    RETURNS (nn.Module): The copy.
    """
    return copy.deepcopy(module).to("cpu")


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
            raise ValueError(refused(device, error)) from error
