"""The process of `hub_user.py`, and how to give it a job."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import IO, Any


class HubUser:
    """Somebody who works with the fake Hub in a process of their own, with a home and a cache of their own.

    cache (Path): The cache for the next jobs.
    """

    def __init__(self, url: str, home: Path, *, stderr: IO[str] | None = None) -> None:
        left_out = ("HF_", "TRANSFORMERS_", "HUGGING")
        variables = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
        variables = {name: value for name, value in variables.items() if "proxy" not in name.lower()}
        self.cache = home / "cache"
        variables |= {
            "HF_ENDPOINT": url,
            "HF_HOME": str(home),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "OMP_NUM_THREADS": "1",
        }
        self.variables = variables
        command = [sys.executable, "-W", "ignore", str(Path(__file__).with_name("hub_user.py"))]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen(command, env=variables, text=True, stderr=stderr, **pipes)

    def __call__(
        self,
        do: str,
        *args: str,
        token: str | None = None,
        offline: bool = False,
        unplugged: bool = False,
        disk_full: bool = False,
        **settings: Any,
    ) -> dict[str, Any]:
        """Do a job of hub_user.JOBS. Gives what it returns, or `error` and `type`."""
        job = {"do": do, "args": args, "settings": settings, "token": token, "cache": str(self.cache)}
        job |= {"offline": offline, "unplugged": unplugged, "disk_full": disk_full}
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the process ended"
        return json.loads(line)

    def close(self) -> None:
        """End the process."""
        self.process.stdin.close()
        self.process.wait(timeout=60)
