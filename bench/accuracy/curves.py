"""How sure a system was of each entity that it found, and whether it was right: a line of `curves.jsonl`."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from spacy.training import Example

from .configs import Definition
from .study import Line, Study, put_line

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
#: Where our component keeps its entities and their scores.
KEY, SCORES = "entities", "scores"
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
#: What tells lines apart.
SAME = ("config_hash", "seed", "split")


class Found(NamedTuple):
    """The entities that one or several runs found.

    scores (Floats): Their scores, (n_found,).
    right (Bools): Which of them are right, (n_found,).
    gold (int): The number of gold entities.
    """

    scores: Floats
    right: Bools
    gold: int


def put_curve(study: Study, definition: Definition, *, seed: int, split: str, examples: Iterable[Example]) -> None:
    """Write down what a run found, if it tells how sure it is.

    study (Study): The study.
    definition (Definition): The config.
    seed (int): The seed.
    split (str): "dev" or "test".
    examples (Iterable[Example]): The posts: predictions beside gold.
    """
    found = found_in(examples)
    if found is not None:
        run = {"config": definition.name, "config_hash": definition.hash, "seed": seed, "data": definition.data}
        put_line(study, study.curves, {**run, "split": split, **written(found)}, key=SAME)


def found_in(examples: Iterable[Example]) -> Found | None:
    """Look at the scores of all entities, and at the gold.

    examples (Iterable[Example]): The posts: predictions beside gold.
    RETURNS (Found | None): What was found; None if the predictions have no scores.
    """
    scores: list[float] = []
    right: list[bool] = []
    gold, has_scores = 0, False
    for example in examples:
        wanted = {(ent.start, ent.end, ent.label_) for ent in example.reference.ents}
        gold += len(wanted)
        spans = example.predicted.spans
        if KEY in spans and SCORES in spans[KEY].attrs:
            has_scores = True
            scores += spans[KEY].attrs[SCORES]
            right += [(span.start, span.end, span.label_) in wanted for span in spans[KEY]]
    return Found(np.array(scores), np.array(right, dtype=bool), gold) if has_scores else None


def written(found: Found) -> dict[str, Any]:
    """Write down what was found, shortly: the thousandths of each score as two digits of base 36, in falling order.

    found (Found): What was found.
    RETURNS (dict[str, Any]): "gold" (a number), "right" and "wrong" (digits).
    """
    thousandths = np.round(1000 * found.scores).astype(int)

    def digits(values: Any) -> str:
        return "".join(DIGITS[value // 36] + DIGITS[value % 36] for value in sorted(values.tolist(), reverse=True))

    return {"gold": found.gold, "right": digits(thousandths[found.right]), "wrong": digits(thousandths[~found.right])}


def read_found(lines: Iterable[Line]) -> Found:
    """Read lines of `curves.jsonl` and put them together: of several runs, all entities count.

    lines (Iterable[Line]): The lines.
    RETURNS (Found): What was found.
    """
    scores: list[int] = []
    right: list[bool] = []
    gold = 0
    for line in lines:
        gold += line["gold"]
        for side in ("right", "wrong"):
            digits = line[side]
            scores += [int(digits[i : i + 2], 36) for i in range(0, len(digits), 2)]
            right += [side == "right"] * (len(digits) // 2)
    return Found(np.array(scores, dtype=float) / 1000, np.array(right, dtype=bool), gold)


def lines_of(lines: Iterable[Line], config_hash: str, split: str) -> list[Line]:
    """Find the lines of a config.

    lines (Iterable[Line]): Lines of `curves.jsonl`.
    config_hash (str): The config.
    split (str): "dev" or "test".
    RETURNS (list[Line]): Its lines, a seed each.
    """
    return [line for line in lines if line["config_hash"] == config_hash and line["split"] == split]
