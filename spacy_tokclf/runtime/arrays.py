"""Arrays of thinc and tensors of torch: from one to the other, and between devices.

Everything above this room speaks numpy or cupy arrays of float32, or torch tensors that are already in place.
"""

import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from thinc.api import Ops
from thinc.types import ArrayXd
from thinc.util import torch2xp, xp2torch

if TYPE_CHECKING:
    import torch


def to_host(tensor: "torch.Tensor") -> "torch.Tensor":
    """RETURNS (torch.Tensor): A tensor's values in the memory of the CPU, contiguous and without history."""
    return tensor.detach().cpu().contiguous()


def to_tensor(array: "npt.NDArray[Any] | ArrayXd", device: "torch.device") -> "torch.Tensor":
    """Put a numpy or cupy array on a torch device.

    array (NDArray | ArrayXd): The array; its memory is shared where the device allows it.
    device (torch.device): The target.
    RETURNS (torch.Tensor): The tensor.
    """
    import torch

    if isinstance(array, np.ndarray):
        tensor = torch.from_numpy(array)
        if device.type == "cuda":
            return tensor.pin_memory().to(device, non_blocking=True)
        return tensor.to(device)
    return _shared_tensor(array).to(device)


def to_array(tensor: "torch.Tensor", ops: Ops) -> Any:
    """Give a tensor's values as a float32 array of thinc's backend.

    tensor (torch.Tensor): Any float tensor, on any device.
    ops (Ops): The backend of the model that asks.
    RETURNS (FloatsXd): A numpy array, or a cupy array when `ops` works on the GPU.
    """
    tensor = tensor.detach().float()
    if ops.device_type == "gpu" and tensor.device.type == "cuda":
        return _shared_array(tensor, ops)
    values: Any = tensor.cpu().numpy()
    return ops.asarray(values)


def _shared_tensor(array: Any) -> "torch.Tensor":
    """Give a cupy array as a tensor with the same memory, on the same GPU. Torch asks for it in its own stream, and the
    array's stream is waited for there (the protocol of DLPack); thinc takes an older way, which CuPy gives up.

    array (Any): The array.
    RETURNS (torch.Tensor): The tensor.
    """
    import torch

    if hasattr(array, "__dlpack__") and hasattr(array, "__dlpack_device__"):
        return torch.from_dlpack(array)
    return xp2torch(array)


def _shared_array(tensor: "torch.Tensor", ops: Ops) -> Any:
    """Give a tensor on a GPU as an array of thinc's backend with the same memory, in the same way.

    tensor (torch.Tensor): The tensor, without history.
    ops (Ops): A backend that works on the GPU.
    RETURNS (FloatsXd): The array.
    """
    if hasattr(ops.xp, "from_dlpack"):
        return ops.xp.from_dlpack(tensor)
    return torch2xp(tensor, ops=ops)


def join_rows(parts: "list[torch.Tensor]") -> "torch.Tensor":
    """Put tensors without history one below the other: on a CPU without torch, whose threads would go on waiting for
    more to do, on cores that the next step needs.

    parts (list[torch.Tensor]): The tensors. Shapes: (n_rows, width).
    RETURNS (torch.Tensor): Shape: (sum of n_rows, width).
    """
    import torch

    if len(parts) == 1:
        return parts[0]
    if parts[0].device.type != "cpu":
        return torch.cat(parts)
    return torch.from_numpy(np.concatenate([part.numpy() for part in parts]))


def host_copy(values: Any) -> "torch.Tensor":
    """Give an array or a tensor, of any kind and on any device, as a tensor in the memory of the CPU.

    values (Any): A numpy or cupy array, or a torch tensor.
    RETURNS (torch.Tensor): Its values, contiguous; on a CPU it may share their memory.
    """
    import torch

    if isinstance(values, np.ndarray):
        return torch.from_numpy(np.ascontiguousarray(values))
    return to_host(values if isinstance(values, torch.Tensor) else _shared_tensor(values))


def as_tensor_of(values: Any) -> "torch.Tensor":
    """Give an array as a tensor with the same memory, where it is.

    values (Any): A numpy or cupy array.
    RETURNS (torch.Tensor): What is written into it is in the array.
    """
    import torch

    return torch.from_numpy(values) if isinstance(values, np.ndarray) else _shared_tensor(values)


def array_from_host(tensor: "torch.Tensor", ops: Ops | None) -> Any:
    """Give what `host_copy` gave as an array with memory of its own.

    tensor (torch.Tensor): A tensor in the memory of the CPU.
    ops (Ops | None): The backend whose array it is to be; None for numpy.
    RETURNS (ArrayXd): The array.
    """
    values = tensor.numpy().copy()
    return values if ops is None else ops.asarray(values)


def tensor_from_host(tensor: "torch.Tensor", like: "torch.Tensor") -> "torch.Tensor":
    """Give what `host_copy` gave as a tensor with memory of its own.

    tensor (torch.Tensor): A tensor in the memory of the CPU.
    like (torch.Tensor): Where it is to be.
    RETURNS (torch.Tensor): The tensor.
    """
    return tensor.clone().to(like.device)


def any_bit_set(values: Any) -> bool:
    """Tell whether an array or a tensor is anything but zeros without a sign.

    values (Any): A numpy or cupy array, or a torch tensor.
    RETURNS (bool): Whether any of its bits is 1.
    """
    import torch

    return bool(host_copy(values).reshape(-1).view(torch.uint8).any())


def checksum(values: Any) -> int:
    """Give a checksum of the numbers of an array or a tensor.

    values (Any): A numpy or cupy array, or a torch tensor.
    RETURNS (int): CRC-32 of their bytes.
    """
    import torch

    data: Any = host_copy(values).reshape(-1).view(torch.uint8).numpy()  # numpy does not have all kinds of numbers
    return zlib.crc32(data)


def is_finite(values: Any) -> bool:
    """Tell whether all numbers of an array or a tensor are finite.

    values (Any): A numpy or cupy array, or a torch tensor.
    RETURNS (bool): Whether they are.
    """
    import torch

    return bool((values if isinstance(values, torch.Tensor) else host_copy(values)).isfinite().all())
