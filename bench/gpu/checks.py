"""The tests that are marked `gpu`."""

import re
import subprocess
import sys
import time
from pathlib import Path

from wasabi import msg

from ..rounds import missing, variables
from ..rows import Row
from ..system import OURS, ROOT
from . import card
from .run import Run, single

WORK = "tests on a card"
COUNTS = re.compile(r"(\d+) (passed|failed|skipped|error)")


def run_tests(run: Run, until: float) -> list[Row]:
    """Run the tests that are marked `gpu`, and stop at the first that fails.

    run (Run): What is shared.
    until (float): When they are broken off, by `time.monotonic`.
    RETURNS (list[Row]): A row; the value is the number of tests that passed.
    """
    if missing(Path(sys.executable), ("pytest",)):
        run.failed["tests marked gpu"] = "pytest is not installed"
        return []
    files = sorted(str(path) for path in (ROOT / "tests").rglob("test_*.py") if "mark.gpu" in path.read_text("utf8"))
    command = [sys.executable, "-m", "pytest", "-m", "gpu", "-x", "-p", "no:cacheprovider", *files]
    env = {name: value for name, value in variables(run.setting).items() if name != card.DEVICE}  # they choose it
    start = time.monotonic()
    try:
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=until - start)
    except subprocess.TimeoutExpired:
        run.failed["tests marked gpu"] = "they took too long"
        return []
    found = {name: int(number) for number, name in COUNTS.findall(done.stdout.splitlines()[-1] if done.stdout else "")}
    if done.returncode not in (0, 5):  # 5: none were collected
        run.failed["tests marked gpu"] = "\n".join((done.stdout + done.stderr).splitlines()[-40:])
        msg.fail("Tests failed", run.failed["tests marked gpu"])
    about = {"seconds": round(time.monotonic() - start, 1), **found}
    return [single(WORK, OURS, found.get("passed", 0), "passed", **about, **run.facts)]
