"""Records to Docs, to DocBin files and back.

The Docs keep the gold tokens and say that the spaces between them are unknown, so that spaCy's corpus reader
trains and scores on exactly these tokens instead of tokenising an invented text anew.
"""

import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

from spacy.tokens import Doc, DocBin
from spacy.tokens import Span as DocSpan
from spacy.vocab import Vocab

from ..errors import Warnings
from ..tags import MISSING, OUTSIDE, Span, is_missing
from .records import Record

# Only what the gold says: the other attributes follow from the vocabulary of the pipeline that reads the
# file.
ATTRS = ("ENT_IOB", "ENT_TYPE")


def record_to_doc(record: Record, vocab: Vocab) -> Doc:
    """Make a reference Doc: gold tokens, spaces unknown, `doc.ents` set, missing tags kept missing.

    record (Record): The post. Entities are trimmed of white-space tokens at their ends.
    vocab (Vocab): Vocabulary of the Doc.
    RETURNS (Doc): The Doc, its `user_data` empty.
    """
    doc = Doc(vocab, words=record.words)
    ents = [DocSpan(doc, start, end, label=label) for start, end, label in _trim(record)]
    missing = [doc[i : i + 1] for i, tag in enumerate(record.tags) if is_missing(tag)]
    doc.set_ents(ents, missing=missing)
    return doc


def doc_to_record(doc: Doc) -> Record:
    """Read the gold of a Doc back.

    doc (Doc): A Doc with entities; tokens without entity annotation are missing values.
    RETURNS (Record): Its tokens and IOB2 tags.
    """
    tags = []
    for token in doc:
        if token.ent_type:
            tags.append(f"{token.ent_iob_}-{token.ent_type_}")
        else:
            tags.append(OUTSIDE if token.ent_iob else MISSING)
    return Record([token.text for token in doc], tags)


def records_to_docs(records: Iterable[Record], vocab: Vocab) -> Iterator[Doc]:
    """Stream records as reference Docs, and warn once at the end if entities had to be trimmed.

    records (Iterable[Record]): The posts.
    vocab (Vocab): Vocabulary of the Docs.
    YIELDS (Doc): One Doc a record, as record_to_doc makes it.
    """
    spans, trimmed, first = 0, 0, ""
    for record in records:
        gold = record.spans
        changed = len(set(gold) - set(_trim(record)))
        spans, trimmed = spans + len(gold), trimmed + changed
        first = first or (record.where if changed else "")
        yield record_to_doc(record, vocab)
    if trimmed:
        warnings.warn(Warnings.TW101.format(count=trimmed, spans=spans, first=first), stacklevel=2)


def write_docbin(records: Iterable[Record], path: str | Path) -> int:
    """Write records to a .spacy file. Equal records give equal bytes.

    records (Iterable[Record]): The posts.
    path (str | Path): The file to write.
    RETURNS (int): Number of Docs written.
    """
    return write_docs(records_to_docs(records, Vocab()), path)


def write_docs(docs: Iterable[Doc], path: str | Path) -> int:
    """Write Docs to a .spacy file: tokens, spaces and entities.

    docs (Iterable[Doc]): The Docs.
    path (str | Path): The file to write.
    RETURNS (int): Number of Docs written.
    """
    docbin = DocBin(attrs=ATTRS, docs=docs)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    docbin.to_disk(path)
    return len(docbin)


def read_docbin(path: str | Path) -> Iterator[Record]:
    """Stream the Docs of a .spacy file as records.

    path (str | Path): The file.
    YIELDS (Record): One record a Doc.
    """
    for doc in DocBin().from_disk(path).get_docs(Vocab()):
        yield doc_to_record(doc)


def _trim(record: Record) -> list[Span]:
    """Take white-space tokens off both ends of each entity; drop an entity that holds nothing else."""
    trimmed = []
    for start, end, label in record.spans:
        kept = [i for i in range(start, end) if not record.words[i].isspace()]
        if kept:
            trimmed.append((kept[0], kept[-1] + 1, label))
    return trimmed
