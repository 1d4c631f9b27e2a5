"""The table of forms: how data of each are told from others, read as Docs, and written from Docs."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from spacy.language import Language
from spacy.tokens import Doc

from ...errors import Errors
from ...runtime.files import whole_file, whole_folder
from ..align import text_records_to_docs
from ..docs import doc_to_record, records_to_docs, some_known
from ..hf.load import FILE_FORMATS, load_split
from ..hf.records import dataset_from_records, records_from_dataset
from ..offset_report import OffsetReport
from ..options import ReadOptions, WriteOptions
from ..records import Record
from . import docbin, entity_csv
from .brat import ANN, is_brat, read_brat
from .brat_writer import write_brat
from .conll import read_conll
from .conll_writer import write_conll
from .jsonl import SUFFIXES, is_json, read_jsonl, write_jsonl
from .wnut17 import NAMES, wnut17_source


class Form(NamedTuple):
    """A form of annotated data.

    name (str): What it is called.
    suffixes (tuple[str, ...]): Suffixes of the files that are written in this form; "" stands for a folder.
    sniff (Callable[[str | Path], bool]): Tells data of this form from those of the forms after it in the table: by the
        name, and where that does not tell, by what the file begins with.
    read (Callable[[str | Path, Language, ReadOptions, OffsetReport | None], Iterator[Doc]]): Reads data as reference
        Docs; counts what happened to spans of characters in the report, or warns of it if there is none.
    write (Callable[[Iterable[Doc], Path, WriteOptions], int] | None): Writes Docs, and gives their number; None if
        this form is read only.
    """

    name: str
    suffixes: tuple[str, ...]
    sniff: Callable[[str | Path], bool]
    read: Callable[[str | Path, Language, ReadOptions, OffsetReport | None], Iterator[Doc]]
    write: Callable[[Iterable[Doc], Path, WriteOptions], int] | None


def _is_docbin(path: str | Path) -> bool:
    return Path(path).suffix == docbin.SUFFIX and not Path(path).is_dir()


def _read_docbin(path: str | Path, nlp: Language, options: ReadOptions, report: OffsetReport | None) -> Iterator[Doc]:
    return docbin.read_docs(path, nlp.vocab)


def _write_docbin(docs: Iterable[Doc], path: Path, options: WriteOptions) -> int:
    return docbin.write_docs(docs, path)


def _read_jsonl(path: str | Path, nlp: Language, options: ReadOptions, report: OffsetReport | None) -> Iterator[Doc]:
    return text_records_to_docs(
        read_jsonl(path, options=options),
        nlp,
        on_misaligned=options.on_misaligned,
        overlap=options.overlap,
        keep_tokens=options.keep_tokens,
        report=report,
    )


def _write_jsonl(docs: Iterable[Doc], path: Path, options: WriteOptions) -> int:
    return write_jsonl(docs, path, options.format or ("label-studio" if path.suffix == ".json" else "prodigy"))


def _is_dataset(path: str | Path) -> bool:
    """Tell folders, files of rows, and names on the Hub, which have no suffix and are no file."""
    file = Path(path)
    return file.is_dir() or file.suffix in FILE_FORMATS or not (file.suffix or file.exists())


def _read_dataset(path: str | Path, nlp: Language, options: ReadOptions, report: OffsetReport | None) -> Iterator[Doc]:
    if str(path) in NAMES and not Path(path).exists() and options.revision is None:
        return records_to_docs(wnut17_source(options.split)(), nlp.vocab)
    dataset = load_split(path, options.split, name=options.name, revision=options.revision)
    name = f"{path} ({options.split})"
    records = records_from_dataset(dataset, tokens=options.tokens, tags=options.tags, scheme=options.scheme, name=name)
    return some_known(records_to_docs(records, nlp.vocab), name)


def _write_dataset(docs: Iterable[Doc], path: Path, options: WriteOptions) -> int:
    dataset = dataset_from_records(map(doc_to_record, docs))
    if path.suffix:
        with whole_file(path) as made:
            dataset.to_parquet(str(made))
    else:
        with whole_folder(path.absolute()) as made:
            dataset.save_to_disk(str(made))
    return int(dataset.num_rows)


def _read_brat(path: str | Path, nlp: Language, options: ReadOptions, report: OffsetReport | None) -> Iterator[Doc]:
    counts = OffsetReport() if report is None else report
    records = read_brat(
        path, overlap=options.overlap, offsets=options.offsets, encoding=options.encoding, report=counts
    )
    yield from text_records_to_docs(
        records, nlp, on_misaligned=options.on_misaligned, overlap=options.overlap, report=counts
    )
    if report is None:
        counts.warn(str(path))


def _write_brat(docs: Iterable[Doc], path: Path, options: WriteOptions) -> int:
    return write_brat(docs, path)


def _read_entity_csv(
    path: str | Path, nlp: Language, options: ReadOptions, report: OffsetReport | None
) -> Iterator[Doc]:
    records = entity_csv.read_entity_csv(path, encoding=options.encoding, separator=options.separator)
    return text_records_to_docs(
        records, nlp, on_misaligned=options.on_misaligned, overlap=options.overlap, report=report
    )


def _write_entity_csv(docs: Iterable[Doc], path: Path, options: WriteOptions) -> int:
    return entity_csv.write_entity_csv(docs, path)


def _is_conll(path: str | Path) -> bool:
    """Take any other file: columns have no mark that all of them share."""
    return not Path(path).is_dir()


def _read_conll(path: str | Path, nlp: Language, options: ReadOptions, report: OffsetReport | None) -> Iterator[Doc]:
    records = read_conll(
        path,
        scheme=options.scheme,
        token_column=options.token_column,
        tag_column=options.tag_column,
        separator=options.separator,
        encoding=options.encoding,
    )
    return some_known(records_to_docs(records, nlp.vocab), str(path))


def _write_conll(docs: Iterable[Doc], path: Path, options: WriteOptions) -> int:
    records = [column_record(doc) for doc in docs]
    return write_conll(records, path, scheme=options.scheme, scores=any(record.scores for record in records))


def column_record(doc: Doc) -> Record:
    """Make a record without tokens of white space, which a row cannot hold, if white space is known.

    doc (Doc): The text.
    RETURNS (Record): Its other tokens, with tags and scores.
    """
    record = doc_to_record(doc)
    if doc.has_unknown_spaces or not any(token.is_space for token in doc):
        return record
    kept = [i for i, token in enumerate(doc) if not token.is_space]
    places = {old: new for new, old in enumerate(kept)}
    scores = {
        (places[start], places[end - 1] + 1, label): score
        for (start, end, label), score in record.scores.items()
        if start in places and end - 1 in places
    }
    return Record([record.words[i] for i in kept], [record.tags[i] for i in kept], scores=scores)


def check_one(path: str | Path) -> None:
    """Refuse what is no single corpus: a data set in a folder or on the Hub has several splits, and one taken unasked
    might be the training data.

    path (str | Path): A file of any form, or a folder of brat.
    RAISES (ValueError): TC118, for anything else.
    """
    if not Path(path).is_file() and not is_brat(path):
        raise ValueError(Errors.TC118.format(path=str(path)))


#: What the last form is called: any other file.
COLUMNS = "CoNLL"
#: What the form is called in which shapes of many tools are.
JSON = "JSON"
#: What other forms of texts are called.
BRAT, ENTITIES = "brat", "table of entities"
#: All forms. Data are of the first whose `sniff` takes them, and are written in the first that has the suffix.
FORMS: tuple[Form, ...] = (
    Form("DocBin", (docbin.SUFFIX,), _is_docbin, _read_docbin, _write_docbin),
    Form(BRAT, (ANN,), is_brat, _read_brat, _write_brat),
    Form(ENTITIES, (entity_csv.SUFFIX,), entity_csv.is_entity_csv, _read_entity_csv, _write_entity_csv),
    Form(JSON, SUFFIXES, is_json, _read_jsonl, _write_jsonl),
    Form("Hugging Face data set", (".parquet", ""), _is_dataset, _read_dataset, _write_dataset),
    Form(COLUMNS, (".conll", ".iob", ".bio", ".tsv", ".txt"), _is_conll, _read_conll, _write_conll),
)
