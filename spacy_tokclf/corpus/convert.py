"""Annotated data in any form that this room knows, told by its name: in as Docs, out from Docs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc, DocBin

from ..errors import Errors
from .align import text_records_to_docs
from .docbin import doc_to_record, records_to_docs, write_docs
from .forms.conll import read_conll, write_conll
from .forms.json_rows import read_json_rows
from .forms.json_shapes import FORMATS
from .forms.jsonl import check_choice, read_jsonl, write_jsonl
from .hf.load import FILE_FORMATS, is_saved_dataset, load_split
from .hf.records import dataset_from_records, records_from_dataset
from .hf.wnut17 import NAMES, wnut17_source
from .offset_report import OffsetReport
from .records import Record

_JSON = (".jsonl", ".json", ".ndjson")
_COLUMNS = (".conll", ".iob", ".bio", ".tsv", ".txt")


@dataclass(frozen=True)
class ReadOptions:
    """How to read data; what does not apply to a form is not looked at.

    on_misaligned (str): Texts with offsets: spans that do not fit the tokens, as for text_records_to_docs.
    overlap (str): Texts with offsets: spans that overlap.
    keep_tokens (bool): Texts with offsets: whether to take the tokens of the file, where it has any.
    format (str): Texts with offsets: the tool they come from, or "auto".
    scheme (str): Tags: their scheme, or "auto".
    token_column (int): CoNLL: column of the tokens.
    tag_column (int): CoNLL: column of the tags.
    split (str): Data sets: the split.
    name (str | None): Data sets: the configuration.
    revision (str | None): Data sets: the revision on the Hub.
    tokens (str): Data sets: column of the tokens.
    tags (str | None): Data sets: column of the tags; None: ner_tags, tags or labels.
    """

    on_misaligned: str = "mask"
    overlap: str = "error"
    keep_tokens: bool = False
    format: str = "auto"
    scheme: str = "auto"
    token_column: int = 0
    tag_column: int = -1
    split: str = "train"
    name: str | None = None
    revision: str | None = None
    tokens: str = "tokens"
    tags: str | None = None


def read_any(
    path: str | Path, nlp: Language, options: ReadOptions | None = None, *, report: OffsetReport | None = None
) -> Iterator[Doc]:
    """Read data of any form.

    path (str | Path): A *.spacy file; texts with offsets or rows of tokens and tags in *.jsonl or *.json; a *.parquet
        file; a folder of a data set; the name of a data set on the Hub (no suffix, no such file); else a CoNLL file.
    nlp (Language): Its tokenizer and vocabulary are used.
    options (ReadOptions | None): How to read.
    report (OffsetReport | None): Where to count what happened to spans of characters; None: it is warned of.
    RETURNS (Iterator[Doc]): Reference Docs.
    RAISES (ValueError): TC1xx, with file and line, if the data are at fault.
    """
    options = options or ReadOptions()
    file = Path(path)
    if file.suffix == ".spacy" and file.is_file():
        return iter(DocBin().from_disk(file).get_docs(nlp.vocab))
    if file.suffix in _JSON and not file.is_dir() and not _has_tokens(file):
        return text_records_to_docs(
            read_jsonl(file, format=options.format),
            nlp,
            on_misaligned=options.on_misaligned,
            overlap=options.overlap,
            keep_tokens=options.keep_tokens,
            report=report,
        )
    return records_to_docs(_read_records(path, options), nlp.vocab)


def write_any(docs: Iterable[Doc], path: str | Path, *, format: str | None = None, scheme: str = "IOB2") -> int:
    """Write Docs in the form that the name of the file stands for.

    docs (Iterable[Doc]): The Docs.
    path (str | Path): *.spacy; *.jsonl or *.json; *.conll, *.iob, *.bio, *.tsv or *.txt for CoNLL; *.parquet; or a name
        without suffix for a folder as save_to_disk writes it.
    format (str | None): Shape of JSON; None: "prodigy" for *.jsonl, "label-studio" for *.json.
    scheme (str): Scheme of the tags in a CoNLL file.
    RETURNS (int): Number of texts written. A CoNLL file has none without tokens, and of a text whose white space is
        known no token of white space only: it holds one token a line.
    RAISES (ValueError): TC117 if a CoNLL file cannot hold a word, TC167, TC172 if the name tells no form.
    """
    check_target(path, format)
    file = Path(path)
    suffix = file.suffix
    if suffix == ".spacy":
        return write_docs(docs, file)
    if suffix in _JSON:
        return write_jsonl(docs, file, format or ("label-studio" if suffix == ".json" else "prodigy"))
    if suffix in _COLUMNS:
        return write_conll(map(_column_record, docs), file, scheme=scheme)
    dataset = dataset_from_records(map(doc_to_record, docs))
    file.parent.mkdir(parents=True, exist_ok=True)
    if suffix:
        dataset.to_parquet(str(file))
    else:
        dataset.save_to_disk(str(file))
    return int(dataset.num_rows)


def check_target(path: str | Path, format: str | None = None) -> None:
    """Make sure that write_any can write to a name, before there is anything to write.

    path (str | Path): The name.
    format (str | None): Shape of JSON.
    RAISES (ValueError): TC167 for an unknown shape, TC172 if the name tells no form.
    """
    if format is not None:
        check_choice("format", format, FORMATS)
    if Path(path).suffix not in (".spacy", ".parquet", "", *_JSON, *_COLUMNS):
        expected = "*.spacy, *.jsonl, *.json, *.conll, *.parquet, or a name without suffix for a folder"
        raise ValueError(Errors.TC172.format(path=path, verb="write", expected=expected))


def _read_records(path: str | Path, options: ReadOptions) -> Iterable[Record]:
    """Read what has tokens and tags."""
    file = Path(path)
    absent = not file.exists() and not file.suffix
    if absent and str(path) in NAMES and options.revision is None:
        return wnut17_source(options.split)()
    if absent or file.is_dir() or file.suffix in FILE_FORMATS or is_saved_dataset(file):
        dataset = load_split(path, options.split, name=options.name, revision=options.revision)
        name = f"{path} ({options.split})"
        return records_from_dataset(dataset, tokens=options.tokens, tags=options.tags, scheme=options.scheme, name=name)
    columns = {"token_column": options.token_column, "tag_column": options.tag_column}
    return read_conll(file, scheme=options.scheme, **columns)


def _has_tokens(path: Path) -> bool:
    """Tell rows of tokens and tags from texts with offsets, by the first."""
    _, row = next(read_json_rows(path), (0, None))
    return isinstance(row, dict) and "text" not in row and "data" not in row


def _column_record(doc: Doc) -> Record:
    """Make a record for a CoNLL file."""
    record = doc_to_record(doc)
    if doc.has_unknown_spaces:
        return record
    kept = [i for i, token in enumerate(doc) if not token.is_space]
    return Record([record.words[i] for i in kept], [record.tags[i] for i in kept])
