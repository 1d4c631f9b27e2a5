"""Learn from a teacher (knowledge distillation, Hinton et al., 2015): its distributions over tags, mixed with gold."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from spacy.training import Example
from thinc.api import Ops
from thinc.types import Floats2d

from ..corpus.soft_targets import SoftTargets, soft_targets
from ..errors import Errors
from ..types import Floats32, Ints
from .gold import INVISIBLE
from .loss import log_softmax, masked_cross_entropy


class Taught(NamedTuple):
    """The soft targets of a batch, text after text.

    log_probs (Floats32): In the order of the student's tags; a row of zeros where there are none. Shape: (n_tokens,
        n_tags).
    temperature (Floats32): Shape: (n_tokens,).
    gold_share (Floats32): Shape: (n_tokens,).
    """

    log_probs: Floats32
    temperature: Floats32
    gold_share: Floats32


def find_taught(examples: Sequence[Example], tags: Sequence[str], name: str) -> Taught | None:
    """Collect the soft targets of a batch.

    examples (Sequence[Example]): The batch.
    tags (Sequence[str]): The student's tags.
    name (str): The name of its component, for messages.
    RETURNS (Taught | None): The targets; None if no example has any.
    RAISES (ValueError): TC551, for a teacher of other tags; TC558, for targets of other tokens.
    """
    found = [soft_targets(eg) for eg in examples]
    if not any(found):
        return None
    lengths = [len(eg.predicted) for eg in examples]
    made = Taught(*(np.zeros(shape, "float32") for shape in ((sum(lengths), len(tags)), sum(lengths), sum(lengths))))
    made.temperature[:] = made.gold_share[:] = 1.0
    columns: dict[tuple[str, ...], list[int]] = {}
    start = 0
    for eg, targets, length in zip(examples, found, lengths, strict=True):
        if targets is not None:
            if len(targets.log_probs) != length:
                facts = {"found": len(targets.log_probs), "expected": length, "text": eg.predicted.text[:60]}
                raise ValueError(Errors.TC558.format(**facts))
            if targets.tags not in columns:
                columns[targets.tags] = match_tags(targets, tags, name)
            rows = slice(start, start + length)
            made.log_probs[rows] = targets.log_probs[:, columns[targets.tags]]
            made.temperature[rows], made.gold_share[rows] = targets.temperature, targets.gold_share
        start += length
    return made


def match_tags(targets: SoftTargets, tags: Sequence[str], name: str) -> list[int]:
    """Find the tags of a student among those of its teacher.

    targets (SoftTargets): What the teacher says.
    tags (Sequence[str]): The student's tags.
    name (str): The name of its component, for messages.
    RETURNS (list[int]): The teacher's column of each.
    RAISES (ValueError): TC551, if one has a tag that the other has not.
    """
    if set(targets.tags) != set(tags):
        own, theirs = sorted(set(tags) - set(targets.tags)), sorted(set(targets.tags) - set(tags))
        facts = {"own": ", ".join(own) or "none", "theirs": ", ".join(theirs) or "none"}
        raise ValueError(Errors.TC551.format(name=name, **facts))
    return [targets.tags.index(tag) for tag in tags]


def check_taught(examples: Sequence[Example], tags: Sequence[str], name: str, *, has_chain: bool) -> None:
    """Refuse a student that cannot learn from the soft targets of its training data.

    examples (Sequence[Example]): The training data.
    tags (Sequence[str]): The student's tags.
    name (str): The name of its component.
    has_chain (bool): Whether it is a conditional random field.
    RAISES (ValueError): TC551, for a teacher of other tags; TC557, for a conditional random field.
    """
    for targets in {found.tags: found for found in map(soft_targets, examples) if found}.values():
        if has_chain:
            raise ValueError(Errors.TC557.format(name=name))
        match_tags(targets, tags, name)


def taught_loss(
    ops: Ops, logits: Floats2d, gold: Ints, taught: Taught, *, label_smoothing: float = 0.0
) -> tuple[float, Floats2d, int]:
    """Sum the loss of a batch over its tokens. Of a token that both have: the cross-entropy of its gold, times its gold
    share, plus T² times the Kullback-Leibler divergence from the teacher's distribution to the student's, both at the
    temperature T, times the rest. What only one of them has counts fully; the other tokens not at all.

    ops (Ops): The backend.
    logits (Floats2d): Shape: (n_tokens, n_tags).
    gold (Ints): As `gold_tags` gives it. Shape: (n_tokens,).
    taught (Taught): What the teacher says.
    label_smoothing (float): As for the component.
    RETURNS (tuple[float, Floats2d, int]): The loss in nats, its gradient (n_tokens, n_tags), and the number of tokens.
    """
    xp: Any = ops.xp
    has_gold, has_teacher = gold >= 0, taught.log_probs.any(axis=1) & (gold != INVISIBLE)
    both = has_gold & has_teacher
    loss, gradient = masked_cross_entropy(
        ops, logits, gold, label_smoothing=label_smoothing, weights=np.where(both, taught.gold_share, 1.0)
    )
    rows = np.flatnonzero(has_teacher)
    n_tokens = int((has_gold | has_teacher).sum())
    if not len(rows):
        return loss, gradient, n_tokens
    weight, temperature, wanted = (
        xp.asarray(each, dtype="float32")
        for each in (
            np.where(both, 1 - taught.gold_share, 1.0)[rows, None],
            taught.temperature[rows, None],
            taught.log_probs[rows],
        )
    )
    where: Any = xp.asarray(rows)
    student, teacher = (log_softmax(xp, each / temperature) for each in (logits[where], wanted))
    divergence = (xp.exp(teacher) * (teacher - student)).sum(axis=1, keepdims=True)
    loss += float((weight * temperature**2 * divergence).sum(dtype="float64"))
    gradient[where] += weight * temperature * (xp.exp(student) - xp.exp(teacher))
    return loss, gradient, n_tokens
