"""Linear-chain conditional random fields (Lafferty et al., 2001): the score of a tag sequence is the sum of its logits
and of the transition scores between neighbours. Viterbi search, marginals by forward-backward, and the loss.

All texts of a batch are worked on together: the tokens are sorted by their position in the text, so that one numpy
operation takes a time step in every text that is long enough for it.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ..types import Bools, Floats32, Floats64, Ints

#: How large transition scores may be for products of their exponentials, in double precision, to lose nothing.
NARROW = 150.0


class TimeSteps(NamedTuple):
    """The tokens of a batch by position: all first tokens, then all second ones, those of longer texts first.

    Texts that are still going on at a position come first at every position, so the predecessors of a position's tokens
    are the first ones of the position before, in the same order.

    order (Ints): The tokens, counted text after text. Shape: (n_tokens,).
    spans (list[tuple[int, int]]): Where each position begins and ends in the order.
    """

    order: Ints
    spans: list[tuple[int, int]]

    def previous(self, position: int) -> slice:
        """Give the tokens right before those of a position.

        position (int): The position, from 1.
        RETURNS (slice): In the order.
        """
        start = self.spans[position - 1][0]
        return slice(start, start + self.spans[position][1] - self.spans[position][0])


class Marginals(NamedTuple):
    """The distribution that a conditional random field gives the tag sequences of a batch.

    log_z (float): Log of the partition function, summed over the texts.
    tags (Floats64): Marginal probability of each tag. Shape: (n_tokens, n_tags).
    pairs (Floats64): Expected number of times that one tag follows another. Shape: (n_tags, n_tags).
    """

    log_z: float
    tags: Floats64
    pairs: Floats64


def sort_by_position(lengths: Ints) -> TimeSteps:
    """Sort the tokens of a batch by their position.

    lengths (Ints): Tokens of each text. Shape: (n_texts,).
    RETURNS (TimeSteps): The tokens.
    """
    text = np.repeat(np.arange(len(lengths)), lengths)  # (n_tokens,)
    position = np.arange(len(text)) - (np.cumsum(lengths) - lengths)[text]  # (n_tokens,)
    ends = np.cumsum(np.bincount(position)).tolist() if len(position) else []
    # The last key of lexsort counts most: by position, then longer texts first, then by text.
    return TimeSteps(np.lexsort((text, -lengths[text], position)), list(pairwise([0, *ends])))


def viterbi(logits: Floats32, lengths: Ints, transitions: Floats64, *, first: Bools, last: Bools) -> Ints:
    """Find the tag sequence of each text with the highest score (Viterbi, 1967).

    logits (Floats32): One row per token, text after text. Shape: (n_tokens, n_tags).
    lengths (Ints): Tokens per text. Shape: (n_texts,).
    transitions (Floats64): Score of a tag (column) after another (row); minus infinity for what may not be. Shape:
        (n_tags, n_tags).
    first, last (Bools): Whether a text may begin, and end, with the tag. Shape: (n_tags,).
    RETURNS (Ints): A tag index per token. Shape: (n_tokens,).
    """
    steps = sort_by_position(lengths)
    # (n_tokens, n_tags): score of the best sequence that ends at a token with a tag, and the tag before in it.
    score = logits[steps.order].astype("float64")
    backpointers = np.zeros(score.shape, dtype="int64")
    for position, (start, end) in enumerate(steps.spans):
        if not position:
            score[start:end] = np.where(first, score[start:end], -np.inf)
            continue
        # (n_texts, n_tags, 1) + (n_tags, n_tags): tag before in axis 1, tag in axis 2.
        paths = score[steps.previous(position), :, None] + transitions
        backpointers[start:end] = paths.argmax(axis=1)
        score[start:end] += paths.max(axis=1)
    # The best last tag, of every token as if its text ended there; backtracking overwrites all but the real last ones.
    path = np.where(last, score, -np.inf).argmax(axis=1)
    for position in range(len(steps.spans) - 1, 0, -1):
        start, end = steps.spans[position]
        path[steps.previous(position)] = backpointers[np.arange(start, end), path[start:end]]
    tags = np.empty_like(path)
    tags[steps.order] = path
    return tags


def forward_backward(
    logits: Floats32, lengths: Ints, transitions: Floats32, *, allowed: Bools | None = None
) -> Marginals:
    """Compute marginal probabilities of tags by the forward-backward algorithm (Rabiner, 1989): scaled at each step,
    or, where transition scores are so large that numbers would run out, in logarithms, which takes longer.

    logits (Floats32): One row per token, text after text. Shape: (n_tokens, n_tags).
    lengths (Ints): Tokens per text. Shape: (n_texts,).
    transitions (Floats32): Score of a tag (column) after another (row). Shape: (n_tags, n_tags).
    allowed (Bools | None): Which tags each token may have, at least one; all of them if not given. Shape: (n_tokens,
        n_tags).
    RETURNS (Marginals): The probabilities.
    """
    steps = sort_by_position(lengths)
    rows = logits[steps.order].astype("float64")  # (n_tokens, n_tags), in the order of the steps
    if allowed is not None:
        rows = np.where(allowed[steps.order], rows, -np.inf)
    if np.abs(transitions).max(initial=0.0) > NARROW:
        return _in_logarithms(rows, transitions.astype("float64"), steps)
    # exp() of numbers that are at most 0, so that nothing overflows; log_z gets the maxima back.
    highest = rows.max(axis=1, keepdims=True)  # (n_tokens, 1)
    emission = np.exp(rows - highest)
    transition = np.exp(transitions.astype("float64"))
    # Forward pass: rows are divided by their sum, so that products over a long text do not underflow.
    forward = emission.copy()
    scale = np.empty((len(rows), 1))
    for position, (start, end) in enumerate(steps.spans):
        if position:
            # (n_texts, n_tags) @ (n_tags, n_tags): over all tags of the token before.
            forward[start:end] *= forward[steps.previous(position)] @ transition
        scale[start:end] = forward[start:end].sum(axis=1, keepdims=True)
        forward[start:end] /= scale[start:end]
    # Backward pass: `backward` is about what follows a token, 1 where nothing does: after the last one of a text.
    backward = np.ones_like(emission)
    message = emission / scale  # becomes emission * backward, scaled
    pairs = np.zeros_like(transition)
    for position in range(len(steps.spans) - 1, 0, -1):
        start, end = steps.spans[position]
        message[start:end] *= backward[start:end]
        backward[steps.previous(position)] = message[start:end] @ transition.T
        # (n_tags, n_texts) @ (n_texts, n_tags): summed over the texts.
        pairs += forward[steps.previous(position)].T @ message[start:end]
    tags = np.empty_like(emission)
    tags[steps.order] = forward * backward
    return Marginals(float(np.log(scale).sum() + highest.sum()), tags, pairs * transition)


def _in_logarithms(rows: Floats64, transitions: Floats64, steps: TimeSteps) -> Marginals:
    """Compute the same without ever leaving logarithms; the rows are in the order of the steps."""
    forward, after = rows.copy(), np.zeros_like(rows)  # of what is up to a token, with it, and of what follows it
    for position in range(1, len(steps.spans)):
        start, end = steps.spans[position]
        # (n_texts, n_tags, 1) + (n_tags, n_tags): tag before in axis 1, tag in axis 2.
        forward[start:end] += np.logaddexp.reduce(forward[steps.previous(position), :, None] + transitions, axis=1)
    for position in range(len(steps.spans) - 1, 0, -1):
        start, end = steps.spans[position]
        following = (rows[start:end] + after[start:end])[:, None, :]
        after[steps.previous(position)] = np.logaddexp.reduce(transitions + following, axis=2)
    log_z = np.logaddexp.reduce(forward + after, axis=1, keepdims=True)  # (n_tokens, 1): that of each token's text
    pairs = np.zeros_like(transitions)
    for position in range(1, len(steps.spans)):
        start, end = steps.spans[position]
        following = (rows[start:end] + after[start:end])[:, None, :]
        both = forward[steps.previous(position), :, None] + transitions + following
        pairs += np.exp(both - log_z[start:end, :, None]).sum(axis=0)
    tags = np.empty_like(rows)
    tags[steps.order] = np.exp(forward + after - log_z)
    return Marginals(float(log_z[slice(*steps.spans[0])].sum()) if len(rows) else 0.0, tags, pairs)


def chain_loss(logits: Floats32, lengths: Ints, gold: Ints, transitions: Floats32) -> tuple[float, Floats64, Floats64]:
    """Give the negative log-likelihood of gold, and its gradients. Where gold is not known, all tags are summed over
    (partial annotation, Tsuboi et al., 2008).

    logits (Floats32): One row per token, text after text. Shape: (n_tokens, n_tags).
    lengths (Ints): Tokens per text. Shape: (n_texts,).
    gold (Ints): The tag of each token, negative where it is not known. Shape: (n_tokens,).
    transitions (Floats32): Score of a tag (column) after another (row). Shape: (n_tags, n_tags).
    RETURNS (tuple[float, Floats64, Floats64]): The sum over the texts, in nats; its gradient by the logits (n_tokens,
        n_tags) and by the transitions (n_tags, n_tags).
    """
    free = forward_backward(logits, lengths, transitions)
    # (n_tokens, n_tags): the gold tag alone, or every tag. The gradient is the difference of the expectations.
    allowed = (gold[:, None] < 0) | (gold[:, None] == np.arange(logits.shape[1]))
    clamped = forward_backward(logits, lengths, transitions, allowed=allowed)
    return free.log_z - clamped.log_z, free.tags - clamped.tags, free.pairs - clamped.pairs
