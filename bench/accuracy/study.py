"""Where the study keeps things: committed files of JSON lines, and a git-ignored folder for models and predictions."""

import json
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
    out (Path | None): The folder of the JSON lines, of RESULTS.md and of its plots; None: where they are committed.
    """

    root: Path = ROOT
    out: Path | None = None

    @property
    def work(self) -> Path:
        """The folder of data, models and predictions; git ignores it."""
        return self.root / "training" / "accuracy"

    @property
    def predictions(self) -> Path:
        """The folder of predictions: a folder HASH-SEED for each run, and what was chosen by them."""
        return (self.out or self.work) / "predictions"

    @property
    def configs(self) -> Path:
        """The file with the configs."""
        return self.root / "bench" / "accuracy" / "configs.yml"

    def file(self, name: str) -> Path:
        """RETURNS (Path): Where a file is kept: one of the lines, RESULTS.md or a plot."""
        return (self.out or self.configs.parent) / name


def read_lines(path: Path) -> list[Line]:
    """RETURNS (list[dict[str, Any]]): The lines of a file of JSON lines; none if it is not there."""
    return [json.loads(line) for line in path.read_text(encoding="utf8").splitlines()] if path.is_file() else []


def find_line(path: Path, **fields: Any) -> Line | None:
    """RETURNS (dict[str, Any] | None): The first line of a file of JSON lines that has the values of all fields."""
    return next((line for line in read_lines(path) if fields.items() <= line.items()), None)


def put_line(path: Path, line: Line, *key: str) -> None:
    """Put a line into a file of JSON lines: in the place of the one with the same fields in `key`, or at the end."""
    lines = read_lines(path)
    old = (i for i, other in enumerate(lines) if all(other[name] == line[name] for name in key))
    place = next(old, len(lines))
    lines[place : place + 1] = [line]
    write_whole(path, "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in lines).encode("utf8"))
