"""Run a command and write down how long it took and how much memory it needed.

Usage: python scripts/timed.py FILE.json COMMAND [ARGUMENT ...]
"""

import resource
import subprocess
import sys
import time
from pathlib import Path

from project_files import fail, write_json


def main() -> None:
    """Run the command, and write the file if it succeeds."""
    if len(sys.argv) < 3:
        fail("Usage: python scripts/timed.py FILE.json COMMAND [ARGUMENT ...]")
    out, command = Path(sys.argv[1]), sys.argv[2:]
    if command[0] == "python":
        command[0] = sys.executable
    out.unlink(missing_ok=True)
    start = time.perf_counter()
    done = subprocess.run(command, check=False)
    seconds = time.perf_counter() - start
    if done.returncode != 0:
        raise SystemExit(done.returncode)
    # Kilobytes on Linux, bytes on macOS.
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    write_json(out, {"seconds": round(seconds, 1), "peak_memory_mib": peak // 2**20})


if __name__ == "__main__":
    main()
