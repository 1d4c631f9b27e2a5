"""The reader for data of any form."""

import inspect
import json
import warnings
from dataclasses import fields

import pytest
import spacy
from spacy.util import registry

from spacy_tokclf.corpus import Record, doc_to_record, record_to_doc
from spacy_tokclf.corpus.any_reader import Corpus, make_corpus_v1
from spacy_tokclf.corpus.convert import write_any
from spacy_tokclf.corpus.options import ReadOptions

RECORDS = [Record(["Ada", "saw", "New", "York"], ["B-PER", "O", "B-LOC", "I-LOC"]), Record(["Bye"], ["O"])]


@pytest.fixture
def nlp():
    return spacy.blank("en")


@pytest.mark.parametrize("name", ["x.spacy", "x.conll", "x.jsonl", "x.json", "x.iob", "x.parquet"])
def test_reads_every_form_alike(tmp_path, nlp, name):
    write_any((record_to_doc(record, nlp.vocab) for record in RECORDS), tmp_path / name)
    corpus = registry.readers.get("spacy-tokclf.Corpus.v1")(str(tmp_path / name))
    for _ in range(2):  # two epochs
        examples = list(corpus(nlp))
        assert [doc_to_record(example.reference) for example in examples] == RECORDS
        assert [[token.text for token in example.predicted] for example in examples] == [one.words for one in RECORDS]
        assert not any(example.predicted.has_annotation("ENT_IOB") for example in examples)


def test_takes_the_options_of_reading_with_their_defaults():
    parameters = inspect.signature(make_corpus_v1).parameters
    expected = {field.name: (field.type, field.default) for field in fields(ReadOptions)}
    assert {name: (parameters[name].annotation, parameters[name].default) for name in expected} == expected
    assert parameters.keys() == {"path", *expected, "limit", "augmenter"}


def test_the_options_take_effect(tmp_path, nlp):
    (tmp_path / "x.conll").write_text("B-PER|Ada|x\nO|ran|x\n", encoding="utf-8")
    corpus = make_corpus_v1(tmp_path / "x.conll", separator="|", token_column=1, tag_column=0)
    assert [doc_to_record(eg.reference) for eg in corpus(nlp)] == [Record(["Ada", "ran"], ["B-PER", "O"])]


def test_says_once_what_does_not_fit_the_tokens(tmp_path, nlp):
    row = {"text": "Adam ran", "label": [[0, 3, "PER"]]}
    (tmp_path / "x.jsonl").write_text(json.dumps(row) + "\n" + json.dumps({**row, "text": "Ada ran"}), encoding="utf-8")
    corpus = Corpus(tmp_path / "x.jsonl")
    with pytest.warns(UserWarning, match="TW110"):
        examples = list(corpus(nlp))
    assert [token.ent_iob for token in examples[0].reference] == [0, 2]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        list(corpus(nlp))


def test_limit_and_faults(tmp_path, nlp):
    write_any((record_to_doc(record, nlp.vocab) for record in RECORDS), tmp_path / "x.conll")
    assert len(list(make_corpus_v1(tmp_path / "x.conll", limit=1)(nlp))) == 1
    for error, arguments in {"TC118": {"path": None}, "TC119": {"path": "x", "limit": -1}}.items():
        with pytest.raises(ValueError, match=error):
            make_corpus_v1(**arguments)
