"""Entities (chunks) of tag sequences, read in one vectorised pass by the rules of seqeval 1.2.2, default and strict."""

from dataclasses import dataclass
from typing import cast

import numpy as np

from ...errors import Errors
from ...types import Bools, Bytes, Ints, Ints32
from .prefixes import (
    DOT,
    N_PREFIX_CODES,
    OTHER,
    PREFIXES_BY_CODE,
    prefix_code,
    split_default,
    split_strict,
    warn_odd_tags,
)
from .rules import DEFAULT, END, INSIDE, START, STRICT, Rules, rule_table, scheme_name
from .tag_codes import Sentences, TagSequences, TagVocab, check_lists, encode


class UnknownPrefixError(KeyError, ValueError):
    """A prefix that no scheme knows. seqeval raises a bare KeyError here."""

    def __str__(self) -> str:
        """Give the message as it is; KeyError would show its repr."""
        return str(self.args[0])


@dataclass(frozen=True, slots=True)
class Chunks:
    """Entities in columns; positions on the axis of `Sentences`, `end` inclusive.

    type (Ints): Index of the type in a list of names. Shape: (n,).
    start (Ints): Position of the first token. Shape: (n,).
    end (Ints): Position of the last token. Shape: (n,).
    """

    type: Ints
    start: Ints
    end: Ints

    def __len__(self) -> int:
        """RETURNS (int): Number of entities."""
        return len(self.type)

    def where(self, keep: Bools) -> "Chunks":
        """Select entities.

        keep (Bools): Which to keep. Shape: (n,).
        RETURNS (Chunks): These.
        """
        return Chunks(self.type[keep], self.start[keep], self.end[keep])


@dataclass(frozen=True, slots=True)
class TagReader:
    """Reads chunks from coded tags: prefix and type of each distinct tag, and the rules.

    names (list[str]): Names of the types; the first is "_", the type of a bare tag.
    prefixes (Bytes): Prefix code of each tag of the vocabulary. Shape: (n_distinct_tags,).
    types (Ints32): Index of the type of each tag of the vocabulary. Shape: (n_distinct_tags,).
    rules (Rules): The rules of the mode.
    tags (list[str]): The vocabulary.
    """

    names: list[str]
    prefixes: Bytes
    types: Ints32
    rules: Rules
    tags: list[str]

    @classmethod
    def of(cls, vocab: TagVocab, *, scheme: str | None = None, suffix: bool = False) -> "TagReader":
        """Split every distinct tag once. The modes differ over the type of "B--": "-" and, if strict, "_".

        vocab (TagVocab): The distinct tags.
        scheme (str | None): Name of a strict scheme, or None for the default mode.
        suffix (bool): Whether the prefix stands last ("PER-B").
        RETURNS (TagReader): The reader.
        """
        types_by_name = {"_": 0}
        prefixes = np.empty(len(vocab), dtype=np.uint8)
        types = np.empty(len(vocab), dtype=np.int32)
        for i, tag in enumerate(vocab):
            prefix, name = split_strict(tag, suffix) if scheme else split_default(tag, suffix)
            prefixes[i] = prefix_code(prefix)
            types[i] = types_by_name.setdefault(name, len(types_by_name))
        rules = DEFAULT if scheme is None else STRICT[scheme]
        return cls(list(types_by_name), prefixes, types, rules, list(vocab))

    def read(self, codes: Ints32, sentences: Sentences) -> Chunks:
        """Read the entities of a corpus.

        codes (Ints32): Codes of the tags. Shape: (n_tokens,).
        sentences (Sentences): Their sentences.
        RETURNS (Chunks): The entities in the order of their ends.
        RAISES (ValueError): In strict mode TC204, and TC205 as UnknownPrefixError.
        """
        if self.rules.allowed:
            self._check_allowed(codes, sentences)
        # (n_positions,): the tokens, with an "O" after each sentence, so that one pass reads the whole corpus.
        prefixes = sentences.place(self.prefixes[codes], gap=PREFIXES_BY_CODE.index("O"))
        types = sentences.place(self.types[codes], gap=0)
        if not len(prefixes):
            return Chunks(*(np.zeros(0, dtype=np.int64) for _ in range(3)))
        # Each position as an index into the rule table: previous prefix, current prefix, equal types.
        index = np.empty(len(prefixes), dtype=np.uint8)
        # Before the first token is "O", whose code is 0; seqeval's type there is "", which equals none.
        index[0] = prefixes[0] * 2
        index[1:] = (prefixes[:-1] * N_PREFIX_CODES + prefixes[1:]) * 2 + (types[:-1] == types[1:])
        bits = rule_table(self.rules)[index]
        return _strict_chunks(bits, types) if self.rules.allowed else _default_chunks(bits, types)

    def _check_allowed(self, codes: Ints32, sentences: Sentences) -> None:
        """Find the tag that seqeval would stop at: unknown prefixes first within the first faulty sentence."""
        allowed = [prefix_code(prefix) for prefix in self.rules.allowed]
        is_allowed = np.isin(self.prefixes, allowed)  # (n_distinct_tags,)
        if is_allowed.all():
            return
        wrong = np.flatnonzero(~is_allowed[codes])
        if not len(wrong):
            return
        ends = np.cumsum(sentences.lengths)
        sentence = int(np.searchsorted(ends, wrong[0], side="right"))
        first = int(ends[sentence] - sentences.lengths[sentence])
        wrong = wrong[wrong < ends[sentence]]
        unknown = wrong[np.isin(self.prefixes[codes[wrong]], (DOT, OTHER))]
        token = int(unknown[0] if len(unknown) else wrong[0])
        facts = {"tag": self.tags[codes[token]], "sentence": sentence, "token": token - first}
        if len(unknown):
            raise UnknownPrefixError(Errors.TC205.format(known="|".join(PREFIXES_BY_CODE), **facts))
        raise ValueError(Errors.TC204.format(allowed="|".join(self.rules.allowed), **facts))


def _default_chunks(bits: Bytes, types: Ints32) -> Chunks:
    """Close a chunk at every end, from the last start before it, wherever that was, as conlleval does.

    bits (Bytes), types (Ints32): Of every position. Shape: (n_positions,).
    """
    starts = np.flatnonzero(bits & START)
    ends = np.flatnonzero(bits & END)
    # (n_ends,): index of the last start before each end, -1 if there is none; seqeval then starts at position 0.
    last = np.searchsorted(starts, ends, side="left") - 1
    start = np.where(last >= 0, starts[last], 0) if len(starts) else np.zeros_like(ends)
    return Chunks(types[ends - 1].astype(np.int64), start, ends - 1)


def _strict_chunks(bits: Bytes, types: Ints32) -> Chunks:
    """Open a chunk at a start, run through what is inside, and keep it if an end pattern closes it.

    bits (Bytes), types (Ints32): Of every position. Shape: (n_positions,).
    """
    start, inside = (bits & START) > 0, (bits & INSIDE) > 0
    # A chunk is open after a position if the last position that did not merely carry on was a start; the running
    # maximum finds that position for all positions at once.
    decides = np.where(start | ~inside, np.arange(len(bits)), 0)
    is_open = start[np.maximum.accumulate(decides)]
    was_open = np.zeros_like(is_open)
    was_open[1:] = is_open[:-1]
    carried = inside & was_open
    # (n_chunks,) both, in pairs: a chunk that opens closes before the next one opens.
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
    suffix (bool): Whether the prefix stands last ("PER-B").
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


def unique_labels(
    y_true: list[list[str]], y_pred: list[list[str]], scheme: object = None, suffix: bool = False
) -> list[str]:
    """List the types of the entities on both sides, as seqeval's unique_labels does for its strict schemes.

    y_true (list[list[str]]): Gold tags of each sentence.
    y_pred (list[list[str]]): Predicted tags of each sentence; there may be more or fewer of them.
    scheme (str | type | None): A strict scheme; None: the default mode, which seqeval has no such list for.
    suffix (bool): Whether the prefix stands last ("PER-B").
    RETURNS (list[str]): The types, in code-point order.
    RAISES (ValueError): As `get_entities`.
    """
    name = None if scheme is None else scheme_name(scheme)
    return sorted({type_ for tags in (y_true, y_pred) for type_, _, _ in get_entities(tags, suffix, scheme=name)})
