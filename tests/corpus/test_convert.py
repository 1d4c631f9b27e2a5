import json
import re

import pytest
import spacy
from spacy.cli._util import app
from spacy.tokens import Doc
from typer.testing import CliRunner

import spacy_tokclf.cli  # noqa: F401
from spacy_tokclf.corpus import Record, read_conll, read_docbin, read_jsonl, write_conll, write_docbin
from spacy_tokclf.corpus.convert import read_any, write_any
from spacy_tokclf.corpus.docs import doc_to_record
from spacy_tokclf.corpus.options import ReadOptions

datasets = pytest.importorskip("datasets")

RECORDS = [
    Record(["Ada", "met", "Bo", "Li", "?"], ["B-person", "O", "B-person", "I-person", "-"]),
    Record(["Rome", "don't", "10km"], ["B-location", "B-location", "O"]),
]
TEXT = "Ada saw\n New York's  sun"
ROWS = [{"text": TEXT, "label": [[0, 3, "PER"], [9, 17, "LOC"], [21, 23, "X"]]}]


def tokclf(*arguments):
    """Run a command of ours; give the exit code and what it said, on one line."""
    result = CliRunner().invoke(app, ["tokclf", *map(str, arguments)])
    return result.exit_code, " ".join(re.sub(r"\x1b\[[\d;]*m", "", result.output).split())


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """Keep what `datasets` writes out of the user's cache."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


@pytest.fixture
def conll(tmp_path):
    write_conll(RECORDS, tmp_path / "in.conll")
    return tmp_path / "in.conll"


@pytest.fixture
def jsonl(tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    return path


FORMS = ["x.spacy", "x.jsonl", "x.json", "x.conll", "x.iob", "x.parquet", "folder"]


@pytest.mark.parametrize("form", FORMS)
def test_there_and_back_through_every_form(conll, form):
    folder = conll.parent
    is_json = form.endswith(("json", "jsonl"))
    code, said = tokclf("convert", conll, folder / form, *(["--to", "prodigy"] if is_json else []))
    assert code == 0 and said.endswith(f"✔ Wrote 2 texts to {folder / form}")
    code, _ = tokclf("convert", folder / form, folder / "again.conll", "--keep-tokens")
    assert code == 0
    assert (folder / "again.conll").read_bytes() == conll.read_bytes()
    assert tokclf("convert", folder / form, folder / "x2.spacy", "--keep-tokens")[0] == 0
    assert list(read_docbin(folder / "x2.spacy")) == RECORDS


def test_wnut17_through_prodigy_and_back(wnut17, tmp_path):
    assert tokclf("convert", wnut17["dev"], tmp_path / "x.jsonl")[0] == 0
    assert tokclf("convert", tmp_path / "x.jsonl", tmp_path / "x.conll", "--keep-tokens")[0] == 0
    assert (tmp_path / "x.conll").read_bytes() == re.sub(rb"(?m)^\t$", b"", wnut17["dev"].read_bytes())


@pytest.mark.parametrize("form", ["doccano", "label-studio", "prodigy"])
def test_shapes_of_json(jsonl, form):
    folder = jsonl.parent
    assert tokclf("convert", jsonl, folder / "x.jsonl", "--to", form, "--on-misaligned", "expand")[0] == 0
    (record,) = read_jsonl(folder / "x.jsonl", format=form)
    assert (record.text, record.spans) == (TEXT, [(0, 3, "PER"), (9, 17, "LOC"), (21, 24, "X")])


def test_default_shapes(conll, tmp_path):
    for suffix, key in ((".jsonl", "spans"), (".json", "annotations")):
        assert tokclf("convert", conll, tmp_path / f"x{suffix}")[0] == 0
        text = (tmp_path / f"x{suffix}").read_text(encoding="utf-8")
        row = json.loads(text)[0] if suffix == ".json" else json.loads(text.splitlines()[0])
        assert key in row


@pytest.mark.parametrize("rule, tag", [("mask", "-"), ("expand", "B-X"), ("contract", "-")])
def test_misaligned_spans_are_said_and_never_outside(jsonl, rule, tag):
    code, said = tokclf("convert", jsonl, jsonl.parent / "x.spacy", "--on-misaligned", rule)
    assert code == 0
    assert "TW110" in said and "1 of 3 spans" in said and "(21, 23, 'X') 'su'" in said
    (record,) = read_docbin(jsonl.parent / "x.spacy")
    assert record.words[-1:] == ["sun"]
    assert record.tags[-1] == tag


def test_texts_keep_their_white_space_in_a_docbin_and_lose_it_in_columns(jsonl):
    folder = jsonl.parent
    tokclf("convert", jsonl, folder / "x.spacy")
    (doc,) = read_any(folder / "x.spacy", spacy.blank("en"))
    assert doc.text == TEXT
    tokclf("convert", jsonl, folder / "x.conll")
    (record,) = read_conll(folder / "x.conll")
    assert record.words == ["Ada", "saw", "New", "York", "'s", "sun"]
    assert record.tags == ["B-PER", "O", "B-LOC", "I-LOC", "O", "-"]


def test_columns_schemes_and_languages(tmp_path):
    (tmp_path / "x.tsv").write_text("1\tU-x\tAda\n2\tO\tran\n", encoding="utf-8")
    options = ["--token-column", 2, "--tag-column", 1, "--scheme", "BILOU", "--to-scheme", "IOBES"]
    assert tokclf("convert", tmp_path / "x.tsv", tmp_path / "y.conll", *options)[0] == 0
    assert (tmp_path / "y.conll").read_text(encoding="utf-8") == "Ada\tS-x\nran\tO\n\n"
    (tmp_path / "x.jsonl").write_text('{"text": "don\'t", "label": [[0, 5, "X"]]}', encoding="utf-8")
    for lang, words in (("en", ["do", "n't"]), ("xx", ["don't"])):
        tokclf("convert", tmp_path / "x.jsonl", tmp_path / "y.conll", "--lang", lang)
        assert [record.words for record in read_conll(tmp_path / "y.conll")] == [words]


def test_data_sets_by_split_and_column(tmp_path):
    (tmp_path / "data").mkdir()
    for split in ("train", "test"):
        rows = [{"words": [split], "ner": ["B-x"]}]
        (tmp_path / "data" / f"{split}.jsonl").write_text("".join(map(json.dumps, rows)), encoding="utf-8")
    options = ["--tokens", "words", "--tags", "ner"]
    for split in ("train", "test"):
        code, _ = tokclf("convert", tmp_path / "data", tmp_path / "x.spacy", "--split", split, *options)
        assert code == 0
        assert list(read_docbin(tmp_path / "x.spacy")) == [Record([split], ["B-x"])]
    code, _ = tokclf("convert", tmp_path / "data" / "test.jsonl", tmp_path / "x.spacy", *options)
    assert list(read_docbin(tmp_path / "x.spacy")) == [Record(["test"], ["B-x"])]


@pytest.mark.parametrize(
    "arguments, says",
    [
        (["in.jsonl", "x.xml"], "TC172"),
        (["in.conll", "x.xlsx"], "TC172"),
        (["no.jsonl", "x.spacy"], "TC169"),
        (["no.conll", "x.spacy"], "TC118"),
        (["no.spacy", "x.conll"], "TC118"),
        (["in.jsonl", "x.spacy", "--on-misaligned", "error"], "TC166"),
        (["in.jsonl", "x.spacy", "--on-misaligned", "skip"], "TC167"),
        (["in.jsonl", "x.jsonl", "--to", "brat"], "TC167"),
        (["in.conll", "x.spacy", "--scheme", "IOE2"], "TC101"),
    ],
)
def test_failures_are_one_message_and_leave_no_file(conll, jsonl, arguments, says):
    folder = conll.parent
    source, target, *options = arguments
    code, said = tokclf("convert", folder / source, folder / target, *options)
    assert code == 1
    assert said.startswith("✘ [TC") and says in said
    assert not (folder / target).exists()


def test_in_place(jsonl):
    assert tokclf("convert", jsonl, jsonl, "--to", "doccano")[0] == 0
    assert [record.text for record in read_jsonl(jsonl)] == [TEXT]


def test_read_and_write_any_give_what_the_room_gives(tmp_path):
    nlp = spacy.blank("en")
    write_docbin(RECORDS, tmp_path / "x.spacy")
    assert [doc_to_record(doc) for doc in read_any(tmp_path / "x.spacy", nlp)] == RECORDS
    docs = [Doc(nlp.vocab, words=["a", "\n", "b"], spaces=[False, False, False])]
    assert write_any(docs, tmp_path / "x.conll") == 1
    assert [record.words for record in read_conll(tmp_path / "x.conll")] == [["a", "b"]]
    assert ReadOptions().on_misaligned == "mask"


@pytest.mark.parametrize(
    "name, arguments",
    [("x.conll", {"format": "prodigy"}), ("x.spacy", {"format": "doccano"}), ("x.jsonl", {"scheme": "BILOU"})],
)
def test_what_a_form_does_not_have_is_refused(tmp_path, nlp, name, arguments):
    with pytest.raises(ValueError, match="TC213"):
        write_any([nlp.make_doc("a")], tmp_path / name, **arguments)
    with pytest.raises(ValueError, match="TC100"):
        write_any([nlp.make_doc("a")], tmp_path / "x.jsonl", scheme="XX")
    assert not list(tmp_path.iterdir())
