"""The corpus: CoNLL files, records, DocBin files, the reader and the batcher that training uses."""

from importlib import import_module
from typing import TYPE_CHECKING

from .batcher import batch_by_length
from .conll import detect_conll_scheme, read_conll, write_conll
from .records import Record
from .verify import (
    WNUT17_FILES,
    FileFacts,
    SplitFacts,
    check_md5,
    conll_facts,
    count_records,
    file_md5,
)

if TYPE_CHECKING:
    from .docbin import doc_to_record, read_docbin, record_to_doc, records_to_docs, write_docbin
    from .reader import ConllCorpus

# What needs spaCy is imported when it is asked for.
_LAZY = {
    "ConllCorpus": "reader",
    "doc_to_record": "docbin",
    "read_docbin": "docbin",
    "record_to_doc": "docbin",
    "records_to_docs": "docbin",
    "write_docbin": "docbin",
}

__all__ = [
    "WNUT17_FILES",
    "ConllCorpus",
    "FileFacts",
    "Record",
    "SplitFacts",
    "batch_by_length",
    "check_md5",
    "conll_facts",
    "count_records",
    "detect_conll_scheme",
    "doc_to_record",
    "file_md5",
    "read_conll",
    "read_docbin",
    "record_to_doc",
    "records_to_docs",
    "write_conll",
    "write_docbin",
]


def __getattr__(name: str) -> object:
    """Import a name that needs spaCy."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
