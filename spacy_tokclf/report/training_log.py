"""The evaluations of a training, as spaCy's ConsoleLogger writes them to its `output_file`."""

import json
import warnings
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import Errors, Warnings
from ..runtime.files import find_beside

#: What the file is called that is looked for beside a pipeline.
LOG_NAME = "log.jsonl"
#: Keys of the entity F1, in percent, the first that is there.
_F1 = ("ents_f", "seqeval_f1")


class Evaluation(NamedTuple):
    """One evaluation during a training.

    step (int): After how many updates.
    f1 (float | None): Entity F1 on the development data, from 0 to 1; None if it was not computed.
    score (float): What the best pipeline was chosen by, from 0 to 1.
    loss (float): Losses of all components since the evaluation before, added up.
    """

    step: int
    f1: float | None
    score: float
    loss: float

    @property
    def shown(self) -> float:
        """RETURNS (float): F1, or where there is none the score that the pipeline was chosen by."""
        return self.score if self.f1 is None else self.f1


def find_log(model: str) -> Path | None:
    """Look for the log of a training, in the folder of a pipeline and in the one above it.

    model (str): Folder of the pipeline, or the name of a package.
    RETURNS (Path | None): The file.
    """
    return find_beside(model, LOG_NAME)


def read_found_log(model: str) -> list[Evaluation]:
    """Read the log that lies with a pipeline. A file of that name that is something else is warned of (TW320).

    model (str): Folder of the pipeline, or the name of a package.
    RETURNS (list[Evaluation]): The evaluations, in order; none without a log.
    """
    path = find_log(model)
    try:
        return [] if path is None else read_log(path)
    except ValueError as error:
        warnings.warn(Warnings.TW320.format(path=path, detail=error), stacklevel=2)
        return []


def read_log(path: str | Path) -> list[Evaluation]:
    """Read the evaluations of a training.

    path (str | Path): The file.
    RETURNS (list[Evaluation]): The evaluations, in order.
    RAISES (ValueError): TC321, with the line, for a file that is something else; TC322, if there is none.
    """
    if not Path(path).is_file():
        raise ValueError(Errors.TC322.format(path=path))
    found = []
    for line, text in enumerate(Path(path).read_text(encoding="utf-8", errors="replace").split("\n"), start=1):
        if text.strip():
            found.append(_evaluation(text, path, line))
    if not found:
        raise ValueError(Errors.TC321.format(path=path, line=1, found="nothing"))
    return found


def _evaluation(text: str, path: str | Path, line: int) -> Evaluation:
    """Read one line."""
    try:
        row: Any = json.loads(text)
        scores, losses = row["scores"], row["losses"]
        f1 = next((float(scores[key]) / 100 for key in _F1 if scores.get(key) is not None), None)
        return Evaluation(int(row["step"]), f1, float(row["score"]), sum(float(loss) for loss in losses.values()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(Errors.TC321.format(path=path, line=line, found=text[:60])) from error
