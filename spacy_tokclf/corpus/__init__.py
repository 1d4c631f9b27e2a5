"""The corpus: CoNLL files, Hugging Face data sets and texts with offsets; records, DocBin files; the readers and the
batcher that training uses."""

from importlib import import_module
from typing import TYPE_CHECKING

from .batcher import batch_by_length
from .conll import detect_conll_scheme, read_conll, write_conll
from .hf_load import load_split
from .hf_records import dataset_from_records, records_from_dataset
from .records import Record
from .text_records import TextRecord
from .verify import (
    WNUT17_FILES,
    FileFacts,
    SplitFacts,
    check_md5,
    conll_facts,
    count_records,
    file_md5,
)
from .wnut17 import load_wnut17

if TYPE_CHECKING:
    from .align import text_record_to_doc, text_records_to_docs
    from .docbin import doc_to_record, read_docbin, record_to_doc, records_to_docs, write_docbin
    from .hf_dataset import HFDataset
    from .hf_splits import dataset_dict_from_docbins, docbins_from_dataset_dict
    from .jsonl import read_jsonl, write_jsonl
    from .jsonl_corpus import JsonlCorpus
    from .reader import ConllCorpus

# What needs spaCy is imported when it is asked for.
_LAZY = {
    "ConllCorpus": "reader",
    "HFDataset": "hf_dataset",
    "JsonlCorpus": "jsonl_corpus",
    "dataset_dict_from_docbins": "hf_splits",
    "doc_to_record": "docbin",
    "docbins_from_dataset_dict": "hf_splits",
    "read_docbin": "docbin",
    "read_jsonl": "jsonl",
    "record_to_doc": "docbin",
    "records_to_docs": "docbin",
    "text_record_to_doc": "align",
    "text_records_to_docs": "align",
    "write_docbin": "docbin",
    "write_jsonl": "jsonl",
}

__all__ = [
    "WNUT17_FILES",
    "ConllCorpus",
    "FileFacts",
    "HFDataset",
    "JsonlCorpus",
    "Record",
    "SplitFacts",
    "TextRecord",
    "batch_by_length",
    "check_md5",
    "conll_facts",
    "count_records",
    "dataset_dict_from_docbins",
    "dataset_from_records",
    "detect_conll_scheme",
    "doc_to_record",
    "docbins_from_dataset_dict",
    "file_md5",
    "load_split",
    "load_wnut17",
    "read_conll",
    "read_docbin",
    "read_jsonl",
    "record_to_doc",
    "records_from_dataset",
    "records_to_docs",
    "text_record_to_doc",
    "text_records_to_docs",
    "write_conll",
    "write_docbin",
    "write_jsonl",
]


def __getattr__(name: str) -> object:
    """Import a name that needs spaCy."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
