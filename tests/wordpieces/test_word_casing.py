"""The casing of words, piece by piece."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from odd_words import odd_words
from spacy.tokens import Doc
from spacy.vocab import Vocab
from tiny_encoders import wordpiece_tokenizer

from spacy_tokclf.wordpieces.batch import batch_windows
from spacy_tokclf.wordpieces.sequences import make_sequences
from spacy_tokclf.wordpieces.tokenizer import PieceTokenizer
from spacy_tokclf.wordpieces.words import CASINGS, SPECIAL, casing_of, casings_of, distinct_words

VOCAB = Vocab()
TOKENIZER = PieceTokenizer(wordpiece_tokenizer().to_str())


@pytest.mark.parametrize(
    ("word", "casing"),
    [
        ("london", "lower"),
        ("don't", "lower"),
        ("NASA", "upper"),
        ("B2B", "upper"),
        ("I", "one capital"),
        ("London", "title"),
        ("Élan", "title"),
        ("iPhone", "mixed"),
        ("McDonald", "mixed"),
        ("@London", "mixed"),
        ("42", "no letters"),
        (":)", "no letters"),
        ("中", "mixed"),
        ("", "no letters"),
    ],
)
def test_casing_of_words(word, casing):
    assert CASINGS[casing_of(word)] == casing


@settings(max_examples=100, deadline=None)
@given(texts=st.lists(st.lists(odd_words(), max_size=9), max_size=5), size=st.integers(4, 40))
def test_each_piece_has_the_casing_of_its_word(texts, size):
    docs = [Doc(VOCAB, words=words) for words in texts]
    sequences = make_sequences(docs, TOKENIZER, size=size, overlap=2, casing=True)
    words = [word for words in texts for word in words]
    for batch in batch_windows(sequences, TOKENIZER, pad=0, budget=100):
        assert batch.casings.shape == batch.ids.shape
        assert (batch.casings[batch.mask == 0] == SPECIAL).all()
        assert (batch.casings[:, 0] == SPECIAL).all()
        expected = casings_of([words[i] for i in batch.tokens])
        for offset in range(int(batch.counts.max())):
            has = batch.counts > offset
            assert (batch.casings.reshape(-1)[batch.first[has] + offset] == expected[has]).all()
    assert all(b.casings is None for b in batch_windows(sequences._replace(casings=None), TOKENIZER, pad=0, budget=100))


def test_the_casing_of_some_texts_is_dropped():
    words = ["Ada", "NASA", "iPhone", "42", "中", "ok"]
    docs = [Doc(VOCAB, words=words)] * 400
    lower = [Doc(VOCAB, words=[word.lower() for word in words])]

    def sequences(texts, **options):
        return make_sequences(texts, TOKENIZER, size=64, overlap=0, casing=True, **options)

    def dropped(rate, seed):
        np.random.seed(seed)
        found = sequences(docs, casing_dropout=rate)
        assert np.array_equal(found.ids, sequences(docs).ids), "the pieces stay"
        rows = found.casings.reshape(len(docs), -1)
        is_low = (rows == sequences(lower).casings).all(axis=1)
        assert (is_low != (rows == sequences(docs[:1]).casings).all(axis=1)).all(), "whole texts, or nothing"
        return is_low

    assert not dropped(0.0, 0).any() and dropped(1.0, 0).all()
    assert 0.2 < dropped(0.3, 0).mean() < 0.4
    assert (dropped(0.5, 0) == dropped(0.5, 0)).all() and (dropped(0.5, 0) != dropped(0.5, 1)).any()


def test_words_of_texts_of_several_vocabularies():
    words = [["rain", "in", "Spain"], [], ["in", "Zorblax"]]
    apart = [Doc(Vocab(), words=each) for each in words]
    vocab = Vocab()
    for docs in (apart, [Doc(vocab, words=each) for each in words]):
        found, tokens = distinct_words(docs)
        assert [found[i] for i in tokens] == ["rain", "in", "Spain", "in", "Zorblax"]
        assert len(found) == 4
