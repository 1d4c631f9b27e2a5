"""Make one archive with which the package is tested and measured on a machine with a GPU and without network, where
torch, transformers and NumPy are installed and spaCy is not: `make gpu-kit`.

It holds the wheels of our package and of what it requires for one version of Python, unpacked, without headers and
tests; the tests, `bench` and configs; the data; and the encoder in half precision. `scripts/run_gpu_kit.py`, which lies
in it as run.py, says how it is used.

Usage: python scripts/make_gpu_kit.py --python 3.12
"""

import argparse
import lzma
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from email import message_from_string
from pathlib import Path
from typing import Any

from isolated_env import ROOT, build_distributions, run
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from project_files import checksum, fail, folder_made_whole, read_json, write_json
from run_gpu_kit import LIST, OURS
from wasabi import msg

NAME = "spacy-tokclf-gpu-kit"
LIMIT = 60_000_000
#: What the machine has to have itself: everything that is large.
GIVEN = ("torch", "transformers", "numpy", "tokenizers", "safetensors", "huggingface-hub", "setuptools", "pygments")
#: What nobody reads at run time. (thinc reads its kernels, ".cu", even where there is no GPU.)
LEFT_OUT = (".pyx", ".pxd", ".pxi", ".cpp", ".c", ".h", ".hpp", ".pyi")
#: Platforms that wheels are taken for: Linux, glibc 2.28 or newer.
PLATFORMS = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_24", "manylinux_2_17", "manylinux2014", "manylinux1")
#: Files of an encoder.
ENCODER = ("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt", "LICENSE")
NOTE = "The encoder's weights are rounded to half precision: scores differ from those of the full weights."


def download(python: str, machine: str, out: Path) -> list[Path]:
    """Download the wheels of what spaCy requires, with the versions of constraints.txt.

    python (str): The version of Python that they are for, such as "3.12".
    machine (str): The processor, such as "x86_64".
    out (Path): A folder for them.
    RETURNS (list[Path]): The wheels, without those of GIVEN.
    RAISES (SystemExit): If pip does not get them.
    """
    out.mkdir(parents=True)
    constraints = out / "constraints.txt"
    constraints.write_text("\n".join(pins(python)), encoding="utf8")
    digits = python.replace(".", "")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(out), "--only-binary=:all:"]
    command += ["--python-version", python, "--implementation", "cp"]
    for abi in (f"cp{digits}", "abi3", "none"):
        command += ["--abi", abi]
    for platform in PLATFORMS:
        command += ["--platform", f"{platform}_{machine}"]
    run([*command, "--constraint", str(constraints), "spacy", "thinc"], "Downloading what spaCy requires")
    wheels = sorted(out.glob("*.whl"))
    return [wheel for wheel in wheels if canonicalize_name(wheel.name.split("-")[0]) not in GIVEN]


def pins(python: str) -> Iterator[str]:
    """YIELDS (str): The lines of constraints.txt that hold for a version of Python."""
    environment = {"python_version": python, "python_full_version": f"{python}.0", "extra": ""}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf8").splitlines():
        pin = Requirement(line) if line and not line.startswith("#") else None
        if pin and (pin.marker is None or pin.marker.evaluate(environment)):
            yield f"{pin.name}{pin.specifier}"


def unpack(wheel: Path, folder: Path) -> dict[str, Any]:
    """Unpack a wheel, less what nobody reads at run time. Libraries lose their tables of symbols.

    wheel (Path): The wheel.
    folder (Path): The folder of all packages; it gets one of its own there.
    RETURNS (dict[str, Any]): "name", "version", "folder" and "requires".
    """
    name, version = wheel.name.split("-")[:2]
    home = folder / f"{name}-{version}"
    with zipfile.ZipFile(wheel) as archive:
        kept = [each for each in archive.namelist() if is_kept(each)]
        archive.extractall(home, kept)
        (metadata,) = (each for each in kept if each.endswith(".dist-info/METADATA"))
        about = message_from_string(archive.read(metadata).decode("utf8"))
    libraries = [str(path) for path in home.rglob("*.so*") if path.is_file()]
    if libraries and shutil.which("strip"):
        subprocess.run(["strip", "--strip-unneeded", *libraries], check=False, capture_output=True)
    requires = about.get_all("Requires-Dist") or []
    own = [each for each in requires if "extra ==" not in each]
    return {"name": canonicalize_name(name), "version": version, "folder": f"packages/{home.name}", "requires": own}


def is_kept(name: str) -> bool:
    """RETURNS (bool): Whether a file of a wheel goes into the kit: no sources in C or Cython, and no tests."""
    return not (name.endswith(LEFT_OUT) or {"tests", "test"} & set(Path(name).parts[:-1]))


def copy_encoder(encoder: Path, out: Path) -> None:
    """Copy an encoder with its weights in half precision. They are read as float32 all the same.

    encoder (Path): Its folder.
    out (Path): The folder for the copy.
    RAISES (SystemExit): If a weight is too large for half precision.
    """
    import torch
    from safetensors.torch import load_file, save_file

    out.mkdir(parents=True)
    for name in ENCODER:
        if (encoder / name).is_file():
            shutil.copyfile(encoder / name, out / name)
    weights = load_file(encoder / "model.safetensors")
    half = {name: value.half() if value.is_floating_point() else value for name, value in weights.items()}
    if not all(torch.isfinite(value).all() for value in half.values()):
        fail(f"The weights in {encoder} do not fit half precision")
    save_file(half, out / "model.safetensors", metadata={"format": "pt"})
    (out / "README.md").write_text(f"{NOTE} Their type in config.json is that of reading.\n", encoding="utf8")


def copy_data(assets: Path, out: Path) -> str:
    """Copy the data that the project found: WNUT-17, or the sample corpus.

    assets (Path): The folder of the project.
    out (Path): The folder for the copy.
    RETURNS (str): "wnut17" or "sample".
    """
    source = str(read_json(assets / "data.json")["source"])
    shutil.copyfile(assets / "data.json", out / "data.json")
    for name in ("data", "wnut17") if source == "wnut17" else ("data",):
        shutil.copytree(assets / name, out / name)
    return source


def fill(out: Path, args: argparse.Namespace) -> None:
    """Put everything into the folder that becomes the archive.

    out (Path): The folder.
    args (argparse.Namespace): What stands on the command line.
    """
    with tempfile.TemporaryDirectory() as made:
        wheels = download(args.python, args.machine, Path(made) / "wheels")
        sdist, own = build_distributions(Path(made))
        packages = [unpack(wheel, out / "packages") for wheel in [own, *wheels]]
        with tarfile.open(sdist) as archive:
            archive.extractall(made, filter="data")
        shutil.copytree(Path(made) / sdist.name.removesuffix(".tar.gz"), out / "source")
    copy_encoder(args.encoder, out / "assets" / "encoder")
    source = copy_data(args.assets, out / "assets")
    shutil.copyfile(ROOT / "scripts" / "run_gpu_kit.py", out / "run.py")
    about = {package.pop("name"): package for package in packages}
    note = f"{OURS} {about[OURS]['version']} for Python {args.python}; the data is {source}. {NOTE}"
    write_json(out / LIST, {"python": args.python, "note": note, "packages": about})


def main() -> None:
    """Make the folder with the archive, and run.py beside it."""
    parser = argparse.ArgumentParser(description="Make the kit for machines with a GPU and without network.")
    parser.add_argument("--python", default="3.12", help="the version of Python there")
    parser.add_argument("--machine", default="x86_64", help="the processor there")
    parser.add_argument("--encoder", type=Path, default=Path("assets/encoder"), help="the encoder's folder")
    parser.add_argument("--assets", type=Path, default=Path("assets"), help="the folder with data.json")
    parser.add_argument("--out", type=Path, default=Path("build/gpu-kit"), help="the folder to make")
    args = parser.parse_args()
    with folder_made_whole(args.out) as made, tempfile.TemporaryDirectory() as work:
        fill(Path(work) / NAME, args)
        path = made / f"{NAME}-cp{args.python.replace('.', '')}.tar.xz"
        with tarfile.open(path, "w:xz", preset=6 | lzma.PRESET_EXTREME) as archive:
            archive.add(Path(work) / NAME, NAME)
        shutil.copyfile(Path(work) / NAME / "run.py", made / "run.py")
        size = path.stat().st_size
        if size > LIMIT:
            fail(f"The archive has {size / 1e6:.1f} MB, and {LIMIT / 1e6:.0f} MB at most are wanted")
        digest = checksum(path)
    msg.good(f"{args.out / path.name}: {size / 1e6:.1f} MB", f"SHA-256 {digest}")
    msg.text(f"On the machine: python {args.out / 'run.py'} -m bench gpu --json gpu.json")


if __name__ == "__main__":
    main()
