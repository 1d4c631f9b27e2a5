import re

import pytest
import spacy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc
from spacy.training import Example, offsets_to_biluo_tags
from spacy.training.corpus import create_docbin_reader

from spacy_tokclf.corpus import (
    Record,
    doc_to_record,
    read_conll,
    read_docbin,
    record_to_doc,
    records_to_docs,
    write_conll,
    write_docbin,
)
from spacy_tokclf.tags import convert_tags


@pytest.fixture(scope="module")
def nlp():
    return spacy.blank("en")


RECORD = Record(
    ["do", "n't", "miss", "Lo", "Fi", "Nights", "\ufe0f", "x"],
    ["O", "O", "O", "B-creative-work", "I-creative-work", "B-creative-work", "-", "-"],
)


@pytest.mark.parametrize("split", ["train", "dev", "test"])
def test_wnut17_there_and_back(wnut17, tmp_path, split):
    posts = write_docbin(read_conll(wnut17[split]), tmp_path / "x.spacy")
    assert write_conll(read_docbin(tmp_path / "x.spacy"), tmp_path / "x.conll") == posts
    assert (tmp_path / "x.conll").read_bytes() == re.sub(rb"(?m)^\t$", b"", wnut17[split].read_bytes())


def test_doc_keeps_tokens_ents_and_missing(nlp):
    doc = record_to_doc(RECORD, nlp.vocab)
    assert [token.text for token in doc] == RECORD.words
    assert doc.has_unknown_spaces
    assert doc.user_data == {}
    assert [(ent.text, ent.label_) for ent in doc.ents] == [
        ("Lo Fi", "creative-work"),
        ("Nights", "creative-work"),
    ]
    assert [token.ent_iob_ for token in doc] == ["O", "O", "O", "B", "I", "B", "", ""]
    gold = Example(Doc(nlp.vocab, words=RECORD.words), doc).get_aligned_ner()
    assert gold == ["O", "O", "O", "B-creative-work", "L-creative-work", "U-creative-work", None, None]
    assert doc_to_record(doc) == RECORD


def test_doc_equals_what_spacy_makes_of_the_offsets(nlp):
    doc = record_to_doc(Record(RECORD.words, [t if t != "-" else "O" for t in RECORD.tags]), nlp.vocab)
    offsets = [(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents]
    tags = offsets_to_biluo_tags(doc, offsets)
    assert convert_tags(tags, "BILOU", "IOB2") == doc_to_record(doc).tags


def test_docs_without_entities_are_annotated_and_unannotated_docs_are_missing(nlp):
    doc = record_to_doc(Record(["a", "b"], ["O", "O"]), nlp.vocab)
    assert doc.has_annotation("ENT_IOB")
    assert doc_to_record(doc).tags == ["O", "O"]
    doc = record_to_doc(Record(["a", "b"], ["-", "-"]), nlp.vocab)
    assert not doc.has_annotation("ENT_IOB")
    assert doc_to_record(doc).tags == ["-", "-"]
    assert doc_to_record(Doc(nlp.vocab, words=["a"])).tags == ["-"]
    blocked = Doc(nlp.vocab, words=["a"])
    blocked.set_ents([], blocked=[blocked[:]])
    assert doc_to_record(blocked).tags == ["O"]


def test_spacy_corpus_reads_the_file_token_for_token(nlp, tmp_path):
    write_docbin([RECORD, Record(["10km", "£"], ["O", "O"])], tmp_path / "new" / "x.spacy")
    examples = list(create_docbin_reader(tmp_path / "new" / "x.spacy", gold_preproc=False)(nlp))
    assert [[t.text for t in eg.predicted] for eg in examples] == [RECORD.words, ["10km", "£"]]
    assert [doc_to_record(eg.reference).tags for eg in examples] == [RECORD.tags, ["O", "O"]]
    # attributes come from the vocabulary of the pipeline, not from the file
    assert examples[1].reference[1].norm_ == nlp.make_doc("£")[0].norm_ == "$"


def test_equal_records_give_equal_bytes(tmp_path):
    write_docbin([RECORD], tmp_path / "a.spacy")
    write_docbin([RECORD], tmp_path / "b.spacy")
    assert (tmp_path / "a.spacy").read_bytes() == (tmp_path / "b.spacy").read_bytes()


def test_entities_are_trimmed_of_white_space_and_counted(nlp):
    records = [
        Record(["4:30", "  ", "Jerry", "\u2028", "Smith", "\n"], ["O", "B-p", "I-p", "I-p", "I-p", "I-p"]),
        Record([" ", "x"], ["B-p", "B-p"]),
    ]
    with pytest.warns(UserWarning, match=r"TW101.*2 of 3 entities.*4:30") as caught:
        docs = list(records_to_docs(records, nlp.vocab))
    assert len(caught) == 1
    assert [[(ent.start, ent.end) for ent in doc.ents] for doc in docs] == [[(2, 5)], [(1, 2)]]
    assert doc_to_record(docs[0]).tags == ["O", "O", "B-p", "I-p", "I-p", "O"]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    posts=st.lists(
        st.lists(
            st.tuples(
                st.text(st.characters(codec="utf-8"), min_size=1, max_size=4).filter(lambda w: not w.isspace()),
                st.sampled_from(["O", "-", "B-a", "I-a", "B-b-c", "I-b-c"]),
            ),
            min_size=1,
            max_size=6,
        ),
        max_size=4,
    )
)
def test_records_survive_the_docbin(tmp_path, posts):
    records = [
        Record([word for word, _ in post], convert_tags([tag for _, tag in post], "IOB2", "IOB2")) for post in posts
    ]
    assert write_docbin(records, tmp_path / "x.spacy") == len(records)
    assert list(read_docbin(tmp_path / "x.spacy")) == records
