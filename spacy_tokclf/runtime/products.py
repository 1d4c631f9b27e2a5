"""Matrix products: in which precision, and by which library.

What is chosen hangs on what the processor is and has, never on a measurement: a program gives the same numbers whenever
it runs, on an idle machine or a busy one. The facts behind the choice are measured in bench/NOTES.md.
"""

import functools
import platform
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from .. import compat
from ..errors import Errors

if TYPE_CHECKING:
    import torch

PRECISIONS = ("fp32", "bf16", "fp16", "auto")


def check_precision(precision: str) -> None:
    """Refuse a precision that does not exist.

    precision (str): The name in the config.
    RAISES (ValueError): TC001.
    """
    if precision not in PRECISIONS:
        raise ValueError(Errors.TC001.format(value=precision, choices=", ".join(PRECISIONS)))


def resolve_precision(precision: str, device: "torch.device") -> str:
    """Turn a configured precision into "fp32", "bf16" or "fp16" for a device.

    precision (str): "fp32", "bf16", "fp16", or "auto": bf16 on GPUs that have it (CUDA from Ampere on) and on
        processors that are faster in it, with AMX or from AMD with AVX512-BF16; else fp32. Intel's with AVX512-BF16
        but without AMX are slower in bf16.
    device (torch.device): Where the encoder runs.
    RETURNS (str): "fp32", "bf16" or "fp16".
    RAISES (ValueError): TC001, for any other name; TC570, for "fp16" elsewhere than on CUDA.
    """
    import torch

    check_precision(precision)
    if precision == "fp16" and device.type != "cuda":
        raise ValueError(Errors.TC570.format(where=f"on {device}"))
    if precision != "auto":
        return precision
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    if device.type != "cpu":
        return "fp32"
    fast = compat.cpu_has("amx_tile") or (cpu_vendor() == "AuthenticAMD" and compat.cpu_has("avx512_bf16"))
    return "bf16" if fast else "fp32"


def type_of(precision: str) -> "torch.dtype":
    """RETURNS (torch.dtype): The numbers of a precision that `resolve_precision` gave."""
    import torch

    return {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]


@functools.cache
def cpu_vendor() -> str:
    """RETURNS (str): What the processor says of its maker (CPUID): "GenuineIntel", "AuthenticAMD", ...; empty where
    that is not known."""
    if sys.platform == "linux":
        try:
            with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
                for line in file:
                    if line.startswith("vendor_id"):
                        return line.split(":")[1].strip()
        except OSError:
            return ""
    return platform.processor().rpartition(" ")[2]


def fp32_library() -> str:
    """RETURNS (str): What multiplies float32 matrices of layers on the CPU: "onednn" where torch has it, else "torch",
    which stands for what torch uses by itself."""
    return "torch" if compat.onednn_linear() is None else "onednn"


@functools.cache
def fp32_backward_library() -> str:
    """RETURNS (str): The same for gradients: "onednn" on AMD's processors with AVX512, where it takes half of the time
    of the library that torch uses by itself (MKL makes use of AVX512 on Intel's only), else "torch"."""
    amd = cpu_vendor() == "AuthenticAMD" and compat.cpu_has("avx512")
    return fp32_library() if amd else "torch"


def linear_product(x: "torch.Tensor", weight: "torch.Tensor", bias: "torch.Tensor | None" = None) -> "torch.Tensor":
    """Multiply by a transposed matrix. No gradient is recorded.

    Layers, which have a bias, go through oneDNN: from two rows on, a row has the same bits whatever rows are beside it,
    on any number of threads. MKL, which torch takes in fp32, is as fast, but adds up in another order for another
    number of rows or threads and, without AVX512, at another place among the rows. In bf16 torch takes oneDNN by
    itself; asked directly it takes up to a quarter less time with several threads.

    x (torch.Tensor): Shape: (n_rows, width in).
    weight (torch.Tensor): In the same precision, or what `in_order` made of it. Shape: (width out, width in).
    bias (torch.Tensor | None): What is added to each row. Shape: (width out,).
    RETURNS (torch.Tensor): Shape: (n_rows, width out).
    """
    import torch

    onednn = _direct(x.device, x.dtype, has_bias=bias is not None)
    if onednn is not None:
        return onednn(x, weight, bias, "none", [], "")
    return torch.mm(x, weight.t()) if bias is None else torch.addmm(bias, x, weight.t())


def in_order(weight: "torch.Tensor") -> "torch.Tensor":
    """Copy a layer's matrix into the order in which it is multiplied by, for weights that serve many products.

    weight (torch.Tensor): The matrix. Shape: (width out, width in).
    RETURNS (torch.Tensor): The copy, which `linear_product` with a bias alone can read; the matrix itself where there
        is no other order.
    """
    if _direct(weight.device, weight.dtype, has_bias=True) is None:
        return weight
    found = compat.onednn_order(weight)
    return weight if found is None else found


def _direct(device: "torch.device", dtype: "torch.dtype", *, has_bias: bool) -> "Callable[..., torch.Tensor] | None":
    """Give oneDNN's product where it is asked directly; None where torch chooses."""
    import torch

    if device.type != "cpu":
        return None
    if dtype == torch.bfloat16:
        direct = has_bias and compat.onednn_takes_bf16()
    else:
        direct = dtype == torch.float32 and (has_bias or fp32_backward_library() == "onednn")
    return compat.onednn_linear() if direct else None


def describe_products(precision: str, device: "torch.device") -> dict[str, str]:
    """Say what a precision means on this machine, for run records and logs; never for a saved pipeline.

    precision (str): As for `resolve_precision`.
    device (torch.device): Where the encoder runs.
    RETURNS (dict[str, str]): "device", "precision" ("fp32", "bf16" or "fp16") and, on a CPU, "cpu_vendor" and
        "fp32_products".
    """
    found = {"device": str(device), "precision": resolve_precision(precision, device)}
    if device.type == "cpu":
        found |= {"cpu_vendor": cpu_vendor(), "fp32_products": fp32_library()}
    return found
