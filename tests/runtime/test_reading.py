"""Files that somebody else wrote: regular ones in their folder, JSON that says one thing, msgpack that is whole."""

import gc
import os
from pathlib import Path

import pytest

from spacy_tokclf.runtime.reading import check_folder, read_file, read_json, read_msgpack


def test_only_regular_files_in_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "outside").write_bytes(b"x")
    (folder / "right").write_bytes(b"abc")
    (folder / "link").symlink_to(folder / "right")
    for name in ("right", "link"):
        assert read_file(folder / name, within=folder) == b"abc"
    (folder / "out").symlink_to(tmp_path / "outside")
    (folder / "device").symlink_to("/dev/zero")
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "inner").mkdir()
    os.mkfifo(folder / "pipe")
    for name in ("out", "device", "loop", "inner", "pipe", "missing"):
        with pytest.raises(ValueError, match=rf"TC420.*{name}"):
            read_file(folder / name, within=folder)
    with pytest.raises(ValueError, match=r"TC420.*3 bytes.*2"):
        read_file(folder / "right", within=folder, limit=2)
    with pytest.raises(ValueError, match="TC420"):
        check_folder(folder)


def test_links_of_the_cache_of_the_hub(tmp_path: Path) -> None:
    folder, blobs = tmp_path / "models--a" / "snapshots" / "c0ffee", tmp_path / "models--a" / "blobs"
    folder.mkdir(parents=True)
    blobs.mkdir()
    (blobs / "f00").write_bytes(b"abc")
    (folder / "cfg").symlink_to(blobs / "f00")
    assert read_file(folder / "cfg", within=folder) == b"abc"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[" * 100_000,
        "[" * 100_000 + "]" * 100_000,
        '{"a": NaN}',
        '{"a": -Infinity}',
        '{"a": 1e999}',
        '{"a": ' + "9" * 9999 + "}",
        '{"a": "\\ud800"}',
        '{"\\udc00": 1}',
        '{"a": 1, "a": 1}',
        b"\xff",
    ],
)
def test_json_that_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"TC421.*cfg"):
        read_json(text, "cfg")


def test_json_that_is_read() -> None:
    assert read_json(b'{"a": [1, 1e-12, "\\ud83d\\ude00", null]}', "cfg") == {"a": [1, 1e-12, "\U0001f600", None]}


@pytest.mark.parametrize("data", [b"", b"\xdd\xff\xff\xff\xff", b"\x91" * 100_000, b"\xc1"])
def test_msgpack_that_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="TC422"):
        read_msgpack(data, "model")
    assert gc.isenabled()
