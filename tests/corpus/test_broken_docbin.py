"""What is no DocBin, or no whole one, is said with a code, whatever is wrong with it."""

import gzip
import io
import json
import pickle
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import spacy
import srsly
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spacy.attrs import IDS
from spacy.tokens import Doc, DocBin

from spacy_tokclf.corpus import Record, read_docbin, write_docbin
from spacy_tokclf.corpus.convert import read_any
from spacy_tokclf.corpus.tagged import read_tagged


def whole_docbin() -> bytes:
    """A DocBin with all that one can hold."""
    vocab = spacy.blank("en").vocab
    docbin = DocBin(store_user_data=True)
    for words, ents in ((["New", "York", "!"], ["B-loc", "I-loc", "O"]), (["Bob"], ["B-per"])):
        doc = Doc(vocab, words=words, ents=ents, heads=[0] * len(words), deps=["dep"] * len(words))
        doc.spans["group"] = [doc[:1]]
        docbin.add(doc)
    return docbin.to_bytes()


WHOLE = whole_docbin()
CONTENT: dict[str, Any] = srsly.msgpack_loads(zlib.decompress(WHOLE))


def packed(**changed: Any) -> bytes:
    """A DocBin with other content."""
    return zlib.compress(srsly.msgpack_dumps({**CONTENT, **changed}))


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("train.spacy", WHOLE)
    return buffer.getvalue()


FOREIGN = {
    "empty": (b"", "an empty file"),
    "zip": (zipped(), "a zip archive"),
    "gzip": (gzip.compress(WHOLE, mtime=0), "a gzip archive"),
    "pickle": (pickle.dumps([1]), "a pickle"),
    "text": (b"London\tB-loc\n", "a text file"),
    "json": (json.dumps([{"text": "a"}]).encode(), "a text file"),
    "pointer": (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    "random": (bytes(range(129, 255)), "of no kind that is known"),
    "truncated": (WHOLE[: len(WHOLE) // 2], "cut off"),
    "other content": (zlib.compress(srsly.msgpack_dumps([1, 2])), "cut off"),
    "no strings": (packed(strings=None), "cut off"),
    "unknown columns": (packed(attrs=[65, 77, 9999, *CONTENT["attrs"][3:]]), "9999"),
    "no beginnings": (packed(attrs=[65, 78], tokens=CONTENT["tokens"][: 4 * 16]), "ENT_IOB"),
    "a column twice": (packed(attrs=[*CONTENT["attrs"][:-1], CONTENT["attrs"][0]]), "a column twice"),
    "lists of other lengths": (packed(cats=[]), "parts of it are missing"),
}


@pytest.mark.parametrize("kind", list(FOREIGN))
def test_foreign_files(kind: str, tmp_path: Path) -> None:
    data, says = FOREIGN[kind]
    (tmp_path / "x.spacy").write_bytes(data)
    for read in (read_docbin, read_tagged, lambda path: read_any(path, spacy.blank("en"))):
        with pytest.raises(ValueError, match=r"\[TC136\].*x\.spacy") as caught:
            list(read(tmp_path / "x.spacy"))  # type: ignore[operator]
        assert says in str(caught.value)


@pytest.mark.parametrize("changed", [{"strings": ["a"]}, {"span_groups": [b"x", b"y"]}, {"user_data": [b"\xc1", b""]}])
def test_documents_that_cannot_be_read(changed: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "x.spacy").write_bytes(packed(**changed))
    with pytest.raises(ValueError, match=r"\[TC137\].*x\.spacy, document 0"):
        list(read_docbin(tmp_path / "x.spacy"))


@pytest.mark.parametrize("attr", ["LEMMA", "DEP", "TAG", "NORM", "ENT_KB_ID"])
def test_tokens_whose_strings_are_missing_are_refused_before_they_are_written(attr: str, tmp_path: Path) -> None:
    vocab = spacy.blank("en").vocab
    docbin = DocBin(attrs=("ENT_IOB", "ENT_TYPE", attr), docs=[Doc(vocab, words=["a"]), Doc(vocab, words=["b"])])
    docbin.tokens[1][:, docbin.attrs.index(IDS[attr])] = 2**40
    (tmp_path / "x.spacy").write_bytes(docbin.to_bytes())
    with pytest.raises(ValueError, match=rf"\[TC137\].*x\.spacy, document 1.*{attr}"):
        list(read_docbin(tmp_path / "x.spacy"))


def damaged() -> Iterator[Any]:
    """Ways to damage a DocBin, as strategies of bytes."""
    flat = zlib.decompress(WHOLE)
    yield st.integers(0, len(WHOLE) - 1).map(lambda n: WHOLE[:n])
    yield st.binary(max_size=100)
    for data, wrap in ((WHOLE, bytes), (flat, zlib.compress)):
        place = st.tuples(st.integers(0, len(data) - 1), st.integers(0, 255))
        yield place.map(lambda at, d=data, w=wrap: w(d[: at[0]] + bytes([at[1]]) + d[at[0] + 1 :]))
    values = st.sampled_from([None, 0, -1, "x", [], {}, b"", b"12345678", [1], ["a"], [None] * 2, [{}] * 2, [b"x"] * 2])
    yield st.tuples(st.sampled_from(list(CONTENT)), values).map(lambda pair: packed(**{pair[0]: pair[1]}))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.one_of(*damaged()))
def test_any_damage_is_said_or_changes_nothing_else(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.spacy"
    path.write_bytes(data)
    try:
        records: list[Record] = list(read_docbin(path))
    except ValueError as error:
        assert str(error).startswith(("[TC136]", "[TC137]"))
    else:
        write_docbin(records, path)
        assert list(read_docbin(path)) == records


def test_a_file_that_would_become_huge_is_not_unpacked(tmp_path: Path) -> None:
    (tmp_path / "x.spacy").write_bytes(zlib.compress(bytes(1 << 27), level=9))
    with pytest.raises(ValueError, match=r"\[TC430\].*x\.spacy.*several files"):
        read_docbin(tmp_path / "x.spacy").__next__()


@pytest.mark.parametrize("changed", [{"lengths": CONTENT["lengths"][:4]}, {"spaces": CONTENT["spaces"][:-1]}])
def test_arrays_of_other_lengths(changed: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "x.spacy").write_bytes(packed(**changed))
    with pytest.raises(ValueError, match=r"\[TC136\].*lengths"):
        list(read_docbin(tmp_path / "x.spacy"))


def test_strings_of_all_columns_have_to_be_there(tmp_path: Path) -> None:
    strings = [string for string in CONTENT["strings"] if string != "per"]
    (tmp_path / "x.spacy").write_bytes(packed(strings=strings))
    with pytest.raises(ValueError, match=r"\[TC137\].*x\.spacy, document 1.*ENT_TYPE"):
        list(read_docbin(tmp_path / "x.spacy"))
