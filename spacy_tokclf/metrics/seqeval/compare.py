"""Comparison of gold and predicted entities of one corpus: true positives, and what all scores are counted from."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ...tags import MISSING
from ...types import Bools, Ints
from .chunks import Chunks, TagReader
from .prefixes import warn_odd_tags
from .rules import resolve_scheme, scheme_name
from .tag_codes import Sentences, TagPair, TagSequences, TagVocab, encode, encode_pair


@dataclass(frozen=True, eq=False)
class Comparison:
    """Gold and predicted entities on one axis of positions, and which of them match.

    names (list[str]): Names of the types that the chunks index.
    sentences (Sentences): The axis of positions: words, or characters where raw texts are compared.
    gold (Chunks): Gold entities.
    pred (Chunks): Predicted entities.
    correct_tokens (int): Tokens whose tags are equal.
    n_tokens (int): Tokens that count for the accuracy.
    scheme (str | None): Strict scheme that the tags were read by; None: default mode, or no tags were read.
    n_ignored (int): Predictions left out because they touch a token without gold annotation.
    gold_hit (Bools): Which gold entities were predicted; the others are false negatives. Shape: (n_gold,).
    pred_hit (Bools): Which predictions are true positives; the others are false positives. Shape: (n_pred,).
    """

    names: list[str]
    sentences: Sentences
    gold: Chunks
    pred: Chunks
    correct_tokens: int
    n_tokens: int
    scheme: str | None = None
    n_ignored: int = 0
    gold_hit: Bools = field(init=False, repr=False)
    pred_hit: Bools = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Find the true positives: same type at the same place. Of equal predictions the first one is one."""
        gold, pred = _keys(self.gold, self.pred)
        object.__setattr__(self, "gold_hit", _contains(pred, gold))
        object.__setattr__(self, "pred_hit", _contains(gold, pred) & _first_of_equal(pred))


def _keys(gold: Chunks, pred: Chunks) -> tuple[Ints, Ints]:
    """Give each entity a key, equal for equal ones and ordered by their ends: (n_gold,) and (n_pred,)."""
    kind = np.concatenate([gold.type, pred.type])
    end = np.concatenate([gold.end, pred.end])
    length = end - np.concatenate([gold.start, pred.start])
    if not len(kind):
        return kind, kind
    # Ranks instead of lengths: seqeval's default mode can make entities that span a corpus, which would overflow.
    ranks = np.cumsum(np.bincount(length) > 0)
    keys = (end * (kind.max() + 1) + kind) * (ranks[-1] + 1) + ranks[length]
    return keys[: len(gold)], keys[len(gold) :]


def _contains(keys: Ints, wanted: Ints) -> Bools:
    """Tell which of the wanted keys are among the keys. Keys come nearly sorted, so that sorting is cheap."""
    if not len(keys):
        return np.zeros(len(wanted), dtype=bool)
    ordered = np.sort(keys, kind="stable")
    # (n_wanted,): where each would be put; it is there if that place holds it.
    places = np.searchsorted(ordered, wanted)
    return ordered[np.minimum(places, len(ordered) - 1)] == wanted


def _first_of_equal(keys: Ints) -> Bools:
    """Mark the first of equal keys."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    first = np.ones(len(keys), dtype=bool)
    first[order[1:]] = ordered[1:] != ordered[:-1]
    return first


def compare_tags(
    y_true: TagSequences,
    y_pred: TagSequences,
    *,
    mode: str | None = None,
    scheme: object = None,
    suffix: bool = False,
) -> Comparison:
    """Read and compare gold and predicted tags.

    y_true (list[list[str]]): Gold tags of each sentence.
    y_pred (list[list[str]]): Predicted tags of each sentence.
    mode (str | None): "strict", or the default mode.
    scheme (str | type | None): Scheme in strict mode; None: detected from the gold tags.
    suffix (bool): Whether the prefix stands last ("PER-B").
    RETURNS (Comparison): Gold beside prediction.
    RAISES (ValueError): TC200, TC201, TC203 to TC207; TC202 as NotAListError.
    """
    if scheme is not None:
        scheme_name(scheme)
    pair = encode_pair(y_true, y_pred)
    return _compare_codes(pair, mode=mode, scheme=scheme, suffix=suffix)


def compare_columns(
    gold: Sequence[str],
    pred: Sequence[str],
    lengths: Ints,
    *,
    mode: str | None = None,
    scheme: object = None,
    suffix: bool = False,
) -> Comparison:
    """Read and compare the tag columns of two files. Unlike seqeval, this knows the missing value "-".

    A token whose gold is missing is left out: predictions that touch it are ignored. A missing prediction is "O".

    gold (Sequence[str]): Gold tags of all tokens. Shape: (n_tokens,).
    pred (Sequence[str]): Predicted tags of all tokens. Shape: (n_tokens,).
    lengths (Ints): Tokens of each sentence. Shape: (n_sentences,).
    mode, scheme, suffix: As for compare_tags.
    RETURNS (Comparison): Gold beside prediction.
    RAISES (ValueError): TC203 to TC207.
    """
    vocab = TagVocab()
    pair = TagPair(vocab, Sentences.of(lengths), encode([gold], vocab), encode([pred], vocab))
    missing = None
    if MISSING in vocab:
        missing = pair.gold == vocab[MISSING]
        for codes in (pair.gold, pair.pred):
            codes[codes == vocab[MISSING]] = vocab["O"]
    return _compare_codes(pair, mode=mode, scheme=scheme, suffix=suffix, missing=missing)


def _compare_codes(
    pair: TagPair, *, mode: str | None, scheme: object, suffix: bool, missing: Bools | None = None
) -> Comparison:
    """Read the entities of both sides by the rules of the mode, and compare them."""
    strict = resolve_scheme(mode, scheme, vocab=pair.vocab, gold=pair.gold, suffix=suffix)
    if strict is None:
        warn_odd_tags(pair.vocab, pair.gold, pair.pred, suffix=suffix)
    reader = TagReader.of(pair.vocab, scheme=strict, suffix=suffix)
    gold, pred = (reader.read(codes, pair.sentences) for codes in (pair.gold, pair.pred))
    correct, n_tokens, n_ignored = pair.correct, len(pair.gold), 0
    if missing is not None:
        n_all = len(pred)
        pred = without(pred, pair.sentences.place(missing, gap=0))
        correct = int(np.count_nonzero((pair.gold == pair.pred) & ~missing))
        n_tokens, n_ignored = int(np.count_nonzero(~missing)), n_all - len(pred)
    return Comparison(reader.names, pair.sentences, gold, pred, correct, n_tokens, scheme=strict, n_ignored=n_ignored)


def without(chunks: Chunks, unknown: Bools) -> Chunks:
    """Leave out the entities that touch a position without gold annotation.

    chunks (Chunks): Entities on an axis.
    unknown (Bools): Which positions have none. Shape: (size,).
    RETURNS (Chunks): The others.
    """
    # (size + 1,): unknown positions before each; equal at both ends of an entity that touches none.
    sums = np.concatenate([[0], np.cumsum(unknown)])
    return chunks.where(sums[chunks.end + 1] == sums[chunks.start])
