"""What is marked is never taught as O: in rows of all tools but Label Studio, and in DocBins."""

import json
import warnings

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin, Span, SpanGroup

from spacy_tokclf.corpus import doc_to_record, read_docbin, text_records_to_docs
from spacy_tokclf.corpus.convert import read_any, write_any
from spacy_tokclf.corpus.jsonl_reader import make_jsonl_corpus_v1
from spacy_tokclf.corpus.records import Mark, TextRecord
from spacy_tokclf.corpus.tagged import read_tagged

TEXT = "Mira Oduya moved to Lagos."
NLP = spacy.blank("en")
PER = {"start": 0, "end": 10, "label": "PER"}
LOC = {"start": 20, "end": 25, "label": "LOC"}
MASKED = ["-", "-", "O", "O", "B-LOC", "O"]
NONE = ["-"] * 6


@pytest.fixture
def read(tmp_path):
    """Read rows, and give tags and warnings."""

    def read(*rows):
        path = tmp_path / "x.jsonl"
        path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            docs = list(read_any(path, NLP))
        return [doc_to_record(doc).tags for doc in docs], " ".join(str(each.message) for each in caught)

    return read


@pytest.mark.parametrize(
    "row, why",
    [
        ({"text": TEXT, "label": [[0, 10, None], [20, 25, "LOC"]]}, "no label: 1"),
        ({"text": TEXT, "label": [[0, 10, " "], [20, 25, "LOC"]]}, "no label: 1"),
        ({"text": TEXT, "spans": [{"start": 0, "end": 10}, LOC]}, "no label: 1"),
        ({"text": TEXT, "spans": [{**PER, "labels": [], "label": []}, LOC]}, "no label: 1"),
        ({"text": TEXT, "spans": [{**PER, "rejected": True}, LOC]}, "rejected: 1"),
        ({"text": TEXT, "spans": [{**PER, "answer": "reject"}, LOC], "answer": "accept"}, "rejected: 1"),
        ({"text": TEXT, "entities": [{**PER, "status": "REJECTED"}, LOC]}, "rejected: 1"),
        ({"text": TEXT, "label": [[20, 25, "LOC"]], "aspects": [[0, 10, "X"]]}, "key 'aspects': 1"),
        ({"text": TEXT, "spans": [LOC], "entities": [PER], "answer": "accept"}, "key 'entities': 1"),
        ({"content": TEXT, "annotation": [], "entities": [PER]}, "key 'entities': 1"),
        ({"text": TEXT, "label": [], "highlights": [PER]}, "key 'highlights': 1"),
        ({"text": TEXT, "ents": [], "tokens": [], "spans": {"sc": [PER]}}, "span group 'sc': 1"),
        ([TEXT, {"entities": [], "spans": {"sc": [[0, 10, "X"]]}}], "span group 'sc': 1"),
        ({"tokenized_text": [*TEXT[:-1].split(), "."], "ner": [[0, 1, ""], [4, 4, "LOC"]]}, "no label: 1"),
    ],
)
def test_a_mark_that_cannot_be_learned_is_masked(row, why, read):
    (tags,), said = read(row)
    assert tags[:4] == MASKED[:4] and tags[4] in ("B-LOC", "O") and tags[5] == "O"
    assert "TW110" in said and why in said


@pytest.mark.parametrize(
    "row",
    [
        {"text": TEXT, "label": "POSITIVE", "answer": "accept"},
        {"text": TEXT, "options": [{"id": "a"}], "accept": ["a"], "answer": "accept"},
        {
            "text": TEXT,
            "relations": [{"head": 0, "child": 1, "label": "x"}],
            "answer": "accept",
            "_view_id": "relations",
        },
        {"text": TEXT, "spans": [PER], "answer": "reject"},
        {"text": TEXT, "spans": [PER], "answer": "ignore"},
        [TEXT, {"cats": {"x": 1.0}}],
        {"text": TEXT, "tokens": [{"id": 0, "start": 0, "end": 4}], "spans": {"sc": [PER]}},
        {"text": TEXT, "cats": {"x": 1.0}},
    ],
)
def test_a_text_with_marks_of_another_kind_has_no_gold(row, read):
    (other, right), said = read(row, {"text": TEXT, "label": []})
    assert other == NONE and right == ["O"] * 6
    assert "marks are no entities that could be learned" in said
    with pytest.raises(ValueError, match=r"TC174.*x\.jsonl.*1 text\(s\)"):
        read(row)


def test_what_is_guessed_is_no_mark(read):
    row = {"text": TEXT, "label": [], "predictions": [PER], "model_predicted": [PER], "suggestions": [PER]}
    assert read(row) == ([["O"] * 6], "")


@pytest.mark.parametrize("key", ["_is_binary", "_view_id"])
def test_a_yes_to_one_question(key, read):
    row = {"text": TEXT, "spans": [LOC], "answer": "accept", key: "ner" if key == "_view_id" else True}
    assert read(row)[0] == [["-", "-", "-", "-", "B-LOC", "-"]]
    assert read({**row, "_view_id": "ner_manual", "_is_binary": False})[0] == [["O", "O", "O", "O", "B-LOC", "O"]]


def test_training_says_it_too(tmp_path):
    (tmp_path / "x.jsonl").write_text(json.dumps({"text": TEXT, "spans": [{**PER, "label": ""}]}), encoding="utf-8")
    corpus = make_jsonl_corpus_v1(tmp_path / "x.jsonl")
    with pytest.warns(UserWarning, match=r"TW110.*x\.jsonl: 1 marks.*no label: 1.*\(0, 10, 'no label'\) 'Mira Oduya'"):
        (example,) = corpus(NLP)
    assert example.get_aligned_ner() == [None, None, "O", "O", "O", "O"]
    (tmp_path / "x.jsonl").write_text(json.dumps([TEXT, {"cats": {"x": 1}}]), encoding="utf-8")
    with pytest.raises(ValueError, match="TC174"):
        list(make_jsonl_corpus_v1(tmp_path / "x.jsonl")(NLP))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 6), st.booleans()), max_size=5))
def test_no_character_of_a_mark_is_outside(places):
    spans = [(start, start + size, "X") for start, size, read in places if read]
    marks = [Mark("m", (start, start + size)) for start, size, read in places if not read]
    record = TextRecord(TEXT, spans, marks=marks)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            (doc,) = text_records_to_docs([record], NLP, overlap="longest")
        except ValueError as error:
            assert "TC174" in str(error)
            return
    marked = {i for start, size, _ in places for i in range(start, start + size)}
    for token in doc:
        touched = bool(marked & set(range(token.idx, token.idx + len(token))))
        assert (token.ent_iob_ != "O") == touched


def docbin(path, *docs):
    DocBin(docs=docs, attrs=["ENT_IOB", "ENT_TYPE"]).to_disk(path)
    return path


def grouped(ents=None, key="sc", scores=None):
    """A Doc whose group marks the first two tokens."""
    doc = Doc(NLP.vocab, words=["Mira", "Oduya", "spoke"])
    attrs = {"scores": scores} if scores is not None else {}
    doc.spans[key] = SpanGroup(doc, name=key, attrs=attrs, spans=[Span(doc, 0, 2, label="PER")])
    if ents is not None:
        doc.set_ents([Span(doc, *bounds, label="X") for bounds in ents])
    return doc


def test_groups_of_a_docbin_are_not_outside(tmp_path):
    path = docbin(tmp_path / "x.spacy", grouped([]), grouped([(2, 3)]), grouped([], "entities", [0.9]))
    with pytest.warns(UserWarning, match=r"TW122.*x\.spacy: in 1 of 3 text.*'sc'.*1 span\(s\) were masked"):
        docs = list(read_any(path, NLP))
    tags = [doc_to_record(doc).tags for doc in docs]
    # A text with entities has them where its groups are another component's; scored groups are old predictions.
    assert tags == [["-", "-", "O"], ["O", "O", "B-X"], ["O", "O", "O"]]
    assert all(len(group) == 1 for doc in docs for group in doc.spans.values())


def test_groups_without_entities_are_not_lost_in_silence(tmp_path):
    path = docbin(tmp_path / "x.spacy", grouped(), grouped())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        docs = list(read_any(path, NLP))  # they may be the gold of a component
    assert not any(doc.has_annotation("ENT_IOB") for doc in docs)
    assert write_any(docs, tmp_path / "y.spacy") == 2
    for name in ("x.jsonl", "x.json", "x.conll"):
        with pytest.raises(ValueError, match=rf"TC175.*{name}.*'sc'; 2 in 2 texts"):
            write_any(docs, tmp_path / name)
        assert not (tmp_path / name).exists()
    for read in (read_docbin, read_tagged):
        with pytest.raises(ValueError, match=r"TC175.*x\.spacy"):
            list(read(path))
    mixed = docbin(tmp_path / "z.spacy", grouped(), grouped([(2, 3)]))
    with pytest.warns(UserWarning, match=r"TW122.*in 1 of 2 text"):
        assert [record.tags for record in read_docbin(mixed)] == [["-"] * 3, ["O", "O", "B-X"]]


@pytest.mark.parametrize(
    "row",
    [
        {"text": TEXT},
        {"text": TEXT, "entities": None},
        {"text": TEXT, "entityLabels": [{"startCharIndex": 0, "endCharIndex": 9, "entityName": "PER"}]},
        {"id": 1, "data": {"text": TEXT}, "annotations": [], "predictions": []},
        {"text": TEXT, "answer": "ignore"},
    ],
)
def test_a_file_that_nobody_annotated_is_an_error(row, read):
    with pytest.raises(ValueError, match=r"TC174.*2 of 2 texts have no annotation"):
        read(row, row)
    (tags, gold), said = read(row, {"text": TEXT, "label": [[0, 10, "PER"]]})
    assert tags == NONE and gold[0] == "B-PER" and "TW110" in said
