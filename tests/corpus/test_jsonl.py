import json

import pytest
import spacy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin
from spacy.tokens import Span as DocSpan

from spacy_tokclf.corpus import (
    Record,
    TextRecord,
    read_conll,
    read_jsonl,
    record_to_doc,
    records_to_docs,
    text_records_to_docs,
    write_jsonl,
)

FORMATS = ["doccano", "prodigy", "label-studio"]
TEXT = "Ada met Bo in New York"
VOCAB = spacy.blank("en").vocab
SPANS = [(0, 3, "PER"), (8, 10, "PER"), (14, 22, "LOC")]
IN_PLACE = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def nlp():
    return spacy.blank("en")


def write(path, rows, form="lines"):
    """Write objects (or lines as they are) to a file."""
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    text = "\n".join(lines) + "\n" if form == "lines" else "[" + ",\n".join(lines) + "]"
    path.write_text(text, encoding="utf-8")
    return path


def regions(text=TEXT, spans=SPANS):
    return [{"start": s, "end": e, "text": text[s:e], "labels": [label]} for s, e, label in spans]


def task(values, **more):
    """A task of Label Studio with one annotation."""
    result = [{"from_name": "l", "to_name": "t", "type": "labels", "value": value} for value in values]
    return {"id": 1, "data": {"text": TEXT}, "annotations": [{"id": 1, "result": result, **more}], "predictions": []}


AS_OBJECTS = [{"id": 1, "start_offset": s, "end_offset": e, "label": label} for s, e, label in SPANS]
ROWS = {
    "doccano label": ({"id": 1, "text": TEXT, "label": [list(span) for span in SPANS]}, "doccano"),
    "doccano labels": ({"text": TEXT, "labels": [list(span) for span in SPANS], "meta": {}}, "doccano"),
    "doccano entities": ({"id": 1, "text": TEXT, "entities": AS_OBJECTS, "relations": []}, "doccano"),
    "entities as lists": ({"text": TEXT, "entities": [list(span) for span in SPANS]}, "doccano"),
    "prodigy": (
        {
            "text": TEXT,
            "_input_hash": 1,
            "spans": [{"start": s, "end": e, "label": label, "token_start": 0} for s, e, label in SPANS],
            "answer": "accept",
        },
        "prodigy",
    ),
    "label studio": (task(regions()), "label-studio"),
    "label studio min": ({"text": TEXT, "ner": regions(), "id": 1, "annotator": 1}, "label-studio"),
}


@pytest.mark.parametrize("form", ["lines", "list"])
@pytest.mark.parametrize("shape", ROWS)
def test_every_shape_by_its_keys_and_by_name(tmp_path, shape, form):
    row, format = ROWS[shape]
    path = write(tmp_path / "x.json", [row, row], form)
    for name in ("auto", format):
        records = list(read_jsonl(path, format=name))
        assert records == [TextRecord(TEXT, SPANS)] * 2
        assert [record.line for record in records] == [1, 2]
        assert [record.path for record in records] == [str(path)] * 2
    for other in set(FORMATS) - {format}:
        # another tool's reader sees no annotation in it, or refuses it; it never sees other spans
        try:
            assert all(not record.spans and not record.annotations for record in read_jsonl(path, format=other))
        except ValueError as error:
            assert str(error).startswith(("[TC161]", "[TC173]", "[TC163]"))


def test_shapes_may_be_mixed_and_blank_lines_are_skipped(tmp_path):
    rows = [row for row, _ in ROWS.values()]
    path = write(tmp_path / "x.jsonl", ["\ufeff ", *(line for row in rows for line in (json.dumps(row), " \t\r"))])
    records = list(read_jsonl(path))
    assert records == [TextRecord(TEXT, SPANS)] * len(rows)
    assert [record.line for record in records] == list(range(2, 2 + 2 * len(rows), 2))


def test_lines_end_at_line_feeds_only(tmp_path):
    row = {"text": "a\u2028b\x85", "label": [[0, 1, "X"]]}
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(row, ensure_ascii=False).encode() + b"\r\n")
    assert list(read_jsonl(path)) == [TextRecord("a\u2028b\x85", [(0, 1, "X")])]


def test_list_over_many_lines_keeps_the_lines(tmp_path):
    path = tmp_path / "x.json"
    path.write_text(json.dumps([row for row, _ in ROWS.values()], indent=1), encoding="utf-8")
    lines = path.read_text(encoding="utf-8").split("\n")
    records = list(read_jsonl(path))
    assert records == [TextRecord(TEXT, SPANS)] * len(ROWS)
    assert [lines[record.line - 1] for record in records] == [" {"] * len(ROWS)
    path.write_text(" [\n ] \n", encoding="utf-8")
    assert list(read_jsonl(path)) == []


@pytest.mark.parametrize(
    "row",
    [
        {"text": TEXT},
        {"text": TEXT, "label": None},
        {"text": TEXT, "_task_hash": 3},
        {"text": TEXT, "spans": [{"start": 0, "end": 3, "label": "PER"}], "answer": "reject"},
        {"text": TEXT, "spans": [{"start": 0, "end": 3, "label": "PER"}], "answer": "ignore"},
        {"data": {"text": TEXT}, "annotations": [], "predictions": [{"result": [{"value": regions()[0]}]}]},
        task(regions(), was_cancelled=True),
        {"text": TEXT, "id": 1, "annotator": 2},
    ],
)
def test_what_is_not_annotated_is_missing_throughout(tmp_path, row, nlp):
    (record,) = read_jsonl(write(tmp_path / "x.jsonl", [row]))
    assert (record.text, record.spans, record.annotations) == (TEXT, [], 0)
    assert record.missing == [(0, len(TEXT))]
    with pytest.warns(UserWarning, match=r"TW110.*1 of 2 texts have no annotation"):
        doc, _ = text_records_to_docs([record, TextRecord("a", [])], nlp)
    assert not doc.has_annotation("ENT_IOB")


@pytest.mark.parametrize(
    "row",
    [
        {"text": TEXT, "label": []},
        {"text": TEXT, "entities": []},
        {"text": TEXT, "spans": []},
        {"text": TEXT, "answer": "accept"},
        task([]),
        {"text": TEXT, "id": 1, "annotation_id": 7},
    ],
)
def test_annotated_without_an_entity(tmp_path, row, nlp):
    (record,) = read_jsonl(write(tmp_path / "x.jsonl", [row]))
    assert record == TextRecord(TEXT, [])
    (doc,) = text_records_to_docs([record], nlp)
    assert {token.ent_iob_ for token in doc} == {"O"}


def test_yes_to_one_question_says_nothing_of_the_rest(tmp_path, nlp):
    row = {"text": TEXT, "spans": [{"start": 0, "end": 3, "label": "PER"}], "answer": "accept", "_is_binary": True}
    (doc,) = text_records_to_docs(read_jsonl(write(tmp_path / "x.jsonl", [row])), nlp)
    assert [token.ent_iob_ for token in doc] == ["B", "", "", "", "", ""]


def test_label_studio_takes_the_ground_truth_else_the_first(tmp_path, nlp):
    one, two, none = ({"result": [{"value": value}]} for value in (*regions()[:2], {"choices": ["x"]}))
    rows = [
        {"data": {"text": TEXT}, "annotations": [one, two]},
        {"data": {"text": TEXT}, "annotations": [one, {**two, "ground_truth": True}]},
        {"data": {"text": TEXT}, "annotations": [{**one, "was_cancelled": True}, two]},
        {"data": {"text": TEXT}, "annotations": [none]},
        {"data": {"tweet": TEXT, "id": 3}, "completions": [one]},
    ]
    records = list(read_jsonl(write(tmp_path / "x.json", rows, "list")))
    assert [record.spans for record in records] == [[SPANS[0]], [SPANS[1]], [SPANS[1]], [], [SPANS[0]]]
    assert [record.annotations for record in records] == [2, 2, 1, 1, 1]
    with pytest.warns(UserWarning, match=r"TW110.*x\.json: 1 marks .*choices: 1.*2 of 5 texts have several"):
        list(text_records_to_docs(records, nlp))


def test_label_studio_counts_an_emoji_as_two(tmp_path):
    text = "🎉🎉 Ada at Rome 👩‍🚀 Bo"
    spans = [(3, 6, "PER"), (10, 14, "LOC"), (19, 21, "PER")]
    in_utf16 = [(5, 8, "PER"), (12, 16, "LOC"), (23, 25, "PER")]
    shifted = [{**r, "start": s, "end": e} for r, (s, e, _) in zip(regions(text, spans), in_utf16, strict=True)]
    for values in (regions(text, spans), shifted):
        row = {"data": {"text": text}, "annotations": [{"result": [{"value": value} for value in values]}]}
        assert [r.spans for r in read_jsonl(write(tmp_path / "x.jsonl", [row]))] == [spans]
        row = {"text": text, "label": values}
        assert [r.spans for r in read_jsonl(write(tmp_path / "x.jsonl", [row]))] == [spans]
    # white space may be written otherwise
    row = {"text": "New\nYork", "label": [{"start": 0, "end": 8, "text": "New\\nYork", "labels": ["LOC"]}]}
    assert [r.spans for r in read_jsonl(write(tmp_path / "x.jsonl", [row]))] == [[(0, 8, "LOC")]]


def test_label_studio_html_and_several_labels(tmp_path):
    paths = {"start": "/div[1]/text()[1]", "end": "/div[1]/text()[1]"}
    value = {**paths, "globalOffsets": {"start": 0, "end": 3}, "labels": ["PER", "POET"]}
    (record,) = read_jsonl(write(tmp_path / "x.jsonl", [task([value])]))
    assert record.spans == [(0, 3, "PER"), (0, 3, "POET")]


def doccano(*spans, text=TEXT):
    return {"text": text, "label": list(spans)}


@pytest.mark.parametrize(
    "bad, code, says",
    [
        ('{"text": "a", ', "TC160", r"x\.jsonl:2: .*column"),
        ("{'text': 'a'}", "TC160", r"x\.jsonl:2"),
        ('{"text": "a"} {}', "TC161", r"x\.jsonl:2"),
        ('{"text": "a"}, {}', "TC160", r"x\.jsonl:2"),
        ('"text"', "TC161", r"x\.jsonl:2.*'text'"),
        ({"tokens": ["a"]}, "TC161", r"x\.jsonl:2.*keys \['tokens'\]"),
        ({"data": "a", "annotations": []}, "TC161", r"x\.jsonl:2"),
        ({"data": {"a": "x", "b": "y"}, "annotations": []}, "TC177", r"x\.jsonl:2.*a \('x'\), b"),
        ({"data": {"a": 1}, "annotations": []}, "TC161", r"x\.jsonl:2"),
        ({"data": {"text": "x"}, "annotations": [7]}, "TC161", r"x\.jsonl:2"),
        (doccano([0, 99, "LOC"]), "TC162", r"x\.jsonl:2: the span \(0, 99\).*end <= 22"),
        (doccano([-1, 3, "LOC"]), "TC162", r"\(-1, 3\)"),
        (doccano([3, 3, "LOC"]), "TC162", r"\(3, 3\).*empty"),
        (doccano([5, 3, "LOC"]), "TC162", r"\(5, 3\)"),
        ({"text": TEXT, "label": [], "missing": [[0, 99]]}, "TC162", r"\(0, 99\)"),
        (doccano([0, 3, 7]), "TC163", r"x\.jsonl:2: the label of the span \(0, 3\) is 7"),
        (doccano([0, 3, ["LOC"]]), "TC163", r"\['LOC'\]"),
        (doccano([0, 3, "a\ud83d"]), "TC163", r"is 'a.ud83d'"),
        (task([{"start": 1, "end": 4, "text": "Ada", "labels": ["PER"]}]), "TC164", r"\(1, 4\).*'da '.*'Ada'"),
        ({"text": 7, "label": []}, "TC168", r"x\.jsonl:2: the text is 7"),
        ({"text": "a\ud83d", "label": []}, "TC168", r"x\.jsonl:2.*character 1.*surrogate"),
        (doccano([0, 3]), "TC173", r"x\.jsonl:2: the span \[0, 3\]"),
        (doccano([0, 3.5, "LOC"]), "TC173", r"3\.5"),
        (doccano([0, "3", "LOC"]), "TC173", r"'3'"),
        (doccano([False, True, "LOC"]), "TC173", r"False"),
        (doccano("LOC", [0, 3, "LOC"]), "TC173", r"'LOC'"),
        (doccano("LOC"), "TC180", r"x\.jsonl:2: \['LOC'\] under 'label'"),
        (doccano([0, 3, "LOC", "LOC"]), "TC183", r"x\.jsonl:2.*\[0, 3, 'LOC', 'LOC'\]"),
        ({"text": TEXT, "label": {"LOC": [0, 3]}}, "TC173", r"x\.jsonl:2"),
        ({"text": TEXT, "spans": [], "tokens": ["Ada"]}, "TC173", r"x\.jsonl:2"),
    ],
)
def test_faults_are_placed(tmp_path, bad, code, says):
    path = write(tmp_path / "x.jsonl", [doccano(), bad])
    with pytest.raises(ValueError, match=rf"{code}.*{says}"):
        list(read_jsonl(path))


def test_faults_of_files(tmp_path):
    with pytest.raises(ValueError, match=r"TC167.*'spacy'.*doccano, prodigy, label-studio"):
        list(read_jsonl(tmp_path / "x.jsonl", format="spacy"))
    with pytest.raises(ValueError, match=r"TC169.*x\.jsonl.*no such file"):
        list(read_jsonl(tmp_path / "x.jsonl"))
    with pytest.raises(ValueError, match=r"TC169.*empty"):
        list(read_jsonl(write(tmp_path / "x.jsonl", [" ", "\t"])))
    (tmp_path / "x.jsonl").write_bytes(b'{"text": "a", "label": []}\n{"text": "\xe9"}\n')
    with pytest.raises(ValueError, match=r"TC111.*x\.jsonl:2"):
        list(read_jsonl(tmp_path / "x.jsonl"))
    for text, line in (('[\n{"text": "a"},\n]', 3), ('[{"text": "a"}\n{}]', 2), ('[{"text": "a"}]\n\nx', 3), ("[", 1)):
        (tmp_path / "x.json").write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match=rf"TC160.*x\.json:{line}: "):
            list(read_jsonl(tmp_path / "x.json"))


def test_streams(tmp_path):
    records = read_jsonl(write(tmp_path / "x.jsonl", [doccano(), "broken"]))
    assert next(records) == TextRecord(TEXT, [])
    with pytest.raises(ValueError, match=r"TC160.*:2"):
        next(records)


WORD = st.one_of(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=4),
    st.sampled_from(["🎉", "\n", "  ", "\ufe0f", "\u2028", "don't", "\\n", "\x00"]),
)


@st.composite
def docs(draw):
    """Docs with any words, spaces, entities and missing values."""
    words = draw(st.lists(WORD, max_size=6))
    spaces = draw(st.none() | st.lists(st.booleans(), min_size=len(words), max_size=len(words)))
    doc = Doc(VOCAB, words=words, spaces=spaces)
    kinds = draw(st.lists(st.sampled_from(["O", "-", "B", "I"]), min_size=len(words), max_size=len(words)))
    free = [kind if not token.is_space or kind == "-" else "O" for kind, token in zip(kinds, doc, strict=True)]
    ents, start = [], 0
    for i, kind in enumerate([*free, "O"]):
        if kind != "I" and start < i:
            ents.append(DocSpan(doc, start, i, label=draw(st.sampled_from(["PER", "new-loc"]))))
        if kind in "O-":
            start = i + 1
        elif kind == "B":
            start = i
    doc.set_ents(ents, missing=[doc[i : i + 1] for i, kind in enumerate(free) if kind == "-"])
    return doc


def facts(doc):
    tokens = [(token.text, token.idx, token.ent_iob_, token.ent_type_) for token in doc]
    return doc.text, doc.has_unknown_spaces, tokens


@pytest.mark.parametrize("word", ["0 ", " 0", "\t0\n"])
def test_a_token_with_white_space_at_its_end_is_one_token(tmp_path, nlp, word):
    doc = Doc(VOCAB, words=["a", word])
    doc.set_ents([DocSpan(doc, 1, 2, label="PER")])
    write_jsonl([doc], tmp_path / "x.jsonl")
    (read,) = text_records_to_docs(read_jsonl(tmp_path / "x.jsonl"), nlp, keep_tokens=True, on_misaligned="error")
    assert facts(read) == facts(doc)


@IN_PLACE
@given(written=st.lists(docs(), max_size=4))
def test_whole_docs_there_and_back_as_prodigy(tmp_path, nlp, written):
    assert write_jsonl(written, tmp_path / "x.jsonl") == len(written)
    if not written:
        return
    read = list(text_records_to_docs(read_jsonl(tmp_path / "x.jsonl"), nlp, keep_tokens=True, on_misaligned="error"))
    assert list(map(facts, read)) == [facts(doc) for doc in written]


@IN_PLACE
@pytest.mark.parametrize("format", FORMATS)
@given(written=st.lists(docs(), min_size=1, max_size=4))
def test_offsets_there_and_back_in_every_format(tmp_path, format, written):
    path = tmp_path / "x.jsonl"
    write_jsonl(written, path, format)
    for record, doc in zip(read_jsonl(path), written, strict=True):
        assert doc.text in (record.text, record.text + " ")
        assert record.spans == [(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents]
        known = {i for start, end in record.missing for i in range(start, end)}
        for token in doc:
            assert (token.idx in known) == (not token.ent_iob)
    again = tmp_path / "again.jsonl"
    write_jsonl(written, again, format)
    assert again.read_bytes() == path.read_bytes()


def test_written_rows_are_what_the_tools_read(tmp_path, nlp):
    doc = nlp("Ada met 🎉 Bo")
    doc.set_ents([DocSpan(doc, 0, 1, label="PER"), DocSpan(doc, 3, 4, label="PER")], missing=[doc[1:3]])
    rows = {}
    for format in FORMATS:
        write_jsonl([doc], tmp_path / "new" / format, format)
        rows[format] = json.loads((tmp_path / "new" / format).read_text(encoding="utf-8"))
    label = [[0, 3, "PER"], [10, 12, "PER"]]
    assert rows["doccano"] == {"text": doc.text, "label": label, "missing": [[4, 9]]}
    assert rows["prodigy"]["spans"][1] == {"start": 10, "end": 12, "label": "PER", "token_start": 3, "token_end": 3}
    assert rows["prodigy"]["tokens"][0] == {"text": "Ada", "start": 0, "end": 3, "id": 0, "ws": True}
    (row,) = rows["label-studio"]
    assert row["data"]["text"] == doc.text
    values = [result["value"] for result in row["annotations"][0]["result"]]
    assert values[1] == {"start": 10, "end": 12, "text": "Bo", "labels": ["PER"]}
    with pytest.raises(ValueError, match="TC167"):
        write_jsonl([doc], tmp_path / "x", "auto")
    assert write_jsonl([], tmp_path / "x", "label-studio") == 0
    assert list(read_jsonl(tmp_path / "x")) == []


def test_wnut17_there_and_back(wnut17, tmp_path, nlp):
    written = list(records_to_docs(read_conll(wnut17["dev"]), nlp.vocab))
    write_jsonl(written, tmp_path / "x.jsonl")
    read = list(text_records_to_docs(read_jsonl(tmp_path / "x.jsonl"), nlp, keep_tokens=True))
    attrs = ["ENT_IOB", "ENT_TYPE"]
    assert DocBin(attrs=attrs, docs=read).to_bytes() == DocBin(attrs=attrs, docs=written).to_bytes()


def test_record_of_unknown_spaces_comes_back(tmp_path, nlp):
    record = Record(["do", "n't", "\n", "x"], ["B-a", "I-a", "-", "O"])
    write_jsonl([record_to_doc(record, nlp.vocab)], tmp_path / "x.jsonl")
    assert [r.text for r in read_jsonl(tmp_path / "x.jsonl")] == ["do n't \n x"]
    (doc,) = text_records_to_docs(read_jsonl(tmp_path / "x.jsonl"), nlp, keep_tokens=True)
    assert doc.has_unknown_spaces and [token.text for token in doc] == record.words
