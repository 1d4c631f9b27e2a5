"""Run Python where nothing can be installed: with what this kit brings along and the machine lacks, besides what the
machine has (torch, transformers and NumPy, and CuPy if it is there).

`make gpu-kit` makes the kit. On the machine, either of

    tar xf spacy-tokclf-gpu-kit-cp312.tar.xz && python spacy-tokclf-gpu-kit/run.py -m bench gpu --json gpu.json
    python build/gpu-kit/run.py -m bench gpu --json gpu.json

The second form lies beside the archive and unpacks it into the system's folder for temporary files, once. All arguments
are Python's. They run in the source tree that comes along; or in the current folder, if that is one. Nothing is
installed: a requirement that the machine meets is taken from there, and PYTHONPATH names the rest.
"""

import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
LIST = "kit.json"
OURS = "spacy-tokclf"


def unpacked(folder: Path) -> Path:
    """Find the unpacked kit; unpack it if only the archive is there.

    folder (Path): The folder of this file.
    RETURNS (Path): The folder with kit.json.
    RAISES (SystemExit): If there is neither.
    """
    if (folder / LIST).is_file():
        return folder
    archives = sorted(folder.glob("*.tar.xz"))
    if not archives:
        raise SystemExit(f"There is neither {LIST} nor an archive in {folder}")
    facts = archives[-1].stat()
    home = Path(tempfile.gettempdir()) / f"spacy-tokclf-gpu-kit-{os.getuid()}-{facts.st_size}-{facts.st_mtime_ns}"
    if not home.is_dir():
        with tempfile.TemporaryDirectory(dir=home.parent, prefix=f"{home.name}.") as made:
            with tarfile.open(archives[-1]) as archive:
                archive.extractall(made, filter="data")
            (inside,) = Path(made).iterdir()
            inside.rename(home)
    return home


class Choice(NamedTuple):
    """What is taken from the kit, and what is not met.

    folders (list[str]): Folders of the kit.
    missing (list[str]): Requirements that neither the machine nor the kit has.
    unfit (list[str]): Requirements of which the machine has another version, and the kit none.
    """

    folders: list[str]
    missing: list[str]
    unfit: list[str]


def choose(kit: dict[str, Any], *, installed: Any = version) -> Choice:
    """Go through what our package requires: what the machine meets is left alone, and the rest comes from the kit, with
    what that requires in turn.

    kit (dict[str, Any]): What kit.json says of each package: "version", "folder" and "requires".
    installed (Callable[[str], str]): From a name to the version that the machine has.
    RETURNS (Choice): The choice.
    """
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    chosen: dict[str, str] = {}
    missing, unfit = set(), set()

    def asks(requires: list[str]) -> Iterator[Requirement]:
        for requirement in map(Requirement, requires):
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                yield requirement

    waiting = [Requirement(f"{OURS}=={kit[OURS]['version']}")]
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        try:
            found = installed(name)
        except PackageNotFoundError:
            found = None
        if name in chosen or (found is not None and requirement.specifier.contains(found, prereleases=True)):
            continue
        if name in kit:
            chosen[name] = kit[name]["folder"]
            waiting += asks(kit[name]["requires"])
        elif found is None:
            missing.add(str(requirement))
        else:
            unfit.add(f"{requirement} (here: {found})")
    return Choice(sorted(chosen.values()), sorted(missing), sorted(unfit))


def variables(home: Path, source: Path, folders: list[str]) -> dict[str, str]:
    """RETURNS (dict[str, str]): The environment variables of what runs: where packages and data are, and no network."""
    paths = [str(source), *(str(home / folder) for folder in folders)]
    given = {"PYTHONPATH": os.pathsep.join(paths), "HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}
    if (home / "assets" / "wnut17").is_dir():
        given["WNUT17_DIR"] = str(home / "assets" / "wnut17")
    return {**os.environ, **given}


def main() -> None:
    """Run Python with the arguments of this process; without any, say what the kit would bring along."""
    home = unpacked(HERE)
    kit = json.loads((home / LIST).read_text(encoding="utf8"))
    print(kit["note"], file=sys.stderr)
    here = "{}.{}".format(*sys.version_info)
    if here != kit["python"]:
        raise SystemExit(f"This kit is for Python {kit['python']}, and this is {here}: make gpu-kit KIT_PYTHON={here}")
    sys.path.append(str(home / kit["packages"]["packaging"]["folder"]))
    folders, missing, unfit = choose(kit["packages"])
    if missing:
        raise SystemExit(f"Neither the machine nor the kit has {', '.join(missing)}")
    if unfit:
        print(f"Other versions than are asked for, tried all the same: {', '.join(unfit)}", file=sys.stderr)
    source = Path.cwd()
    if not ((source / "spacy_tokclf").is_dir() and (source / "bench").is_dir()):
        source = home / "source"
    assets = source / "assets"
    if not assets.exists():
        assets.unlink(missing_ok=True)  # a link to nothing
        assets.symlink_to(home / "assets")
    print(f"From the kit: {', '.join(Path(folder).name for folder in folders)}", file=sys.stderr)
    if sys.argv[1:]:
        command = [sys.executable, *sys.argv[1:]]
        raise SystemExit(subprocess.run(command, cwd=source, env=variables(home, source, folders)).returncode)


if __name__ == "__main__":
    main()
