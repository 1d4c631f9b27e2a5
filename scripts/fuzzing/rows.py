"""Rows of data sets: tokens and tags of any types, as strings and as numbers. They are refused by a code, or become
records with a tag of IOB2 for each word; rows that are as they should be keep every entity."""

import random
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import datasets
import numpy as np
from spacy.vocab import Vocab

from fuzzing.drawing import LABELS, any_spans, any_text, coded, must
from spacy_tokclf.corpus.docs import doc_to_record, records_to_docs
from spacy_tokclf.corpus.hf.records import records_from_dataset
from spacy_tokclf.tags import SCHEMES, convert_tags, is_tag_of, spans_to_tags, tags_to_spans

SCHEME_NAMES = tuple(SCHEMES)
#: What may stand where a tag or a token is expected.
VALUES = (
    None,
    True,
    -1,
    -100,
    0,
    1,
    7,
    10**30,
    0.5,
    float("nan"),
    b"O",
    [],
    ["O"],
    {},
    np.int64(1),
    "",
    "O",
    "B-PER",
    "X",
)
VOCAB = Vocab()


class Table:
    """What is asked of a data set: columns in memory, or a stream of rows."""

    def __init__(self, columns: dict[str, list[Any]], features: dict[str, Any] | None, *, is_stream: bool) -> None:
        """Take the columns; the features are None where nobody knows them."""
        self.columns, self.features = columns, features
        self.column_names = None if features is None and is_stream else list(columns)
        self.info, self.split = SimpleNamespace(dataset_name="made up"), "train"
        if not is_stream:
            self.num_rows = max(map(len, columns.values()), default=0)

    def with_format(self, kind: None) -> "Table":
        """Give plain values."""
        return self

    def select_columns(self, names: list[str]) -> "Table":
        """Leave the other columns out."""
        kept = {name: self.columns[name] for name in names}
        return Table(kept, self.features, is_stream=not hasattr(self, "num_rows"))

    def iter(self, size: int) -> Iterator[dict[str, list[Any]]]:
        """Give the columns in batches; smaller ones than asked for."""
        for start in range(0, self.num_rows, 2):
            yield {name: values[start : start + 2] for name, values in self.columns.items()}

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Give the rows."""
        for values in zip(*self.columns.values(), strict=True):
            yield dict(zip(self.columns, values, strict=True))


def judge(rng: random.Random, folder: Path) -> str:
    """Draw one input and judge it.

    rng (random.Random): Draws it.
    folder (Path): Not needed.
    RETURNS (str): What became of it.
    """
    try:
        return sound_rows(rng) if rng.random() < 0.4 else odd_rows(rng)
    except (ValueError, ImportError) as error:
        return coded(error)


def draw(rng: random.Random) -> tuple[list[list[str]], list[list[str]], str]:
    """Draw words, their tags, and the scheme of these."""
    scheme = rng.choice(SCHEME_NAMES)
    labels = [label for label in LABELS if label not in ("O", "-")]
    words, tags = [], []
    for _ in range(rng.randint(0, 5)):
        length = rng.randint(0, 6)
        words.append([any_text(rng) if rng.random() < 0.1 else rng.choice("abc") for _ in range(length)])
        tags.append(spans_to_tags(any_spans(rng, length, labels), length, scheme))
    return words, tags, scheme


def class_names(rng: random.Random, tags: list[list[str]]) -> list[str]:
    """Name the tags, in any order, and some more."""
    names = sorted({tag for row in tags for tag in row} | {"O"})
    return rng.sample(names, len(names))


def label_feature(rng: random.Random, names: list[str] | None) -> Any:
    """Say what a column of tags has, in the ways of several versions."""
    inner = SimpleNamespace(names=names) if names else SimpleNamespace(dtype="string")
    return rng.choice(([inner], SimpleNamespace(feature=inner)))


def sound_rows(rng: random.Random) -> str:
    """Read rows as they should be."""
    words, tags, scheme = draw(rng)
    names = class_names(rng, tags) if rng.random() < 0.6 else None
    values: list[list[Any]] = [[names.index(tag) if names else tag for tag in row] for row in tags]
    is_real = rng.random() < 0.002
    for row in values:
        for i in range(len(row)):
            row[i] = rng.choice((None, -1, -100, "-")) if rng.random() < 0.03 and not is_real else row[i]
    known = [
        ["-" if value in (None, -1, -100, "-") else tag for value, tag in zip(row, own, strict=True)]
        for row, own in zip(values, tags, strict=True)
    ]
    features = {"tokens": None, "ner_tags": label_feature(rng, names)}
    dataset: Any = Table({"tokens": words, "ner_tags": values}, features, is_stream=rng.random() < 0.5)
    if is_real:
        words = [["w"] * len(row) for row in values]
        dataset = real(words, values, names)
    records = list(records_from_dataset(dataset, scheme=scheme))
    must([record.words for record in records] == words, lambda: f"{words} read as {records}")
    found = [record.spans for record in records]
    must(found == [tags_to_spans(row, scheme) for row in known], lambda: f"{known} of {scheme} read as {found}")
    missing = [[tag == "-" for tag in record.tags] for record in records]
    must(missing == [[tag == "-" for tag in row] for row in known], lambda: f"{known}: missing {missing}")
    return "as it was"


def real(words: list[list[str]], values: list[list[Any]], names: list[str] | None) -> Any:
    """Make a data set of the library."""
    feature = datasets.ClassLabel(names=names) if names else datasets.Value("string")
    columns = {"tokens": datasets.Sequence(datasets.Value("string")), "ner_tags": datasets.Sequence(feature)}
    return datasets.Dataset.from_dict({"tokens": words, "ner_tags": values}, features=datasets.Features(columns))


def odd_rows(rng: random.Random) -> str:
    """Read rows of which some are not as they should be."""
    words, tags, scheme = draw(rng)
    names = class_names(rng, tags) if rng.random() < 0.6 else None
    columns: dict[str, list[Any]] = {
        "tokens": list(words),
        "ner_tags": [[names.index(tag) if names else tag for tag in row] for row in tags],
    }
    for _ in range(rng.choice((0, 1, 1, 2))):
        spoil(rng, columns)
    if names and rng.random() < 0.2:
        names = [any_text(rng) for _ in names]
    features: Any = {"tokens": None, "ner_tags": label_feature(rng, names)}
    features = rng.choice((features, features, None, {}))
    if rng.random() < 0.1:
        name = rng.choice(list(columns))
        columns[rng.choice(("tags", "labels", "x"))] = columns.pop(name)
    dataset: Any = Table(columns, features, is_stream=rng.random() < 0.5)
    asked = rng.choice(("auto", "auto", scheme, rng.choice(SCHEME_NAMES)))
    records = list(records_from_dataset(dataset, tags=rng.choice(("ner_tags", None)), scheme=asked))
    for record in records:
        must(all(isinstance(word, str) for word in record.words), lambda: f"{record} of {columns}")
        must(all(is_tag_of(tag, "IOB2") for tag in record.tags), lambda: f"{record} of {columns}")
        must(convert_tags(record.tags, "IOB2", "IOB2") == record.tags, lambda: f"{record} of {columns}")
    if rng.random() < 0.2:
        docs = list(records_to_docs(records, VOCAB))
        kept = [doc_to_record(doc).words for doc in docs]
        must(kept == [record.words for record in records], lambda: f"{records} became {kept}")
    return "read"


def spoil(rng: random.Random, columns: dict[str, list[Any]]) -> None:
    """Put something else in one place."""
    rows = columns[rng.choice(list(columns))]
    if not rows:
        return
    i = rng.randrange(len(rows))
    if not isinstance(rows[i], list) or not rows[i] or rng.random() < 0.2:
        rows[i] = rng.choice((*VALUES, "abc", ("a", "b"), np.array([0, 1])))
        return
    row = list(rows[i])
    kind = rng.random()
    if kind < 0.2:
        row.pop()
    elif kind < 0.4:
        row.append(rng.choice(row))
    else:
        row[rng.randrange(len(row))] = rng.choice(VALUES) if kind < 0.8 else any_text(rng)
    rows[i] = row
