"""A spaCy corpus reader for CoNLL files, so that training can do without a conversion."""

from collections.abc import Iterator
from pathlib import Path

from spacy.language import Language
from spacy.training import Example

from ..errors import Errors
from ..tags import TagForm
from .docs import records_to_docs, some_known
from .examples import AugmenterT, CorpusT, augmented, examples_from_docs
from .forms.conll import detect_conll_form, read_posts
from .forms.tokens_and_tags import Columns
from .records import Record

SUFFIX = ".conll"


def make_conll_corpus_v1(
    path: str | Path | None,
    scheme: str = "auto",
    token_column: int | str = 0,
    tag_column: int | str = -1,
    limit: int = 0,
    augmenter: AugmenterT | None = None,
    separator: str | None = None,
    encoding: str | None = None,
) -> CorpusT:
    """Create the reader `spacy-tokclf.ConllCorpus.v1`.

    path (str | Path | None): A CoNLL file with any suffix, or a folder whose *.conll files are read in order
        of name.
    scheme (str): Scheme of the tags, or "auto".
    token_column (int | str): Column of the tokens, from 0, or from the end if negative; or its name.
    tag_column (int | str): Column of the tags.
    limit (int): Read the first posts only; 0 reads all.
    augmenter (Callable[[Language, Example], Iterator[Example]] | None): What makes more of an example, or another.
    separator (str | None): What stands between columns; None: found out.
    encoding (str | None): Encoding of the files; None: UTF-8, or what a byte order mark says.
    RETURNS (Callable[[Language], Iterable[Example]]): The corpus.
    RAISES (ValueError): TC118 if the path is missing, TC119 if the limit is negative.
    """
    if path is None:
        raise ValueError(Errors.TC118.format(path=path))
    if limit < 0:
        raise ValueError(Errors.TC119.format(name="limit", value=limit, least=0))
    corpus = ConllCorpus(
        path,
        scheme=scheme,
        token_column=token_column,
        tag_column=tag_column,
        limit=limit,
        separator=separator,
        encoding=encoding,
    )
    return augmented(corpus, augmenter)


class ConllCorpus:
    """Stream Examples from CoNLL files: gold tokens on both sides, spaces unknown.

    Nothing is kept in memory, so it serves `training.max_epochs = -1` too: the training loop calls it anew
    each epoch. Streamed training initialises from the first 100 posts only, so give the labels in
    `[initialize]` there.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        scheme: str = "auto",
        token_column: int | str = 0,
        tag_column: int | str = -1,
        limit: int = 0,
        separator: str | None = None,
        encoding: str | None = None,
    ) -> None:
        """Set the corpus up, with the arguments of make_conll_corpus_v1; no file is opened yet."""
        self.path = Path(path)
        self.scheme = scheme
        self.token_column = token_column
        self.tag_column = tag_column
        self.limit = limit
        self.separator = separator
        self.encoding = encoding
        self._form: TagForm | None = None

    def __call__(self, nlp: Language) -> Iterator[Example]:
        """Read the posts.

        nlp (Language): The pipeline; only its vocabulary is used.
        YIELDS (Example): One Example a post.
        RAISES (ValueError): As read_conll does; TC118 if there is no file.
        """
        docs = some_known(records_to_docs(self._records(), nlp.vocab), str(self.path))
        return examples_from_docs(docs, nlp.vocab)

    def _records(self) -> Iterator[Record]:
        """Read all files, the scheme detected over all of them, up to the limit."""
        paths = sorted(self.path.glob(f"*{SUFFIX}")) if self.path.is_dir() else [self.path]
        if not paths:
            raise ValueError(Errors.TC118.format(path=str(self.path)))
        columns = Columns(self.token_column, self.tag_column, self.separator, self.encoding)
        if self._form is None:
            self._form = detect_conll_form(paths, columns) if self.scheme == "auto" else TagForm(self.scheme)
            self.scheme = self._form.scheme
        read = 0
        for path in paths:
            for record in read_posts(path, self._form, columns):
                yield record
                read += 1
                if self.limit and read >= self.limit:
                    return
