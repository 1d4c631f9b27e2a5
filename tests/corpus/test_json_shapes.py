"""Rows of every shape that spaCy and annotation tools write, with the values that they stand for."""

import json
import warnings

import pytest
import spacy
from spacy.tokens import Doc, Span
from spacy.training.converters import json_to_docs

from spacy_tokclf.corpus import doc_to_record, read_jsonl
from spacy_tokclf.corpus.convert import read_any
from spacy_tokclf.corpus.options import ReadOptions

TEXT = "Mira Oduya moved to Lagos."
GOLD = ["B-PER", "I-PER", "O", "O", "B-LOC", "O"]
SPANS = [(0, 10, "PER"), (20, 25, "LOC")]
PAIR = [TEXT, {"entities": [[0, 10, "PER"], [20, 25, "LOC"]]}]
TOKENS = ["Mira", "Oduya", "moved", "to", "Lagos", "."]
OBJECTS = [{"start": s, "end": e, "label": label} for s, e, label in SPANS]


@pytest.fixture(scope="module")
def nlp():
    return spacy.blank("en")


@pytest.fixture
def read(tmp_path, nlp):
    """Write a value as JSON (or lines as they are) and read its Docs; warnings are errors."""

    def read(value, **options):
        path = tmp_path / "x.json"
        path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return list(read_any(path, nlp, ReadOptions(**options)))

    return read


def tags(doc):
    return doc_to_record(doc).tags


def lines(*rows):
    return "\n".join(map(json.dumps, rows))


SHAPES = {
    "TRAIN_DATA": [PAIR],
    "one pair": PAIR,
    "pairs on lines": lines(PAIR, PAIR),
    "older pairs": [[TEXT, [[0, 10, "PER"], [20, 25, "LOC"]]]],
    "rows with entities": [{"text": TEXT, "entities": [[0, 10, "PER"], [20, 25, "LOC"]]}],
    "entities as objects": [{"text": TEXT, "entities": OBJECTS}],
    "kb_id": [[TEXT, {"entities": [[0, 10, "PER", "Q7"], [20, 25, "LOC", ""]]}]],
    "text fourth": [[TEXT, {"entities": [[0, 10, "PER", "Mira Oduya"], [20, 25, "Lagos", "LOC"]]}]],
    "pairs with cats and links": [[TEXT, {**PAIR[1], "cats": {"x": 1.0}}]],
    "classes and annotations": {"classes": ["PER", "LOC"], "annotations": [PAIR, None]},
    "Doc.to_json": [{"text": TEXT, "ents": OBJECTS, "tokens": [{"id": 0, "start": 0, "end": 4}], "sents": []}],
    "displacy": {"text": TEXT, "ents": OBJECTS, "title": None},
    "Doccano, data": [{"id": 1, "data": TEXT, "label": [list(span) for span in SPANS]}],
    "Prodigy": {"text": TEXT, "spans": OBJECTS, "tokens": [], "answer": "accept", "_view_id": "ner_manual"},
    "list under a key": {"version": 1, "data": [{"text": TEXT, "label": [list(span) for span in SPANS]}]},
    "examples of LightTag": {
        "examples": [
            {
                "content": TEXT,
                "annotations": [{"start": s, "end": e, "tag": t, "value": TEXT[s:e]} for s, e, t in SPANS],
            }
        ]
    },
    "DataTurks": {
        "content": TEXT,
        "annotation": [{"label": [t], "points": [{"start": s, "end": e - 1, "text": TEXT[s:e]}]} for s, e, t in SPANS],
        "extras": None,
    },
    "UBIAI": {
        "document": TEXT,
        "tokens": [{"text": TEXT[s:e], "start": s, "end": e, "entityLabel": t} for s, e, t in SPANS],
        "relations": [],
    },
    "Argilla": {"text": TEXT, "annotation": [[t, s, e] for s, e, t in SPANS], "prediction": [["X", 11, 16]]},
    "Azure": {
        "text": TEXT,
        "entities": [{"category": t, "offset": s, "length": e - s, "text": TEXT[s:e]} for s, e, t in SPANS],
    },
    "GLiNER": {"tokenized_text": TOKENS, "ner": [[0, 1, "PER"], [4, 4, "LOC"]]},
    "SpERT": {
        "tokens": TOKENS,
        "entities": [{"type": "PER", "start": 0, "end": 2}, {"type": "LOC", "start": 4, "end": 5}],
        "relations": [],
    },
    "tokens and tags": {"tokens": TOKENS, "ner_tags": GOLD, "id": 3},
    "words and labels": {"words": TOKENS, "labels": GOLD},
    "a sentence that is split": {"sentence": "Mira Oduya moved to Lagos .", "tags": GOLD},
    "numbers with names": {
        "tag_names": ["O", "B-PER", "I-PER", "B-LOC"],
        "data": [{"tokens": TOKENS, "ner_tags": [1, 2, 0, 0, 3, 0]}],
    },
    "numbers with names by number": {
        "id2label": {"0": "O", "1": "B-PER", "2": "I-PER", "3": "B-LOC"},
        "tokens": TOKENS,
        "ner_tags": [1, 2, 0, 0, 3, 0],
    },
    "text, tokens and tags": {"text": TEXT, "tokens": TOKENS, "ner_tags": GOLD},
    "spaCy 2": [
        {
            "id": 0,
            "paragraphs": [
                {
                    "raw": TEXT,
                    "sentences": [
                        {
                            "tokens": [
                                {"orth": word, "ner": tag}
                                for word, tag in zip(TOKENS, ["B-PER", "L-PER", "O", "O", "U-LOC", "O"], strict=True)
                            ]
                        }
                    ],
                }
            ],
        }
    ],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_shape(shape, read):
    for doc in read(SHAPES[shape]):
        assert tags(doc) == GOLD
        assert [token.text for token in doc] == TOKENS


def test_spaces_are_known_where_tokens_fit_the_text(read):
    (fits,) = read({"text": "Mira  (x)", "tokens": ["Mira", "(", "x", ")"], "ner_tags": ["B-PER", "O", "O", "O"]})
    assert fits.text == "Mira  (x)" and not fits.has_unknown_spaces
    assert tags(fits) == ["B-PER", "O", "O", "O", "O"]  # a token of white space, as spaCy has it
    row = {"text": "Mira (x)", "tokens": ["Mira", "-LRB-", "x", "-RRB-"], "ner_tags": ["B-PER", "O", "-", "O"]}
    (escaped,) = read(row)
    assert escaped.has_unknown_spaces and tags(escaped) == ["B-PER", "O", "-", "O"]
    assert [token.text for token in escaped] == row["tokens"]


def test_given_tokens_are_kept_since_they_were_annotated(read):
    (doc,) = read({"text": "10km don't", "tokens": ["10km", "don't"], "ner_tags": ["O", "B-X"]})
    assert [token.text for token in doc] == ["10km", "don't"]
    (doc,) = read({"tokenized_text": ["10km", "don't"], "ner": [[1, 1, "X"]]})
    assert [token.text for token in doc] == ["10km", "don't"] and doc.has_unknown_spaces


def test_rows_of_tags_share_a_scheme(read, tmp_path):
    rows = [{"tokens": ["a", "b"], "tags": ["I-X", "O"]}, {"tokens": ["c", "d"], "tags": ["I-X", "I-X"]}]
    assert [tags(doc) for doc in read(lines(*rows))] == [["B-X", "O"], ["B-X", "I-X"]]
    with pytest.raises(ValueError, match=r"TC104"):
        read(lines({"tokens": ["a"], "tags": ["S-X"]}, {"tokens": ["a"], "tags": ["U-X"]}))
    with pytest.raises(ValueError, match=r"TC101.*x\.json:2"):
        read(lines(rows[0], {"tokens": ["a"], "tags": ["Q-X"]}), scheme="IOB2")


def test_columns_can_be_named(read):
    row = {"w": ["a", "b"], "t": ["B-X", "O"], "ner_tags": ["O", "O"]}
    assert [tags(doc) for doc in read(row, tokens="w", tags="t")] == [["B-X", "O"]]


@pytest.mark.parametrize(
    "row, code, says",
    [
        ({"tokens": ["a"], "ner_tags": [1]}, "TC176", r"x\.json:1: the tags are numbers \(1\).*tag_names"),
        ({"tokens": ["a"], "ner_tags": [7], "tag_names": ["O"]}, "TC152", "tag 7"),
        ({"tokens": ["a", ""], "ner_tags": ["O", "O"]}, "TC181", "token 1 is empty"),
        ({"tokens": ["a\ud83d"], "ner_tags": ["O"]}, "TC181", "token 0"),
        ({"tokens": ["a"], "ner_tags": ["a\ud83d"]}, "TC153", "token 0"),
        ({"tokens": ["a", "b"], "ner_tags": ["O"]}, "TC110", "2 words and 1 tags"),
        ({"tokenized_text": ["a"], "ner": [[0, 1, "X"]]}, "TC182", r"\(0, 1\).*1 tokens.*last"),
        ({"text": TEXT, "label": ["news"]}, "TC180", r"\['news'\] under 'label'"),
        ({"text": "Mira spoke", "label": ["news", "sport"]}, "TC180", "news"),
        ({"text": TEXT, "label": "news"}, "TC180", "'news'"),
        ({"text": TEXT, "ner_tags": ["O"]}, "TC161", "tags need tokens"),
        ([TEXT, {"entities": ["O"] * 6}], "TC161", "words"),
        ([[TEXT, {"entities": [[0, 4, "X", "Y"]]}]], "TC183", r"\[0, 4, 'X', 'Y'\]"),
        ([{"review": TEXT, "note": "x", "label": []}], None, ""),
        ({"foo": TEXT, "spans_of_mine": [[0, 4, "X"]]}, "TC161", "text_key"),
    ],
)
def test_refused(row, code, says, read):
    if code is None:
        assert len(read(row)) == 1
        return
    with pytest.raises(ValueError, match=rf"{code}.*{says}"):
        read(row)


FOREIGN = {
    "COCO": {"images": [], "annotations": [], "categories": []},
    "picture": {"image": "a.png", "spans": []},
    "dataset_info.json": {"features": {}, "splits": {}, "citation": ""},
    "chat": {"messages": [{"role": "user", "content": "x"}]},
    "GeoJSON": {"type": "FeatureCollection", "features": []},
    "spaCy pipeline": {"lang": "en", "name": "x", "spacy_version": ">=3"},
    "Hugging Face model": {"model_type": "bert", "architectures": []},
    "rules": {"label": "PER", "pattern": "Ada"},
    "answers to questions": {"title": "x", "paragraphs": [{"context": "x", "qas": []}]},
    "brat": {"text": TEXT, "entities": [["T1", "PER", [[0, 4]]]]},
    "pipeline found": [{"entity_group": "PER", "score": 0.9, "word": "Mira", "start": 0, "end": 4}],
    "notebook": {"cells": [], "nbformat": 4},
    "Labelbox": {"Labeled Data": TEXT, "Label": {}},
    "DocRED": {"title": "x", "sents": [["Mira"]], "vertexSet": [], "labels": []},
    "tagtog": {"anncomplete": True, "annotatable": {}, "entities": []},
    "INCEpTION": {"%FEATURE_STRUCTURES": []},
    "dialogue": {
        "data": {"talk": [{"author": "x", "text": "y"}], "id": 1},
        "annotations": [{"result": [{"type": "paragraphlabels", "value": {"start": "0", "end": "0"}}]}],
    },
}


@pytest.mark.parametrize("what", FOREIGN)
def test_what_is_not_read_is_named(what, read):
    with pytest.raises(ValueError, match=r"TC179.*x\.json:1|TC161.*x\.json:1") as caught:
        read(FOREIGN[what])
    assert what in str(caught.value) or what == "dialogue"


def test_to_json_of_spacy_is_read_back(nlp, read):
    doc = Doc(nlp.vocab, words=["Mira", "Oduya", "10km", "."], spaces=[True, True, False, False])
    doc.set_ents([Span(doc, 0, 2, label="PER")])
    (read_back,) = read([doc.to_json()], keep_tokens=True)
    assert tags(read_back) == tags(doc) == ["B-PER", "I-PER", "O", "O"]
    assert [token.text_with_ws for token in read_back] == [token.text_with_ws for token in doc]


def test_spacy_2_is_read_as_spacy_reads_it(nlp, read):
    sentences = [
        [("Mira", "B-PER"), ("Oduya", "L-PER"), ("said", "O")],
        [("Lagos", "U-LOC"), ("!", "-")],
        [("Hi", "O")],
    ]
    made = [{"tokens": [{"orth": word, "ner": tag} for word, tag in sentence]} for sentence in sentences]
    rows = [
        {"id": 0, "paragraphs": [{"raw": "Mira Oduya said Lagos!", "sentences": made[:2]}, {"sentences": made[2:]}]},
        {"id": 1, "paragraphs": [{"raw": None, "sentences": made[1:]}]},
    ]
    expected = [doc_to_record(doc) for doc in json_to_docs(json.dumps(rows))]
    assert [doc_to_record(doc) for doc in read(rows)] == expected
    assert sum(tag == "-" for record in expected for tag in record.tags) == 2


def test_text_under_any_key(read, tmp_path):
    row = {"headline": TEXT, "label": [list(span) for span in SPANS]}
    with pytest.raises(ValueError, match=r"TC161.*'headline'.*text_key"):
        read(row)
    (doc,) = read(row, text_key="headline")
    assert tags(doc) == GOLD
    with pytest.raises(ValueError, match="TC161"):
        read({"text": TEXT, "label": []}, text_key="headline")


def test_offsets_in_bytes_are_found_by_the_texts(read):
    spans = [{"start": 3, "end": 8, "text": "Zoë", "label": "PER"}]
    assert [
        ent.text for (doc,) in [read({"text": "é Zoë", "label": [{**spans[0], "end": 7}]})] for ent in doc.ents
    ] == ["Zoë"]
    with pytest.raises(ValueError, match=r"TC16[24]"):
        read({"text": "é Zoë", "label": spans})


def test_mixed_shapes_are_read_row_by_row(tmp_path):
    rows = [SHAPES["Prodigy"], PAIR, SHAPES["GLiNER"], SHAPES["tokens and tags"], SHAPES["DataTurks"], {"x": 1}]
    (tmp_path / "x.jsonl").write_text(lines(*rows), encoding="utf-8")
    records = read_jsonl(tmp_path / "x.jsonl")
    assert len([next(records) for _ in rows[:-1]]) == 5
    with pytest.raises(ValueError, match=r"TC161.*x\.jsonl:6.*\['x'\]"):
        next(records)


@pytest.mark.parametrize("raw", [TEXT, None])
def test_texts_of_spacy_2_that_nobody_annotated_are_refused(read, raw):
    row = {"id": 0, "paragraphs": [{"raw": raw, "sentences": [{"tokens": [{"orth": word} for word in TOKENS]}]}]}
    with pytest.raises(ValueError, match=r"TC174.*no annotation"):
        read([row])
    known = {"id": 1, "paragraphs": [{"raw": "Hi", "sentences": [{"tokens": [{"orth": "Hi", "ner": "O"}]}]}]}
    with pytest.raises(UserWarning, match=r"TW110.*1 of 2 texts have no annotation"):
        read([row, known])
