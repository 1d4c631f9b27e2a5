"""Texts of any length: every token gets its vector from one window, and a text that fits from none but itself."""

import warnings

import numpy as np
import pytest
import spacy
import torch
from hf_reference import TEXTS, Reference, make_docs, make_encoder_model
from spacy.util import registry
from tiny_encoders import KINDS, POSITIONS

from spacy_tokclf.models.encoder import build_transformer_encoder_v1
from spacy_tokclf.wordpieces.windows import split_windows

ARCHITECTURE = "spacy-tokclf.TransformerEncoder.v1"


def long_text(n, seed=0):
    words = ["in", "the", "Groenlinks", "tweet", "Schiphol.", "\ufe0f", "5.975,74", "\n"]
    return [words[i] for i in np.random.RandomState(seed).randint(len(words), size=n)]


def assert_close(got, expected):
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "settings", [{"window": 40, "overlap": 10}, {"window": 64, "overlap": 8}, {"overlap": 0}, {"window": 9999}]
)
def test_a_text_that_fits_is_not_changed_by_windows(encoder_dir, settings):
    docs = make_docs([words for words in TEXTS if len(words) < 8])
    expected = make_encoder_model(encoder_dir).predict(docs)
    for got, other in zip(make_encoder_model(encoder_dir, **settings).predict(docs), expected, strict=True):
        assert_close(got, other)


@pytest.mark.parametrize(("window", "overlap"), [(0, 64), (0, 0), (16, 6), (12, 11)])
def test_each_token_has_the_vector_of_its_window(encoder_dir, window, overlap):
    words = long_text(90)
    model = make_encoder_model(encoder_dir, window=window, overlap=overlap)
    size = window or POSITIONS
    counts = [len(ids) for ids in model.shims[0].tokenizer.encode_words(words)]
    windows = split_windows(np.array(counts), size=size - 2, overlap=min(overlap, size // 2))
    assert len(windows) > 3
    reference = Reference(encoder_dir)
    with torch.inference_mode():
        rows = [
            reference.vectors(words[w.start : w.end])[w.own_start - w.start : w.own_end - w.start].numpy()
            for w in windows
        ]
    got = model.predict(make_docs([["in"], words, []]))[1]
    assert_close(got, np.concatenate(rows))
    assert_close(model.begin_update(make_docs([words]))[0][0], got)


def test_a_long_text_has_a_vector_for_every_token_with_pieces(encoder_dir):
    words = long_text(3000)
    (rows,) = make_encoder_model(encoder_dir).predict(make_docs([words]))
    assert rows.shape[0] == 3000
    assert rows.any(axis=1).tolist() == [word not in ("\n", "\ufe0f") for word in words]


def test_a_long_text_is_no_reason_for_a_warning(encoder_dir, capfd, caplog):
    model = make_encoder_model(encoder_dir)
    capfd.readouterr()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.predict(make_docs([long_text(500)]))
    assert capfd.readouterr() == ("", "") and not caplog.records


def test_a_token_longer_than_the_window_leaves_its_neighbours_alone(encoder_dir):
    words = ["the", "in", "ab" * 45, "tweet", "the"]
    (rows,) = make_encoder_model(encoder_dir).predict(make_docs([words]))
    assert rows.any(axis=1).all()
    reference = Reference(encoder_dir)
    with torch.inference_mode():
        assert_close(rows[:2], reference.vectors(words[:2]).numpy())
        assert_close(rows[3:], reference.vectors(words[3:]).numpy())


@pytest.mark.parametrize("model_type", sorted(KINDS))
@pytest.mark.parametrize(("limit", "expected"), [(POSITIONS, 64), (None, 64), (50, 50), (512, 64)])
def test_the_encoders_own_limit(make_encoder, model_type, limit, expected):
    model = make_encoder_model(make_encoder(model_type, limit=limit))
    assert model.shims[0].max_pieces == expected
    for doc, (rows,) in [(doc, model.predict([doc])) for doc in make_docs([["in"] * 300, ["in"] * 62, ["in"] * 63])]:
        assert rows.shape == (len(doc), 32) and rows.any(axis=1).all()


def test_a_window_beyond_the_encoders_limit_is_that_limit(make_encoder):
    docs = make_docs([["tweet"] * 200])
    folder = make_encoder("roberta", limit=None)
    (expected,) = make_encoder_model(folder).predict(docs)
    assert_close(make_encoder_model(folder, window=100).predict(docs)[0], expected)


WRONG = [
    ({"window": 32, "overlap": 32}, "TC002"),
    ({"window": 32}, "TC002"),
    ({"window": -1}, "TC002"),
    ({"overlap": -1}, "TC002"),
    ({"pooling": "median"}, "TC003"),
    ({"precision": "fp8"}, "TC001"),
]


@pytest.mark.parametrize(("settings", "code"), WRONG)
def test_wrong_settings_are_refused_when_the_config_is_read(settings, code):
    config = {"model": {"@architectures": ARCHITECTURE, **settings}}
    with pytest.raises(ValueError, match=code):
        registry.resolve(config)
    with pytest.raises(ValueError, match=code):
        spacy.blank("en").add_pipe("transformer_encoder", config=config)
    with pytest.raises(ValueError, match=code):
        spacy.blank("en").add_pipe("token_classifier", config={"model": {"tok2vec": config["model"]}})


@pytest.mark.parametrize("settings", [{"pooling": []}, {"window": "big"}, {"windows": 64}, {"precision": None}])
def test_settings_of_the_wrong_type_or_name_are_refused(settings):
    from confection import ConfigValidationError

    with pytest.raises(ConfigValidationError):
        registry.resolve({"model": {"@architectures": ARCHITECTURE, **settings}})


def test_a_window_that_holds_only_special_pieces_is_refused(encoder_dir):
    model = make_encoder_model(encoder_dir, window=2, overlap=0)
    with pytest.raises(ValueError, match="TC004"):
        model.predict(make_docs())


def test_an_empty_encoder_is_refused():
    model = build_transformer_encoder_v1()
    with pytest.raises(ValueError, match="TC012"):
        model.initialize()
    with pytest.raises(ValueError, match="TC012"):
        model.predict(make_docs())
