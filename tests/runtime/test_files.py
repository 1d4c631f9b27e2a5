"""Files and folders are written whole or not at all."""

import errno
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from spacy_tokclf import compat
from spacy_tokclf.runtime import files
from spacy_tokclf.runtime.files import updated_folder, whole_file, whole_folder
from spacy_tokclf.runtime.workplace import PREFIX, sweep, workplace


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


@pytest.mark.parametrize("kind", [whole_file, whole_folder, updated_folder])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG])
def test_a_full_disk_has_a_code_and_a_number(kind: Callable[[Path], Any], number: int, tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"^\[TC400\].*Nothing is left of it") as caught, kind(tmp_path / "place"):
        raise OSError(number, os.strerror(number))
    assert caught.value.errno == number and not names(tmp_path)
    (tmp_path / "place").mkdir() if kind is not whole_file else (tmp_path / "place").write_text("old")
    with pytest.raises(OSError, match=r"^\[TC400\].*unchanged"), kind(tmp_path / "place"):
        raise RuntimeError(f"I/O error: (os error {number})")


def test_what_was_not_written_keeps_its_own_error(tmp_path: Path) -> None:
    with pytest.raises(PermissionError, match="elsewhere"), whole_folder(tmp_path / "place"):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/elsewhere/data.spacy")
    with pytest.raises(ValueError, match="else"), whole_folder(tmp_path / "place"):
        raise ValueError("else")


def test_new_files_have_the_rights_of_new_files(tmp_path: Path) -> None:
    """safetensors writes for the owner alone."""
    private = tmp_path / "private"
    private.touch(0o600)
    umask = os.umask(0o027)
    try:
        for kind in (whole_folder, updated_folder):
            with kind(tmp_path / kind.__name__) as made:
                (made / "inner").mkdir(parents=True)
                (made / "inner" / "weights").touch(0o600)
                (made / "script").touch(0o750)
                files.copy_links(private, made / "private")
            folder = tmp_path / kind.__name__
            found = [(folder / name).stat().st_mode & 0o777 for name in ("inner/weights", "script", "private")]
            assert found == [0o640, 0o750, 0o600]
    finally:
        os.umask(umask)


@pytest.mark.parametrize("way", [files.copy_links, files.copy_whole])
def test_a_disk_that_fills_up_while_a_folder_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: Callable[[Path, Path], None]
) -> None:
    (tmp_path / "old" / "inner").mkdir(parents=True)
    (tmp_path / "old" / "inner" / "weights").write_bytes(b"1")
    way(tmp_path / "old", tmp_path / "copy")
    assert (tmp_path / "copy" / "inner" / "weights").read_bytes() == b"1"

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "link", full)
    monkeypatch.setattr(shutil, "copy2", full)
    with pytest.raises(OSError, match="TC400"), whole_folder(tmp_path / "place") as made:
        way(tmp_path / "old", made)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "old"]


def test_a_folder_behind_a_link_is_replaced_and_the_link_stays(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.mkdir(mode=0o750)
    link.symlink_to(target)
    write(whole_folder, link, fail=False)
    assert link.is_symlink() and names(target) == ["new.txt"] and target.stat().st_mode & 0o777 == 0o750


def test_the_folder_that_we_are_in_stays_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So does the one of a shell."""
    place = tmp_path / "place"
    (place / "inner").mkdir(parents=True)
    (place / "inner" / "old.txt").write_text("old")
    monkeypatch.chdir(place)
    write(whole_folder, Path("."), fail=False)
    assert os.listdir() == ["new.txt"] and place.samefile(Path.cwd())


def test_a_folder_that_cannot_be_renamed_gets_its_manifest_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(one: Path, other: Path) -> bool:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(one))

    monkeypatch.setattr(compat, "exchange", refuse)
    moved: list[str] = []
    replace = Path.replace
    monkeypatch.setattr(Path, "replace", lambda path, target: moved.append(path.name) or replace(path, target))
    place = tmp_path / "place"
    (place / "old").mkdir(parents=True)
    with whole_folder(place) as made:
        made.mkdir()
        for name in ("a.txt", "manifest.json", "z.txt"):
            (made / name).write_text("new")
    assert moved == ["manifest.json", "a.txt", "z.txt"] and sorted(os.listdir(place)) == sorted(moved)


@pytest.mark.parametrize("off", [set(), {"exchange"}])
def test_killed_at_any_step(off: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one step, or in two and swept: there is the old folder or the new one."""
    monkeypatch.setattr(compat, "SWITCHED_OFF", off)
    found = set()
    for step in range(6):
        place = tmp_path / str(step) / "place"
        place.mkdir(parents=True)
        (place / "old.txt").write_text("old")
        child = os.fork()
        if not child:
            left = [step]

            def die(path: Any, *others: Any, act: Callable[..., Any], left: list[int] = left) -> Any:
                left[0] -= 1
                if left[0] < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return act(path, *others)

            for owner, name in ((Path, "rename"), (files, "_to_disk"), (compat, "exchange")):
                act = getattr(owner, name)
                setattr(owner, name, lambda *args, act=act: die(*args, act=act))
            write(whole_folder, place, fail=False)
            os._exit(0)
        os.waitpid(child, 0)
        sweep(place.parent)
        found.add(tuple(names(place)))
        assert [path.name for path in place.parent.iterdir()] == ["place"]
    assert found == {("old.txt",), ("new.txt",)}


def test_temporary_folders_of_the_dead_go_and_those_of_the_living_stay(tmp_path: Path) -> None:
    (tmp_path / f"{PREFIX}dead" / "new").mkdir(parents=True)
    with workplace(tmp_path) as mine:
        assert [path.name for path in tmp_path.iterdir()] == [mine.name]
        child = os.fork()
        if not child:
            with workplace(tmp_path) as theirs:
                os._exit(0 if mine.is_dir() and theirs.is_dir() else 1)
        assert os.waitpid(child, 0)[1] == 0
        write(whole_file, tmp_path / "a.txt", fail=False)
        assert mine.is_dir() and len(list(tmp_path.glob(f"{PREFIX}*"))) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
