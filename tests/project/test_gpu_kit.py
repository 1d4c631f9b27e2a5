"""The kit for machines with a GPU and without network: what goes into it, and what is taken from it there."""

import io
import json
import sys
import tarfile
import zipfile
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest
from make_gpu_kit import copy_encoder, is_kept, pins, unpack
from run_gpu_kit import choose, main, unpacked, variables

from spacy_tokclf.models.hf.pretrained import PretrainedEncoder

METADATA = "Name: Some-Thing\nRequires-Dist: numpy>=1\nRequires-Dist: pytest ; extra == 'dev'\n"


def package(version: str, *requires: str) -> dict[str, Any]:
    """Describe a package of a kit."""
    return {"version": version, "folder": f"packages/{version}", "requires": list(requires)}


def machine(**installed: str) -> Callable[[str], str]:
    """Give a function that knows the versions of a machine."""

    def version(name: str) -> str:
        if name not in installed:
            raise PackageNotFoundError(name)
        return installed[name]

    return version


def test_the_kit_brings_what_the_machine_lacks() -> None:
    kit = {
        "spacy-tokclf": package("1", "spacy>=3", "torch>=2", "torch-hub; python_version < '3'"),
        "spacy": package("3", "numpy", "idna>=3"),
        "idna": package("3.1"),
        "certifi": package("9"),
    }
    choice = choose(kit, installed=machine(torch="2.11+cu130", numpy="2.5", idna="2"))
    assert choice == (["packages/1", "packages/3", "packages/3.1"], [], [])
    assert choose(kit, installed=machine(torch="2.11", numpy="2.5", spacy="3.8")).folders == ["packages/1"]


def test_what_neither_has_is_named() -> None:
    kit = {"spacy-tokclf": package("1", "torch>=2.4", "numpy")}
    choice = choose(kit, installed=machine(torch="2.0"))
    assert (choice.missing, choice.unfit) == (["numpy"], ["torch>=2.4 (here: 2.0)"])


def test_pins_are_those_of_the_named_python() -> None:
    assert {"numpy==2.2.6", "spacy==3.8.18"} <= set(pins("3.10"))
    assert "tomli==2.5.0" not in set(pins("3.12"))


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("spacy/lang/de/tag_map.py", True),
        ("thinc/backends/_custom_kernels.cu", True),
        ("spacy/tests/test_misc.py", False),
        ("spacy/tokens/doc.pyx", False),
        ("blis/cy.cpython-312-x86_64-linux-gnu.so", True),
    ],
)
def test_what_is_left_out_of_wheels(name: str, kept: bool) -> None:
    assert is_kept(name) == kept


def test_a_wheel_keeps_its_metadata(tmp_path: Path) -> None:
    wheel = tmp_path / "Some_Thing-1.5-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("some_thing/__init__.py", "")
        archive.writestr("some_thing/fast.cpp", "")
        archive.writestr("Some_Thing-1.5.dist-info/METADATA", METADATA)
    about = unpack(wheel, tmp_path / "packages")
    assert about == {
        "name": "some-thing",
        "version": "1.5",
        "folder": "packages/Some_Thing-1.5",
        "requires": ["numpy>=1"],
    }
    names = {path.name for path in (tmp_path / about["folder"]).rglob("*") if path.is_file()}
    assert names == {"__init__.py", "METADATA"}


def test_rounded_weights_are_read_as_float32(encoder_dir: Path, tmp_path: Path) -> None:
    copy_encoder(encoder_dir, tmp_path / "half")
    sizes = [(folder / "model.safetensors").stat().st_size for folder in (tmp_path / "half", encoder_dir)]
    assert sizes[0] < 0.6 * sizes[1]
    full, half = (PretrainedEncoder(str(folder))().module.state_dict() for folder in (encoder_dir, tmp_path / "half"))
    for name, value in full.items():
        assert half[name].dtype == value.dtype
        assert half[name].equal(value.half().to(value.dtype) if value.is_floating_point() else value)


def test_the_archive_is_unpacked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    with tarfile.open(tmp_path / "kit.tar.xz", "w:xz") as archive:
        member = tarfile.TarInfo("kit/kit.json")
        member.size = 2
        archive.addfile(member, io.BytesIO(b"{}"))
    home = unpacked(tmp_path)
    assert (home / "kit.json").read_text() == "{}"
    (home / "seen").touch()
    assert (unpacked(tmp_path) / "seen").exists()
    assert unpacked(home) == home
    with pytest.raises(SystemExit, match="nor an archive"):
        unpacked(tmp_path / "temporary")


def test_another_python_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kit.json").write_text(json.dumps({"python": "2.7", "note": "", "packages": {}}), encoding="utf8")
    monkeypatch.setattr("run_gpu_kit.HERE", tmp_path)
    with pytest.raises(SystemExit, match=r"KIT_PYTHON={}\.{}".format(*sys.version_info)):
        main()


def test_packages_and_data_are_named_to_what_runs(tmp_path: Path) -> None:
    (tmp_path / "assets" / "wnut17").mkdir(parents=True)
    given = variables(tmp_path, tmp_path / "source", ["packages/spacy"])
    assert given["PYTHONPATH"].split(":") == [str(tmp_path / "source"), str(tmp_path / "packages" / "spacy")]
    assert given["WNUT17_DIR"] == str(tmp_path / "assets" / "wnut17")
