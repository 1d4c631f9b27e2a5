"""The options that say where an encoder runs, which every command that runs one has alike."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

_DEVICE = "Device of the encoder, such as cuda:0, cpu or mps; of several processes that of the first"
_GPU = "GPU for all of spaCy, by number, which needs CuPy; -1 for none. Of several processes that of the first"

DeviceT = Annotated[str | None, typer.Option("--device", help=_DEVICE)]
GpuT = Annotated[int, typer.Option("--gpu-id", "-g", help=_GPU)]


@contextmanager
def on_device(device: str | None, gpu_id: int = -1) -> Iterator[None]:
    """Let a command run its encoders where these options say. What is not there is refused at once.

    device (str | None): What --device says.
    gpu_id (int): What --gpu-id says.
    RAISES (ValueError): TC142, TC143 and TC562, as `naming_device` and `choose_gpu`.
    """
    from ..runtime.device import choose_gpu, naming_device
    from ..runtime.group import local_rank

    with naming_device(device, gpu_id=gpu_id):
        choose_gpu(gpu_id, local_rank())
        yield


def device_words(device: str | None, gpu_id: int) -> list[str]:
    """Give the options as they are typed, for a command that is to be run next.

    device (str | None): What --device says.
    gpu_id (int): What --gpu-id says.
    RETURNS (list[str]): The words; none for what was not given.
    """
    return [*(["--device", device] if device else []), *([] if gpu_id == -1 else ["--gpu-id", str(gpu_id)])]
