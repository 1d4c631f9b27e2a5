"""Which texts are read from what."""

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.tokens import Doc

from spacy_tokclf.annotation.inputs import read_items
from spacy_tokclf.annotation.items import Item, make_doc
from spacy_tokclf.corpus.convert import read_any, write_any
from spacy_tokclf.corpus.options import ReadOptions

WriteT = Callable[..., Path]


def texts(path: Path | str, **settings: Any) -> list[str]:
    return [item.text for item in read_items(path, **settings)]


def test_lines(write: WriteT) -> None:
    lines = "Ada\n\n  \n\u2028x\x85y\x00z\r\nlast"
    expected = ["Ada", "", "  ", "\u2028x\x85y\x00z", "last"]
    assert texts(write("a.txt", lines)) == expected
    assert texts(write("a.txt.gz", gzip.compress(lines.encode()))) == expected
    assert texts(write("b.txt", lines.encode("utf-16"))) == expected
    assert texts(write("c.txt", "Zoë\n".encode("latin-1")), options=ReadOptions(encoding="latin-1")) == ["Zoë"]
    with pytest.raises(ValueError, match="TC111"):
        texts(write("c.txt", "Zoë\n".encode("latin-1")))
    assert texts("-", stdin=io.BytesIO(b"\xef\xbb\xbfAda\r\n\nlast")) == ["Ada", "", "last"]
    for text in ("{", "[1] Ada", "{Ada}", "[" * 100_000, '"Ada"', ""):
        assert texts("-", stdin=io.BytesIO(f"Bob\n{text}\n".encode())) == ["Bob", text]


@pytest.mark.parametrize("first", ["[1] Ada", "{Ada}", "[" * 100_000, '"Ada"', "[]", "7", "null"])
def test_a_stream_whose_first_text_looks_like_json(first):
    assert texts("-", stdin=io.BytesIO(f"{first}\nBob\n".encode())) == [first, "Bob"]


ROWS = [{"text": "Ada", "id": 7}, {"text": "Bob"}]


@pytest.mark.parametrize(
    "written",
    [
        "\n".join(map(json.dumps, ROWS)),
        "\ufeff" + "\n".join(map(json.dumps, ROWS)) + "\n",
        json.dumps(ROWS),
        json.dumps(ROWS, indent=1),
        "\n".join(json.dumps(row, indent=1) for row in ROWS),
    ],
)
def test_a_stream_of_json(written):
    items = list(read_items("-", stdin=io.BytesIO(written.encode("utf-8"))))
    assert [(item.text, item.row) for item in items] == [("Ada", {"id": 7}), ("Bob", {})]


@pytest.mark.parametrize("text", ["Jackie O\nis here", "a\tb\nc\td", "O\nO", "one O\ntwo O"])
def test_lines_that_are_no_columns(write: WriteT, text: str) -> None:
    assert texts(write("a.txt", text)) == text.split("\n")


def test_columns_of_tokens_and_tags(write: WriteT) -> None:
    rows = "Ada\tB-x\nmet\tO\n\nBob\tB-x\n"
    for name in ("a.txt", "a.conll", "a.tsv"):
        items = list(read_items(write(name, rows)))
        assert [item.text for item in items] == ["Ada met", "Bob"]
        doc = make_doc(items[0], spacy.blank("en"))
        assert [token.text for token in doc] == ["Ada", "met"] and doc.has_unknown_spaces
    assert texts(write("nothing.conll", "Ada\t-\nmet\t-\n")) == ["Ada met"]


def test_what_is_no_text_is_refused(write: WriteT) -> None:
    for name, content, code in (
        ("a.xml", "<?xml version='1.0'?><a>Ada</a>", "TC127"),
        ("a.conll", "Ada met Bob.\nAnd then she left.", "TC113"),
    ):
        with pytest.raises(ValueError, match=code):
            texts(write(name, content))
    with pytest.raises(ValueError, match="TC123"):
        texts(write("a.txt", "%PDF-1.4"))


def test_rows_of_json_keep_what_else_they_say(write: WriteT) -> None:
    rows = [{"id": 7, "text": "Ada", "label": "news"}, {"id": 8, "text": "", "spans": [[0, 1, "x"]]}]
    lines = "\n".join(map(json.dumps, rows))
    for name, content in (("a.jsonl", lines), ("a.json", json.dumps(rows)), ("a.txt", lines)):
        items = list(read_items(write(name, content)))
        assert [(item.text, item.row) for item in items] == [
            (row["text"], {key: value for key, value in row.items() if key != "text"}) for row in rows
        ]
    (item,) = read_items(write("b.jsonl", '{"body": "Ada", "text": "no"}'), ReadOptions(text_key="body"))
    assert (item.text, item.text_key, item.row) == ("Ada", "body", {"text": "no"})
    assert texts(write("c.json", '["Ada", "Bob"]')) == ["Ada", "Bob"]
    assert texts(write("d.jsonl", '"Ada"\n"Bob"')) == ["Ada", "Bob"]


def test_rows_of_json_without_a_text_have_the_reason(write: WriteT) -> None:
    items = list(read_items(write("a.jsonl", '{"text": "Ada"}\n{"x": 1}\n{"text": "Bo\n{"text": 3}\n{"text": "Cy"}\n')))
    assert [item.text for item in items] == ["Ada", "", "", "", "Cy"]
    assert [item.error[:7] for item in items] == ["", "[TC368]", "[TC160]", "[TC368]", ""]
    (item,) = read_items(write("b.jsonl", '{"text": "Ada"}'), ReadOptions(text_key="body"))
    assert item.error.startswith("[TC368]")
    with pytest.raises(ValueError, match="TC160"):
        list(read_items(write("c.jsonl", "no JSON")))


def test_a_column_of_a_table(write: WriteT) -> None:
    table = 'id,body\r\n1,"a ""b"",\r\nc"\r\n2,\r\n3\r\n'
    items = list(read_items(write("a.csv", table), text_column="body"))
    assert [(item.text, item.row) for item in items] == [
        ('a "b",\r\nc', {"id": "1"}),
        ("", {"id": "2"}),
        ("", {"id": "3"}),
    ]
    assert [item.error[:7] for item in items] == ["", "", "[TC367]"]
    assert texts(write("b.tsv", "1\tAda, \n2\tBob\n"), text_column=1) == ["Ada, ", "Bob"]
    assert texts(write("c.csv", "text\nAda\n\nBob\n"), text_column="text") == ["Ada", "", "Bob"]
    long = "x" * 300_000
    assert texts(write("d.csv", f"text\n{long}\n"), text_column="text") == [long]
    with pytest.raises(ValueError, match="TC131"):
        texts(write("a.csv", table), text_column="text")
    with pytest.raises(ValueError, match=r"TC366.*id, body"):
        texts(write("a.csv", table))
    with pytest.raises(ValueError, match="TC371"):
        texts(write("a.jsonl", "{}"), text_column="text")


def test_a_folder_of_texts(write: WriteT, tmp_path: Path) -> None:
    write("in/b.txt", "Bob\n")
    write("in/a/x.txt", "Ada")
    write("in/c.txt", b"\xff\xff\xff\xff")
    items = list(read_items(tmp_path / "in"))
    assert [(item.name, item.text, item.error[:7]) for item in items] == [
        ("a/x", "Ada", ""),
        ("b", "Bob\n", ""),
        ("c", "", "[TC123]"),
    ]
    (tmp_path / "none").mkdir()
    with pytest.raises(ValueError, match="TC365"):
        texts(tmp_path / "none")
    with pytest.raises(ValueError, match="TC118"):
        texts(tmp_path / "absent")


@pytest.mark.parametrize("name", ["x.spacy", "x.jsonl", "x.json", "x.conll", "x.csv", "x.ann", "x.parquet"])
def test_annotated_data_of_any_form(write: WriteT, tmp_path: Path, name: str) -> None:
    nlp = spacy.blank("en")
    gold = write("gold.jsonl", '{"text": "Ada met Bob.", "label": [[0, 3, "x"]]}\n{"text": "No", "label": []}\n')
    write_any(read_any(gold, nlp), tmp_path / name)
    found = [make_doc(item, nlp) for item in read_items(tmp_path / name)]
    assert [[token.text for token in doc] for doc in found] == [["Ada", "met", "Bob", "."], ["No"]]
    assert not any(doc.ents or doc.has_annotation("ENT_IOB") for doc in found)


def test_tokens_of_a_text_are_kept_if_asked_for(write: WriteT) -> None:
    path = write("x.jsonl", json.dumps({"text": "Ada met", "tokens": [[0, 1], [1, 3], [4, 7]], "spans": []}))
    for keep, expected in ((False, ["Ada", "met"]), (True, ["A", "da", "met"])):
        (item,) = read_items(path, ReadOptions(keep_tokens=keep))
        assert [token.text for token in make_doc(item, spacy.blank("en"))] == expected


def test_texts_that_are_none() -> None:
    nlp = spacy.blank("en")
    nlp.max_length = 5
    from spacy_tokclf.corpus.records import TextRecord

    for text, code in (("a\ud800", "TC369"), ("abcdef", "TC370")):
        with pytest.raises(ValueError, match=code):
            make_doc(Item(TextRecord(text, []), "x:1"), nlp)
    assert isinstance(make_doc(Item(TextRecord("a\x00 b", []), "x:1"), nlp), Doc)
