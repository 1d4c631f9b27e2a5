"""The random states of a process: taken as plain values, and put back, so that what is drawn next is the same."""

import base64
import contextlib
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
from thinc.api import CupyOps, get_current_ops

#: A state as values that can be compared.
State = tuple[Any, ...]


def python_state() -> State:
    """RETURNS (tuple[Any, ...]): The state of Python's generator, which shuffles and augments."""
    return random.getstate()


def numpy_state() -> State:
    """RETURNS (tuple[Any, ...]): The state of numpy's global generator, which thinc's dropout draws from."""
    found: Any = np.random.get_state()
    name, keys, *rest = found
    return (name, keys.tobytes(), *rest)


def set_python_state(state: State) -> None:
    """Put a state back.

    state (tuple[Any, ...]): What `python_state` gave.
    """
    random.setstate(state)


def set_numpy_state(state: State) -> None:
    """Put a state back.

    state (tuple[Any, ...]): What `numpy_state` gave.
    """
    name, keys, *rest = state
    np.random.set_state((name, np.frombuffer(keys, dtype="uint32"), *rest))


@contextlib.contextmanager
def kept_states() -> Iterator[None]:
    """Put the states of Python and numpy back in the end."""
    python, numpy = python_state(), numpy_state()
    try:
        yield
    finally:
        set_python_state(python)
        set_numpy_state(numpy)


@contextlib.contextmanager
def seeded(number: int) -> Iterator[None]:
    """Draw from generators that begin with a number, and put those of Python, numpy and torch on the CPU back in the
    end.

    number (int): The number, of 63 bits.
    """
    import torch

    state = torch.get_rng_state()
    with kept_states():
        random.seed(number)
        np.random.seed(number % 2**32)
        torch.manual_seed(number)  # on each GPU as well
        ops = get_current_ops()
        if isinstance(ops, CupyOps):
            ops.xp.random.seed(number % 2**32)
        try:
            yield
        finally:
            torch.set_rng_state(state)


def python_to_json(state: State) -> list[Any]:
    """RETURNS (list[Any]): A state of Python's generator for JSON."""
    version, words, gauss = state
    return [version, _text(np.array(words, dtype="uint32").tobytes()), gauss]


def python_from_json(data: list[Any]) -> State:
    """RETURNS (tuple[Any, ...]): What `python_to_json` was given."""
    version, words, gauss = data
    return (version, tuple(np.frombuffer(_bytes(words), dtype="uint32").tolist()), gauss)


def numpy_to_json(state: State) -> list[Any]:
    """RETURNS (list[Any]): A state of numpy's generator for JSON."""
    name, keys, position, has_gauss, gauss = state
    return [name, _text(keys), int(position), int(has_gauss), float(gauss)]


def numpy_from_json(data: list[Any]) -> State:
    """RETURNS (tuple[Any, ...]): What `numpy_to_json` was given."""
    name, keys, *rest = data
    return (name, _bytes(keys), *rest)


def take_states() -> dict[str, Any]:
    """RETURNS (dict[str, Any]): The states of Python, numpy and torch, on the CPU and on each GPU, for JSON. That of
    CuPy's generator cannot be read."""
    import torch

    found: dict[str, Any] = {
        "python": python_to_json(python_state()),
        "numpy": numpy_to_json(numpy_state()),
        "torch": _tensor_text(torch.get_rng_state()),
    }
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        found["cuda"] = [_tensor_text(state) for state in torch.cuda.get_rng_state_all()]
    return found


def put_states(states: dict[str, Any]) -> None:
    """Put states back. CuPy begins with a number that follows from them: its dropout is not what it would have been.

    states (dict[str, Any]): What `take_states` gave.
    """
    import torch

    set_python_state(python_from_json(states["python"]))
    set_numpy_state(numpy_from_json(states["numpy"]))
    torch.set_rng_state(_tensor(states["torch"]))
    if torch.cuda.is_available():
        for number, state in enumerate(states.get("cuda", [])[: torch.cuda.device_count()]):
            torch.cuda.set_rng_state(_tensor(state), number)
    ops = get_current_ops()
    if isinstance(ops, CupyOps):
        ops.xp.random.seed(int.from_bytes(_bytes(states["numpy"][1])[:4], "little"))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _tensor_text(state: Any) -> str:
    """RETURNS (str): A tensor of bytes as text."""
    return _text(state.cpu().numpy().tobytes())


def _tensor(text: str) -> Any:
    """RETURNS (torch.Tensor): What `_tensor_text` was given."""
    import torch

    return torch.frombuffer(bytearray(_bytes(text)), dtype=torch.uint8)
