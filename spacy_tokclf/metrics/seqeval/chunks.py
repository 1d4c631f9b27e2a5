"""Entities of tag sequences in one vectorised pass, by the rules of seqeval 1.2.2, default and strict."""

from dataclasses import dataclass
from typing import cast

import numpy as np

from ...errors import Errors
from ...types import Bools, Bytes, Ints, Ints32
from .prefixes import DOT, LETTERS, N_CLASSES, OTHER, letter_class, split_default, split_strict, warn_odd_tags
from .rules import DEFAULT, END, INSIDE, START, STRICT, Rules, rule_table, scheme_name
from .tag_codes import Sentences, TagSequences, TagVocab, check_lists, encode


class UnknownPrefixError(KeyError, ValueError):
    """A prefix letter that no scheme knows. seqeval raises a bare KeyError here."""

    def __str__(self) -> str:
        """Give the message as it is; KeyError would show its repr."""
        return str(self.args[0])


@dataclass(frozen=True, slots=True)
class Chunks:
    """Entities in columns; positions on the axis of `Sentences`, `end` inclusive.

    type (Ints): Number of the type in a list of names, (n,).
    start (Ints): Position of the first token, (n,).
    end (Ints): Position of the last token, (n,).
    """

    type: Ints
    start: Ints
    end: Ints

    def __len__(self) -> int:
        """Number of entities."""
        return len(self.type)

    def where(self, keep: Bools) -> "Chunks":
        """Select entities.

        keep (Bools): Which to keep, (n,).
        RETURNS (Chunks): These.
        """
        return Chunks(self.type[keep], self.start[keep], self.end[keep])


@dataclass(frozen=True, slots=True)
class TagReader:
    """Reads chunks from numbered tags: what each distinct tag means, and the rules.

    names (list[str]): Names of the types; the first is "_", the type of a bare tag.
    letters (Bytes): Letter class of each tag of the vocabulary.
    types (Ints): Type of each tag of the vocabulary.
    rules (Rules): The rules of the mode.
    tags (list[str]): The vocabulary.
    """

    names: list[str]
    letters: Bytes
    types: Ints32
    rules: Rules
    tags: list[str]

    @classmethod
    def of(cls, vocab: TagVocab, *, scheme: str | None = None, suffix: bool = False) -> "TagReader":
        """Split every distinct tag once. The modes differ over the type of "B--": "-" and, if strict, "_".

        vocab (TagVocab): The distinct tags.
        scheme (str | None): Name of a strict scheme, or None for the default mode.
        suffix (bool): Whether the letter is the last character of a tag ("PER-B").
        RETURNS (TagReader): The reader.
        """
        numbers = {"_": 0}
        letters = np.empty(len(vocab), dtype=np.uint8)
        types = np.empty(len(vocab), dtype=np.int32)
        for i, tag in enumerate(vocab):
            letter, label = split_strict(tag, suffix) if scheme else split_default(tag, suffix)
            letters[i] = letter_class(letter)
            types[i] = numbers.setdefault(label, len(numbers))
        rules = DEFAULT if scheme is None else STRICT[scheme]
        return cls(list(numbers), letters, types, rules, list(vocab))

    def read(self, codes: Ints32, sentences: Sentences) -> Chunks:
        """Read the entities of a corpus.

        codes (Ints32): Numbered tags, (n_tokens,).
        sentences (Sentences): Their sentences.
        RETURNS (Chunks): The entities in the order of their ends.
        RAISES (ValueError): In strict mode TC204, and TC205 as UnknownPrefixError.
        """
        if self.rules.allowed:
            self._check_allowed(codes, sentences)
        letters = sentences.place(self.letters[codes], gap=LETTERS.index("O"))
        types = sentences.place(self.types[codes], gap=0)
        if not len(letters):
            return Chunks(*(np.zeros(0, dtype=np.int64) for _ in range(3)))
        # seqeval's type before the first token is "", which equals none.
        index = np.empty(len(letters), dtype=np.uint8)
        index[0] = letters[0] * 2
        index[1:] = (letters[:-1] * N_CLASSES + letters[1:]) * 2 + (types[:-1] == types[1:])
        bits = rule_table(self.rules)[index]
        return _strict_chunks(bits, types) if self.rules.allowed else _default_chunks(bits, types)

    def _check_allowed(self, codes: Ints32, sentences: Sentences) -> None:
        """Find the tag that seqeval would stop at: unknown letters first within the first faulty sentence."""
        allowed = [letter_class(letter) for letter in self.rules.allowed]
        if np.isin(self.letters, allowed).all():
            return
        wrong = np.flatnonzero(~np.isin(self.letters, allowed)[codes])
        if not len(wrong):
            return
        ends = np.cumsum(sentences.lengths)
        sentence = int(np.searchsorted(ends, wrong[0], side="right"))
        first = int(ends[sentence] - sentences.lengths[sentence])
        wrong = wrong[wrong < ends[sentence]]
        unknown = wrong[np.isin(self.letters[codes[wrong]], (DOT, OTHER))]
        token = int(unknown[0] if len(unknown) else wrong[0])
        facts = {"tag": self.tags[codes[token]], "sentence": sentence, "token": token - first}
        if len(unknown):
            raise UnknownPrefixError(Errors.TC205.format(known="|".join(LETTERS), **facts))
        raise ValueError(Errors.TC204.format(allowed="|".join(self.rules.allowed), **facts))


def _default_chunks(bits: Bytes, types: Ints32) -> Chunks:
    """Close a chunk at every end, from the last start before it, wherever that was."""
    starts = np.flatnonzero(bits & START)
    ends = np.flatnonzero(bits & END)
    last = np.searchsorted(starts, ends, side="left") - 1
    start = np.where(last >= 0, starts[last], 0) if len(starts) else np.zeros_like(ends)
    return Chunks(types[ends - 1].astype(np.int64), start, ends - 1)


def _strict_chunks(bits: Bytes, types: Ints32) -> Chunks:
    """Open a chunk at a start, run through what is inside, and keep it if an end pattern closes it."""
    start, inside = (bits & START) > 0, (bits & INSIDE) > 0
    # Open after a position: what the last position said that does not merely carry on.
    decides = np.where(start | ~inside, np.arange(len(bits)), 0)
    is_open = start[np.maximum.accumulate(decides)]
    was_open = np.zeros_like(is_open)
    was_open[1:] = is_open[:-1]
    carried = inside & was_open
    begins = np.flatnonzero(start & ~carried)
    ends = np.flatnonzero(was_open & ~carried)
    closed = (bits[ends] & END) > 0
    begins, ends = begins[closed], ends[closed]
    return Chunks(types[begins].astype(np.int64), begins, ends - 1)


def get_entities(
    seq: list[str] | list[list[str]], suffix: bool = False, *, scheme: str | None = None
) -> list[tuple[str, int, int]]:
    """Read entities as seqeval's get_entities does.

    Positions run through the corpus, with an "O" after each sentence.

    seq (list[str] | list[list[str]]): Tags of one sentence or of several.
    suffix (bool): Whether the letter stands last.
    scheme (str | None): Name of a strict scheme; None: the default mode.
    RETURNS (list[tuple[str, int, int]]): Type, start and inclusive end.
    RAISES (ValueError): TC203, TC204, TC207; as NotAListError TC202, as UnknownPrefixError TC205.
    """
    is_flat = all(isinstance(item, str) for item in seq)
    sequences = cast(TagSequences, [seq] if is_flat else seq)
    if not is_flat:
        check_lists(sequences)
    vocab = TagVocab()
    codes = encode(sequences, vocab)
    lengths = np.fromiter(map(len, sequences), dtype=np.int64, count=len(sequences))
    if scheme is None:
        warn_odd_tags(vocab, codes, suffix=suffix)
    reader = TagReader.of(vocab, scheme=scheme and scheme_name(scheme), suffix=suffix)
    chunks = reader.read(codes, Sentences.of(lengths))
    columns = (chunks.type.tolist(), chunks.start.tolist(), chunks.end.tolist())
    return [(reader.names[kind], start, end) for kind, start, end in zip(*columns, strict=True)]
