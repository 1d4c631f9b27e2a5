"""What the training steps in a trace of torch's profiler were made of."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

#: Kinds of events that the card worked on.
ON_CARD = ("kernel", "gpu_memcpy", "gpu_memset")
#: Kinds of events that are calls of CUDA.
CALLS = ("cuda_runtime", "cuda_driver")
#: Parts of the names of calls, by what they do.
LAUNCHES, GRAPHS, COPIES = ("LaunchKernel", "GraphLaunch"), ("GraphLaunch",), ("Memcpy", "Memset")
WAITS = ("StreamSynchronize", "DeviceSynchronize", "EventSynchronize")


def step_facts(path: str | Path, steps: int) -> dict[str, float]:
    """Count what a trace holds, for one step.

    path (str | Path): The trace, as `profile.export_chrome_trace` writes it.
    steps (int): Steps in it.
    RETURNS (dict[str, float]): "launches" (of kernels and of graphs), "graphs" (of these), "copies" and "waits", calls
        that the host makes; "kernels", and "device_ms", what the card works in all; "operations" of torch, which are
        in traces of the CPU alone.
    """
    events = list(_events(Path(path)))
    calls = [name for kind, name, _ in events if kind in CALLS]
    on_card = [duration for kind, _, duration in events if kind in ON_CARD]
    found = {
        "launches": _count(calls, LAUNCHES),
        "graphs": _count(calls, GRAPHS),
        "copies": _count(calls, COPIES),
        "waits": _count(calls, WAITS),
        "kernels": sum(kind == "kernel" for kind, _, _ in events),
        "device_ms": sum(on_card) / 1000,
        "operations": sum(kind == "cpu_op" for kind, _, _ in events),
    }
    return {name: round(value / steps, 3) for name, value in found.items()}


def _events(path: Path) -> Iterator[tuple[str, str, float]]:
    """YIELDS (tuple[str, str, float]): Kind, name and microseconds of each event."""
    # Names of kernels are written as they are.
    trace: dict[str, Any] = json.loads(path.read_text(encoding="utf8", errors="replace"), strict=False)
    for event in trace["traceEvents"]:
        if event.get("ph") == "X":
            yield event.get("cat", ""), event.get("name", ""), float(event.get("dur", 0.0))


def _count(names: list[str], parts: tuple[str, ...]) -> int:
    return sum(any(part in name for part in parts) for name in names)
