"""Facts about the machine, for the reader of the figures."""

import os
import platform
import subprocess
from pathlib import Path
from typing import Any

FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_bf16", "amx_int8")
BUSY = 0.5


def facts() -> dict[str, Any]:
    """RETURNS (dict[str, Any]): The processor, its instructions that matter here, cores, memory and the system."""
    info = _cpu_info()
    flags = set(info.get("flags", "").split())
    return {
        "cpu": info.get("model name") or platform.processor() or platform.machine(),
        "family_model_stepping": " ".join(info.get(name, "") for name in ("cpu family", "model", "stepping")).strip(),
        "flags": [flag for flag in FLAGS if flag in flags],
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": platform.platform(terse=True),
        "gpu": _gpu(),
    }


def warning() -> str:
    """RETURNS (str): What to tell if the machine is busy with something else; empty if it is not."""
    load = os.getloadavg()[0]
    return f"The load of this machine is {load:.1f}: figures are only good on an idle one." if load > BUSY else ""


def _cpu_info() -> dict[str, str]:
    path = Path("/proc/cpuinfo")
    if not path.is_file():
        return {}
    first = path.read_text(encoding="utf8").split("\n\n")[0]
    pairs = (line.split(":", 1) for line in first.splitlines() if ":" in line)
    return {name.strip(): value.strip() for name, value in pairs}


def _gpu() -> str | None:
    try:
        done = subprocess.run(
            ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip() or None
