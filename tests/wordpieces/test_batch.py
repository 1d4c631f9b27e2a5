"""Padded batches of windows: every token's pieces are where the batch says, whatever the order of the texts."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from odd_words import EMPTY_WORDS, odd_words
from spacy.tokens import Doc
from spacy.vocab import Vocab
from tiny_encoders import wordpiece_tokenizer

from spacy_tokclf.wordpieces.batch import batch_windows
from spacy_tokclf.wordpieces.sequences import make_sequences
from spacy_tokclf.wordpieces.tokenizer import PieceTokenizer

VOCAB = Vocab()
TOKENIZER = PieceTokenizer(wordpiece_tokenizer().to_str())
WORDS = st.one_of(st.sampled_from(["in", "the", "Schiphol.", " ", "\n", *EMPTY_WORDS]), odd_words())
TEXTS = st.lists(st.lists(WORDS, max_size=25), max_size=6)
SIZES = st.integers(3, 40)
QUICK = settings(max_examples=100, deadline=None)


def make_batches(texts, *, size=512, overlap=8, budget=2048, pad=0, spare=None):
    docs = [Doc(VOCAB, words=words) for words in texts]
    sequences = make_sequences(docs, TOKENIZER, size=size, overlap=overlap)
    return sequences, list(batch_windows(sequences, TOKENIZER, pad=pad, budget=budget, spare=spare))


def rows_of(batches):
    """Give the rows of all batches without their padding, as a multiset."""
    return Counter(tuple(row[:n].tolist()) for b in batches for row, n in zip(b.ids, b.mask.sum(1), strict=True))


@QUICK
@given(texts=TEXTS, size=SIZES, overlap=st.integers(0, 20), budget=st.integers(1, 200))
def test_every_token_with_pieces_is_in_one_place(texts, size, overlap, budget):
    words = [word for text in texts for word in text]
    pieces = TOKENIZER.encode_words(words)
    _, batches = make_batches(texts, size=size, overlap=overlap, budget=budget)
    seen = [token for batch in batches for token in batch.tokens.tolist()]
    assert sorted(seen) == [i for i, ids in enumerate(pieces) if ids]
    for batch in batches:
        flat, longest = batch.ids.ravel(), batch.ids.shape[1]
        for token, first, count in zip(batch.tokens, batch.first, batch.counts, strict=True):
            assert count == min(len(pieces[token]), size - TOKENIZER.n_special)
            assert tuple(flat[first : first + count]) == pieces[token][:count]
            assert first // longest == (first + count - 1) // longest
            assert batch.mask.ravel()[first : first + count].all()


@QUICK
@given(texts=TEXTS, size=SIZES, overlap=st.integers(0, 20), budget=st.integers(1, 200))
def test_rows_have_special_pieces_and_padding(texts, size, overlap, budget):
    _, batches = make_batches(texts, size=size, overlap=overlap, budget=budget, pad=7)
    for batch in batches:
        lengths = batch.mask.sum(1)
        assert lengths.max() == batch.ids.shape[1] <= size
        assert batch.ids.size <= max(budget, batch.ids.shape[1])
        for row, mask, n in zip(batch.ids, batch.mask, lengths, strict=True):
            assert mask[:n].all() and not mask[n:].any()
            assert n > TOKENIZER.n_special
            assert (row[n:] == 7).all()
            assert [row[0], row[n - 1]] == [*TOKENIZER.prefix, *TOKENIZER.suffix]


@QUICK
@given(texts=TEXTS, size=SIZES, data=st.data())
def test_the_order_of_the_texts_changes_no_row(texts, size, data):
    shuffled = data.draw(st.permutations(texts))
    _, batches = make_batches(texts, size=size)
    _, others = make_batches(shuffled, size=size)
    _, small = make_batches(shuffled, size=size, budget=1)
    assert rows_of(batches) == rows_of(others) == rows_of(small)


def test_rows_are_the_sequences_that_hugging_face_would_make():
    texts = [["in", "the", "tweet"], [], [" "], ["Schiphol."]]
    _, batches = make_batches(texts)
    names = {tuple(TOKENIZER.pieces(row)) for row in rows_of(batches)}
    assert names == {
        ("[CLS]", "in", "the", "tweet", "[SEP]"),
        ("[CLS]", "schi", "##pho", "##l", ".", "[SEP]"),
    }


def test_like_lengths_are_batched_together():
    texts = [["in"] * n for n in (1, 30, 2, 29, 3, 28)]
    _, batches = make_batches(texts, budget=100)
    assert [batch.mask.sum(1).tolist() for batch in batches] == [[32, 31, 30], [5, 4, 3]]


def test_a_word_longer_than_a_window_gives_its_first_pieces():
    texts = [["in", "abcdefgh" * 8, "the"]]
    sequences, batches = make_batches(texts, size=10, overlap=4)
    assert sequences.counts.tolist() == [1, 8, 1]
    long_word = TOKENIZER.encode_words(["abcdefgh" * 8])[0]
    assert len(long_word) > 8
    assert (*TOKENIZER.prefix, *long_word[:8], *TOKENIZER.suffix) in rows_of(batches)


def test_texts_without_pieces_are_in_no_batch():
    sequences, batches = make_batches([[], [" ", "\n"], EMPTY_WORDS])
    assert batches == []
    assert sequences.counts.tolist() == [0] * (2 + len(EMPTY_WORDS))
    assert make_batches([])[1] == []


def test_a_padding_piece_inside_a_text_is_a_piece():
    _, (batch,) = make_batches([["[PAD]", "in"], ["in"]])
    assert batch.ids[0].tolist() == [2, 0, TOKENIZER.encode_words(["in"])[0][0], 3]
    assert batch.mask.tolist() == [[1, 1, 1, 1], [1, 1, 1, 0]]


@pytest.mark.parametrize("size", [1, 2])
def test_a_window_without_room_for_a_piece_is_refused(size):
    docs = [Doc(VOCAB, words=["in"])]
    with pytest.raises(ValueError, match="TC004"):
        make_sequences(docs, TOKENIZER, size=size, overlap=0)


def test_a_window_with_room_for_one_piece():
    sequences, batches = make_batches([["in", "Schiphol.", " ", "the"]], size=3, overlap=0)
    assert sequences.counts.tolist() == [1, 1, 0, 1]
    assert sum(rows_of(batches).values()) == 3
    assert np.concatenate([batch.tokens for batch in batches]).tolist() == [0, 1, 3]


@QUICK
@given(texts=TEXTS, budget=st.integers(1, 200), spare=st.integers(0, 30))
def test_padding_is_kept_within_bounds(texts, budget, spare):
    _, batches = make_batches(texts, budget=budget, spare=spare)
    assert all((batch.mask == 0).sum() <= spare for batch in batches)
    assert rows_of(batches) == rows_of(make_batches(texts, budget=budget)[1])
