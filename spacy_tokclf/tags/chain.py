"""Chains of tags, which score the sum of their logits and of the transitions between neighbours: the best one, and the
probabilities and the loss of a linear-chain conditional random field (Lafferty et al., 2001).

The tokens of a batch are sorted by their place in the text, so that a step is taken by all texts at once that are long
enough for it.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ..types import Bools, Floats32, Floats64, Ints


class Steps(NamedTuple):
    """The tokens of a batch by their place: all first tokens, then all second ones, those of longer texts first.

    order (Ints): The tokens, counted text after text. Shape: (n_tokens,).
    spans (list[tuple[int, int]]): Where each place begins and ends in the order.
    """

    order: Ints
    spans: list[tuple[int, int]]

    def before(self, place: int) -> slice:
        """Give the tokens right before those of a place.

        place (int): The place, from 1.
        RETURNS (slice): In the order.
        """
        start = self.spans[place - 1][0]
        return slice(start, start + self.spans[place][1] - self.spans[place][0])


class Beliefs(NamedTuple):
    """What a field makes of a batch.

    log_z (float): The logs of the summed exponentials of the scores of all sequences, summed over the texts.
    tags (Floats64): Probability of each tag. Shape: (n_tokens, n_tags).
    pairs (Floats64): Expected number of times that one tag follows another. Shape: (n_tags, n_tags).
    """

    log_z: float
    tags: Floats64
    pairs: Floats64


def make_steps(lengths: Ints) -> Steps:
    """Sort the tokens of a batch by their place.

    lengths (Ints): Tokens of each text. Shape: (n_texts,).
    RETURNS (Steps): The tokens.
    """
    text = np.repeat(np.arange(len(lengths)), lengths)
    place = np.arange(len(text)) - (np.cumsum(lengths) - lengths)[text]
    ends = np.cumsum(np.bincount(place)).tolist() if len(place) else []
    return Steps(np.lexsort((text, -lengths[text], place)), list(pairwise([0, *ends])))


def best_paths(logits: Floats32, lengths: Ints, transitions: Floats64, *, first: Bools, last: Bools) -> Ints:
    """Find the sequence of each text with the highest score (Viterbi, 1967).

    logits (Floats32): One row per token, text after text. Shape: (n_tokens, n_tags).
    lengths (Ints): Tokens per text. Shape: (n_texts,).
    transitions (Floats64): Score of a tag (column) after another (row); minus infinity for what may not be. Shape:
        (n_tags, n_tags).
    first, last (Bools): Whether a text may begin, and end, with the tag. Shape: (n_tags,).
    RETURNS (Ints): A tag index per token. Shape: (n_tokens,).
    """
    steps = make_steps(lengths)
    score = logits[steps.order].astype("float64")
    back = np.zeros(score.shape, dtype="int64")
    for place, (start, end) in enumerate(steps.spans):
        if not place:
            score[start:end] = np.where(first, score[start:end], -np.inf)
            continue
        paths = score[steps.before(place), :, None] + transitions
        back[start:end] = paths.argmax(axis=1)
        score[start:end] += paths.max(axis=1)
    path = np.where(last, score, -np.inf).argmax(axis=1)
    for place in range(len(steps.spans) - 1, 0, -1):
        start, end = steps.spans[place]
        path[steps.before(place)] = back[np.arange(start, end), path[start:end]]
    tags = np.empty_like(path)
    tags[steps.order] = path
    return tags


def infer(logits: Floats32, lengths: Ints, transitions: Floats32, *, allowed: Bools | None = None) -> Beliefs:
    """Work out the probabilities of tags: the forward-backward algorithm (Rabiner, 1989), scaled at each step.

    logits (Floats32): One row per token, text after text. Shape: (n_tokens, n_tags).
    lengths (Ints): Tokens per text. Shape: (n_texts,).
    transitions (Floats32): Score of a tag (column) after another (row). Shape: (n_tags, n_tags).
    allowed (Bools | None): Which tags each token may have, at least one; all of them if not given. Shape: (n_tokens,
        n_tags).
    RETURNS (Beliefs): The probabilities.
    """
    steps = make_steps(lengths)
    rows = logits[steps.order].astype("float64")
    if allowed is not None:
        rows = np.where(allowed[steps.order], rows, -np.inf)
    highest = rows.max(axis=1, keepdims=True)
    emitted = np.exp(rows - highest)
    followed = np.exp(transitions.astype("float64"))
    forward = emitted.copy()
    scale = np.empty((len(rows), 1))
    for place, (start, end) in enumerate(steps.spans):
        if place:
            forward[start:end] *= forward[steps.before(place)] @ followed
        scale[start:end] = forward[start:end].sum(axis=1, keepdims=True)
        forward[start:end] /= scale[start:end]
    # `backward` is about what follows a token: nothing after the last one of a text.
    backward = np.ones_like(emitted)
    ahead = emitted / scale
    pairs = np.zeros_like(followed)
    for place in range(len(steps.spans) - 1, 0, -1):
        start, end = steps.spans[place]
        ahead[start:end] *= backward[start:end]
        backward[steps.before(place)] = ahead[start:end] @ followed.T
        pairs += forward[steps.before(place)].T @ ahead[start:end]
    tags = np.empty_like(emitted)
    tags[steps.order] = forward * backward
    return Beliefs(float(np.log(scale).sum() + highest.sum()), tags, pairs * followed)


def chain_loss(logits: Floats32, lengths: Ints, gold: Ints, transitions: Floats32) -> tuple[float, Floats64, Floats64]:
    """Give the negative log-likelihood of gold, and its gradients. Where gold is not known, all tags are summed over.

    logits (Floats32): One row per token, text after text. Shape: (n_tokens, n_tags).
    lengths (Ints): Tokens per text. Shape: (n_texts,).
    gold (Ints): The tag of each token, negative where it is not known. Shape: (n_tokens,).
    transitions (Floats32): Shape: (n_tags, n_tags).
    RETURNS (tuple[float, Floats64, Floats64]): The sum over the texts, in nats; its gradient by the logits (n_tokens,
        n_tags) and by the transitions (n_tags, n_tags).
    """
    free = infer(logits, lengths, transitions)
    allowed = (gold[:, None] < 0) | (gold[:, None] == np.arange(logits.shape[1]))
    held = infer(logits, lengths, transitions, allowed=allowed)
    return free.log_z - held.log_z, free.tags - held.tags, free.pairs - held.pairs
