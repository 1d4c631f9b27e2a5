"""Annotated data from any form to any other: in as Docs, out from Docs, each form as the table of forms has it."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from spacy.language import Language
from spacy.tokens import Doc

from ..errors import Errors
from ..runtime.progress import progress
from ..tags import SCHEMES
from .align import check_choice
from .forms.brat import ANN
from .forms.brat_writer import check_brat_folder
from .forms.doc_groups import check_groups
from .forms.docbin import SUFFIX, read_docbin, write_docbin
from .forms.json_shapes import FORMATS
from .forms.table import COLUMNS, FORMS, JSON, check_one
from .hf.load import is_saved_dataset
from .hf.records import dataset_from_records, import_datasets, records_from_dataset, tag_names
from .offset_report import OffsetReport
from .option_checks import check_options
from .options import ReadOptions, WriteOptions

if TYPE_CHECKING:
    from datasets import DatasetDict


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
    RAISES (ValueError): TC1xx, with file and line, if the data are at fault; TC118 or TC169 if there are none.
    """
    options = options or ReadOptions()
    check_options(options)
    if not str(path):
        raise ValueError(Errors.TC118.format(path=str(path)))
    form = next(form for form in FORMS if form.sniff(path))
    return form.read(path, nlp, options, report)


def read_file(path: str | Path, nlp: Language, options: ReadOptions | None = None) -> list[Doc]:
    """Read annotated texts to score or to fit on: of a file of any form, or a folder of brat, and of nothing else.

    path (str | Path): The file.
    nlp (Language): As for `read_any`.
    options (ReadOptions | None): How to read.
    RETURNS (list[Doc]): Reference Docs.
    RAISES (ValueError): TC118, if there is no such file; else as `read_any`.
    """
    check_one(path)
    return list(progress(read_any(path, nlp, options), label="Reading"))


def write_any(docs: Iterable[Doc], path: str | Path, *, format: str | None = None, scheme: str = "IOB2") -> int:
    """Write Docs in the form that the name of the file stands for.

    docs (Iterable[Doc]): The Docs.
    path (str | Path): *.spacy; *.jsonl or *.json; *.conll, *.iob, *.bio, *.tsv or *.txt for CoNLL; *.csv for a table of
        entities; *.ann for a folder of brat; *.parquet; or a name without suffix for a folder of save_to_disk.
    format (str | None): Shape of JSON; None: "prodigy" for *.jsonl, "label-studio" for *.json.
    scheme (str): Scheme of the tags in a CoNLL file.
    RETURNS (int): Number of texts written. A CoNLL file has none without tokens, and of a text whose white space is
        known no token of white space only: it holds one token a line.
    RAISES (ValueError): TC117 if a CoNLL file cannot hold a word; TC175 if all spans are in span groups, which only a
        DocBin has; as `check_target`.
    """
    check_target(path, format, scheme)
    write = next(form.write for form in FORMS if form.write and Path(path).suffix in form.suffixes)
    if Path(path).suffix != SUFFIX:  # other forms have no span groups
        docs = list(check_groups(docs, str(path)))
    return write(docs, Path(path), WriteOptions(format, scheme))


def check_target(path: str | Path, format: str | None = None, scheme: str = "IOB2") -> None:
    """Make sure that write_any can write to a name, before there is anything to write.

    path (str | Path): The name.
    format (str | None): Shape of JSON.
    scheme (str): Scheme of tags.
    RAISES (ValueError): TC100 for an unknown scheme; TC167 for an unknown shape; TC172 if the name tells no form;
        TC213 for a shape or a scheme that the form does not have; TC294 if it is a folder with something else in it.
    """
    if format is not None:
        check_choice("format", format, FORMATS)
    if scheme not in SCHEMES:
        raise ValueError(Errors.TC100.format(scheme=scheme, known=", ".join(SCHEMES)))
    form = next((form for form in FORMS if form.write and Path(path).suffix in form.suffixes), None)
    if format is not None and form is not None and form.name != JSON:
        raise ValueError(Errors.TC213.format(name="--to", value=format, expected=f"a file of JSON, not {path}"))
    if scheme != "IOB2" and form is not None and form.name != COLUMNS:
        raise ValueError(Errors.TC213.format(name="--to-scheme", value=scheme, expected=f"a CoNLL file, not {path}"))
    if form is None:
        expected = "*.spacy, *.jsonl, *.json, *.conll, *.csv, *.ann, *.parquet, or no suffix for a folder"
        raise ValueError(Errors.TC172.format(path=path, verb="write", expected=expected))
    if form.suffixes == (ANN,):
        check_brat_folder(path)
    if Path(path).is_dir() and not Path(path).suffix and any(Path(path).iterdir()) and not is_saved_dataset(path):
        raise ValueError(Errors.TC294.format(path=Path(path).absolute()))


def dataset_dict_from_docbins(folder: str | Path) -> "DatasetDict":
    """Make a DatasetDict of a folder of .spacy files. All splits share the tag names of the whole.

    folder (str | Path): The folder.
    RETURNS (DatasetDict): One split a file, called as the file without its suffix.
    RAISES (ValueError): TC158 if there is none.
    """
    datasets = import_datasets()
    posts = {path.stem: list(read_docbin(path)) for path in sorted(Path(folder).glob(f"*{SUFFIX}"))}
    if not posts:
        raise ValueError(Errors.TC158.format(path=folder))
    names = tag_names(post for split in posts.values() for post in split)
    made: DatasetDict = datasets.DatasetDict(
        {split: dataset_from_records(records, names=names) for split, records in posts.items()}
    )
    return made


def docbins_from_dataset_dict(
    splits: "DatasetDict", folder: str | Path, *, tokens: str = "tokens", tags: str | None = "ner_tags"
) -> dict[str, int]:
    """Write each split of a DatasetDict to a file SPLIT.spacy.

    splits (DatasetDict): The splits.
    folder (str | Path): The folder to write to.
    tokens (str): Column of the tokens.
    tags (str | None): Column of the tags, as for records_from_dataset.
    RETURNS (dict[str, int]): Number of Docs written, by split.
    RAISES (ValueError): As records_from_dataset.
    """
    written = {}
    for split, dataset in splits.items():
        records = records_from_dataset(dataset, tokens=tokens, tags=tags)
        written[str(split)] = write_docbin(records, Path(folder) / f"{split}{SUFFIX}")
    return written
