"""The table of forms: every form is told from the others, read and written."""

import json

import pytest
import spacy

from spacy_tokclf.corpus import Record, doc_to_record, records_to_docs, write_conll, write_docbin
from spacy_tokclf.corpus.convert import read_any, read_file
from spacy_tokclf.corpus.docs import bare_copy
from spacy_tokclf.corpus.forms.table import FORMS
from spacy_tokclf.corpus.options import ReadOptions, WriteOptions

datasets = pytest.importorskip("datasets")

RECORDS = [Record(["Ada", "saw", "Rome"], ["B-per", "O", "B-loc"]), Record(["lol", "!"], ["O", "-"])]


def form_of(path):
    """Name the form that a path is read in."""
    return next(form.name for form in FORMS if form.sniff(path))


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """Keep what `datasets` writes out of the user's cache."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


def test_names_and_suffixes_are_told_apart():
    assert len({form.name for form in FORMS}) == len(FORMS)
    suffixes = [suffix for form in FORMS for suffix in form.suffixes]
    assert len(set(suffixes)) == len(suffixes)
    assert all(form.write is not None for form in FORMS if form.suffixes)


@pytest.mark.parametrize("form, suffix", [(form, suffix) for form in FORMS for suffix in form.suffixes])
def test_what_a_form_writes_is_of_that_form(form, suffix, tmp_path):
    nlp = spacy.blank("en")
    path = tmp_path / f"x{suffix}"
    if suffix == ".ann":  # has no place for what is not known
        with pytest.raises(ValueError, match="TC361"):
            form.write(records_to_docs(RECORDS, nlp.vocab), path, WriteOptions())
        assert not path.exists()
        return
    assert form.write(records_to_docs(RECORDS, nlp.vocab), path, WriteOptions()) == 2
    assert form_of(path) == form_of(str(path)) == form.name
    read = form.read(path, nlp, ReadOptions(), None)
    assert [doc_to_record(doc) for doc in read] == RECORDS


def test_json_is_told_by_its_name_or_by_how_it_begins(tmp_path):
    row = json.dumps({"tokens": ["a"], "ner_tags": ["O"]})
    for name in ("x.jsonl", "x.json", "x.ndjson", "x.txt", "x"):
        (tmp_path / name).write_text(row, encoding="utf-8")
        assert form_of(tmp_path / name) == "JSON"
    (tmp_path / "x.txt").write_text("[\tO\n{\tO\n", encoding="utf-8")
    assert form_of(tmp_path / "x.txt") == "CoNLL"
    for name in ("x.jsonl.gz", "x.json.gz", "no.json"):
        assert form_of(tmp_path / name) == "JSON"


def test_names_without_a_file(tmp_path):
    assert form_of("user/data") == form_of("wnut_17") == form_of(tmp_path) == "Hugging Face data set"
    for name in ("no.spacy", "no.conll", "no.xyz"):
        with pytest.raises(ValueError, match=f"TC118.*{name}"):
            list(read_any(tmp_path / name, spacy.blank("en")))
    for name, form in (("file", "CoNLL"), ("file.annotated", "CoNLL")):
        write_conll(RECORDS, tmp_path / name)
        assert form_of(tmp_path / name) == form
    write_docbin(RECORDS, tmp_path / "folder.spacy" / "train.spacy")
    assert form_of(tmp_path / "folder.spacy") == "Hugging Face data set"


@pytest.mark.parametrize("text", ["Ada  saw\n Rome's sun .", ""])
def test_a_bare_copy_has_the_tokens_and_spaces_and_no_annotation(text):
    nlp = spacy.blank("en")
    doc = nlp(text)
    if text:
        doc.ents = [doc.char_span(0, 3, label="per")]
    other = spacy.blank("en").vocab
    copy = bare_copy(doc, other)
    assert copy.vocab is other
    assert [token.text_with_ws for token in copy] == [token.text_with_ws for token in doc]
    assert not copy.ents and copy.has_annotation("ENT_IOB") == (not text)  # an empty Doc has every annotation
    assert copy.has_unknown_spaces == doc.has_unknown_spaces
    (unknown,) = records_to_docs(RECORDS[:1], nlp.vocab)
    assert bare_copy(unknown, other).has_unknown_spaces


def test_what_has_splits_is_no_file_to_score_on(tmp_path):
    """A command without a split would take the training texts of it, or ask the Hub for a mistyped path."""
    nlp = spacy.blank("en")
    rows = {"tokens": [["Rome"]], "ner_tags": [["B-loc"]]}
    splits = {name: datasets.Dataset.from_dict(rows) for name in ("train", "test")}
    datasets.DatasetDict(splits).save_to_disk(tmp_path / "saved")
    assert len(list(read_any(tmp_path / "saved", nlp))) == 1
    for path in (tmp_path / "saved", tmp_path / "dev", "wnut_17"):
        with pytest.raises(ValueError, match="TC118"):
            read_file(path, nlp)
    write_conll(RECORDS, tmp_path / "dev.conll")
    assert [doc_to_record(doc) for doc in read_file(tmp_path / "dev.conll", nlp)] == RECORDS
