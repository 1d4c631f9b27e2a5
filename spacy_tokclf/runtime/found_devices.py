"""The devices that torch finds on this machine, and what is said of one that it does not find."""

import os
from typing import TYPE_CHECKING

from ..errors import Errors
from .blame import short

if TYPE_CHECKING:
    import torch

ENV_DEVICE = "SPACY_TOKCLF_DEVICE"
#: Where torch says how it is installed for which device.
INSTALL = "https://pytorch.org/get-started/locally"


def parse_device(name: str) -> "torch.device":
    """Read the name of a device, whether it is there or not.

    name (str): The name.
    RETURNS (torch.device): The device.
    RAISES (ValueError): TC143, if torch knows none of that name.
    """
    import torch

    try:
        return torch.device(name)
    except RuntimeError as error:
        raise ValueError(_message(name, "torch knows no device of this name.")) from error


def check_device(device: "torch.device") -> None:
    """Make sure that a device is there.

    device (torch.device): The device.
    RAISES (ValueError): TC143, if it is not.
    """
    import torch

    if lack := lack_of(device):
        raise ValueError(_message(str(device), lack))
    if device.type in ("cpu", "cuda", "mps"):
        return
    try:
        torch.zeros(1, device=device).tolist()
    except (AssertionError, RuntimeError, ImportError) as error:  # by the kind of device
        raise ValueError(refused(device, error)) from error


def refused(device: "torch.device", error: BaseException) -> str:
    """Say why a device cannot be used.

    device (torch.device): The device.
    error (BaseException): What torch raised when it was to be used.
    RETURNS (str): The message.
    """
    return _message(str(device), lack_of(device) or short(error, limit=150))


def lack_of(device: "torch.device") -> str:
    """Say what is missing for a device.

    device (torch.device): The device.
    RETURNS (str): A sentence, with the cure; empty, if torch finds the device, or it is of a kind of which we know no
        more.
    """
    import torch

    if device.type == "mps" and not torch.backends.mps.is_available():
        return "it needs a Mac with Apple silicon, and a torch that was built for it."
    if device.type != "cuda":
        return ""
    if not torch.backends.cuda.is_built():
        return f"this torch was built without CUDA; {INSTALL} says how to install one that has it."
    if not torch.cuda.is_available():
        hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
        told = "" if hidden is None else f" CUDA_VISIBLE_DEVICES is {hidden!r}."
        needs = f"`nvidia-smi` has to show one, with a driver for CUDA {torch.version.cuda}."
        return f"torch finds no GPU. {needs if torch.version.cuda else ''}{told}"
    if (device.index or 0) >= torch.cuda.device_count():
        return "there is no GPU of this number; they are counted from 0."
    return ""


def seen_devices() -> list[str]:
    """RETURNS (list[str]): The devices that torch finds, of the kinds that it is usually built for."""
    import torch

    found = ["cpu"]
    if torch.cuda.is_available():
        found += [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    return [*found, "mps"] if torch.backends.mps.is_available() else found


def _message(name: str, detail: str) -> str:
    import torch

    told = {"version": torch.__version__, "seen": ", ".join(seen_devices())}
    return Errors.TC143.format(name=name, detail=detail, env=ENV_DEVICE, **told)
