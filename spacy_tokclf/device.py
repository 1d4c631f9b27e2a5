"""Devices, precisions and the border between thinc arrays and torch tensors: the only module that crosses it.

Everything above this module speaks numpy/cupy arrays of float32 or torch tensors that are already in place.
The device is a fact of the running process, never of a saved pipeline: it follows thinc (`spacy.require_gpu`,
`spacy train --gpu-id 0`) unless `set_device` or the environment variable `SPACY_TOKCLF_DEVICE` names another,
which also serves a machine where torch sees CUDA and CuPy is not installed.
"""

import contextlib
import ctypes
import functools
import math
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
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
#: Parameters of glibc's `mallopt`, and how much memory it keeps.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
KEPT_BYTES = 1 << 30

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


def check_precision(precision: str) -> None:
    """Refuse a precision that does not exist.

    precision (str): The name in the config.
    RAISES (ValueError): TC001.
    """
    if precision not in PRECISIONS:
        raise ValueError(Errors.TC001.format(value=precision, choices=", ".join(PRECISIONS)))


def resolve_precision(precision: str, device: "torch.device") -> str:
    """Turn a configured precision into "fp32" or "bf16" for a device.

    precision (str): "fp32", "bf16", or "auto": bf16 where it is faster, else fp32. A GPU says so itself (CUDA from
        Ampere on); a CPU that has bf16 at all is asked once in a process by timing some products.
    device (torch.device): Where the encoder runs.
    RETURNS (str): "fp32" or "bf16".
    RAISES (ValueError): TC001, for any other name.
    """
    check_precision(precision)
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
    return any(bool(getattr(torch.cpu, name, bool)()) for name in probes) and _bf16_is_faster()


@functools.cache
def _bf16_is_faster() -> bool:
    """Say whether products are faster in bf16: that a processor has instructions for it does not make them so. It has
    to win clearly, since values are converted besides."""
    import torch

    x, weight = torch.ones(256, 384), torch.ones(1536, 384)
    low_x, low_weight = x.bfloat16(), weight.bfloat16()
    return _clearly_faster(lambda: torch.mm(low_x, low_weight.t()), lambda: linear_product(x, weight))


@functools.cache
def _onednn_is_faster() -> bool:
    """Say whether oneDNN multiplies faster than the library that torch gives products in fp32 to. MKL makes use of
    AVX512 on Intel's processors only, and takes twice as long on others that have it."""
    import torch

    if not _has_onednn():
        return False
    x, weight = torch.ones(256, 384), torch.ones(1536, 384)
    return _clearly_faster(lambda: _onednn_product(x, weight, None), lambda: torch.mm(x, weight.t()))


@functools.cache
def _onednn_takes_bf16() -> bool:
    import torch

    asked = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", bool)
    return _has_onednn() and bool(asked())


def _has_onednn() -> bool:
    import torch

    return torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def _clearly_faster(new: Callable[[], object], old: Callable[[], object]) -> bool:
    """Time two ways in turns. On machines where they are about as fast, the answer is always no, so that a program
    gives the same numbers whenever it runs."""
    import torch

    best = {new: math.inf, old: math.inf}
    with torch.inference_mode():
        for _ in range(6):
            for way in best:
                start = time.perf_counter()
                way()
                best[way] = min(best[way], time.perf_counter() - start)
    return best[new] < 0.8 * best[old]


def linear_product(x: "torch.Tensor", weight: "torch.Tensor", bias: "torch.Tensor | None" = None) -> "torch.Tensor":
    """Multiply by a transposed matrix, with the fastest library that torch comes with. No gradient is recorded.

    In bf16 that is oneDNN in any case; but asked directly, for a layer with a bias, it takes up to a quarter less time
    with several threads, for the same numbers.

    x (torch.Tensor): Shape: (n_rows, width in).
    weight (torch.Tensor): In the same precision. Shape: (width out, width in).
    bias (Optional[torch.Tensor]): What is added to each row. Shape: (width out,).
    RETURNS (torch.Tensor): Shape: (n_rows, width out).
    """
    import torch

    if x.device.type == "cpu":
        wide, narrow = x.dtype == torch.float32, x.dtype == torch.bfloat16 and bias is not None
        if (wide and _onednn_is_faster()) or (narrow and _onednn_takes_bf16()):
            return _onednn_product(x, weight, bias)
    return torch.mm(x, weight.t()) if bias is None else torch.addmm(bias, x, weight.t())


def _onednn_product(x: "torch.Tensor", weight: "torch.Tensor", bias: "torch.Tensor | None") -> "torch.Tensor":
    import torch

    product: torch.Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return product


@contextlib.contextmanager
def running(device: "torch.device", *, precision: str, train: bool) -> Iterator[None]:
    """Set the mode of a forward pass: autograd or inference, and autocast where bf16 is asked for.

    device (torch.device): Where the encoder runs.
    precision (str): As for `resolve_precision`.
    train (bool): Whether gradients are recorded.
    RAISES (ValueError): TC016, in a forked worker process if the device is a GPU.
    """
    import torch

    if train:
        _keep_memory()
    else:
        _mind_worker(device)
    bf16 = resolve_precision(precision, device) == "bf16"
    mode = torch.enable_grad() if train else torch.inference_mode()
    with mode, torch.autocast(device.type, dtype=torch.bfloat16, enabled=bf16):
        yield


@functools.cache
def _keep_memory() -> None:
    """Let glibc keep up to a gibibyte of freed memory for the next step of training. By itself it gives large blocks
    back to the kernel, which clears them page by page when they are asked for again: a fifth of a step.

    Environment variables for glibc's `malloc` have the last word.
    """
    _mallopt((M_MMAP_THRESHOLD, KEPT_BYTES), (M_TRIM_THRESHOLD, KEPT_BYTES))


@functools.cache
def share_memory() -> None:
    """Let threads that are started from now on take their memory from one place. With places of their own, what one
    thread frees another does not find, and a process grows for as long as it annotates.

    Environment variables for glibc's `malloc` have the last word.
    """
    _mallopt((M_ARENA_MAX, 1))


def _mallopt(*settings: tuple[int, int]) -> None:
    if any(name.startswith("MALLOC_") for name in os.environ) or "GLIBC_TUNABLES" in os.environ:
        return
    with contextlib.suppress(OSError, AttributeError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        for parameter, value in settings:
            mallopt(parameter, value)


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


def cpu_threads() -> int:
    """Say how many threads a runtime of its own may use: one in a worker of `nlp.pipe(n_process=...)`, else what
    OMP_NUM_THREADS says, else the cores that this process may run on.

    RETURNS (int): At least 1.
    """
    if multiprocessing.parent_process() is not None:
        return 1
    given = os.environ.get("OMP_NUM_THREADS", "")
    if given.isdigit():
        return max(1, int(given))
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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


def join_rows(parts: "list[torch.Tensor]") -> "torch.Tensor":
    """Put tensors without history one below the other: on a CPU without torch, whose threads would go on waiting for
    more to do, on cores that the next step needs.

    parts (List[torch.Tensor]): The tensors. Shapes: (n_rows, width).
    RETURNS (torch.Tensor): Shape: (sum of n_rows, width).
    """
    import torch

    if len(parts) == 1:
        return parts[0]
    if parts[0].device.type != "cpu":
        return torch.cat(parts)
    return torch.from_numpy(numpy.concatenate([part.numpy() for part in parts]))


def rng_kept() -> contextlib.AbstractContextManager[Any]:
    """Keep torch's random state, so that building a module that is filled from a file draws nothing.

    RETURNS (ContextManager): The state of the CPU generator is restored on leaving.
    """
    import torch

    return torch.random.fork_rng(devices=[])


class DropoutMasks:
    """Draw the masks of dropout: a function of torch's random state, as its own are, and on a CPU several times faster.

    There, the bits come from numpy's PCG64DXSM, seeded by a draw from torch; 16 of them decide on a value, so that the
    rate is right to 1/131072, and what is kept is divided by the exact share that is kept.
    """

    def __init__(self, device: "torch.device") -> None:
        """device (torch.device): Where the masks are needed."""
        import torch

        self.device = device
        self._bits = numpy.random.PCG64DXSM(int(torch.randint(2**63 - 1, ()))) if device.type == "cpu" else None

    def draw(self, shape: tuple[int, ...], rate: float, dtype: "torch.dtype") -> "torch.Tensor | None":
        """Draw a mask.

        shape (Tuple[int, ...]): Its shape.
        rate (float): The share that is dropped, from 0 to 1.
        dtype (torch.dtype): Its precision.
        RETURNS (Optional[torch.Tensor]): 0 where dropped, else 1 / (1 - rate); None if nothing is dropped.
        """
        import torch

        dropped = round(rate * 65536)
        if not dropped:
            return None
        if dropped == 65536:
            return torch.zeros(shape, dtype=dtype, device=self.device)
        if self._bits is None:
            return torch.empty(shape, dtype=dtype, device=self.device).bernoulli_(1 - rate).div_(1 - rate)
        size = math.prod(shape)
        bits = torch.from_numpy(self._bits.random_raw(-(-size // 4)).view("int16"))[:size]
        mask = torch.empty(size, dtype=torch.float32)
        torch.ge(bits, dropped - 32768, out=mask)
        return mask.mul_(65536 / (65536 - dropped)).to(dtype).view(shape)
