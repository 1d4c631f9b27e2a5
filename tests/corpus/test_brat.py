"""brat: pairs of a text and its stand-off annotation."""

import zipfile

import pytest
import spacy

from spacy_tokclf.corpus import doc_to_record
from spacy_tokclf.corpus.convert import read_any, read_file
from spacy_tokclf.corpus.offset_report import OffsetReport
from spacy_tokclf.corpus.options import ReadOptions
from spacy_tokclf.corpus.tagged import read_tagged

TEXT = "Mira Oduya spoke\nin Lagos ."
ANN = """T1\tPER 0 10\tMira Oduya
T2\tLOC 20 25\tLagos
R1\tAt Arg1:T1 Arg2:T2
E1\tLOC:T2 Who:T1
A1\tSure T1
#1\tAnnotatorNotes T1\tnot sure
*\tEquiv T1 T2
"""
WORDS = ["Mira", "Oduya", "spoke", "\n", "in", "Lagos", "."]
TAGS = ["B-PER", "I-PER", "O", "O", "O", "B-LOC", "O"]


def write(folder, text=TEXT, ann=ANN, name="a"):
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.txt").write_bytes(text.encode())
    (folder / f"{name}.ann").write_bytes(ann.encode())
    return folder


def records(path, report=None, **options):
    docs = read_any(path, spacy.blank("en"), ReadOptions(**options), report=report)
    return [(record.words, record.tags) for record in map(doc_to_record, docs)]


@pytest.mark.parametrize("half", ["x.txt", "x.ann"])
def test_a_half_that_is_packed_and_broken(tmp_path, half):
    for name, text in {"x.txt": b"Mira spoke", "x.ann": b"T1\tPER 0 4\tMira\n"}.items():
        (tmp_path / name).write_bytes(b"\x1f\x8b\x08" if name == half else text)
    for path in (tmp_path, tmp_path / "x.txt"):
        with pytest.raises(ValueError, match="TC121"):
            list(read_any(path, spacy.blank("en")))


def test_files_folders_and_archives(tmp_path):
    folder = write(tmp_path / "data")
    assert records(folder / "a.txt") == records(folder / "a.ann") == records(folder) == [(WORDS, TAGS)]
    (folder / "b.txt").write_text("Not looked at", encoding="utf-8")
    expected = [(WORDS, TAGS), (["Not", "looked", "at"], ["-"] * 3)]
    assert records(folder) == expected
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        for file in folder.iterdir():
            archive.write(file, f"data/{file.name}")
    assert records(tmp_path / "data.zip") == expected
    (folder / "b.ann").touch()
    assert records(folder)[1] == (["Not", "looked", "at"], ["O"] * 3)


def test_a_text_without_annotation_is_no_brat(tmp_path):
    (tmp_path / "a.txt").write_text("a\tB-x\n", encoding="utf-8")
    assert records(tmp_path / "a.txt") == [(["a"], ["B-x"])]
    (tmp_path / "a.ann").write_text("a\tB-y\n", encoding="utf-8")
    assert records(tmp_path / "a.txt") == [(["a"], ["B-x"])]
    assert records(tmp_path / "a.ann") == [(["a"], ["B-y"])]


@pytest.mark.parametrize("way", ["\r\n as two", "\r\n as one", "mark"])
def test_line_ends_and_mark_however_they_were_counted(tmp_path, way):
    text = TEXT if way == "mark" else TEXT.replace("\n", "\r\n")
    shift = {"\r\n as two": (0, 1), "\r\n as one": (0, 0), "mark": (1, 1)}[way]
    ann = f"T1\tPER {shift[0]} {10 + shift[0]}\tMira Oduya\nT2\tLOC {20 + shift[1]} {25 + shift[1]}\tLagos\n"
    folder = write(tmp_path / "data", ("\ufeff" if way == "mark" else "") + text, ann)
    ((words, tags),) = records(folder)
    marked = {word.strip("\ufeff"): tag for word, tag in zip(words, tags, strict=True) if tag != "O"}
    assert marked == {"Mira": "B-PER", "Oduya": "I-PER", "Lagos": "B-LOC"}


def test_parts_and_overlaps(tmp_path):
    folder = write(tmp_path / "data", ann="T1\tPER 0 4;11 16\tMira spoke\nT2\tLOC 20 25\tLagos\n")
    with pytest.raises(ValueError, match=r"TC134.*a\.ann:1.*'PER'.*overlap"):
        records(folder)
    report = OffsetReport()
    assert records(folder, report, overlap="first") == [(WORDS, ["B-PER", "O", "-", "O", "O", "B-LOC", "O"])]
    assert report.counts["parts"] == 1 and "several parts" in report.said[0]
    with pytest.warns(UserWarning, match=r"TW110.*several parts"):
        assert records(folder, overlap="longest") == [(WORDS, ["-", "O", "B-PER", "O", "O", "B-LOC", "O"])]
    write(folder, ann="T1\tPER 0 10\tMira Oduya\nT2\tNAME 5 10\tOduya\n")
    with pytest.raises(ValueError, match="TC165"):
        records(folder)
    assert records(folder, OffsetReport(), overlap="longest")[0][1][:2] == ["B-PER", "I-PER"]


@pytest.mark.parametrize(
    "ann, code",
    [
        ("T1\tPER 0 4\tMiro\n", "TC164.*a.ann:1.*'Mira'.*'Miro'"),
        ("T1\tPER 0 400\tMira\n", "TC164"),
        ("T1\tPER 0 400\n", "TC162.*a.ann:1"),
        ("T1\tPER 4 4\n", "TC162"),
        ("T1\tPER 0\tMira\n", "TC130.*a.ann:1"),
        ("T1 PER 0 4 Mira\n", "TC130|TC127|TC112|TC113"),
        ("T1\tPER 0 4\tMira\nrubbish\n", "TC130.*a.ann:2"),
        (b"T1\tPER 0 4\tMir\xe4\n".decode("latin-1"), "TC164"),
    ],
)
def test_faults(tmp_path, ann, code):
    folder = write(tmp_path / "data", ann=ann)
    with pytest.raises(ValueError, match=code):
        records(folder)


def test_offsets_are_trusted_on_request_and_texts_needed(tmp_path):
    folder = write(tmp_path / "data", ann="T1\tPER 0 4\tMiro\n")
    assert records(folder, offsets="trust")[0][1] == ["B-PER", *"OOOOOO"]
    (folder / "a.txt").unlink()
    for path in (folder, folder / "a.ann"):
        with pytest.raises(ValueError, match=r"TC133.*a\.ann.*a\.txt"):
            records(path)
    (tmp_path / "bad.zip").write_bytes(b"PK\x03\x04rubbish")
    with pytest.raises(ValueError, match="TC121"):
        records(tmp_path / "bad.zip")


def test_encoding_by_name(tmp_path):
    folder = write(tmp_path / "data", "x", "")
    (folder / "a.txt").write_bytes("Zoë".encode("latin-1"))
    with pytest.raises(ValueError, match=r"TC111.*a\.txt:1"):
        records(folder)
    assert records(folder, encoding="latin-1") == [(["Zoë"], ["O"])]


def test_a_folder_is_read_to_score_and_to_fit(tmp_path):
    (tmp_path / "x.txt").write_text("Mira spoke", encoding="utf-8")
    (tmp_path / "x.ann").write_text("T1\tPER 0 4\tMira\n", encoding="utf-8")
    (doc,) = read_file(tmp_path, spacy.blank("en"))
    assert [(ent.text, ent.label_) for ent in doc.ents] == [("Mira", "PER")]
    assert read_tagged(tmp_path).tags == ["B-PER", "O"]
