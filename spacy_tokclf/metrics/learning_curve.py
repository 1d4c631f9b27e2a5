"""What trainings on parts of the data say about more data."""

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

from ..errors import Errors, Warnings
from ..runtime.files import find_beside

#: What the file of the trainings is called.
CURVE_NAME = "curve.json"


class PartRun(NamedTuple):
    """A training on a part of the training data.

    share (float): The share of the texts, up to 1.
    seed (int): The seed of the training, and of the choice of texts.
    texts (int): How many texts the part has.
    entities (int): How many gold entities they have.
    f1 (float): Entity F1 of the best pipeline on the development data, from 0 to 1.
    steps (int): The updates of the training.
    """

    share: float
    seed: int
    texts: int
    entities: int
    f1: float
    steps: int


class CurvePoint(NamedTuple):
    """The trainings on one share of the data.

    share (float): The share.
    texts (float): Their mean number of texts.
    entities (float): Their mean number of gold entities.
    f1 (float): Their mean F1.
    low, high (float): The lowest and the highest F1.
    number (int): How many trainings there were.
    """

    share: float
    texts: float
    entities: float
    f1: float
    low: float
    high: float
    number: int


def curve_points(runs: Sequence[PartRun]) -> list[CurvePoint]:
    """Put the trainings on each share together.

    runs (Sequence[PartRun]): The trainings.
    RETURNS (list[CurvePoint]): The shares, rising.
    """
    points = []
    for share in sorted({run.share for run in runs}):
        own = [run for run in runs if run.share == share]
        scores = [run.f1 for run in own]
        means = (mean(run.texts for run in own), mean(run.entities for run in own), mean(scores))
        points.append(CurvePoint(share, *means, min(scores), max(scores), len(own)))
    return points


def last_gain(runs: Sequence[PartRun]) -> str:
    """Say in a sentence or two what the last doubling of the data gave, and how sure that is. Trainings of the same
    seed are compared, since the larger part of a seed has the smaller in it.

    runs (Sequence[PartRun]): The trainings.
    RETURNS (str): The sentences; empty if no seed has trained on two shares.
    """
    f1 = {(run.share, run.seed): run.f1 for run in runs}
    shares = sorted({run.share for run in runs})
    smaller = [share for share in shares[:-1] if 2 * share <= shares[-1]] or shares[:-1][:1]
    if not smaller:
        return ""
    start, end = smaller[-1], shares[-1]
    gains = [100 * (f1[end, seed] - f1[start, seed]) for share, seed in f1 if share == end and (start, seed) in f1]
    if not gains:
        return ""
    grew = f"From {100 * start:g} to {100 * end:g} % of the texts, F1 changed by {mean(gains):+.2f} points"
    if len(gains) == 1:
        return f"{grew}, with one seed: how much of that is chance cannot be said. Give several (--seeds)."
    spread = f"{grew} on average (from {min(gains):+.2f} to {max(gains):+.2f} over {len(gains)} seeds)"
    if min(gains) > 0:
        return f"{spread}. More texts of the same kind may well help, as a rule by less with each doubling."
    if max(gains) <= 0:
        return f"{spread}. More texts of the same kind alone may well not help."
    return f"{spread}: the seeds do not agree, so that this may be chance."


def read_curve(path: str | Path) -> dict[str, Any]:
    """Read the file of the trainings.

    path (str | Path): The file.
    RETURNS (dict[str, Any]): What they were made of ("made_of"), and the trainings ("runs": list[PartRun]).
    RAISES (ValueError): TC384, for a file that is something else, or is not there.
    """
    try:
        found: Any = json.loads(Path(path).read_text(encoding="utf-8"))
        runs = [PartRun(**{**row, "share": float(row["share"]), "f1": float(row["f1"])}) for row in found["runs"]]
        return {"made_of": dict(found["made_of"]), "runs": runs}
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
        raise ValueError(Errors.TC384.format(path=path, reason=reason)) from error


def read_found_curve(model: str) -> list[PartRun]:
    """Read the trainings that lie in the folder of a pipeline, or in the one above it. A file of that name that is
    something else is warned of (TW380).

    model (str): Folder of the pipeline, or the name of a package.
    RETURNS (list[PartRun]): The trainings; none without a file.
    """
    path = find_beside(model, CURVE_NAME)
    try:
        return [] if path is None else read_curve(path)["runs"]
    except ValueError as error:
        warnings.warn(Warnings.TW380.format(path=path, detail=error), stacklevel=2)
        return []
