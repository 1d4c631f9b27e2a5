"""Label Studio: which regions are read, on which text, by whom, and what becomes of all others."""

import json
import warnings

import pytest
import spacy

from spacy_tokclf.corpus import doc_to_record
from spacy_tokclf.corpus.convert import read_any
from spacy_tokclf.corpus.docs import doc_scores
from spacy_tokclf.corpus.options import ReadOptions

TEXT = "Mira Oduya moved to Lagos."
GOLD = ["B-PER", "I-PER", "O", "O", "B-LOC", "O"]
NONE = ["-"] * 6


@pytest.fixture(scope="module")
def nlp():
    return spacy.blank("en")


@pytest.fixture
def read(tmp_path, nlp):
    """Write tasks, and read the tags of their texts, and the warnings."""

    def read(*tasks, **options):
        path = tmp_path / "x.json"
        path.write_text(json.dumps(tasks), encoding="utf-8")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            docs = list(read_any(path, nlp, ReadOptions(**options)))
        said = " ".join(str(warning.message) for warning in caught)
        return [doc_to_record(doc).tags for doc in docs], said

    return read


def region(start, end, label, *, key="labels", text=TEXT, **more):
    value = {"start": start, "end": end, "text": text[start:end], key: [label]}
    return {"id": f"r{start}", "from_name": "l", "to_name": "text", "type": key, "value": value, **more}


def task(*results, data=None, **more):
    return {"data": data or {"text": TEXT}, "annotations": [{"id": 1, "result": list(results), **more}]}


PER, LOC = region(0, 10, "PER"), region(20, 25, "LOC")
HYPER = {
    "type": "hypertextlabels",
    "value": {
        "start": "/p[1]/text()[1]",
        "end": "/p[2]/text()[1]",
        "startOffset": 0,
        "endOffset": 3,
        "globalOffsets": {"start": 20, "end": 25},
        "text": "Lagos",
        "hypertextlabels": ["LOC"],
    },
}
ONE_NODE = {
    "type": "hypertextlabels",
    "value": {
        "start": "/text()[1]",
        "end": "/text()[1]",
        "startOffset": 20,
        "endOffset": 25,
        "text": "Lagos",
        "hypertextlabels": ["LOC"],
    },
}
RELATION = {"type": "relation", "from_id": "r0", "to_id": "r20", "direction": "right", "labels": ["lives_in"]}
CHOICE = {"type": "choices", "to_name": "text", "value": {"choices": ["good"]}}
NOTE = {"id": "r0", "type": "textarea", "to_name": "text", "value": {"start": 0, "end": 10, "text": ["a note"]}}
BOX = {"type": "rectanglelabels", "to_name": "img", "value": {"x": 1, "y": 2, "rectanglelabels": ["A"]}}


@pytest.mark.parametrize("other", [HYPER, ONE_NODE, region(20, 25, "LOC", key="mylabels")])
def test_any_kind_of_labels_on_text(other, read):
    assert read(task(PER, other)) == ([GOLD], "")


@pytest.mark.parametrize(
    "other, name", [(RELATION, "relation"), (CHOICE, "choices"), (NOTE, "textarea"), (BOX, "rectanglelabels")]
)
def test_what_is_no_mark_on_the_text_is_passed_over_and_said(other, name, read):
    found, said = read(task(PER, other, LOC))
    assert found == [GOLD]
    assert "TW110" in said and f"1 things that are no marks on the text were passed over ({name}: 1)" in said


@pytest.mark.parametrize("other", [CHOICE, BOX, RELATION])
def test_a_text_with_other_annotations_alone_has_no_gold(other, read):
    found, said = read(task(other), task(PER, LOC))
    assert found == [NONE, GOLD]
    assert "1 marks are no entities" in said
    with pytest.raises(ValueError, match=r"TC174.*x\.json"):
        read(task(other))


@pytest.mark.parametrize(
    "value",
    [
        {"start": 0, "end": 10, "text": "Mira Oduya"},
        {"start": 0, "end": 10, "text": "Mira Oduya", "labels": []},
        {"start": 0, "end": 10, "text": "Mira Oduya", "entities": ["PER"]},
        {"start": 0, "end": 10, "text": "Mira Oduya", "choices": ["good"]},
        {"start": 0, "end": 10, "text": ["a note"]},
        {"start": 0, "end": 10, "text": "Mira Oduya", "labels": ["PER"], "rejected": True},
    ],
)
def test_a_region_that_is_no_entity_is_masked(value, read):
    found, said = read(task({"type": "x", "value": value}, LOC))
    assert found == [["-", "-", "O", "O", "B-LOC", "O"]]
    assert "1 marks are no entities that could be learned" in said


@pytest.mark.parametrize(
    "value",
    [
        {"start": "/p[1]", "end": "/p[2]", "startOffset": 0, "endOffset": 3, "hypertextlabels": ["PER"]},
        {"start": "0", "end": "0", "startOffset": 0, "endOffset": 3, "paragraphlabels": ["PER"]},
    ],
)
def test_a_mark_whose_place_is_not_known_takes_the_gold_from_the_rest(value, read):
    found, said = read(task({"type": "x", "value": value}, LOC))
    assert found == [["-", "-", "-", "-", "B-LOC", "-"]]
    assert "1 marks are no entities" in said


def test_pictures_and_sound_are_named(read):
    for key, value in (("image", BOX["value"]), ("audio", {"start": 1, "end": 2, "channel": 0, "labels": ["A"]})):
        with pytest.raises(ValueError, match=rf"TC179.*x\.json:1.*{key}"):
            read(task({"type": "labels", "value": value}, data={key: "/data/upload/1.x"}))


OWN = {"review": TEXT, "meta": "row 7"}


def test_the_text_is_found_by_the_regions(read):
    assert read(task(PER, LOC, data=OWN)) == ([GOLD], "")
    # a row without regions goes by the others, wherever they stand
    found, _ = read(task(data=OWN), task(PER, LOC, data=OWN), task(data=OWN))
    assert found == [["O"] * 6, GOLD, ["O"] * 6]
    # "text" is not the text if another string is
    assert read(task(PER, LOC, data={"text": "row 7", "review": TEXT})) == ([GOLD], "")


def test_the_text_that_cannot_be_told_has_to_be_named(read):
    with pytest.raises(ValueError, match=r"TC177.*x\.json:1.*review \('Mira.*meta \('row 7'\).*text_key"):
        read(task(data=OWN))
    assert read(task(data=OWN), text_key="review")[0] == [["O"] * 6]
    with pytest.raises(ValueError, match=r"TC177.*no 'body', but review"):
        read(task(data=OWN), text_key="body")


def test_regions_on_another_field(read):
    title = "Lagos and more"
    data = {"body": TEXT, "title": title}
    other = region(0, 5, "LOC", text=title)
    for name in ("title", "second"):
        found, said = read(
            task({**PER, "to_name": "body"}, {**LOC, "to_name": "body"}, {**other, "to_name": name}, data=data),
            text_key="body",
        )
        assert found == [GOLD] and "passed over (labels: 1)" in said
    found, said = read(
        task({**other, "to_name": "title"}, data=data), task(PER, LOC, data={"body": TEXT}), text_key="body"
    )
    assert found == [NONE, GOLD] and "1 marks are no entities" in said


BOTH = {
    "data": {"text": TEXT},
    "annotations": [
        {"completed_by": 1, "result": [PER]},
        {"completed_by": {"id": 2, "email": "ada@x.org", "username": "ada"}, "result": [PER, LOC]},
    ],
}


def test_annotators(read):
    for name in ("2", "ada@x.org", "ada"):
        assert read(BOTH, annotator=name) == ([GOLD], "")
    found, said = read(BOTH)
    assert found == [["B-PER", "I-PER", "O", "O", "O", "O"]] and "1 of 1 texts have several annotations" in said
    found, said = read(BOTH, task(PER, completed_by=1), annotator="ada")
    assert found == [GOLD, NONE] and "1 of 2 texts have no annotation" in said
    with pytest.raises(ValueError, match=r"TC178.*x\.json.*'bo'.*1, 2 = ada@x\.org = ada"):
        read(BOTH, annotator="bo")
    rows = [{"text": TEXT, "label": [PER["value"]], "annotator": name, "annotation_id": 1} for name in (1, 2)]
    assert read(*rows, annotator="2") == ([["B-PER", "I-PER", "O", "O", "O", "O"]], "")


def test_predictions_on_request(read, tmp_path, nlp):
    guess = {"data": {"text": TEXT}, "annotations": [], "predictions": [{"result": [{**PER, "score": 0.75}, LOC]}]}
    found, said = read(guess, task(PER, LOC))
    assert found == [NONE, GOLD] and "prediction: 1" in said
    with pytest.raises(ValueError, match=r"TC174.*prediction.*ask for `predictions`"):
        read(guess)
    assert read(guess, predictions=True) == ([GOLD], "")
    (doc,) = read_any(tmp_path / "x.json", nlp, ReadOptions(predictions=True))
    assert doc_scores(doc) == {(0, 2, "PER"): 0.75}
    assert read({**guess, "predictions": [12]}, task(PER, LOC))[0] == [NONE, GOLD]


def test_offsets_may_be_trusted(read):
    dragged = region(5, 10, "PER")
    dragged["value"]["text"] = "duy"
    with pytest.raises(ValueError, match=r"TC164.*'Oduya'.*'duy'"):
        read(task(dragged))
    assert read(task(dragged), offsets="trust")[0] == [["O", "B-PER", "O", "O", "O", "O"]]
    with pytest.raises(ValueError, match=r"TC167.*offsets 'guess'.*check, trust"):
        read(task(dragged), offsets="guess")


@pytest.mark.parametrize("emoji", ["", "🎉 "])
def test_line_ends_are_counted_as_one_or_two(emoji, read):
    text = f"Hi {emoji}\r\nMira\r\nat Rome\r\n"
    for one, units in ((False, len), (True, len), (False, utf16), (True, utf16)):
        spans = [(text.index(word), text.index(word) + len(word), word) for word in ("Mira", "Rome")]
        count = (lambda part, u=units: u(part.replace("\r\n", "\n"))) if one else units
        regions = [
            {"value": {"start": count(text[:s]), "end": count(text[:e]), "text": word, "labels": ["X"]}}
            for s, e, word in spans
        ]
        (tags,), said = read(task(*regions, data={"text": text}))
        assert [tag for tag in tags if tag != "O"] == ["B-X", "B-X"] and said == ""


def utf16(part):
    return len(part.encode("utf-16-le")) // 2


def test_rows_of_json_min(read):
    values = [PER["value"], LOC["value"]]
    rows = [
        {"text": TEXT, "ner": values, "sentiment": "good", "annotation_id": 1},
        {"review": TEXT, "meta": "row 7", "label": values, "lead_time": 3.5},
        {"text": TEXT, "label": [{**HYPER["value"]}, PER["value"]], "annotation_id": 3},
    ]
    assert read(*rows) == ([GOLD] * 3, "")


def test_json_min_without_a_region_does_not_say_that_there_are_no_entities(read):
    rows = [{"text": TEXT, "sentiment": said, "annotation_id": 1, "lead_time": 2.5} for said in ("good", "bad")]
    with pytest.raises(ValueError, match=r"TC185.*\(sentiment\).*as JSON"):
        read(*rows)
    assert read(*rows, {"text": TEXT, "ner": [PER["value"], LOC["value"]], "annotation_id": 3})[0][2] == GOLD
    (tags,), said = read({"text": TEXT, "annotation_id": 1})
    assert (set(tags), said) == ({"O"}, "")
