"""The memory of a GPU that is full: how that is told from other errors, and what is freed before another attempt."""

import inspect
import sys
import traceback

#: What is raised for it by torch (under this name in all of its versions) and by CuPy.
NAME = "OutOfMemoryError"
#: What other errors of CUDA and its libraries say.
SAID = ("CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED")


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether a device had too little memory.

    error (BaseException): Any error.
    RETURNS (bool): Whether it says so.
    """
    if any(kind.__name__ == NAME for kind in inspect.getmro(type(error))):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in SAID)


def free_memory(error: BaseException) -> None:
    """Free what an attempt that failed has left on the device: its error holds on to all that its functions had.

    error (BaseException): The error.
    """
    traceback.clear_frames(error.__traceback__)
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
