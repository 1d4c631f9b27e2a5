"""Words to word pieces: the same ids as the Hugging Face tokenizer that is given words."""

import copy
import json
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from odd_words import EMPTY_WORDS, ODD_WORDS, odd_words
from tiny_encoders import KINDS

from spacy_tokclf.models.hf.pretrained import PretrainedEncoder
from spacy_tokclf.wordpieces import tokenizer as tokenizer_module
from spacy_tokclf.wordpieces.tokenizer import PieceTokenizer

KIND_NAMES = ["distilbert", "roberta", "xlm-roberta"]
QUICK = settings(max_examples=150, deadline=None)


@pytest.fixture(scope="session")
def both(make_encoder):
    """Give, by model type, our tokenizer and that of Hugging Face, set up for words as its documentation asks."""
    from transformers import AutoTokenizer

    made = {}

    def get(model_type):
        if model_type not in made:
            folder = make_encoder(model_type)
            reference = AutoTokenizer.from_pretrained(folder, add_prefix_space=True)
            made[model_type] = PieceTokenizer(PretrainedEncoder(str(folder))().tokenizer_json), reference
        return made[model_type]

    return get


def reference_pieces(reference, words):
    """Split words with the Hugging Face tokenizer. Returns ids of each word, and all ids with special pieces."""
    encoding = reference(words, is_split_into_words=True)
    pieces = [[] for _ in words]
    for piece, index in zip(encoding.input_ids, encoding.word_ids(), strict=True):
        if index is not None:
            pieces[index].append(piece)
    return [tuple(ids) for ids in pieces], encoding.input_ids


@pytest.mark.parametrize("model_type", KIND_NAMES)
def test_odd_words_equal_hugging_face(both, model_type):
    tokenizer, reference = both(model_type)
    expected, _ = reference_pieces(reference, ODD_WORDS)
    assert tokenizer.encode_words(ODD_WORDS) == expected
    assert [tokenizer.encode_words([word])[0] for word in reversed(ODD_WORDS)] == expected[::-1]


@pytest.mark.parametrize("model_type", KIND_NAMES)
@QUICK
@given(words=st.lists(odd_words(), min_size=1, max_size=8))
def test_any_words_equal_hugging_face(both, model_type, words):
    tokenizer, reference = both(model_type)
    expected, all_ids = reference_pieces(reference, words)
    pieces = tokenizer.encode_words(words)
    assert pieces == expected
    assert [*tokenizer.prefix, *chain(*pieces), *tokenizer.suffix] == all_ids


GOLDEN = {
    "distilbert": [
        ["g", "##ro", "##en", "##l", "##in", "##k", "##s"],
        ["praat"],
        ["over"],
        ["schi", "##pho", "##l", "."],
        ["5", ".", "9", "##7", "##5", ",", "7", "##4"],
        ["don", "'", "t"],
        ["1", "##8", "##th"],
    ],
    "roberta": [
        ["Ġ", "G", "r", "o", "e", "n", "l", "in", "k", "s"],
        ["Ġ", "p", "r", "a", "a", "t"],
        ["Ġ", "o", "v", "er"],
        ["Ġ", "S", "c", "h", "i", "p", "h", "o", "l", "."],
        ["Ġ", "5", ".", "9", "7", "5", ",", "7", "4"],
        ["Ġ", "d", "on", "'", "t"],
        ["Ġ", "1", "8", "th"],
    ],
    "xlm-roberta": [
        ["▁", "G", "ro", "en", "l", "in", "k", "s"],
        ["▁praat"],
        ["▁over"],
        ["▁", "S", "c", "hi", "pho", "l", "."],
        ["▁", "5", ".", "9", "7", "5", ",", "7", "4"],
        ["▁don", "'", "t"],
        ["▁", "1", "8", "th"],
    ],
}


@pytest.mark.parametrize("model_type", KIND_NAMES)
def test_golden_pieces(both, model_type):
    tokenizer, _ = both(model_type)
    words = ["Groenlinks", "praat", "over", "Schiphol.", "5.975,74", "don't", "18th"]
    assert [tokenizer.pieces(ids) for ids in tokenizer.encode_words(words)] == GOLDEN[model_type]


def test_words_without_pieces(both):
    tokenizer, _ = both("distilbert")
    words = ["in", *EMPTY_WORDS, "the"]
    pieces = tokenizer.encode_words(words)
    assert [len(ids) for ids in pieces] == [1, *([0] * len(EMPTY_WORDS)), 1]


@pytest.mark.parametrize("model_type", KIND_NAMES)
def test_white_space_has_no_pieces(both, model_type):
    tokenizer, _ = both(model_type)
    words = [" ", "\n\n", "\t", "\xa0", "\u202f", "\u2028", "", "the"]
    assert [len(ids) > 0 for ids in tokenizer.encode_words(words)] == [False] * 7 + [True]
    assert tokenizer.encode_words([]) == []
    assert tokenizer.encode_words([" "]) == [()]


@pytest.mark.parametrize("model_type", sorted(KINDS))
def test_special_pieces(both, model_type):
    tokenizer, reference = both(model_type)
    assert tokenizer.prefix == [reference.cls_token_id]
    assert tokenizer.suffix == [reference.sep_token_id]
    assert tokenizer.n_special == 2


def test_special_pieces_of_a_vocabulary_without_common_letters():
    from tokenizers import Tokenizer, models, processors

    plain = Tokenizer(models.BPE({"[CLS]": 0, "[SEP]": 1, "中": 2}, []))
    plain.post_processor = processors.BertProcessing(("[SEP]", 1), ("[CLS]", 0))
    tokenizer = PieceTokenizer(plain.to_str())
    assert (tokenizer.prefix, tokenizer.suffix) == ([0], [1])
    assert tokenizer.encode_words(["中", "a"]) == [(2,), ()]


def test_a_word_that_a_tokenizer_breaks_off_at_is_named():
    """A regular expression that gives up: the library panics, which no error handler would catch."""
    state = json.loads(KINDS["bert"].make_tokenizer().to_str())
    pattern = {"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated", "invert": False}
    tokenizer = PieceTokenizer(json.dumps({**state, "pre_tokenizer": pattern}))
    word = "a" * 30 + "!"
    with pytest.raises(ValueError, match=f"TC096.*'{word}'"):
        tokenizer.encode_words(["rain", word, "york"])
    assert all(tokenizer.encode_words(["rain", "york"]))


def test_a_tokenizer_without_special_pieces():
    from tokenizers import Tokenizer, models

    tokenizer = PieceTokenizer(Tokenizer(models.WordPiece({"[UNK]": 0, "in": 1}, unk_token="[UNK]")).to_str())
    assert (tokenizer.prefix, tokenizer.suffix, tokenizer.n_special) == ([], [], 0)


def test_truncation_and_padding_are_ignored(both):
    tokenizer, _ = both("distilbert")
    state = json.loads(tokenizer.to_str())
    direction = {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0}
    state["truncation"] = direction
    state["padding"] = {
        "strategy": {"Fixed": 16},
        "direction": "Right",
        "pad_to_multiple_of": None,
        "pad_id": 0,
        "pad_type_id": 0,
        "pad_token": "[PAD]",
    }
    limited = PieceTokenizer(json.dumps(state))
    words = ["Schiphol."] * 20 + ["in"]
    assert limited.encode_words(words) == tokenizer.encode_words(words)
    assert (limited.prefix, limited.suffix) == (tokenizer.prefix, tokenizer.suffix)
    assert json.loads(limited.to_str()) == json.loads(tokenizer.to_str())


def test_a_full_cache_changes_nothing(both, monkeypatch):
    tokenizer, _ = both("distilbert")
    words = [f"w{i}" for i in range(50)]
    expected = tokenizer.encode_words(words)
    monkeypatch.setattr(tokenizer_module, "CACHE_WORDS", 8)
    small = copy.deepcopy(tokenizer)
    for size in (1, 3, 7, 8, 9, 50):
        got = [ids for i in range(0, 50, size) for ids in small.encode_words(words[i : i + size])]
        assert got == expected
        assert len(small._cache) <= max(8, size)


def test_a_batch_of_old_and_new_words_survives_the_clearing(both, monkeypatch):
    tokenizer, _ = both("distilbert")
    monkeypatch.setattr(tokenizer_module, "CACHE_WORDS", 4)
    small = copy.deepcopy(tokenizer)
    small.encode_words(["in", "the", "on"])
    assert small.encode_words(["on", "is", "in", "at"]) == tokenizer.encode_words(["on", "is", "in", "at"])


def test_long_words_are_not_kept(both):
    """A service that meets long words, no two of them the same, does not fill its memory with them."""
    tokenizer, _ = both("distilbert")
    small = copy.deepcopy(tokenizer)
    words = ["in", "x" * 64, *(f"{i}" + "in" * 500 for i in range(20))]
    expected = tokenizer.encode_words(words)
    assert small.encode_words(words) == expected
    assert set(small._cache) == set(words[:2])
    assert small.encode_words(words) == expected


def test_a_cache_that_another_thread_clears(both, monkeypatch):
    """A word that was in the cache a moment ago may be gone."""
    tokenizer, _ = both("distilbert")
    monkeypatch.setattr(tokenizer_module, "CACHE_WORDS", 4)
    small = copy.deepcopy(tokenizer)
    small.encode_words(["in", "the"])
    plain = small._tokenize

    def beside(unseen):
        small._cache.clear()
        return plain(unseen)

    monkeypatch.setattr(small, "_tokenize", beside)
    assert small.encode_words(["in", "on", "the"]) == tokenizer.encode_words(["in", "on", "the"])


@pytest.mark.parametrize("model_type", KIND_NAMES)
def test_saved_tokenizer_is_the_same(both, model_type):
    tokenizer, _ = both(model_type)
    again = PieceTokenizer(tokenizer.to_str())
    assert again.to_str() == tokenizer.to_str()
    assert again.encode_words(ODD_WORDS) == tokenizer.encode_words(ODD_WORDS)
