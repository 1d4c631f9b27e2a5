"""Where the study keeps things: committed files of JSON lines, and a git-ignored folder for models and predictions."""

import contextlib
import fcntl
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from project_files import write_whole

from . import ROOT

Line = dict[str, Any]


@dataclass(frozen=True)
class Study:
    """The places of the study.

    root (Path): The root of the repository.
    """

    root: Path = ROOT

    @property
    def here(self) -> Path:
        """The folder of what is committed."""
        return self.root / "bench" / "accuracy"

    @property
    def configs(self) -> Path:
        """The file that names the configs."""
        return self.here / "configs.yml"

    @property
    def runs(self) -> Path:
        """One line a run."""
        return self.here / "runs.jsonl"

    @property
    def ledger(self) -> Path:
        """One line for each time that the gold of a test set was read."""
        return self.here / "ledger.jsonl"

    @property
    def posts(self) -> Path:
        """One line a scored run: what it found in each test post, so that tests of significance need no gold."""
        return self.here / "posts.jsonl"

    @property
    def curves(self) -> Path:
        """One line a scored run and split: the scores of the entities that it found, and which were right."""
        return self.here / "curves.jsonl"

    @property
    def work(self) -> Path:
        """The folder of data, models, predictions and locks; git ignores it."""
        return self.root / "training" / "accuracy"

    @property
    def encoder(self) -> Path:
        """The encoder that every system starts from."""
        return self.root / "assets" / "encoder"


@contextlib.contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[int | None]:
    """Hold a lock that ends with the processes that hold it, however they end.

    path (Path): The file of the lock; missing folders are made.
    wait (bool): Whether to wait for another process that holds it.
    YIELDS (int | None): The descriptor, to hand on to child processes; None if another process holds the lock.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield None
        else:
            yield file.fileno()


def read_lines(path: Path) -> list[Line]:
    """Read a file of JSON lines.

    path (Path): The file; one that is not there has no lines.
    RETURNS (list[Line]): The lines.
    """
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf8").splitlines() if line]


def find_line(lines: Sequence[Line], line: Line, *, key: Sequence[str]) -> int | None:
    """Find the line with the same key as another.

    lines (Sequence[Line]): Where to look.
    line (Line): The other.
    key (Sequence[str]): The fields that tell lines apart.
    RETURNS (int | None): Its place; None if there is none.
    """
    return next((i for i, other in enumerate(lines) if all(other.get(name) == line[name] for name in key)), None)


def put_line(study: Study, path: Path, line: Line, *, key: Sequence[str]) -> None:
    """Put a line into a file of JSON lines, in the place of the one with the same key or at the end.

    study (Study): The study, whose other workers may write at the same time.
    path (Path): The file.
    line (Line): The line.
    key (Sequence[str]): The fields that tell lines apart.
    """
    with locked(study.work / "locks" / path.name):
        lines = read_lines(path)
        place = find_line(lines, line, key=key)
        if place is None:
            lines.append(line)
        else:
            lines[place] = line
        write_whole(path, "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in lines).encode("utf8"))
