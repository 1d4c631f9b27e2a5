"""Numbers that are not finite: looked for in what a model gives, and what is said of them."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from spacy.tokens import Doc
from thinc.api import Model

from ..errors import Errors
from ..models.gradients import damaged_weights, is_finite
from ..types import Floats32

#: Texts and weights that are named.
NAMED = 3


def check_rows(model: Model, docs: Sequence[Doc], rows: Sequence[Any], *, name: str, what: str) -> None:
    """Refuse what a model gives for a batch, if it is not finite.

    model (Model): The model.
    docs (Sequence[Doc]): The texts.
    rows (Sequence[Floats2d]): What it gives for each. Shape: (n_tokens, n) each.
    name (str): The component's name.
    what (str): What it gives.
    RAISES (ValueError): TC473.
    """
    with np.errstate(all="ignore"):
        total = sum(each.sum() for each in rows)
    if math.isfinite(float(total)) or all(is_finite(each) for each in rows):  # sums may overflow
        return
    raise ValueError(
        Errors.TC473.format(name=name, what=what, texts=name_texts(docs, rows), weights=blame_weights([model]))
    )


def check_logits(model: Model, docs: Sequence[Doc], rows: Sequence[Floats32], *, name: str) -> None:
    """The same for rows of a few numbers, in numpy: one sum over all texts.

    model, docs, name: As for `check_rows`.
    rows (Sequence[Floats32]): The logits of each text. Shape: (n_tokens, n_tags) each.
    RAISES (ValueError): TC473.
    """
    if rows and not is_finite(np.concatenate(rows)):
        check_rows(model, docs, rows, name=name, what="logits")


def check_weights(model: Model, *, name: str) -> None:
    """Refuse to save weights that are not finite.

    model (Model): The model.
    name (str): The component's name.
    RAISES (ValueError): TC475.
    """
    damaged = damaged_weights(model)
    if damaged:
        raise ValueError(Errors.TC475.format(name=name, weights=_some(damaged)))


def name_texts(docs: Sequence[Doc], rows: Sequence[Any] | None = None) -> str:
    """Name some texts, or those among them whose rows are not finite.

    docs (Sequence[Doc]): The texts of a batch, or of a step.
    rows (Sequence[Floats2d] | None): What was computed for each of them. Shape: (n_tokens, n) each.
    RETURNS (str): How many there are, and the index and the first words of some of them.
    """
    first = {i: _first_bad(each) for i, each in enumerate(rows)} if rows is not None else {}
    bad: dict[int, int | None] = {i: token for i, token in first.items() if token is not None}
    bad = bad or dict.fromkeys(range(len(docs)))
    named = []
    for i, token in list(bad.items())[:NAMED]:
        doc: Doc = docs[i]
        where = f", from token {token} ({doc[token].text[:20]!r}) on" if token is not None else ""
        named.append(f"{i}: {doc.text[:40]!r}{where}")
    more = f"; and {len(bad) - NAMED} more" if len(bad) > NAMED else ""
    return f"{len(bad)} of {len(docs)} text(s), counted from 0 ({'; '.join(named)}{more})"


def _first_bad(rows: Any) -> int | None:
    """RETURNS (int | None): The first row that is not finite. Rows: (n_tokens, n)."""
    if not len(rows):
        return None
    bad = np.flatnonzero(~np.isfinite(np.asarray(rows.tolist(), dtype="float64")).all(axis=1))
    return int(bad[0]) if len(bad) else None


def blame_weights(models: Sequence[Model]) -> str:
    """Say whether weights are at fault.

    models (Sequence[Model]): The models.
    RETURNS (str): A sentence.
    """
    damaged = [name for model in models for name in damaged_weights(model)]
    if not damaged:
        return "All weights are finite numbers."
    return f"Weights were damaged before: {_some(damaged)}; begin again from a pipeline that is whole."


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"
