"""A spaCy corpus reader for Hugging Face data sets, so that training can do without a conversion."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from spacy.language import Language
from spacy.training import Example

from ..errors import Errors
from ..tags import TagForm
from .docs import records_to_docs, some_known
from .examples import AugmenterT, CorpusT, augmented, examples_from_docs
from .forms.wnut17 import NAMES, wnut17_source
from .hf.load import load_split
from .hf.records import detect_dataset_form, records_of_form
from .records import Record

if TYPE_CHECKING:
    from datasets import Dataset


def make_hf_dataset_v1(
    path: str | Path | None,
    split: str,
    name: str | None = None,
    revision: str | None = None,
    tokens: str = "tokens",
    tags: str | None = None,
    scheme: str = "auto",
    limit: int = 0,
    augmenter: AugmenterT | None = None,
) -> CorpusT:
    """Create the reader `spacy-tokclf.HFDataset.v1`.

    path (str | Path | None): Name of a data set on the Hugging Face Hub; or a folder written by save_to_disk; or a file
        or folder of parquet, JSON or JSON lines. "wnut_17", whose loading script `datasets` refuses, is read from its
        parquet conversion, else from the CoNLL files in WNUT17_DIR or assets/wnut17.
    split (str): Name of the split, for example "train" or "train[:10%]".
    name (str | None): Name of the configuration, if the data set has several.
    revision (str | None): Branch, tag or commit on the Hub.
    tokens (str): Column with the lists of tokens.
    tags (str | None): Column with the lists of tags; None: the first of ner_tags, tags and labels that is there.
    scheme (str): Scheme of the tags, or "auto".
    limit (int): Read the first rows only; 0 reads all.
    augmenter (Callable[[Language, Example], Iterator[Example]] | None): What makes more of an example, or another.
    RETURNS (Callable[[Language], Iterable[Example]]): The corpus.
    RAISES (ValueError): TC156 if the path is missing, TC119 if the limit is negative.
    """
    if path is None:
        facts = {"path": path, "split": split, "revision": revision, "detail": "No path is given."}
        raise ValueError(Errors.TC156.format(**facts))
    if limit < 0:
        raise ValueError(Errors.TC119.format(name="limit", value=limit, least=0))
    corpus = HFDataset(path, split, name=name, revision=revision, tokens=tokens, tags=tags, scheme=scheme, limit=limit)
    return augmented(corpus, augmenter)


class HFDataset:
    """Stream Examples from a data set: gold tokens on both sides, spaces unknown.

    The data stay on disk, in the memory map of `datasets`: the corpus serves `training.max_epochs = -1` too. Streamed
    training initialises from the first 100 rows, so give the labels in `[initialize]` there.
    """

    def __init__(
        self,
        path: str | Path,
        split: str,
        *,
        name: str | None = None,
        revision: str | None = None,
        tokens: str = "tokens",
        tags: str | None = None,
        scheme: str = "auto",
        limit: int = 0,
    ) -> None:
        """Set the corpus up, with the arguments of make_hf_dataset_v1; nothing is loaded yet."""
        self.path = path
        self.split = split
        self.name = name
        self.revision = revision
        self.tokens = tokens
        self.tags = tags
        self.scheme = scheme
        self.limit = limit
        self._form: TagForm | None = None
        self._read: Callable[[], Iterable[Record]] | None = None

    def __call__(self, nlp: Language) -> Iterator[Example]:
        """Read the rows.

        nlp (Language): The pipeline; only its vocabulary is used.
        YIELDS (Example): One Example a row.
        RAISES (ValueError): As load_split and records_from_dataset; TC157 if WNUT-17 was asked for and not found.
        RAISES (ImportError): TC150 if `datasets` is not installed.
        """
        if self._read is None:
            self._read = self._open()
        records = islice(self._read(), self.limit or None)
        docs = some_known(records_to_docs(records, nlp.vocab), f"{self.path} ({self.split})")
        yield from examples_from_docs(docs, nlp.vocab)

    def _open(self) -> Callable[[], Iterable[Record]]:
        """Load the split, once."""
        if str(self.path) in NAMES and not Path(self.path).exists() and self.revision is None:
            return wnut17_source(self.split)
        dataset = load_split(self.path, self.split, name=self.name, revision=self.revision)
        return lambda: self._records(dataset)

    def _records(self, dataset: "Dataset") -> Iterator[Record]:
        """Read the rows, the scheme detected once."""
        name = f"{self.path} ({self.split})"
        if self._form is None:
            self._form = TagForm(self.scheme)
            if self.scheme == "auto":
                self._form = detect_dataset_form(dataset, tokens=self.tokens, tags=self.tags, name=name)
                self.scheme = self._form.scheme
        return records_of_form(dataset, self._form, tokens=self.tokens, tags=self.tags, name=name)
