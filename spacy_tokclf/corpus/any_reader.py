"""A spaCy corpus reader for annotated data of any form, so that training can do without a conversion."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from spacy.language import Language
from spacy.training import Example

from ..errors import Errors
from .convert import read_any
from .examples import AugmenterT, CorpusT, augmented, examples_from_docs
from .offset_report import OffsetReport
from .options import ReadOptions


def make_corpus_v1(
    path: str | Path | None,
    format: str = "auto",
    scheme: str = "auto",
    token_column: int | str = 0,
    tag_column: int | str = -1,
    separator: str | None = None,
    encoding: str | None = None,
    on_misaligned: str = "mask",
    overlap: str = "error",
    keep_tokens: bool = False,
    text_key: str | None = None,
    annotator: str | None = None,
    predictions: bool = False,
    offsets: str = "check",
    split: str = "train",
    name: str | None = None,
    revision: str | None = None,
    tokens: str = "tokens",
    tags: str | None = None,
    limit: int = 0,
    augmenter: AugmenterT | None = None,
) -> CorpusT:
    """Create the reader `spacy-tokclf.Corpus.v1`: what `spacy tokclf convert` reads, with the same options.

    path (str | Path | None): The data.
    format, scheme, token_column, tag_column, separator, encoding, on_misaligned, overlap, keep_tokens, text_key,
        annotator, predictions, offsets, split, name, revision, tokens, tags: As in `ReadOptions`.
    limit (int): Read the first texts only; 0 reads all.
    augmenter (Callable[[Language, Example], Iterator[Example]] | None): What makes more of an example, or another.
    RETURNS (Callable[[Language], Iterable[Example]]): The corpus.
    RAISES (ValueError): TC118 if the path is missing, TC119 if the limit is negative, TC167 for an unknown choice.
    """
    if path is None:
        raise ValueError(Errors.TC118.format(path=path))
    if limit < 0:
        raise ValueError(Errors.TC119.format(name="limit", value=limit, least=0))
    options = ReadOptions(
        format=format,
        scheme=scheme,
        token_column=token_column,
        tag_column=tag_column,
        separator=separator,
        encoding=encoding,
        on_misaligned=on_misaligned,
        overlap=overlap,
        keep_tokens=keep_tokens,
        text_key=text_key,
        annotator=annotator,
        predictions=predictions,
        offsets=offsets,
        split=split,
        name=name,
        revision=revision,
        tokens=tokens,
        tags=tags,
    )
    return augmented(Corpus(path, options, limit=limit), augmenter)


class Corpus:
    """Stream Examples from annotated data of any form: the reference's tokens on both sides.

    Nothing is kept in memory, so it serves `training.max_epochs = -1` too; streamed training initialises from the first
    100 texts, so give the labels in `[initialize]` there. What did not fit is reported once, after the first time that
    all was read.
    """

    def __init__(self, path: str | Path, options: ReadOptions | None = None, *, limit: int = 0) -> None:
        """Set the corpus up; nothing is opened yet.

        path (str | Path): The data, as for `read_any`.
        options (ReadOptions | None): How to read them.
        limit (int): Read the first texts only; 0 reads all.
        """
        self.path = path
        self.options = options or ReadOptions()
        self.limit = limit
        self._reported = False

    def __call__(self, nlp: Language) -> Iterator[Example]:
        """Read the texts.

        nlp (Language): The pipeline; its tokenizer and vocabulary are used.
        YIELDS (Example): One Example a text.
        RAISES (ValueError): As `read_any`.
        """
        report = OffsetReport()
        docs = islice(read_any(self.path, nlp, self.options, report=report), self.limit or None)
        yield from examples_from_docs(docs, nlp.vocab)
        if not self._reported:
            self._reported = True
            report.warn(str(self.path))
