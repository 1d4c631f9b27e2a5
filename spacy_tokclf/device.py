"""Devices, precisions and the border between thinc arrays and torch tensors: the only module that crosses it.

Everything above this module speaks numpy/cupy arrays of float32 or torch tensors that are already in place.
The device is a fact of the running process, never of a saved pipeline: it follows thinc (`spacy.require_gpu`,
`spacy train --gpu-id 0`) unless `set_device` or the environment variable `SPACY_TOKCLF_DEVICE` names another,
which also serves a machine where torch sees CUDA and CuPy is not installed.
"""

import contextlib
import multiprocessing
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy
from thinc.api import Ops, get_torch_default_device
from thinc.types import ArrayXd
from thinc.util import torch2xp, xp2torch

from .errors import Errors

if TYPE_CHECKING:
    import torch
    from torch import nn

ENV_DEVICE = "SPACY_TOKCLF_DEVICE"
PRECISIONS = ("fp32", "bf16", "auto")

_chosen: str | None = None


def set_device(name: str | None) -> None:
    """Choose the torch device of encoders used from now on in this process.

    name (Optional[str]): A torch device such as "cpu", "cuda:0" or "mps", or None to follow thinc again.
    """
    global _chosen
    _chosen = name


def current_device() -> "torch.device":
    """RETURNS (torch.device): The chosen device, else the environment's, else thinc's."""
    import torch

    name = _chosen or os.environ.get(ENV_DEVICE)
    return torch.device(name) if name and name != "auto" else get_torch_default_device()


def resolve_precision(precision: str, device: "torch.device") -> str:
    """Turn a configured precision into "fp32" or "bf16" for a device.

    precision (str): "fp32", "bf16", or "auto": bf16 where the hardware multiplies it natively (CUDA from
        Ampere on; CPUs with AVX512-BF16 or AMX), else fp32.
    device (torch.device): Where the encoder runs.
    RETURNS (str): "fp32" or "bf16".
    RAISES (ValueError): TC001, for any other name.
    """
    if precision not in PRECISIONS:
        raise ValueError(Errors.TC001.format(value=precision, choices=", ".join(PRECISIONS)))
    if precision != "auto":
        return precision
    return "bf16" if _native_bf16(device) else "fp32"


def _native_bf16(device: "torch.device") -> bool:
    import torch

    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type != "cpu":
        return False
    probes = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(bool(getattr(torch.cpu, name, bool)()) for name in probes)


@contextlib.contextmanager
def running(device: "torch.device", *, precision: str, train: bool) -> Iterator[None]:
    """Set the mode of a forward pass: autograd or inference, and autocast where bf16 is asked for.

    device (torch.device): Where the encoder runs.
    precision (str): As for `resolve_precision`.
    train (bool): Whether gradients are recorded.
    RAISES (ValueError): TC016, in a forked worker process if the device is a GPU.
    """
    import torch

    if not train:
        _mind_worker(device)
    bf16 = resolve_precision(precision, device) == "bf16"
    mode = torch.enable_grad() if train else torch.inference_mode()
    with mode, torch.autocast(device.type, dtype=torch.bfloat16, enabled=bf16):
        yield


def _mind_worker(device: "torch.device") -> None:
    """In a worker of `nlp.pipe(n_process=...)` use one thread: workers share the cores, and OpenMP's threads do not
    survive a fork."""
    import torch

    if multiprocessing.parent_process() is None:
        return
    if device.type == "cuda" and multiprocessing.get_start_method() == "fork":
        raise ValueError(Errors.TC016.format(device=device))
    if torch.get_num_threads() != 1:
        torch.set_num_threads(1)


def device_of(module: "nn.Module") -> "torch.device":
    """RETURNS (torch.device): Where a module's weights are."""
    return next(module.parameters()).device


def place(module: "nn.Module") -> None:
    """Put a module on the current device, if it is elsewhere.

    module (nn.Module): The module.
    RAISES (ValueError): TC016, if it is on a GPU that was in use before this process was forked.
    """
    import torch

    here = device_of(module)
    if here.type == "cuda" and getattr(torch.cuda, "_is_in_bad_fork", bool)():
        raise ValueError(Errors.TC016.format(device=here))
    device = current_device()
    if here.type != device.type or device.index not in (None, here.index):
        module.to(device)


def to_host(tensor: "torch.Tensor") -> "torch.Tensor":
    """RETURNS (torch.Tensor): A tensor's values in the memory of the CPU, contiguous and without history."""
    return tensor.detach().cpu().contiguous()


def to_tensor(array: ArrayXd, device: "torch.device") -> "torch.Tensor":
    """Put a numpy or cupy array on a torch device.

    array (ArrayXd): The array; its memory is shared where the device allows it.
    device (torch.device): The target.
    RETURNS (torch.Tensor): The tensor.
    """
    import torch

    if isinstance(array, numpy.ndarray):
        tensor = torch.from_numpy(array)
        if device.type == "cuda":
            return tensor.pin_memory().to(device, non_blocking=True)
        return tensor.to(device)
    return xp2torch(array, device=device)


def to_array(tensor: "torch.Tensor", ops: Ops) -> Any:
    """Give a tensor's values as a float32 array of thinc's backend.

    tensor (torch.Tensor): Any float tensor, on any device.
    ops (Ops): The backend of the model that asks.
    RETURNS (FloatsXd): A numpy array, or a cupy array when `ops` works on the GPU.
    """
    tensor = tensor.detach().float()
    if ops.device_type == "gpu" and tensor.device.type == "cuda":
        return torch2xp(tensor, ops=ops)
    return ops.asarray(tensor.cpu().numpy())


def rng_kept() -> contextlib.AbstractContextManager[Any]:
    """Keep torch's random state, so that building a module that is filled from a file draws nothing.

    RETURNS (ContextManager): The state of the CPU generator is restored on leaving.
    """
    import torch

    return torch.random.fork_rng(devices=[])
