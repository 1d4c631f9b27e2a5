"""The card that a process computes on: choosing it, waiting for it, and the memory that is taken there. On the CPU
there is nothing to wait for, and memory is not counted."""

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from .. import machine
from ..serve import versions

#: The environment variable of ours that names the device; CuPy, where thinc uses it, does without.
DEVICE = "SPACY_TOKCLF_DEVICE"


#: How torch's profiler gets along with CUDA graphs: torch sets them itself for graphs of its own.
PROFILER = {"DISABLE_CUPTI_LAZY_REINIT": "1", "TEARDOWN_CUPTI": "0"}
VISIBLE = "CUDA_VISIBLE_DEVICES"


def only(device: str) -> str:
    """Let this process, and those that it starts, see no other card: the Trainer would take all that it sees.

    device (str): "cpu", or a card, such as "cuda:1".
    RETURNS (str): What the device is called from now on.
    """
    if device == "cpu":
        os.environ[VISIBLE] = ""
        return device
    number = int(device.partition(":")[2] or 0)
    seen = os.environ.get(VISIBLE)
    os.environ[VISIBLE] = str(number) if seen is None else ",".join(seen.split(",")[number : number + 1])
    return "cuda:0"


def choose(device: str) -> None:
    """Let ours compute on a device, in this process and before torch is imported.

    device (str): What `only` gave.
    """
    os.environ.update(PROFILER)
    os.environ[DEVICE] = device


def follow_thinc() -> None:
    """Let ours compute where thinc does, in this process."""
    os.environ.pop(DEVICE, None)


def has_card() -> bool:
    """RETURNS (bool): Whether torch sees a card."""
    import torch

    return bool(torch.cuda.is_available())


def wait() -> None:
    """Wait until the card has done what it was given."""
    if has_card():
        import torch

        torch.cuda.synchronize()


def profiler() -> Any:
    """RETURNS (profile): torch's profiler: of the card, with the calls that the host makes; on the CPU, of operations.
    (Both in one trace are gigabytes for some steps of many launches.)"""
    from torch.profiler import ProfilerActivity, profile

    return profile(activities=[ProfilerActivity.CUDA if has_card() else ProfilerActivity.CPU])


def measured_memory(work: Callable[[], Any]) -> tuple[Any, float | None]:
    """Do some work, and see how much more of the card's memory torch has taken for it at most; with CuPy's, if it is in
    use.

    work (Callable[[], Any]): The work.
    RETURNS (tuple[Any, float | None]): What it gives, and MiB; None on the CPU.
    """
    if not has_card():
        return work(), None
    import torch

    torch.cuda.init()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_reserved() + _pool()
    result = work()
    return result, (torch.cuda.max_memory_reserved() + _pool() - before) / 2**20


def _pool() -> int:
    """RETURNS (int): Bytes that CuPy holds, if it was imported."""
    cupy = sys.modules.get("cupy")
    return int(cupy.get_default_memory_pool().total_bytes()) if cupy is not None else 0


def facts(device: str) -> dict[str, Any]:
    """Say what computes. Imports what all other parts need, so that nothing else begins where that fails.

    device (str): The device.
    RETURNS (dict[str, Any]): "card", its name, or the processor's; "memory" in GiB; the driver; versions.
    RAISES (ImportError): If something is missing.
    RAISES (SystemExit): If there is no such card.
    """
    import torch
    import transformers  # noqa: F401 (the peers need it)

    found: dict[str, Any] = {"device": device, "versions": {**versions(), **_more(torch)}, "tf32": tf32()}
    if device == "cpu":
        return {**found, "card": f"no card ({machine.facts()['cpu']})", "memory": machine.facts()["memory_gib"]}
    if not torch.cuda.is_available():
        raise SystemExit("torch sees no GPU here: `python -m bench gpu --device cpu --tiny` runs without one")
    properties = torch.cuda.get_device_properties(torch.device(device))
    memory = round(properties.total_memory / 2**30, 1)
    return found | {"card": properties.name, "memory": memory, "driver": _driver(), "cuda": torch.version.cuda}


def tf32() -> bool:
    """RETURNS (bool): Whether products of float32 may be computed in tf32 in this process."""
    import torch

    return bool(torch.backends.cuda.matmul.allow_tf32)


def _more(torch: Any) -> dict[str, str]:
    """RETURNS (dict[str, str]): Versions of what only a GPU needs."""
    try:
        import cupy
    except ImportError:
        return {"torch": torch.__version__}
    return {"torch": torch.__version__, "cupy": cupy.__version__}


def _driver() -> str | None:
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")[0].strip()
    except (OSError, subprocess.CalledProcessError):
        return None
