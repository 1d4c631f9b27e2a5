"""Files and folders are written whole or not at all."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from spacy_tokclf.runtime.files import updated_folder, whole_file, whole_folder


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def write(kind: Callable[[Path], Any], place: Path, *, fail: bool) -> None:
    with kind(place) as made:
        file = made if kind is whole_file else made / "new.txt"
        file.parent.mkdir(exist_ok=True)
        file.write_text("new")
        if fail:
            raise OSError(28, "No space left on device")


@pytest.mark.parametrize("kind", [whole_file, whole_folder, updated_folder])
class TestAll:
    def test_new_ones(self, kind: Callable[[Path], Any], tmp_path: Path) -> None:
        place = tmp_path / "a" / "b"
        write(kind, place, fail=False)
        assert (place if kind is whole_file else place / "new.txt").read_text() == "new"
        assert len(names(tmp_path)) == 1

    def test_what_was_there_survives_an_error(self, kind: Callable[[Path], Any], tmp_path: Path) -> None:
        place = tmp_path / "place"
        old = place if kind is whole_file else place / "new.txt"
        old.parent.mkdir(exist_ok=True)
        old.write_text("old")
        with pytest.raises(OSError, match="space"):
            write(kind, place, fail=True)
        assert old.read_text() == "old"
        assert names(tmp_path) == [str(old.relative_to(tmp_path))]
        write(kind, place, fail=False)
        assert old.read_text() == "new"

    def test_something_else_in_its_place_stays(self, kind: Callable[[Path], Any], tmp_path: Path) -> None:
        place = tmp_path / "place"
        if kind is whole_file:
            place.mkdir()
        else:
            place.write_text("old")
        with pytest.raises(OSError, match=r"directory|exists"):
            write(kind, place, fail=False)
        assert place.is_dir() if kind is whole_file else place.read_text() == "old"


def test_other_files_of_an_updated_folder_stay_and_of_a_whole_one_go(tmp_path: Path) -> None:
    for kind, kept in ((updated_folder, ["new.txt", "notes.md"]), (whole_folder, ["new.txt"])):
        place = tmp_path / kind.__name__
        place.mkdir()
        (place / "notes.md").write_text("mine")
        write(kind, place, fail=False)
        assert names(place) == kept


def test_links_and_rights_stay(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    target.chmod(0o600)
    link.symlink_to(target)
    write(whole_file, link, fail=False)
    assert link.is_symlink() and target.read_text() == "new" and target.stat().st_mode & 0o777 == 0o600


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write(whole_file, pipe, fail=False)
        assert os.read(reader, 10) == b"new"
    finally:
        os.close(reader)
