"""Build the Python package of a pipeline, a wheel, and read what it requires."""

import shutil
import subprocess
import sys
import zipfile
from email import message_from_string
from pathlib import Path

import srsly

from .. import compat
from ..errors import Errors


def build_wheel(pipeline: Path, out: Path, *, name: str | None = None, version: str | None = None) -> Path:
    """Make a package of a saved pipeline and build its wheel, without anything from the network. The wheel has the name
    that installers insist on (PEP 427), with language, name and version of the pipeline.

    pipeline (Path): The pipeline.
    out (Path): Folder of all packages; this one becomes `LANG_NAME-VERSION` in it.
    name (str | None): The package's name without the language, if not that of the pipeline's meta.json.
    version (str | None): Its version, if not that of meta.json.
    RETURNS (Path): The wheel, in `LANG_NAME-VERSION/dist`.
    RAISES (ValueError): TC291, if the package cannot be built.
    """
    meta = srsly.read_json(pipeline / "meta.json")
    name, version = name or meta["name"], version or meta["version"]
    lang = meta["lang"]
    full = name if name.startswith(f"{lang}_") else f"{lang}_{name}"  # as spaCy does
    made = (out / f"{full}-{version}").absolute()
    shutil.rmtree(made, ignore_errors=True)
    out.mkdir(parents=True, exist_ok=True)
    options = ["--name", name, "--version", version, "--build", "none"]
    _run(["-m", "spacy", "package", str(pipeline), str(out), *options], pipeline)
    _run(["-c", compat.wheel_builder(), str(made / "dist")], pipeline, folder=made)
    shutil.rmtree(made / "build", ignore_errors=True)
    (wheel,) = (made / "dist").glob("*.whl")
    return wheel


def requirements_of(wheel: Path) -> list[str]:
    """Read what a wheel requires.

    wheel (Path): The wheel.
    RETURNS (list[str]): Its requirements, as written.
    """
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = message_from_string(archive.read(name).decode("utf-8"))
    return [str(line) for line in metadata.get_all("Requires-Dist", [])]


def _run(arguments: list[str], pipeline: Path, folder: Path | None = None) -> None:
    done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise ValueError(Errors.TC291.format(pipeline=pipeline, detail=" ".join(said[-5:])))
