"""Links and user names, and what an encoder reads in their place."""

import numpy as np
import pytest
from hf_reference import make_docs, make_encoder_model
from hypothesis import given
from hypothesis import strategies as st

from spacy_tokclf.export.debug_pieces import debug_pieces
from spacy_tokclf.wordpieces.words import normal_form

LINKS = [
    "http://t.co/x1",
    "https://example.org/a?b=c#d",
    "HTTPS://T.CO/X",
    "www.example.org",
    "http:...",
    "WWW.X.ORG/a",
]
USERS = ["@ada", "@Ada_99", "@_", "@\u00e9t\u00e9"]
WORDS = ["url", "@", "@user!", "a@b.c", "example.org", "http", "https", "www", "#tag", "@ada's", "see:http://t.co", ""]


@pytest.mark.parametrize("word", LINKS)
def test_links(word):
    assert normal_form(word) == "url"


@pytest.mark.parametrize("word", USERS)
def test_user_names(word):
    assert normal_form(word) == "@user"


@pytest.mark.parametrize("word", WORDS)
def test_other_words(word):
    assert normal_form(word) == word


@given(st.text())
def test_stand_ins_stay(word):
    assert normal_form(normal_form(word)) == normal_form(word)


@pytest.mark.parametrize("settings", [{}, {"casing": True}, {"pooling": "mean"}])
def test_an_encoder_reads_the_stand_ins(encoder_dir, settings):
    """Vectors are those of a text with the stand-ins, token for token; without the setting they are not."""
    texts = make_docs([["see", "HTTPS://t.co/AbC", "@Ada", "in", "London"], ["see", "url", "@user", "in", "London"]])
    plain, normal = (make_encoder_model(encoder_dir, normalize=value, **settings) for value in (False, True))
    if settings.get("casing"):
        for model in (plain, normal):
            model.shims[0].module.casing.weight.data.copy_(plain.shims[0].module.casing.weight.data.normal_())
    link, stand_in = normal.predict(texts)
    np.testing.assert_allclose(link, stand_in, atol=1e-6)
    first, second = plain.predict(texts)
    assert abs(first - second).max() > 1e-3
    np.testing.assert_allclose(second, stand_in, atol=1e-6)


def test_pieces_are_shown_as_they_are_read(make_nlp):
    nlp = make_nlp(config={"model": {"tok2vec": {"normalize": True}}})
    rows = debug_pieces(nlp, "see http://t.co/x")
    expected = debug_pieces(nlp, "see url")
    assert [row.piece for row in rows] == [row.piece for row in expected]
