"""Cold starts: statements timed in a fresh process each time, since nothing is imported or loaded twice in one."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

SCRIPT = """
import json, sys, time
exec(sys.argv[1])
start = time.perf_counter()
exec(sys.argv[2])
seconds = time.perf_counter() - start
print()
print(json.dumps(seconds))
"""


def measured_fresh(options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """Get ready to measure statements. They run once before, so that all files are in the cache of the system.

    options (dict[str, Any]): "before", what runs first and is not timed; "timed", what is.
    RETURNS (Callable[[int], dict[str, Any]]): The round; the value is in seconds.
    """
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT, options["before"], options["timed"]]

    def run(number: int) -> dict[str, Any]:
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        return {"value": json.loads(done.stdout.splitlines()[-1])}

    run(-1)
    return run
