"""Lines of text files: encodings, line ends, archives, and what is no text."""

import gzip
import io
import zipfile

import pytest
import spacy

from spacy_tokclf.corpus.convert import read_any
from spacy_tokclf.corpus.forms import lines, sources
from spacy_tokclf.corpus.forms.lines import inner_name, read_line_blocks
from spacy_tokclf.corpus.tagged import read_tagged

TEXT = "Zoë\tB-PER\n\nx\x85y\u2028z\tO\n"
LINES = ["Zoë\tB-PER", "", "x\x85y\u2028z\tO"]


def read(path, encoding=None):
    return [line for block in read_line_blocks(path, encoding) for line in block]


def zipped(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1 << 22])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "gb18030"])
def test_encodings_and_line_ends(tmp_path, monkeypatch, codec, end, size):
    monkeypatch.setattr(lines, "BLOCK", size)
    data = TEXT.replace("\n", end).encode(codec)
    path = tmp_path / "x.conll"
    for packed in (data, gzip.compress(data), zipped(**{"x.conll": data})):
        path.write_bytes(packed)
        assert read(path, codec if codec == "gb18030" else None) == LINES


@pytest.mark.parametrize("size", [1, 1 << 22])
def test_a_return_inside_of_a_line_is_kept_where_lines_end_otherwise(tmp_path, monkeypatch, size):
    monkeypatch.setattr(lines, "BLOCK", size)
    (tmp_path / "x").write_bytes(b"a\rb\tO\n\rc\r\r\nd")
    assert read(tmp_path / "x") == ["a\rb\tO", "\rc\r", "d"]


def test_a_mark_is_believed_before_a_name(tmp_path):
    (tmp_path / "x").write_bytes("é\n".encode("utf-16"))
    assert read(tmp_path / "x", "latin-1") == ["é"]
    (tmp_path / "x").write_bytes("é\n".encode("utf-16-le"))
    assert read(tmp_path / "x", "utf-16-le") == ["é"]


@pytest.mark.parametrize(
    "data, encoding, says",
    [
        (b"ok\n\xe9t\xe9\n", None, r"TC111.*x:2.*not UTF-8.*byte 1.*--encoding latin-1"),
        (b"ok\n\n\x93t\x94\n", None, r"TC111.*x:3.*--encoding cp1252"),
        ("ok\nno".encode("utf-16")[:-1], None, r"TC111.*x:2.*UTF-16.*cut off"),
        (b"ok\n\xff", "ascii", r"TC111.*x:2.*not ascii"),
        (b"ok", "latin-11", r"TC125.*'latin-11'"),
        (b"ok", "base64", r"TC125"),
    ],
)
def test_what_is_not_of_the_encoding(tmp_path, data, encoding, says):
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(ValueError, match=says):
        read(tmp_path / "x", encoding)


@pytest.mark.parametrize(
    "data, says",
    [
        (b"%PDF-1.7\n", "a PDF"),
        (b"\x89PNG\r\n\x1a\n", "image"),
        (zipped(**{"xl/workbook.xml": "", "[Content_Types].xml": ""}), r"Excel.*CSV"),
        (zipped(**{"word/document.xml": "", "[Content_Types].xml": ""}), "Word"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", r"\.xls"),
        (b"PAR1\x15\x04", r"\*\.parquet"),
        (b"x\x9c\xb4\xbd", r"DocBin.*\*\.spacy"),
        ("Mira\tO\nspoke\tO\n".encode("utf-16-le"), r"UTF-16.*--encoding utf-16-le"),
        ("Mira\tO\nspoke\tO\n".encode("utf-16-be"), r"--encoding utf-16-be"),
        (gzip.compress(gzip.compress(b"a\tO", mtime=0), mtime=0), "packed twice"),
        (b"\0" * 257 + b"ustar", "tar"),
    ],
)
def test_what_is_no_text_is_named(tmp_path, data, says):
    (tmp_path / "x.conll").write_bytes(data)
    with pytest.raises(ValueError, match=rf"(?s)TC123.*{says}"):
        read(tmp_path / "x.conll")


def test_broken_and_crowded_archives(tmp_path, monkeypatch):
    path = tmp_path / "x.gz"
    whole = gzip.compress(TEXT.encode() * 99)
    for broken in (whole[:-9], whole[:30], whole[:20] + b"\0\0\0" + whole[23:], zipped(a="b")[:40]):
        path.write_bytes(broken)
        with pytest.raises(ValueError, match="TC121"):
            read(path)
    for members, count in (({"a": "", "b": ""}, 2), ({}, 0)):
        path.write_bytes(zipped(**members))
        with pytest.raises(ValueError, match=f"TC122.*{count} files"):
            read(path)
    path.write_bytes(zipped(**{"in/x.conll": TEXT, "__MACOSX/x": "z", ".DS_Store": "z", "folder/": ""}))
    assert read(path) == LINES
    monkeypatch.setattr(sources, "MAX_UNPACKED", 1000)
    path.write_bytes(gzip.compress(b"a" * 2000))
    with pytest.raises(ValueError, match=r"TC121.*1,000 bytes"):
        read(path)
    with pytest.raises(ValueError, match="TC121"):
        read(tmp_path)


def test_the_name_inside(tmp_path):
    assert inner_name("data/x.conll.gz").name == "x.conll"
    assert inner_name("x.conll").name == "x.conll"
    assert inner_name("x.jsonl.zip").name == "x.jsonl"


@pytest.mark.parametrize("damage", range(9))
def test_an_archive_with_a_broken_list_of_its_files(tmp_path, damage):
    """Whoever asks what is in an archive that is damaged gets a refusal with a code."""
    data = zipped(**{"x.conll": TEXT})
    at = data.index(b"PK\x01\x02") + damage * 5
    path = tmp_path / "x.zip"
    path.write_bytes(data[:at] + bytes([data[at] ^ 0x7F]) + data[at + 1 :])
    for reading in (lambda: list(read_any(path, spacy.blank("en"))), lambda: read_tagged(path)):
        try:
            reading()
        except ValueError as error:
            assert str(error).startswith("[TC12"), error
    (tmp_path / "export.zip").write_bytes(zipped(**{"deep/x.jsonl": "{}"}))
    assert inner_name(tmp_path / "export.zip") == tmp_path / "x.jsonl"
