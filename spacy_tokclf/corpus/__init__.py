"""Annotated data: records and Docs, the forms of files they are read from and written to, conversion between forms, and
the readers, batcher and augmenter that training uses."""

from .align import text_record_to_doc, text_records_to_docs
from .batcher import batch_by_length
from .conll_reader import ConllCorpus
from .convert import dataset_dict_from_docbins, docbins_from_dataset_dict
from .data_facts import FileFacts, SplitFacts, conll_facts, count_records
from .docs import doc_to_record, record_to_doc, records_to_docs
from .forms.conll import detect_conll_scheme, read_conll
from .forms.conll_writer import write_conll
from .forms.docbin import read_docbin, write_docbin
from .forms.jsonl import read_jsonl, write_jsonl
from .forms.wnut17 import load_wnut17
from .hf.load import load_split
from .hf.records import dataset_from_records, records_from_dataset
from .hf_reader import HFDataset
from .jsonl_reader import JsonlCorpus
from .records import Record, TextRecord
from .verify import WNUT17_FILES, check_md5, file_md5

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
