"""A spaCy corpus reader for texts with character offsets, so that training can do without a conversion."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from spacy.language import Language
from spacy.training import Example

from ..errors import Errors
from .align import MISALIGNED, OVERLAPS, check_choice, text_records_to_docs
from .examples import AugmenterT, CorpusT, augmented, examples_from_docs
from .forms.json_shapes import FORMATS
from .forms.jsonl import SUFFIXES, read_jsonl
from .forms.lines import inner_name
from .offset_report import OffsetReport
from .records import Record, TextRecord


def make_jsonl_corpus_v1(
    path: str | Path | None,
    format: str = "auto",
    on_misaligned: str = "mask",
    overlap: str = "error",
    keep_tokens: bool = False,
    limit: int = 0,
    augmenter: AugmenterT | None = None,
) -> CorpusT:
    """Create the reader `spacy-tokclf.JsonlCorpus.v1`.

    path (str | Path | None): An export of Doccano, Prodigy or Label Studio, or JSON of another known shape, with any
        suffix; or a folder whose *.jsonl, *.json and *.ndjson files, packed or not, are read in order of name.
    format (str): "doccano", "prodigy", "label-studio", or "auto".
    on_misaligned (str): What becomes of spans that do not fit the tokens: "mask", "expand", "contract" or "error", as
        for text_records_to_docs.
    overlap (str): What becomes of spans that overlap: "error", "longest" or "first".
    keep_tokens (bool): Whether to take the tokens that the file gives; else the pipeline's tokenizer decides, as it
        will when the pipeline is used.
    limit (int): Read the first texts only; 0 reads all.
    augmenter (Callable[[Language, Example], Iterator[Example]] | None): What makes more of an example, or another.
    RETURNS (Callable[[Language], Iterable[Example]]): The corpus.
    RAISES (ValueError): TC119 if the limit is negative, TC167 for an unknown choice, TC169 if the path is missing.
    """
    if path is None:
        raise ValueError(Errors.TC169.format(path=path, detail="No path is given."))
    if limit < 0:
        raise ValueError(Errors.TC119.format(name="limit", value=limit, least=0))
    check_choice("format", format, ("auto", *FORMATS))
    check_choice("on_misaligned", on_misaligned, MISALIGNED)
    check_choice("overlap", overlap, OVERLAPS)
    corpus = JsonlCorpus(
        path, format=format, on_misaligned=on_misaligned, overlap=overlap, keep_tokens=keep_tokens, limit=limit
    )
    return augmented(corpus, augmenter)


class JsonlCorpus:
    """Stream Examples from texts with character offsets.

    Both sides are tokenised alike, and keep the white space of the text. What did not fit is reported once, after the
    first time that all was read. Nothing is kept in memory, so it serves `training.max_epochs = -1` too; streamed
    training initialises from the first 100 texts, so give the labels in `[initialize]` there.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        format: str = "auto",
        on_misaligned: str = "mask",
        overlap: str = "error",
        keep_tokens: bool = False,
        limit: int = 0,
    ) -> None:
        """Set the corpus up, with the arguments of make_jsonl_corpus_v1; no file is opened yet."""
        self.path = Path(path)
        self.format = format
        self.on_misaligned = on_misaligned
        self.overlap = overlap
        self.keep_tokens = keep_tokens
        self.limit = limit
        self._reported = False

    def __call__(self, nlp: Language) -> Iterator[Example]:
        """Read the texts.

        nlp (Language): The pipeline; its tokenizer and vocabulary are used.
        YIELDS (Example): One Example a text.
        RAISES (ValueError): As read_jsonl and text_records_to_docs; TC169 if there is no file.
        """
        report = OffsetReport()
        references = text_records_to_docs(
            islice(self._records(), self.limit or None),
            nlp,
            on_misaligned=self.on_misaligned,
            overlap=self.overlap,
            keep_tokens=self.keep_tokens,
            report=report,
        )
        yield from examples_from_docs(references, nlp.vocab)
        if not self._reported:
            self._reported = True
            report.warn(str(self.path))

    def _records(self) -> Iterator[TextRecord | Record]:
        """Read all files."""
        paths = [self.path]
        if self.path.is_dir():
            paths = sorted(path for path in self.path.iterdir() if inner_name(path).suffix in SUFFIXES)
        if not paths:
            raise ValueError(Errors.TC169.format(path=str(self.path), detail="The folder has none."))
        for path in paths:
            yield from read_jsonl(path, format=self.format)
