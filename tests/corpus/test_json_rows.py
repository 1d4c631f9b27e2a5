"""The rows of JSON files: how they may lie in a file, and what is no JSON."""

import gzip
import json
import zipfile

import pytest
import spacy

from spacy_tokclf.corpus import read_jsonl
from spacy_tokclf.corpus.convert import read_any
from spacy_tokclf.corpus.forms.json_rows import read_json_rows
from spacy_tokclf.corpus.options import ReadOptions

ONE, TWO = {"text": "Ada", "label": [[0, 3, "PER"]]}, {"text": "no ] } one", "label": []}


def rows(path, **options):
    return [(row.line, row.item, row.value) for row in read_json_rows(path, **options)]


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "x.json"
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
        return path

    return write


def dumped(*values, indent=None):
    return [json.dumps(value, indent=indent) for value in values]


@pytest.mark.parametrize(
    "text, lines",
    [
        ("\n".join(dumped(ONE, TWO)), [1, 2]),
        ("\n\n".join(dumped(ONE, TWO)), [1, 3]),
        ("".join(dumped(ONE, TWO)), [1, 1]),
        ("\n".join(dumped(ONE, TWO, indent=2)), [1, 11]),
        ("".join(dumped(ONE, TWO, indent=2)), [1, 10]),
        (f"{json.dumps(ONE)}\n{json.dumps(TWO, indent=2)}\n", [1, 2]),
        ("[\n" + ",\n".join(dumped(ONE, TWO)) + "\n]\n", [2, 3]),
        (json.dumps([ONE, TWO], indent=1), [2, 12]),
        (json.dumps([ONE], indent=1) + "\n" + json.dumps([TWO]), [2, 13]),
        (f" \t\n{json.dumps([ONE, TWO])}", [2, 2]),
        (f"{json.dumps([ONE])}\n{json.dumps([TWO])}", [1, 2]),
    ],
)
def test_rows_and_their_lines(text, lines, file):
    found = rows(file(text))
    assert [value for _, _, value in found] == [ONE, TWO]
    assert [line for line, _, _ in found] == lines


def test_items_of_a_line_are_named(file):
    assert [item for _, item, _ in rows(file(json.dumps([ONE, TWO])))] == ["item 0", "item 1"]
    found = rows(file(json.dumps({"examples": [ONE, None, TWO], "version": 1}, indent=2)))
    assert found == [(1, "examples[0]", ONE), (1, "examples[2]", TWO)]
    with pytest.raises(ValueError, match=r"TC162.*x\.json:1, data\[1\]: the span \(0, 9\)"):
        list(read_jsonl(file(json.dumps({"data": [ONE, {"text": "a", "label": [[0, 9, "X"]]}]}))))


def test_a_row_that_holds_lists_is_a_row(file):
    for row in (
        {"text": "a", "annotations": [{"start": 0, "end": 1, "label": "X"}]},
        {"data": {"text": "a"}, "annotations": [{"id": 1, "result": []}]},
        {"content": "a", "annotations": [{"x": 1}]},
        {"examples": [ONE], "documents": [TWO]},
        {"data": []},
    ):
        assert rows(file(json.dumps(row))) == [(1, "", row)]
    pair = ["Ada", {"entities": []}]
    assert rows(file(json.dumps(pair))) == [(1, "", pair)]
    assert rows(file(json.dumps([pair, pair]))) == [(1, "item 0", pair), (1, "item 1", pair)]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_marks_of_encodings(encoding, indent, file):
    text = json.dumps([{**ONE, "text": "Ädá"}], indent=indent, ensure_ascii=False)
    assert [value["text"] for _, _, value in rows(file(text.encode(encoding)))] == ["Ädá"]


def test_an_encoding_can_be_named(file):
    path = file('{"text": "Müller", "label": [[0, 6, "PER"]]}'.encode("latin-1"))
    with pytest.raises(ValueError, match=r"TC111.*x\.json:1"):
        rows(path)
    (doc,) = read_any(path, spacy.blank("en"), ReadOptions(encoding="latin-1"))
    assert [ent.text for ent in doc.ents] == ["Müller"]


def test_packed_files(tmp_path):
    data = json.dumps(ONE).encode()
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(data))
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("export.json", data)
    for name in ("a.jsonl.gz", "b.zip"):
        (doc,) = read_any(tmp_path / name, spacy.blank("en"))
        assert [(ent.text, ent.label_) for ent in doc.ents] == [("Ada", "PER")]


@pytest.mark.parametrize(
    "text, line, says",
    [
        ('{"text": "a"}\n{"text": "b", ', 2, "column"),
        ('{"text": "a",\n{"text": "b"}', 1, "property name"),
        ('{"text": "a\n{"text": "b"}', 1, "Unterminated|control character"),
        ('{\n "text": "a"\n "label": []\n}', 3, "delimiter"),
        ('[{"text": "a"}\n{"text": "b"}]', 2, "',' or ']'"),
        ('[{"text": "a"},\n]', 2, "Expecting value"),
        ('[{"text": "a"}', 1, "',' or ']'"),
        ('{"text": "a"}, {"text": "b"}', 1, "Expecting value"),
        ('{"text": "a"}\nno JSON', 2, "Expecting value"),
        ('{"text": "a", "text": "b"}', 1, "'text' stands twice"),
        ('{"text": "a"}\n{"x": {"k": 1, "k": 2}}', 2, "'k' stands twice"),
        ('[\n{"text": "a"},\n{"k": 1, "k": 1}]', 3, "'k' stands twice"),
        ('{"text": "a", "score": NaN}', 1, "NaN is no value"),
        ('{"text": "a", "score": -Infinity}', 1, "-Infinity is no value"),
        ("[" * 100_000, 1, "too deep"),
        ('{"a":' * 100_000, 1, "too deep"),
        ('{"text": "a", "label": [[0, ' + "9" * 5000 + ', "X"]]}', 1, "4300 digits"),
        ("[('a', {'entities': []})]", 1, "looks like Python"),
        ("{'text': 'a'}", 1, "looks like Python"),
        ("<html>", 1, "looks like HTML or XML"),
    ],
)
def test_what_is_no_json(text, line, says, file):
    with pytest.raises(ValueError, match=rf"TC160.*x\.json:{line}: .*(?:{says})"):
        rows(file(text))


def test_a_huge_offset_is_told_in_a_few_words(file):
    path = file('{"text": "a", "label": [[0, ' + "9" * 4000 + ', "X"]]}')
    with pytest.raises(ValueError, match=r"TC162.*\(0, a huge number\)"):
        list(read_jsonl(path))


def test_lines_are_streamed(tmp_path):
    with (tmp_path / "x.jsonl").open("w") as file:
        file.writelines(json.dumps(ONE) + "\n" for _ in range(3))
        file.write("{")
    found = read_json_rows(tmp_path / "x.jsonl")
    assert [next(found).line for _ in range(3)] == [1, 2, 3]
    with pytest.raises(ValueError, match=r"TC160.*:4"):
        next(found)
