"""DocBin files (.spacy): reader and writer of Docs and of records."""

import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from spacy.attrs import IDS, ORTH
from spacy.strings import StringStore
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from ...errors import Errors
from ...runtime.blame import short
from ...runtime.files import whole_file
from ...runtime.reading import expect_keys, read_msgpack
from ..docs import doc_to_record, records_to_docs
from ..records import Record
from .doc_groups import check_groups, mask_groups

SUFFIX = ".spacy"
#: Only what the gold says: the other attributes follow from the vocabulary of the pipeline that reads the file.
ATTRS = ("ENT_IOB", "ENT_TYPE")
#: What other files begin with, to say what a file is that is no DocBin.
BEGINNINGS = {
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"\x80": "a pickle",
    b"PAR1": "a parquet file",
    b"SQLite": "a database of SQLite",
    b"version https://git-lfs": "a pointer of Git LFS (`git lfs pull` fetches the file itself)",
}
#: Bytes that a file may become when it is unpacked: so many, or so many for each of its own.
LEAST, RATIO = 1 << 26, 100
#: Columns that hold strings.
STRINGS = frozenset(("ORTH", "LEMMA", "NORM", "TAG", "MORPH", "DEP", "ENT_TYPE", "ENT_KB_ID", "ENT_ID"))
#: What a zlib stream, as every DocBin is, begins with.
_ZLIB = b"\x78"


def read_docs(path: str | Path, vocab: Vocab) -> Iterator[Doc]:
    """Stream the Docs of a .spacy file. What only a span group marks is not taken for outside of entities.

    path (str | Path): The file.
    vocab (Vocab): Vocabulary of the Docs.
    RETURNS (Iterator[Doc]): The Docs.
    RAISES (ValueError): TC118 if there is no such file; TC136 if it is no DocBin, or not a whole one; TC137 if a Doc in
        it cannot be read; TC430 if it would be far larger unpacked than texts are.
    """
    if not Path(path).is_file():
        raise ValueError(Errors.TC118.format(path=str(path)))
    data = Path(path).read_bytes()
    docbin = DocBin()
    try:
        flat = _unpack(data, path)
        _check_lengths(flat)
        docbin.from_bytes(zlib.compress(flat, level=0))  # unpacked once only: that is most of the time
        _check_columns(docbin)
        _check_strings(docbin, path)
    except Exception as error:  # spaCy checks nothing, and foreign bytes fail anywhere
        if str(error).startswith(("[TC137]", "[TC430]")):
            raise
        raise ValueError(
            Errors.TC136.format(path=path, found=_describe(data), detail=short(error, limit=150))
        ) from error
    return mask_groups(_docs(docbin, vocab, path), str(path))


def _unpack(data: bytes, path: str | Path) -> bytes:
    """Unpack a file, which may not become much larger than texts are. RAISES (ValueError): TC430."""
    limit = max(LEAST, RATIO * len(data))
    stream = zlib.decompressobj()
    flat = stream.decompress(data, limit)
    if stream.unconsumed_tail:
        raise ValueError(Errors.TC430.format(path=path, limit=limit, size=len(data)))
    if not stream.eof or stream.unused_data:
        raise ValueError("it is not whole, or something follows it")
    return flat


def _check_lengths(flat: bytes) -> None:
    """Refuse arrays that are not as long as they say: spaCy would cut them, or fill them up."""
    msg = expect_keys(read_msgpack(flat, "it"), ("attrs", "tokens", "spaces", "lengths", "strings"), "it")
    attrs, lengths = msg["attrs"], np.frombuffer(msg["lengths"], dtype="int32")
    if not isinstance(attrs, list) or not all(isinstance(attr, int | str) for attr in attrs) or ORTH not in attrs:
        raise ValueError("its columns are not named")
    total = int(lengths.sum(dtype="int64"))
    if (lengths < 0).any() or len(msg["tokens"]) != 8 * total * len(attrs) or len(msg["spaces"]) != total:
        raise ValueError("its arrays do not have the lengths that they should have")


def _check_strings(docbin: DocBin, path: str | Path) -> None:
    """Refuse what points to a string that is not in the file: it would fail later, where nobody knows the file.

    RAISES (ValueError): TC137.
    """
    columns = [column for column, attr in enumerate(docbin.attrs) if _KNOWN.get(attr) in STRINGS]
    if not docbin.tokens or not columns:
        return
    strings = StringStore(docbin.strings)
    numbers = np.concatenate(docbin.tokens)[:, columns]
    missing = [number for number in np.unique(numbers).tolist() if number and number not in strings]
    if missing:
        row, column = np.argwhere(np.isin(numbers, missing))[0].tolist()
        index = int(np.searchsorted(np.cumsum([len(tokens) for tokens in docbin.tokens]), row, side="right"))
        detail = f"A string of its column {_KNOWN[docbin.attrs[columns[column]]]} is not in the file."
        raise ValueError(Errors.TC137.format(path=path, index=index, detail=detail))


def _check_columns(docbin: DocBin) -> None:
    """Refuse what spaCy would read without a word: columns that it does not know, and lists of different lengths."""
    unknown = [attr for attr in docbin.attrs if attr not in _KNOWN]
    if unknown:
        raise ValueError(f"it has columns that this version of spaCy does not know ({unknown})")
    if len(set(docbin.attrs)) < len(docbin.attrs):
        raise ValueError("it has a column twice")
    if "ENT_TYPE" in map(_KNOWN.get, docbin.attrs) and "ENT_IOB" not in map(_KNOWN.get, docbin.attrs):
        raise ValueError("it has labels (ENT_TYPE) without saying where entities begin (ENT_IOB)")
    lengths = {len(docbin.tokens), len(docbin.spaces), len(docbin.cats), len(docbin.flags), len(docbin.span_groups)}
    if len(lengths) > 1:
        raise ValueError("parts of it are missing")


_KNOWN = {number: name for name, number in IDS.items()}


def _docs(docbin: DocBin, vocab: Vocab, path: str | Path) -> Iterator[Doc]:
    docs = docbin.get_docs(vocab)
    for index in range(len(docbin)):
        try:
            doc = next(docs)
            _check_doc(doc)
        except Exception as error:  # as above
            raise ValueError(Errors.TC137.format(path=path, index=index, detail=short(error, limit=150))) from error
        yield doc


def _check_doc(doc: Doc) -> None:
    """Refuse labels outside of entities. Strings that are not in the file are asked for here, since they would fail
    later, where nobody knows the file."""
    outside = [token.text for token in doc if token.ent_type_ and token.ent_iob_ not in ("B", "I")]
    if outside:
        raise ValueError(f"the token {outside[0]!r} has a label and is in no entity")
    for span in (*doc.ents, *(span for group in doc.spans.values() for span in group)):
        if not span.label_ and span.label:
            raise ValueError("a label is not among its strings")


def _describe(data: bytes) -> str:
    """Say what a file is that is no DocBin."""
    if not data:
        return "an empty file"
    for begin, kind in BEGINNINGS.items():
        if data.startswith(begin):
            return kind
    if data.startswith(_ZLIB):
        return "a file that begins as a DocBin does, and is cut off, damaged or of another kind"
    try:
        text = data[:1000].decode("utf-8", errors="strict")
    except UnicodeDecodeError:
        return "no text, and of no kind that is known"
    return f"a text file ({text[:30]!r} ...), whose suffix should say its form"


def write_docs(docs: Iterable[Doc], path: str | Path) -> int:
    """Write Docs to a .spacy file: tokens, spaces and entities.

    docs (Iterable[Doc]): The Docs.
    path (str | Path): The file to write.
    RETURNS (int): Number of Docs written.
    """
    docbin = DocBin(attrs=ATTRS, docs=docs)
    with whole_file(path) as made:
        docbin.to_disk(made)
    return len(docbin)


def read_docbin(path: str | Path) -> Iterator[Record]:
    """Stream the Docs of a .spacy file as records.

    path (str | Path): The file.
    YIELDS (Record): One record a Doc.
    RAISES (ValueError): TC118 if there is no such file; TC175 if all its spans are in span groups.
    """
    for doc in check_groups(read_docs(path, Vocab()), str(path)):
        yield doc_to_record(doc)


def write_docbin(records: Iterable[Record], path: str | Path) -> int:
    """Write records to a .spacy file. Equal records give equal bytes.

    records (Iterable[Record]): The posts.
    path (str | Path): The file to write.
    RETURNS (int): Number of Docs written.
    """
    return write_docs(records_to_docs(records, Vocab()), path)
