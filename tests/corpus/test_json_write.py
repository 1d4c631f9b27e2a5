"""What is written as JSON is read back as it was: texts, spans, missing values, spaces, scores."""

import json
import warnings

import pytest
import spacy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin, Span, SpanGroup

from spacy_tokclf.corpus import Record, read_jsonl, records_to_docs, write_jsonl
from spacy_tokclf.corpus.convert import read_any, write_any
from spacy_tokclf.corpus.docs import doc_scores
from spacy_tokclf.corpus.forms.json_shapes import FORMATS
from spacy_tokclf.corpus.label_warnings import labels_alike, labels_like_tags, warn_of_labels
from spacy_tokclf.corpus.options import ReadOptions

NLP = spacy.blank("en")
KEEP = ReadOptions(keep_tokens=True, on_misaligned="error")
IN_PLACE = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
WORD = st.one_of(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=4),
    st.sampled_from(
        ["🎉", "\r\n", "\r", "\t", "  ", "\ufeff", "\u2028", "don't", "\\n", "\x00", "http://x.y/z", "[", '"']
    ),
)
LABEL = st.one_of(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=4).filter(str.strip),
    st.sampled_from(["PER", "PER\tX", "B-PER", "O", "a\r\nb", " LOC", "LOC ", "é🎉", "null", "-"]),
)


@st.composite
def docs(draw):
    """Docs with any words, spaces, labels and missing values; some entities have scores."""
    words = draw(st.lists(WORD, max_size=6))
    spaces = draw(st.none() | st.lists(st.booleans(), min_size=len(words), max_size=len(words)))
    doc = Doc(NLP.vocab, words=words, spaces=spaces)
    ents, missing, at = [], [], 0
    while at < len(doc):
        kind, length = draw(st.sampled_from("OO-B")), draw(st.integers(1, 3))
        span = doc[at : min(at + length, len(doc))]
        trimmed = span.text == span.text.strip() and span.text
        if kind == "B" and trimmed:
            ents.append(Span(doc, span.start, span.end, label=draw(LABEL)))
        elif kind == "-":
            missing.append(span)
        at = span.end
    doc.set_ents(ents, missing=missing)
    scored = [ent for ent in ents if draw(st.booleans())]
    if scored:
        values = draw(st.lists(st.floats(0, 1), min_size=len(scored), max_size=len(scored)))
        doc.spans["entities"] = SpanGroup(doc, name="entities", attrs={"scores": values}, spans=scored)
    return doc


def facts(doc):
    tokens = [(token.text, token.whitespace_, token.ent_iob_, token.ent_type_) for token in doc]
    return doc.text, doc.has_unknown_spaces, tokens


@IN_PLACE
@pytest.mark.parametrize("name", ["x.jsonl", "x.json"])
@pytest.mark.parametrize("format", FORMATS)
@given(written=st.lists(docs(), min_size=1, max_size=4))
def test_there_and_back(tmp_path, name, format, written):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert write_any(written, tmp_path / name, format=format) == len(written)
        records = list(read_jsonl(tmp_path / name))
        back = list(read_any(tmp_path / name, NLP, KEEP if format == "prodigy" else None))
    for doc, record, again in zip(written, records, back, strict=True):
        assert record.text in (doc.text, doc.text[:-1])
        assert record.spans == [(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents]
        assert record.unknown_spaces == doc.has_unknown_spaces
        masked = {i for start, end in record.missing for i in range(start, end)}
        assert not record.marks and all((token.idx in masked) == (not token.ent_iob) for token in doc)
        scores = {
            (doc[s].idx, doc[e - 1].idx + len(doc[e - 1]), label): x for (s, e, label), x in doc_scores(doc).items()
        }
        assert record.scores == ({} if format == "doccano" else scores)
        if format == "prodigy":
            assert facts(again) == facts(doc)
            assert doc_scores(again) == doc_scores(doc)


def test_scores_survive_every_form_that_has_a_place_for_them(tmp_path):
    doc = Doc(NLP.vocab, words=["Mira", "met", "Bo", "in", "Rome"])
    spans = [Span(doc, 0, 1, label="PER"), Span(doc, 2, 3, label="PER"), Span(doc, 4, 5, label="LOC")]
    doc.set_ents([*spans[:2], Span(doc, 4, 5, label="ORG")])  # corrected after it was predicted
    doc.spans["entities"] = SpanGroup(doc, name="entities", attrs={"scores": [0.5, 0.25, 0.75]}, spans=spans)
    expected = {(0, 1, "PER"): 0.5, (2, 3, "PER"): 0.25}
    assert doc_scores(doc) == expected
    for first, second in (("a.spacy", "b.jsonl"), ("c.json", "d.spacy"), ("e.jsonl", "f.json")):
        write_any([doc], tmp_path / first)
        (once,) = read_any(tmp_path / first, NLP)
        write_any([once], tmp_path / second)
        (twice,) = read_any(tmp_path / second, NLP)
        assert doc_scores(once) == doc_scores(twice) == expected
        assert [ent.label_ for ent in twice.ents] == ["PER", "PER", "ORG"]
    row = json.loads((tmp_path / "b.jsonl").read_text())
    assert [span.get("score") for span in row["spans"]] == [0.5, 0.25, None]


def test_scores_of_others_are_not_taken(tmp_path):
    doc = Doc(NLP.vocab, words=["Mira", "spoke"])
    span = Span(doc, 0, 1, label="PER")
    doc.set_ents([span])
    for key, scores in (("short", []), ("texts", ["high"]), ("mine", [0.5])):
        doc.spans[key] = SpanGroup(doc, name=key, attrs={"scores": scores}, spans=[span])
    assert doc_scores(doc) == {(0, 1, "PER"): 0.5}
    doc.spans["entities"] = SpanGroup(doc, name="entities", attrs={"scores": [0.25]}, spans=[span])
    assert doc_scores(doc) == {(0, 1, "PER"): 0.25}
    for score in (True, "0.5", 7, None, -0.1):
        row = {"text": "Mira spoke", "spans": [{"start": 0, "end": 4, "label": "PER", "score": score}]}
        (tmp_path / "x.jsonl").write_text(json.dumps(row), encoding="utf-8")
        (record,) = read_jsonl(tmp_path / "x.jsonl")
        assert record.scores == {}


def test_groups_of_a_docbin_keep_their_scores(tmp_path):
    doc = Doc(NLP.vocab, words=["Mira"])
    doc.set_ents([Span(doc, 0, 1, label="PER")])
    doc.spans["ner2"] = SpanGroup(doc, name="ner2", attrs={"scores": [0.5]}, spans=list(doc.ents))
    write_any([doc], tmp_path / "x.spacy")
    (back,) = DocBin().from_disk(tmp_path / "x.spacy").get_docs(NLP.vocab)
    assert back.spans["ner2"].attrs == {"scores": [0.5]}


def test_a_label_that_would_not_come_back_is_refused(tmp_path):
    doc = Doc(NLP.vocab, words=["Mira"])
    doc.set_ents([Span(doc, 0, 1, label=" ")])
    for format in FORMATS:
        with pytest.raises(ValueError, match=r"TC184.*' '.*'Mira"):
            write_jsonl([doc], tmp_path / "x.jsonl", format)


def test_a_label_with_a_tab_comes_back(tmp_path):
    (tmp_path / "x.jsonl").write_text('{"text":"Mira spoke","label":[[0,4,"PER\\tX"]]}', encoding="utf-8")
    (doc,) = read_any(tmp_path / "x.jsonl", NLP)
    write_any([doc], tmp_path / "y.json")
    (again,) = read_any(tmp_path / "y.json", NLP)
    assert [ent.label_ for ent in again.ents] == ["PER\tX"]


@pytest.mark.parametrize(
    "labels, found",
    [
        (["PER", "LOC"], []),
        (["B-PER", "LOC"], ["B-PER"]),
        (["B-PER", "I-PER", "LOC"], ["B-PER", "I-PER"]),
        (["B-person", "I-person", "x"], ["B-person", "I-person"]),
        (["B-person", "B-location"], ["B-location", "B-person"]),
        (["E-mail", "person"], []),
        (["S-Bahn", "U-Bahn", "bus"], ["S-Bahn", "U-Bahn"]),
        (["creative-work"], []),
        ([], []),
    ],
)
def test_labels_that_look_like_tags(labels, found):
    assert labels_like_tags(labels) == found


def test_labels_that_are_alike():
    assert labels_alike(["PER", "PER ", "\tLOC", "LOC", "ORG", "org"]) == ["\tLOC", "LOC", "PER", "PER "]
    with pytest.warns(UserWarning, match=r"TW121.*x: .*'PER', 'PER '"):
        warn_of_labels(["PER", "PER "], "x")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_labels(["B-PER"], "x")  # the type of a tag B-B-PER
        warn_of_labels(["PER", "LOC", "PER"], "x", of_spans=True)


def test_readers_warn_of_labels(tmp_path):
    rows = [{"text": "Mira", "label": [[0, 4, "B-PER"]]}, {"text": "Bo", "label": [[0, 2, "B-PER "]]}]
    (tmp_path / "x.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    with pytest.warns(UserWarning) as caught:
        list(read_any(tmp_path / "x.jsonl", NLP))
    said = [str(warning.message) for warning in caught]
    assert len(said) == 2 and "TW120" in said[0] and "TW121" in said[1] and all("x.jsonl" in each for each in said)


def test_types_of_tags_that_are_alike_are_warned_of():
    records = [Record(["a"], ["B-PER"], "x", 1), Record(["a"], ["B-PER "], "x", 2)]
    with pytest.warns(UserWarning, match=r"TW121.*x: "):
        list(records_to_docs(records, NLP.vocab))
