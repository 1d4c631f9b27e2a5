"""Decoding: from token logits to valid tags, entity spans and their scores, for a whole batch of texts at once."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..types import Bools, Floats32, Ints
from .chain import forward_backward, viterbi
from .schemes import BEGIN_PREFIXES, END_PREFIXES, split_tag

#: For each scheme that restricts its transitions: prefixes that continue an entity, and those that must be continued.
CONTINUES = {"IOB2": "I", "IOBES": "IE", "BILOU": "IL"}
OPENS = {"IOB2": "", "IOBES": "BI", "BILOU": "BI"}


class TagTable(NamedTuple):
    """What each tag of a label set means, and which tags may follow which, as arrays; made once per label set.

    types (list[str]): Entity types, in the order of their first tag.
    type_of (Ints): Index of each tag's type, -1 for `O`. Shape: (n_tags,).
    starts (Bools): Whether a tag always starts an entity. Shape: (n_tags,).
    ends (Bools): Whether an entity ends after the tag. Shape: (n_tags,).
    first (Bools): Whether a text may begin with the tag. Shape: (n_tags,).
    last (Bools): Whether a text may end with the tag. Shape: (n_tags,).
    follows (Bools): `follows[a, b]`: whether `b` may follow `a`. Shape: (n_tags, n_tags).
    """

    types: list[str]
    type_of: Ints
    starts: Bools
    ends: Bools
    first: Bools
    last: Bools
    follows: Bools


class Decoder(NamedTuple):
    """How logits are turned into tags, entities and scores.

    table (TagTable): The tags.
    constrained (bool): Whether the tag sequences must be valid in their scheme.
    transitions (Floats32 | None): Of a conditional random field, the score of a tag (column) after another (row); None
        for a model that classifies each token by itself. Shape: (n_tags, n_tags).
    temperature (float): What logits and transitions are divided by before they become probabilities (temperature
        scaling, Guo et al., 2017). It changes no tag.
    """

    table: TagTable
    constrained: bool
    transitions: Floats32 | None = None
    temperature: float = 1.0


def make_tag_table(tags: list[str], scheme: str) -> TagTable:
    """Work out which tags may follow which.

    IOB2, IOBES and BILOU restrict what may follow; any sequence of the other schemes has a reading (that of conlleval).
    A type whose tags lack the opening prefix may start with any of them, and one that lacks the closing prefix may end
    with any.

    tags (list[str]): The tags, in the order of the classifier's rows.
    scheme (str): Their scheme ("IO" for labels without prefixes).
    RETURNS (TagTable): The table.
    """
    pairs = [("", "") if tag == "O" else ("I", tag) if scheme == "IO" else split_tag(tag) for tag in tags]
    types = list(dict.fromkeys(type_ for _, type_ in pairs if type_))
    type_of = np.array([types.index(type_) if type_ else -1 for _, type_ in pairs], dtype="int64")
    prefixes = np.array([prefix for prefix, _ in pairs])
    # All of shape (n_tags,): what the prefix of each tag says.
    starts = np.isin(prefixes, list(BEGIN_PREFIXES))
    ends = np.isin(prefixes, list(END_PREFIXES))
    continues = np.isin(prefixes, list(CONTINUES.get(scheme, "")))
    opens = np.isin(prefixes, list(OPENS.get(scheme, "")))
    for index in range(len(types)):
        rows = type_of == index
        startless = not (starts & rows).any()
        if startless:
            continues &= ~rows
        if startless or not (ends & rows).any():
            opens &= ~rows
    inside = type_of >= 0
    # (n_tags, n_tags), row before column: `a` leaves an entity open, and `b` is of its type.
    same = (type_of[:, None] == type_of[None, :]) & inside[:, None] & ~ends[:, None]
    # `b` that continues needs the same type open before it; `a` that must be continued needs such a `b`.
    follows = np.where(continues[None, :], same, ~opens[:, None])
    return TagTable(types, type_of, starts, ends, ~continues, ~opens, follows)


def softmax(logits: Floats32) -> Floats32:
    """Turn rows of logits into probabilities.

    logits (Floats32): Shape: (n, n_tags).
    RETURNS (Floats32): Rows that sum to 1. Shape: (n, n_tags).
    """
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def best_tags(logits: Floats32, lengths: Ints, decoder: Decoder) -> Ints:
    """Choose a tag for each token.

    Without constraints each token takes its most probable tag. With constraints each text takes the valid sequence with
    the highest score: where there are no transitions, a text whose best tags are valid already is done, and only the
    others are searched.

    logits (Floats32): One row per token, text after text. Shape: (n_tokens, n_tags).
    lengths (Ints): Tokens per text; none is 0. Shape: (n_texts,).
    decoder (Decoder): How to choose.
    RETURNS (Ints): A tag index per token. Shape: (n_tokens,).
    """
    table, constrained, transitions, _ = decoder
    if transitions is not None and not constrained:
        return forward_backward(logits, lengths, transitions).tags.argmax(axis=1)
    best: Ints = logits.argmax(axis=1)
    if not constrained or not len(best):
        return best
    searched = np.ones(len(lengths), dtype=bool) if transitions is not None else invalid_texts(best, lengths, table)
    if searched.any():
        # (n_tags, n_tags): a forbidden transition costs everything.
        scores = np.where(table.follows, 0.0 if transitions is None else transitions, -np.inf)
        rows = np.repeat(searched, lengths)  # (n_tokens,): whether the token's text is searched
        best[rows] = viterbi(logits[rows], lengths[searched], scores, first=table.first, last=table.last)
    return best


def invalid_texts(tags: Ints, lengths: Ints, table: TagTable) -> Bools:
    """Find the texts whose tags break the scheme.

    tags (Ints): A tag index per token. Shape: (n_tokens,).
    lengths (Ints): Tokens per text; none is 0. Shape: (n_texts,).
    table (TagTable): The tags.
    RETURNS (Bools): Whether a text is such a one. Shape: (n_texts,).
    """
    ends = np.cumsum(lengths)
    begins = ends - lengths
    wrong = np.zeros(len(tags), dtype=bool)
    wrong[1:] = ~table.follows[tags[:-1], tags[1:]]
    # The first token of a text follows nothing: what was written there about the last token of the text before goes.
    wrong[begins] = ~table.first[tags[begins]]
    wrong[ends - 1] |= ~table.last[tags[ends - 1]]
    return np.logical_or.reduceat(wrong, begins)


class Spans(NamedTuple):
    """The entities of a batch, as columns.

    text (Ints): Index of the text. Shape: (n_spans,).
    start (Ints): First token, counted from the text's first. Shape: (n_spans,).
    end (Ints): One past the last token. Shape: (n_spans,).
    type (Ints): Index of the entity type. Shape: (n_spans,).
    score (Floats32): Mean over the tokens of the probability of the type, all its tags together. Shape: (n_spans,).
    """

    text: Ints
    start: Ints
    end: Ints
    type: Ints
    score: Floats32

    def where(self, keep: Bools) -> "Spans":
        """Select entities.

        keep (Bools): Which to keep. Shape: (n_spans,).
        RETURNS (Spans): These.
        """
        return Spans(self.text[keep], self.start[keep], self.end[keep], self.type[keep], self.score[keep])

    def by_text(self, types: Sequence[str]) -> dict[int, list[tuple[int, int, str, float]]]:
        """Give the entities text by text.

        types (Sequence[str]): The names of the entity types.
        RETURNS (dict[int, list[tuple[int, int, str, float]]]): By the index of the text, where there are any: first
            token, one past the last, type and score.
        """
        found: dict[int, list[tuple[int, int, str, float]]] = {}
        for text, start, end, type_, score in zip(*(column.tolist() for column in self), strict=True):
            found.setdefault(text, []).append((start, end, types[type_], score))
        return found


def decode_spans(logits: Floats32, lengths: Ints, decoder: Decoder) -> Spans:
    """Read entities and their scores off a batch of logits.

    Tags are read by the rule of conlleval, so that tags without constraints are repaired: an entity starts at a tag
    that always starts one, after a tag that ends one, where the type changes, and at the first token of a text.

    logits (Floats32): One row per token, text after text. Shape: (n_tokens, n_tags).
    lengths (Ints): Tokens per text. Shape: (n_texts,).
    decoder (Decoder): How to choose tags and to score.
    RETURNS (Spans): The entities, in order.
    """
    table = decoder.table
    keep = lengths > 0
    texts = np.flatnonzero(keep)  # the index that each text that is not empty has among all
    lengths = lengths[keep]
    if not len(lengths) or not table.types:
        empty = np.zeros(0, dtype="int64")
        return Spans(empty, empty, empty, empty, np.zeros(0, dtype="float32"))
    tags = best_tags(logits, lengths, decoder)
    begins = np.cumsum(lengths) - lengths
    types = table.type_of[tags]  # (n_tokens,), -1 outside
    fresh = np.ones(len(tags), dtype=bool)  # (n_tokens,): whether a new run of one type begins at the token
    fresh[1:] = table.starts[tags[1:]] | table.ends[tags[:-1]] | (types[1:] != types[:-1])
    fresh[begins] = True
    # (n_runs,): first token of each run and one past its last; runs of type -1 lie outside of entities.
    heads = np.flatnonzero(fresh)
    tails = np.append(heads[1:], len(tags))
    inside = types[heads] >= 0
    heads, tails = heads[inside], tails[inside]
    text = np.searchsorted(begins, heads, side="right") - 1
    # The mean over a run is a difference of cumulative sums, in double precision since those grow with the batch.
    probability = type_probabilities(logits, lengths, types, decoder)
    total = np.concatenate([[0.0], np.cumsum(probability, dtype="float64")])
    score = ((total[tails] - total[heads]) / (tails - heads)).astype("float32")
    return Spans(texts[text], heads - begins[text], tails - begins[text], types[heads], score)


def type_probabilities(logits: Floats32, lengths: Ints, types: Ints, decoder: Decoder) -> Floats32:
    """Give the probability of a chosen type at each token, summed over the type's tags.

    logits (Floats32): One row per token, text after text. Shape: (n_tokens, n_tags).
    lengths (Ints): Tokens per text; none is 0. Shape: (n_texts,).
    types (Ints): The type chosen at each token, -1 for none. Shape: (n_tokens,).
    decoder (Decoder): Tags, transitions and temperature.
    RETURNS (Floats32): The probability, 0 where no type is chosen. Shape: (n_tokens,).
    """
    probability = np.zeros(len(logits), dtype="float32")
    chosen = types >= 0
    temperature = np.float32(decoder.temperature)
    # (n_chosen, n_tags): softmax of each token, or of a field its marginals, for which whole texts are needed.
    if decoder.transitions is None:
        tag_probabilities = softmax(logits[chosen] / temperature)
    else:
        texts = np.logical_or.reduceat(chosen, np.cumsum(lengths) - lengths)
        rows = np.repeat(texts, lengths)
        scaled = logits[rows] / temperature, lengths[texts], decoder.transitions / temperature
        tag_probabilities = forward_backward(*scaled).tags[chosen[rows]]
    members = decoder.table.type_of[None, :] == types[chosen, None]  # (n_chosen, n_tags)
    probability[chosen] = (tag_probabilities * members).sum(axis=1)
    return np.minimum(probability, 1.0)
