"""Isolated environments to test wheels in: only the wheels are installed, other packages are those of the running
environment.
"""

import os
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path

from project_files import fail

ROOT = Path(__file__).resolve().parent.parent
BORROWED = "borrowed.pth"


def run(command: list[str], what: str, *, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    """Run a command; on failure show what it printed and stop.

    command (list[str]): The command.
    what (str): What it is for, for the message.
    cwd (Path | None): The folder to run it in.
    env (dict[str, str] | None): Its environment variables; None: those of this process.
    RETURNS (str): What it printed.
    RAISES (SystemExit): If it fails.
    """
    done = subprocess.run(
        command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, text=True
    )
    if done.returncode != 0:
        print(f"{shlex.join(command)}\n{done.stdout}", flush=True)
        fail(f"{what} failed (exit code {done.returncode})", "What it printed stands above.")
    return done.stdout


def build_distributions(out: Path) -> tuple[Path, Path]:
    """Build our sdist, and our wheel from what the sdist holds, without anything from the network.

    out (Path): The folder for both.
    RETURNS (tuple[Path, Path]): The sdist and the wheel.
    """
    for old in [*out.glob("spacy_tokclf-*"), *out.glob("spacy-tokclf-*")]:
        old.unlink()
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)]
    run(command, "Building spacy-tokclf")
    (sdist,), (wheel,) = out.glob("*.tar.gz"), out.glob("spacy_tokclf-*.whl")
    return sdist, wheel


def make_env(folder: Path) -> Path:
    """Make an empty environment.

    folder (Path): Where. One that is there is emptied.
    RETURNS (Path): Its Python.
    """
    run([sys.executable, "-m", "venv", "--without-pip", "--clear", str(folder)], "Making an environment")
    return folder / "bin" / "python"


def install(python: Path, *arguments: str) -> None:
    """Install into an environment, with the running environment's pip and without the index.

    python (Path): The environment's Python.
    arguments (str): Files to install, and pip's options.
    """
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-index", "--no-warn-conflicts"]
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    run([*pip, *arguments], f"Installing {arguments[-1]}", env=variables)


def borrow(python: Path) -> None:
    """Let an environment import what the running one has installed, after what it has itself.

    Packages that are installed in editable form are not found: what makes them so is not read from there.

    python (Path): The environment's Python.
    """
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(run([str(python), "-c", code], "Asking for site-packages").strip())
    ours = dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))
    (site / BORROWED).write_text("\n".join(ours) + "\n", encoding="utf8")


def isolated_variables(home: Path) -> dict[str, str]:
    """Make environment variables that point to no cache, no settings and no source tree.

    home (Path): An empty folder.
    RETURNS (dict[str, str]): The variables of this process without Python's and Hugging Face's, and with that home.
    """
    left_out = ("PYTHON", "HF_", "HUGGINGFACE", "TRANSFORMERS_", "XDG_", "VIRTUAL_ENV", "SPACY_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    return {**kept, "HOME": str(home)}
