"""The manifest of a folder of shards: what they are made from, and which of them are done. A line of JSON each, of
which the last may have been cut off by whatever ended the process."""

import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...errors import Errors
from ...runtime.files import whole_file
from ...runtime.manifest import checks_files
from .identity import file_facts

MANIFEST, LOCK = "manifest.jsonl", "manifest.lock"
QUARANTINE = "quarantine.jsonl"
#: Under this key each line has a digest of the rest of it.
CHECK = "check"
#: Seconds to wait for the processes of a run that was ended: they notice, and end, too.
PATIENCE = 20.0
#: How many things that have changed are named.
SHOWN = 4


class Manifest:
    """What is known of a folder of shards.

    folder (Path): The folder.
    done (dict[int, dict[str, Any]]): What is known of each shard that is done.
    finished (dict[str, Any] | None): What was written when all were done.
    lock (int): The open file that keeps others out.
    """

    def __init__(self, folder: Path, lock: int) -> None:
        self.folder, self.lock = folder, lock
        self.done: dict[int, dict[str, Any]] = {}
        self.finished: dict[str, Any] | None = None

    def note(self, said: dict[str, Any]) -> None:
        """Note a shard, or that all are done; it is on the disk afterwards.

        said (dict[str, Any]): What is known: with "shard", its number, unless all are.
        """
        with (self.folder / MANIFEST).open("ab") as file:
            file.write(_line(said))
            file.flush()
            os.fsync(file.fileno())
        self._take(said)

    def _take(self, said: dict[str, Any]) -> None:
        if "shard" in said:
            self.done[said["shard"]] = said
        else:
            self.finished = said


@contextmanager
def open_manifest(folder: Path, about: dict[str, Any], *, resume: bool) -> Iterator[Manifest]:
    """Open the manifest of a folder, and keep others out of it.

    folder (Path): The folder; it is made.
    about (dict[str, Any]): What the shards are made from: dicts by what they say something of.
    resume (bool): Whether there may be shards.
    YIELDS (Manifest): The manifest. Shards that it names and that are not there as they were are not done.
    RAISES (ValueError): TC500, if the folder is not empty; TC501, if it has something else in it; TC517, if its shards
        are made from something else; TC518, if another process works in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder) as lock:
        names = sorted(path.name for path in folder.iterdir() if path.name != LOCK and path.name[0] != ".")
        names = [] if names == [MANIFEST] else names  # nothing was done: it was begun with a mistake, say
        path = folder / MANIFEST
        if names and not resume:
            raise ValueError(Errors.TC500.format(out=folder, names=", ".join(names[:SHOWN])))
        if names and not path.is_file():
            raise ValueError(Errors.TC501.format(out=folder, names=", ".join(names[:SHOWN])))
        manifest = Manifest(folder, lock)
        if not names:
            with whole_file(path) as made:
                made.write_bytes(_line(about))
        else:
            _read(manifest, path, json.loads(json.dumps(about)))
        yield manifest


def _read(manifest: Manifest, path: Path, about: dict[str, Any]) -> None:
    """Read what is done, and cut off a line that was not written whole. RAISES (ValueError): TC517, TC519."""
    whole = 0
    with path.open("rb") as file:
        for number, line in enumerate(file):
            if not line.endswith(b"\n"):
                break
            whole += len(line)
            said = _said(line)
            if said is None:
                raise ValueError(Errors.TC519.format(path=path, line=number + 1))
            if number:
                manifest._take(said)
            elif said != about:
                changes = _changes(said, about)
                shown = "; ".join(changes[:SHOWN]) + (f"; {len(changes) - SHOWN} more" if changes[SHOWN:] else "")
                raise ValueError(Errors.TC517.format(out=manifest.folder, changes=shown))
    if not whole:
        raise ValueError(Errors.TC519.format(path=path, line=1))
    os.truncate(path, whole)
    _forget_what_is_not_there(manifest)


def _line(said: dict[str, Any]) -> bytes:
    """Write a line of the manifest."""
    text = json.dumps(said)
    return f"{json.dumps(said | {CHECK: hashlib.sha256(text.encode()).hexdigest()[:16]})}\n".encode()


def _said(line: bytes) -> dict[str, Any] | None:
    """Read a line of the manifest; None if it is not as it was written."""
    try:
        said = json.loads(line)
        return said if isinstance(said, dict) and said.pop(CHECK) and line == _line(said) else None
    except (ValueError, KeyError, RecursionError):
        return None


def _forget_what_is_not_there(manifest: Manifest) -> None:
    """Take shards for not done whose files are not there as they were, and all for not put together if what failed is
    not."""
    for number, said in list(manifest.done.items()):
        if not _is_there(manifest.folder / said["name"], said):
            del manifest.done[number]
            manifest.finished = None
    failed = (manifest.finished or {}).get(QUARANTINE)
    if failed is not None and not _is_there(manifest.folder / QUARANTINE, failed):
        manifest.finished = None
    if manifest.finished is None:
        for number, said in list(manifest.done.items()):
            if said["quarantine"] and not (manifest.folder / quarantine_name(number)).is_file():
                del manifest.done[number]


def _is_there(path: Path, facts: dict[str, Any]) -> bool:
    """Tell whether a file is as it was written. If what is loaded is not to be checked, its size has to do."""
    if not path.is_file() or path.stat().st_size != facts["size"]:
        return False
    return not checks_files() or file_facts(path)["sha256"] == facts["sha256"]


def shard_name(number: int, form: str) -> str:
    """RETURNS (str): What a shard is called."""
    return f"shard-{number:06}.{form}"


def quarantine_name(number: int) -> str:
    """RETURNS (str): What the file is called with the texts of a shard that failed, until all are put together."""
    return f"quarantine-{number:06}.jsonl"


def _changes(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Say what has changed."""
    found = []
    for kind in sorted(before.keys() | now.keys()):
        was, given = _dict(before.get(kind)), _dict(now.get(kind))
        for name in sorted(was.keys() | given.keys()):
            if was.get(name) != given.get(name):
                old, new = (_short(each[name]) if name in each else "none" for each in (was, given))
                found.append(f"{kind} {name}: {old} before, {new} now")
    return found


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


@contextmanager
def _locked(folder: Path) -> Iterator[int]:
    """Keep other processes out of a folder; processes that inherit the open file keep them out, too."""
    file = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        until = time.monotonic() + PATIENCE
        while not _lock(file):
            if time.monotonic() > until:
                raise ValueError(Errors.TC518.format(out=folder, seconds=round(PATIENCE)))
            time.sleep(0.1)
        yield file
    finally:
        os.close(file)


def _lock(file: int) -> bool:
    """Lock a file, if nobody else has. Where the system has no such locks, all may go on."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
