"""Tag sequences as integer codes: every distinct tag string is read once, everything after it is numpy."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from ...errors import Errors
from ...types import Ints, Ints32

TagSequences = Sequence[Sequence[str]]


class NotAListError(TypeError, AttributeError):
    """Sentences that are not lists. seqeval's scores raise TypeError for them, its report AttributeError."""


class TagVocab(dict[str, int]):
    """Vocabulary of distinct tags; the code of a tag is its rank of first occurrence."""

    def __missing__(self, tag: str) -> int:
        """Give a new tag the next code.

        tag (str): The tag.
        RETURNS (int): Its code.
        """
        self[tag] = code = len(self)
        return code


@dataclass(frozen=True, slots=True)
class Sentences:
    """Where sentences lie on one axis of positions, with one "O" after each sentence, as seqeval joins them.

    lengths (Ints): Tokens of each sentence. Shape: (n_sentences,).
    offsets (Ints): Position of the first token of each sentence. Shape: (n_sentences,).
    """

    lengths: Ints
    offsets: Ints

    @classmethod
    def of(cls, lengths: Ints) -> "Sentences":
        """Lay sentences out one after another.

        lengths (Ints): Tokens of each sentence. Shape: (n_sentences,).
        RETURNS (Sentences): The layout.
        """
        # Each sentence takes one position more than it has tokens.
        return cls(lengths, np.cumsum(lengths + 1) - (lengths + 1))

    @property
    def size(self) -> int:
        """RETURNS (int): Number of positions: all tokens and the "O" after each sentence."""
        return int(self.lengths.sum()) + len(self.lengths)

    def find(self, positions: Ints) -> Ints:
        """Find the sentences in which positions lie.

        positions (Ints): Positions on the axis. Shape: (n,).
        RETURNS (Ints): Index of the sentence of each. Shape: (n,).
        """
        return np.searchsorted(self.offsets, positions, side="right") - 1

    def place(self, values: npt.NDArray, *, gap: int) -> npt.NDArray:
        """Put one value per token on the axis.

        values (NDArray): Values of all tokens. Shape: (n_tokens,).
        gap (int): Value for the position after each sentence.
        RETURNS (NDArray): The values on the axis. Shape: (size,).
        """
        placed = np.full(self.size, gap, dtype=values.dtype)
        keep = np.ones(self.size, dtype=bool)  # False after each sentence; the others are the tokens in order
        keep[self.offsets + self.lengths] = False
        placed[keep] = values
        return placed


@dataclass(frozen=True, slots=True)
class TagPair:
    """Gold and predicted tags of one corpus as codes of one vocabulary.

    vocab (TagVocab): Codes of the distinct tags.
    sentences (Sentences): Layout of the gold sentences.
    gold (Ints32): Gold tags. Shape: (n_tokens,).
    pred (Ints32): Predicted tags. Shape: (n_tokens,).
    """

    vocab: TagVocab
    sentences: Sentences
    gold: Ints32
    pred: Ints32

    @property
    def correct(self) -> int:
        """RETURNS (int): Number of tokens whose tags are the same string."""
        return int(np.count_nonzero(self.gold == self.pred))


def encode_pair(y_true: TagSequences, y_pred: TagSequences) -> TagPair:
    """Encode gold and predicted tags, after checking their form.

    y_true (list[list[str]]): Gold tags of each sentence.
    y_pred (list[list[str]]): Predicted tags of each sentence.
    RETURNS (TagPair): Both as codes.
    RAISES (ValueError): TC200, TC201, TC203; TC202 as NotAListError.
    """
    check_lists(y_true, y_pred)
    lengths = check_lengths(y_true, y_pred)
    vocab = TagVocab()
    gold, pred = encode(y_true, vocab), encode(y_pred, vocab)
    return TagPair(vocab, Sentences.of(lengths), gold, pred)


def encode(sequences: TagSequences, vocab: TagVocab) -> Ints32:
    """Encode the tags of a corpus. New tags are added to the vocabulary.

    sequences (list[list[str]]): Tags of each sentence.
    vocab (TagVocab): The codes.
    RETURNS (Ints32): Codes of all tags. Shape: (n_tokens,).
    RAISES (ValueError): TC203, for a tag that is not a string or is empty.
    """
    count = sum(map(len, sequences))
    known = len(vocab)
    # One pass in C over the strings: fromiter calls the dict's own look-up, and Python code for new tags alone.
    tags = chain.from_iterable(sequences)
    codes = np.fromiter(map(vocab.__getitem__, tags), dtype=np.int32, count=count)
    for tag, code in list(vocab.items())[known:]:
        if not isinstance(tag, str) or not tag:
            sentence, token = locate(sequences, int(np.argmax(codes == code)))
            raise ValueError(Errors.TC203.format(tag=tag, sentence=sentence, token=token))
    return codes


def locate(sequences: TagSequences, index: int) -> tuple[int, int]:
    """Find the sentence of a token.

    sequences (list[list[str]]): Tags of each sentence.
    index (int): Number of the token in the corpus.
    RETURNS (tuple[int, int]): Index of its sentence, and its index there.
    """
    ends = np.cumsum(np.fromiter(map(len, sequences), dtype=np.int64, count=len(sequences)))
    sentence = int(np.searchsorted(ends, index, side="right"))
    return sentence, index - (int(ends[sentence - 1]) if sentence else 0)


def check_lists(*corpora: TagSequences) -> None:
    """Insist on lists of lists, as seqeval does.

    RAISES (NotAListError): TC202, also for a corpus without sentences.
    """
    for sequences in corpora:
        if set(map(type, sequences)) != {list}:
            wrong = next((i for i, seq in enumerate(sequences) if type(seq) is not list), None)
            found = "nothing" if wrong is None else type(sequences[wrong]).__name__
            raise NotAListError(Errors.TC202.format(index=wrong or 0, found=found))


def check_lengths(y_true: TagSequences, y_pred: TagSequences) -> Ints:
    """Insist on one predicted tag for each gold tag.

    RETURNS (Ints): Tokens of each sentence. Shape: (n_sentences,).
    RAISES (ValueError): TC200, TC201.
    """
    if len(y_true) != len(y_pred):
        raise ValueError(Errors.TC200.format(gold=len(y_true), pred=len(y_pred)))
    gold = np.fromiter(map(len, y_true), dtype=np.int64, count=len(y_true))
    pred = np.fromiter(map(len, y_pred), dtype=np.int64, count=len(y_pred))
    if not np.array_equal(gold, pred):
        index = int(np.argmax(gold != pred))
        raise ValueError(Errors.TC201.format(index=index, gold=gold[index], pred=pred[index]))
    return gold
