"""A manifest notices what is not as it was saved, and nothing else."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from spacy_tokclf.runtime.files import MANIFEST
from spacy_tokclf.runtime.manifest import check_manifest, checks_files, hash_file, write_manifest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with files and folders, one of them with a manifest of its own."""
    made = tmp_path / "folder"
    for name in ("config.cfg", "meta.json", "vocab/strings.json", "ner/encoder/model.safetensors", "notes/mine.txt"):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_bytes(name.encode() * 1000)
    write_manifest(made / "ner")
    return made


def test_what_it_lists(folder: Path) -> None:
    checksum = write_manifest(folder, {"purpose": "test"}, leave_out=["notes"])
    found = check_manifest(folder)
    assert checksum == hash_file(folder / MANIFEST) and found is not None and found["purpose"] == "test"
    assert sorted(found["files"]) == ["config.cfg", "ner/manifest.json", "vocab/strings.json"]
    assert {path.stat().st_mode & 0o777 for path in folder.glob("*.*")} == {
        (folder / "config.cfg").stat().st_mode & 0o777
    }
    shutil.copytree(folder, folder.parent / "copy")
    assert check_manifest(folder.parent / "copy") == found
    assert check_manifest(folder / "vocab") is None


def test_what_people_may_do(folder: Path) -> None:
    write_manifest(folder)
    (folder / "README.md").write_text("mine")
    (folder / "meta.json").write_text("{}")
    os.utime(folder / "config.cfg", (1, 1))
    (folder / "config.cfg").chmod(0o400)
    assert check_manifest(folder) is not None


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def become_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def become_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("name", ["config.cfg", "vocab/strings.json", "ner/manifest.json"])
@pytest.mark.parametrize(
    "damage", [flip, Path.unlink, become_folder, become_pipe, lambda path: path.write_bytes(path.read_bytes()[:-1])]
)
def test_what_is_noticed(folder: Path, name: str, damage: Callable[[Path], object]) -> None:
    write_manifest(folder)
    damage(folder / name)
    with pytest.raises(ValueError, match="TC403") as caught:
        check_manifest(folder)
    assert str(folder / name) in str(caught.value) and str(folder / MANIFEST) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "TC401"),
        ("[" * 100_000, "TC401"),
        ("[1]", "TC401"),
        ('{"format": 1}', "TC401"),
        ('{"files": {}}', "TC401"),
        ('{"format": "1", "files": {}}', "TC401"),
        ('{"format": 1, "files": {}, "files": {}}', "TC401"),
        ('{"format": ' + "9" * 5000 + ', "files": {}}', "TC401"),
        ('{"format": 1, "files": {"./config.cfg": {"size": 0, "sha256": ""}}}', "TC401"),
        ('{"format": 1, "files": {"config.cfg": {"size": "0", "sha256": ""}}}', "TC401"),
        ('{"format": 1, "files": {"config.cfg": {"size": 0, "sha256": []}}}', "TC401"),
        ('{"format": 1, "files": {"config.cfg": "abc"}}', "TC401"),
        ('{"format": 1, "files": {"../other": {"size": 0, "sha256": ""}}}', "TC401"),
        ('{"format": 1, "files": {"/etc/passwd": {"size": 0, "sha256": ""}}}', "TC401"),
        ('{"format": 2, "files": 7}', "TC402"),
    ],
)
def test_a_manifest_that_is_none(folder: Path, text: str, code: str) -> None:
    (folder / MANIFEST).write_text(text)
    with pytest.raises(ValueError, match=code):
        check_manifest(folder)


def test_a_manifest_that_is_no_text(folder: Path) -> None:
    (folder / MANIFEST).write_bytes(b"\xff\x00")
    with pytest.raises(ValueError, match="TC401"):
        check_manifest(folder)


@pytest.mark.parametrize(
    "make",
    [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/zero"), lambda path: path.symlink_to("nowhere")],
    ids=["pipe", "folder", "device", "nothing"],
)
def test_a_manifest_that_is_no_file(folder: Path, make: Callable[[Path], object]) -> None:
    make(folder / MANIFEST)
    with pytest.raises(ValueError, match=r"TC420.*manifest\.json"):
        check_manifest(folder)


def test_a_manifest_of_any_size_and_files_elsewhere(folder: Path) -> None:
    """Nothing is read of what is too large for a manifest, nor of files that links lead to, be they as they should."""
    write_manifest(folder)
    (folder / "config.cfg").rename(folder.parent / "config.cfg")
    (folder / "config.cfg").symlink_to(folder.parent / "config.cfg")
    with pytest.raises(ValueError, match=r"TC403.*config\.cfg"):
        check_manifest(folder)
    os.truncate(folder / MANIFEST, 1 << 40)
    with pytest.raises(ValueError, match=r"TC420.*manifest\.json"):
        check_manifest(folder)


def test_line_ends_of_texts(folder: Path) -> None:
    """As Git changes them on Windows. In arrays, a byte more is damage."""
    for name in ("config.cfg", "vocab/strings.json", "ner/cfg", "ner/weights"):
        (folder / name).write_bytes(b"fifteen letters\n" * (70_000 if name == "config.cfg" else 2))  # two blocks
    write_manifest(folder / "ner")
    write_manifest(folder)
    seal = hash_file(folder / "ner" / MANIFEST)
    for path in (path for path in folder.rglob("*") if path.suffix in {".json", ".cfg"} or path.name == "cfg"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert check_manifest(folder) and check_manifest(folder / "ner") and hash_file(folder / "ner" / MANIFEST) == seal
    (folder / "ner" / "weights").write_bytes(b"fifteen letters\r\n" * 2)
    with pytest.raises(ValueError, match=r"TC403.*weights"):
        check_manifest(folder / "ner")
    text = (folder / "config.cfg").read_bytes()
    for changed in (text[:-2], text[:-2] + b"\r\r", text.replace(b"\r\n", b"\r"), text[:-2] + b" \n"):
        (folder / "config.cfg").write_bytes(changed)
        with pytest.raises(ValueError, match=r"TC403.*config\.cfg"):
            check_manifest(folder)


def test_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPACY_TOKCLF_CHECK_FILES", raising=False)
    assert checks_files()
    monkeypatch.setenv("SPACY_TOKCLF_CHECK_FILES", "0")
    assert not checks_files()


def test_it_is_json_that_others_read(folder: Path) -> None:
    write_manifest(folder)
    entry = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]["config.cfg"]
    assert entry == {"sha256": hash_file(folder / "config.cfg"), "size": (folder / "config.cfg").stat().st_size}
