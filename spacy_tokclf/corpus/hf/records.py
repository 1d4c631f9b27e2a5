"""Rows of Hugging Face data sets, a list of tokens and a list of tags each, as records; and data sets from records.

`datasets` is imported when a function is called. Only what is the same in its versions 3 to 5 is used: `Sequence` makes
a class in one and a `List` in the other, so features are asked for their `feature`, never for their type.
"""

from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ...errors import Errors
from ...tags import MISSING, OUTSIDE, SchemeDetector, TagForm
from ..gold_tags import GoldTags
from ..records import Record, is_whole

if TYPE_CHECKING:
    from datasets import Dataset

TAG_COLUMNS = ("ner_tags", "tags", "labels")
_MISSING_IDS = (-1, -100)
_TAG_TYPES = {str, int, type(None)}
_ROWS = 1000
_TOKEN = "a token of at least one character, none of them half of a surrogate pair; take others out, with their tags"


def import_datasets() -> Any:
    """Import `datasets`.

    RETURNS (Any): The module.
    RAISES (ImportError): TC150 if it is not installed.
    """
    try:
        return import_module("datasets")
    except ImportError as error:
        raise ImportError(Errors.TC150) from error


def records_from_dataset(
    dataset: "Dataset",
    *,
    tokens: str = "tokens",
    tags: str | None = "ner_tags",
    scheme: str = "auto",
    name: str = "",
) -> Iterator[Record]:
    """Stream the rows of a data set as records.

    dataset (Dataset): One split; an IterableDataset serves too.
    tokens (str): Column with the lists of tokens.
    tags (str | None): Column with the lists of tags, ClassLabel or strings; -1, -100 and None are missing values. If
        the column is None: the first of ner_tags, tags and labels that is there.
    scheme (str): Scheme of the tags; "auto" reads them once more to detect it.
    name (str): What the data set is called in messages; "" takes its own name.
    YIELDS (Record): The rows in order, their tags in IOB2; `line` is the number of the row, from 1.
    RAISES (ValueError): TC101, TC104, TC110, TC151 to TC154, with the row where one is at fault.
    """
    found = detect_dataset_form(dataset, tokens=tokens, tags=tags, name=name) if scheme == "auto" else TagForm(scheme)
    yield from records_of_form(dataset, found, tokens=tokens, tags=tags, name=name)


def records_of_form(
    dataset: "Dataset", form: TagForm, *, tokens: str = "tokens", tags: str | None = "ner_tags", name: str = ""
) -> Iterator[Record]:
    """Stream the rows of a data set whose tags are of a form that is known; the other arguments are those of
    records_from_dataset.

    dataset (Dataset): One split.
    form (TagForm): How its tags are written.
    YIELDS (Record): The rows in order.
    RAISES (ValueError): As records_from_dataset.
    """
    name = name or dataset_name(dataset)
    gold = GoldTags(name, form)
    for row, (words, found) in enumerate(_rows(dataset, tokens, tags, name), 1):
        if len(words) != len(found):
            raise ValueError(Errors.TC110.format(where=f"{name}:{row}", words=len(words), tags=len(found)))
        yield Record(words, gold.read(found, row), name, row)
    gold.report()


def detect_dataset_form(
    dataset: "Dataset", *, tokens: str = "tokens", tags: str | None = "ner_tags", name: str = ""
) -> TagForm:
    """Find out how the tags of a data set are written; the arguments are those of records_from_dataset.

    RETURNS (TagForm): Scheme and spelling.
    RAISES (ValueError): As records_from_dataset.
    """
    name = name or dataset_name(dataset)
    detector = SchemeDetector()
    for row, (_, found) in enumerate(_rows(dataset, tokens, tags, name), 1):
        detector.add(found, f"{name}:{row}, token ")
    return detector.form()


def dataset_from_records(records: Iterable[Record], *, names: Sequence[str] | None = None) -> "Dataset":
    """Make a data set with the columns tokens and ner_tags, a missing value being -1.

    records (Iterable[Record]): The posts.
    names (Sequence[str] | None): Names of the ClassLabel, in IOB2; None: "O", then "B-" and "I-" of each entity type in
        order of name, as in the published wnut_17.
    RETURNS (Dataset): One row a post.
    RAISES (ValueError): TC152 if a tag is not among the names.
    """
    datasets = import_datasets()
    posts = list(records)
    names = list(names) if names is not None else tag_names(posts)
    ids = {tag: i for i, tag in enumerate(names)} | {MISSING: -1}
    rows: dict[str, list[Any]] = {"tokens": [], "ner_tags": []}
    for post in posts:
        for i, tag in enumerate(post.tags):
            if tag not in ids:
                raise _unknown(tag, post.where, i, names)
        rows["tokens"].append(post.words)
        rows["ner_tags"].append([ids[tag] for tag in post.tags])
    label = datasets.ClassLabel(names=names)
    features = {"tokens": datasets.Sequence(datasets.Value("string")), "ner_tags": datasets.Sequence(label)}
    dataset: Dataset = datasets.Dataset.from_dict(rows, features=datasets.Features(features))
    return dataset


def tag_names(records: Iterable[Record]) -> list[str]:
    """Name the tags of a corpus in the order of the published wnut_17.

    records (Iterable[Record]): The posts.
    RETURNS (list[str]): "O", then "B-" and "I-" of each entity type, in order of name.
    """
    types = {label for record in records for _, _, label in record.spans}
    return [OUTSIDE, *(f"{prefix}-{label}" for label in sorted(types) for prefix in "BI")]


def dataset_name(dataset: "Dataset") -> str:
    """Name a data set for messages.

    dataset (Dataset): A data set.
    RETURNS (str): For example "data set wnut_17 (train)".
    """
    info = getattr(dataset, "info", None)
    known = getattr(info, "dataset_name", None) or getattr(info, "builder_name", None)
    split = getattr(dataset, "split", None)
    return "data set" + (f" {known}" if known else "") + (f" ({split})" if split else "")


def _rows(dataset: "Dataset", tokens: str, tags: str | None, name: str) -> Iterator[tuple[list[str], list[str]]]:
    """Stream tokens and tags, checked, the tags as strings with "-" for a missing value."""
    if isinstance(dataset, dict):
        raise ValueError(Errors.TC154.format(split=None, where=name, found=", ".join(map(str, dataset))))
    features = dict(dataset.features or {})
    columns = dataset.column_names or list(features) or list(next(iter(dataset), {}))
    if tags is None:
        tags = next((column for column in TAG_COLUMNS if column in columns), TAG_COLUMNS[0])
    for column in (tokens, tags):
        if column not in columns:
            raise ValueError(Errors.TC151.format(where=name, column=column, columns=", ".join(columns)))
    names = _class_names(features.get(tags))
    seen: dict[Any, str] = {}
    row = 0
    for batch in _decoded(_batches(dataset.with_format(None).select_columns([tokens, tags])), name, tokens):
        for words, values in zip(batch[tokens], batch[tags], strict=True):
            row += 1
            if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
                facts = {"where": f"{name}:{row}", "column": tokens, "found": repr(words)[:80]}
                raise ValueError(Errors.TC153.format(expected="a list of strings in each row", **facts))
            if "" in words or not is_whole("".join(words)):
                odd = next(word for word in words if not word or not is_whole(word))
                facts = {"where": f"{name}:{row}, token {words.index(odd)}", "column": tokens, "found": repr(odd)[:80]}
                raise ValueError(Errors.TC153.format(expected=_TOKEN, **facts))
            if not isinstance(values, list) or not _TAG_TYPES.issuperset(map(type, values)):
                raise _untagged(values, name, row, tags)
            for i, value in enumerate(values):
                if value not in seen:
                    seen[value] = _tag(value, names, (name, row, tags, i))
            yield words, [seen[value] for value in values]


def _decoded(batches: Iterator[dict[str, list[Any]]], name: str, column: str) -> Iterator[dict[str, list[Any]]]:
    """Refuse strings that are not UTF-8, which nobody looks at before they are read."""
    try:
        yield from batches
    except UnicodeDecodeError as error:
        facts = {"where": name, "column": column, "found": f"a string that is not UTF-8 ({error.reason})"}
        raise ValueError(Errors.TC153.format(expected="strings in UTF-8; the file is damaged", **facts)) from error


def _batches(dataset: Any) -> Iterator[dict[str, list[Any]]]:
    """Stream the columns of a data set in batches, those of a stream row by row: versions of `datasets` differ in how
    they put rows of a stream together."""
    if hasattr(dataset, "num_rows"):
        yield from dataset.iter(_ROWS)
    else:
        yield from ({column: [value] for column, value in row.items()} for row in dataset)


def _class_names(feature: Any) -> list[str] | None:
    """Give the names of a list of ClassLabel, None for a list of anything else."""
    inner = feature[0] if isinstance(feature, list) and feature else getattr(feature, "feature", None)
    names = getattr(inner, "names", None)
    return None if names is None else list(names)


def _tag(value: Any, names: list[str] | None, place: tuple[str, int, str, int]) -> str:
    """Give the tag that a value stands for."""
    name, row, column, token = place
    if value is None or value in _MISSING_IDS:
        return MISSING
    if isinstance(value, str):
        if not is_whole(value):
            facts = {"where": f"{name}:{row}, token {token}", "column": column, "found": repr(value)[:80]}
            raise ValueError(Errors.TC153.format(expected="a tag without half of a surrogate pair", **facts))
        return value
    if names is None:
        raise _untagged(value, name, row, column)
    if not 0 <= value < len(names):
        raise _unknown(value, f"{name}:{row}", token, names)
    return _tag(names[value], None, place)


def _untagged(value: Any, name: str, row: int, column: str) -> ValueError:
    """Say that a column does not hold tags."""
    expected = (
        "a list of tags in each row, as strings or as ClassLabel. Numbers need their names: "
        f"`dataset.cast_column({column!r}, Sequence(ClassLabel(names=[...])))`, saved with the data as parquet or by "
        "save_to_disk"
    )
    return ValueError(
        Errors.TC153.format(where=f"{name}:{row}", column=column, found=repr(value)[:80], expected=expected)
    )


def _unknown(tag: Any, where: str, token: int, names: Sequence[str]) -> ValueError:
    """Say that a tag has no name or no number."""
    facts = {"where": where, "token": token, "tag": tag, "count": len(names), "last": len(names) - 1}
    return ValueError(Errors.TC152.format(names=", ".join(names[:8]) + (", ..." if len(names) > 8 else ""), **facts))
