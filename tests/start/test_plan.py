import json
from types import SimpleNamespace

import pytest
from tiny_encoders import byte_bpe_tokenizer, unigram_tokenizer, wordpiece_tokenizer

from spacy_tokclf.start import plan as planning
from spacy_tokclf.start.embedded_encoder import LARGE, MANIFEST, SMALL
from spacy_tokclf.start.plan import MAX_TOKENS, choose_window, lower_cases, make_plan
from spacy_tokclf.wordpieces.tokenizer import PieceTokenizer


def shim(limit=512, make=wordpiece_tokenizer):
    return SimpleNamespace(tokenizer=PieceTokenizer(make().to_str()), max_pieces=limit)


def plan(n, length=20, *, encoder="some/encoder", **settings):
    return make_plan([length] * n, [length] * n, shim(), encoder=encoder, **settings)


def test_few_texts_are_seen_more_often_in_smaller_batches():
    few, some, many = (plan(n) for n in (160, 1600, 40_000))
    assert (few.batch_size, some.batch_size, many.batch_size) == (8, 16, 16)
    assert few.epochs > some.epochs >= many.epochs == planning.LEAST_EPOCHS
    assert few.steps == 20 and some.steps == 100 and many.steps == 2500
    assert plan(8).epochs == planning.MOST_EPOCHS


def test_epochs_that_were_asked_for():
    assert plan(160, epochs=3).epochs == 3
    with pytest.raises(ValueError, match="TC340"):
        plan(160, epochs=0)


def test_the_embedded_encoders_have_their_own_numbers(tmp_path):
    other = plan(100, encoder=str(tmp_path))
    (tmp_path / MANIFEST).write_text(json.dumps({"package": SMALL.package}))
    small = plan(100, encoder=str(tmp_path))
    (tmp_path / MANIFEST).write_text(json.dumps({"package": LARGE.package}))
    large = plan(100, encoder=str(tmp_path))
    assert (small.rate, large.rate, other.rate) == (1e-4, 5e-5, 5e-5)
    assert small.freeze_embeddings and large.freeze_embeddings and not other.freeze_embeddings


def test_long_texts_make_smaller_batches():
    assert plan(100, 500).max_tokens == 0
    assert plan(100, 2000).max_tokens == MAX_TOKENS


@pytest.mark.parametrize(
    ("pieces", "limit", "expected"),
    [
        ([10] * 100, 512, 64),
        ([100] * 100, 512, 112),
        ([100] * 99 + [5000], 512, 112),
        ([110] * 100, 512, 112),
        ([111] * 100, 512, 128),
        ([5000] * 100, 512, 512),
        ([300], 130, 130),
        ([0], 20, 20),
    ],
)
def test_a_window_holds_ordinary_texts(pieces, limit, expected):
    assert choose_window(pieces, special=2, limit=limit) == expected


def test_windows_advance():
    made = make_plan([9] * 20, [9] * 20, shim(limit=5), encoder="x")
    assert 0 <= made.overlap < made.window == 5


@pytest.mark.parametrize(
    ("make", "expected"), [(wordpiece_tokenizer, True), (byte_bpe_tokenizer, False), (unigram_tokenizer, False)]
)
def test_whether_an_encoder_lower_cases(make, expected):
    assert lower_cases(make().to_str()) is expected
    assert make_plan([9], [9], shim(make=make), encoder="x").casing is expected
