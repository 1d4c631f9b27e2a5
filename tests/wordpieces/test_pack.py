"""Windows in a row hold the pieces of the padded batches, in their order, and every token finds its own."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from odd_words import EMPTY_WORDS, odd_words
from spacy.tokens import Doc
from spacy.vocab import Vocab
from tiny_encoders import wordpiece_tokenizer

from spacy_tokclf.wordpieces.batch import batch_windows
from spacy_tokclf.wordpieces.pack import pack_windows, split_evenly, spread
from spacy_tokclf.wordpieces.sequences import make_sequences
from spacy_tokclf.wordpieces.tokenizer import PieceTokenizer

VOCAB = Vocab()
TOKENIZER = PieceTokenizer(wordpiece_tokenizer().to_str())
WORDS = st.one_of(st.sampled_from(["in", "the", "Schiphol.", " ", "\n", *EMPTY_WORDS]), odd_words())
TEXTS = st.lists(st.lists(WORDS, max_size=25), max_size=6)
QUICK = settings(max_examples=100, deadline=None)


def make_sequences_of(texts, size, overlap):
    docs = [Doc(VOCAB, words=words) for words in texts]
    return make_sequences(docs, TOKENIZER, size=size, overlap=overlap)


@QUICK
@given(texts=TEXTS, size=st.integers(3, 40), overlap=st.integers(0, 20))
def test_the_pieces_of_the_padded_batch(texts, size, overlap):
    sequences = make_sequences_of(texts, size, overlap)
    packed = list(pack_windows(sequences, TOKENIZER, budget=10**9))
    padded = list(batch_windows(sequences, TOKENIZER, pad=0, budget=10**9))
    assert len(packed) == len(padded) <= 1
    for one, other in zip(packed, padded, strict=True):
        real = other.mask.astype(bool)
        place = np.cumsum(real.ravel()) - 1
        assert one.ids.tolist() == other.ids[real].tolist()
        assert one.lengths.tolist() == real.sum(1).tolist()
        assert one.first.tolist() == place[other.first].tolist()
        assert one.tokens.tolist() == other.tokens.tolist()
        assert one.counts.tolist() == other.counts.tolist()


@QUICK
@given(texts=TEXTS, size=st.integers(3, 40), overlap=st.integers(0, 20), budget=st.integers(1, 200))
def test_a_budget_cuts_between_windows(texts, size, overlap, budget):
    sequences = make_sequences_of(texts, size, overlap)
    whole = list(pack_windows(sequences, TOKENIZER, budget=10**9))
    parts = list(pack_windows(sequences, TOKENIZER, budget=budget))
    longest = max((int(batch.lengths[0]) for batch in whole), default=0)
    assert all(len(batch.ids) <= budget + longest or len(batch.lengths) == 1 for batch in parts)
    for name in ("ids", "lengths", "tokens", "counts"):
        assert [x for b in parts for x in getattr(b, name).tolist()] == [
            x for b in whole for x in getattr(b, name).tolist()
        ]


@QUICK
@given(lengths=st.lists(st.integers(1, 30), min_size=1, max_size=40), n=st.integers(1, 8))
def test_parts_are_about_as_large(lengths, n):
    parts = split_evenly(np.array(lengths), n)
    assert [i for start, end in parts for i in range(start, end)] == list(range(len(lengths)))
    assert len(parts) <= n
    assert all(start < end for start, end in parts)
    sums = [sum(lengths[start:end]) for start, end in parts]
    assert all(abs(each - sum(lengths) / n) <= max(lengths) for each in sums) or len(parts) < n


def test_nothing_is_split_into_nothing():
    assert split_evenly(np.zeros(0, "int64"), 3) == []


def test_spread():
    assert spread(np.array([5, 0, 7]), np.array([2, 0, 3])).tolist() == [5, 6, 7, 8, 9]
    assert spread(np.zeros(0, "int64"), np.zeros(0, "int64")).tolist() == []
