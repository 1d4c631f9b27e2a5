"""Files of gold or predicted tags for scoring, of any form, with the tags in the order in which they stand there."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import spacy
from spacy.language import Language
from spacy.tokens import Doc

from ..errors import Errors
from ..runtime.progress import progress
from ..tags import MISSING, SchemeDetector, convert_tags
from ..types import Ints
from .docs import doc_text, doc_to_record, none_known
from .forms.columns import join_rows
from .forms.conll import check_rows
from .forms.doc_groups import check_groups
from .forms.looks import naming_what_it_is
from .forms.rows import Rows
from .forms.table import BRAT, COLUMNS, ENTITIES, FORMS, JSON, Form, check_one
from .forms.tokens_and_tags import Columns, stream_rows
from .option_checks import check_options
from .options import ReadOptions

#: Forms of texts, whose tokens are those of a tokenizer if they do not come with some.
_TEXTS = (BRAT, ENTITIES, JSON)
_SUFFIX_FORM = re.compile(r"-|[OBIESLU]|.+-[BIESLU]", re.DOTALL)


@dataclass(frozen=True, eq=False)
class TaggedFile:
    """Tokens and tags of a file.

    path (str): The file.
    tokens (list[str]): All tokens, without blanks at their ends. Shape: (n_tokens,).
    tags (list[str]): Their tags, with a prefix each, in the order of the file. Shape: (n_tokens,).
    lengths (Ints): Tokens of each sentence. Shape: (n_sentences,).
    where (Callable[[int], str]): Says where a token stands.
    docs (list[Doc] | None): The texts that they are of, if it is more than tokens.
    """

    path: str
    tokens: list[str]
    tags: list[str]
    lengths: Ints
    where: Callable[[int], str]
    docs: list[Doc] | None = None

    def words_of_texts(self) -> dict[str, tuple[list[str], list[bool]]]:
        """RETURNS (dict[str, tuple[list[str], list[bool]]]): The tokens of each text, and whether a blank follows each;
        of tokens without a text, with a blank between them."""
        if self.docs is not None:
            return {doc_text(doc): _words(doc) for doc in self.docs}
        ends = np.cumsum(self.lengths).tolist()
        bounds = zip(ends, self.lengths.tolist(), strict=True)
        rows = [self.tokens[end - length : end] for end, length in bounds]
        return {" ".join(words): (words, _blanks(len(words))) for words in rows}


def _words(doc: Doc) -> tuple[list[str], list[bool]]:
    """Give the tokens of a Doc, and whether a blank follows each."""
    words = [token.text for token in doc]
    known = not doc.has_unknown_spaces
    return words, [bool(token.whitespace_) for token in doc] if known else _blanks(len(words))


def _blanks(length: int) -> list[bool]:
    """Put a blank after each token but the last."""
    return [i + 1 < length for i in range(length)]


class _TokensOf:
    """A tokenizer that gives texts the tokens that they have in another file."""

    def __init__(self, like: TaggedFile, nlp: Language) -> None:
        self.known = like.words_of_texts()
        self.vocab, self.other = nlp.vocab, nlp.tokenizer

    def __call__(self, text: str) -> Doc:
        """Tokenise a text."""
        if text not in self.known:
            return self.other(text)
        words, spaces = self.known[text]
        return Doc(self.vocab, words=words, spaces=spaces)


def gives_tokens(path: str | Path) -> bool:
    """Tell data that are tokens from texts, whose tokens are those of a tokenizer.

    path (str | Path): The file.
    RETURNS (bool): Whether it is a file of columns, a DocBin or a data set.
    """
    return next(form for form in FORMS if form.sniff(path)).name not in _TEXTS


def read_tagged(
    path: str | Path, options: ReadOptions | None = None, *, suffix: bool = False, like: TaggedFile | None = None
) -> TaggedFile:
    """Read a file of any form. What training refuses is refused here; but tags with prefixes stay as they are, whatever
    their order, since scores depend on it.

    path (str | Path): The file.
    options (ReadOptions | None): How to read it; texts with offsets keep the tokens that they come with, if `like` is
        not given.
    suffix (bool): Whether the prefix letter stands last, and is to stay there.
    like (TaggedFile | None): Another file of these texts: where this one is of texts, they get the tokens that they
        have there.
    RETURNS (TaggedFile): Its tokens and tags.
    RAISES (ValueError): As read_conll does, with file and line; TC223 if tags should have their prefix letter
        behind, and have not; for other forms, as read_any does.
    """
    options = options or ReadOptions()
    check_options(options)
    check_one(path)
    form = next(form for form in FORMS if form.sniff(path))
    if form.name != COLUMNS:
        return _read_docs(Path(path), form, replace(options, keep_tokens=like is None), like)
    columns = Columns(options.token_column, options.tag_column, options.separator, options.encoding)
    with naming_what_it_is(path, options.encoding):
        rows = join_rows(str(path), list(stream_rows(path, columns)))
        tokens, tags = rows.columns
        check_rows(rows.lines, tokens, tags, str(path))
        if suffix:
            _check_suffixes(tags, rows.where)
        else:
            tags = _with_prefixes(tags, rows)
    if tags and all(tag == MISSING for tag in tags):
        raise ValueError(none_known(str(path), len(rows.lengths)))
    if any(token != token.strip(" \t") for token in set(tokens)):
        tokens = [token.strip(" \t") for token in tokens]
    return TaggedFile(str(path), tokens, tags, rows.lengths, rows.where)


def _with_prefixes(tags: list[str], rows: Rows) -> list[str]:
    """Write tags in the usual way, and labels without prefixes in IOB2."""
    detector = SchemeDetector()
    detector.add_many(tags, rows.lengths.tolist(), rows.where)
    form = detector.form()
    tags = form.spelling.normalize(tags)
    if form.scheme != "IO":
        return tags
    ends = np.cumsum(rows.lengths).tolist()
    bounds = [(end - length, end) for end, length in zip(ends, rows.lengths.tolist(), strict=True)]
    return [tag for start, end in bounds for tag in convert_tags(tags[start:end], "IO", "IOB2")]


def _check_suffixes(tags: list[str], where: Callable[[int], str]) -> None:
    """Refuse tags that do not end in a prefix letter."""
    for tag in dict.fromkeys(tags):
        if not _SUFFIX_FORM.fullmatch(tag):
            raise ValueError(Errors.TC223.format(where=where(tags.index(tag)), tag=tag))


def _read_docs(path: Path, form: Form, options: ReadOptions, like: TaggedFile | None) -> TaggedFile:
    """Read the entities of Docs as tags in IOB2."""
    nlp = spacy.blank("xx")
    if like is not None:
        nlp.tokenizer = _TokensOf(like, nlp)
    read = progress(form.read(path, nlp, options, None), label="Reading")
    docs = list(check_groups(read, str(path)))
    records = [doc_to_record(doc) for doc in docs]
    lengths = np.array([len(record.words) for record in records], dtype=np.int64)  # (n_docs,)
    ends = np.cumsum(lengths)  # one past the last token of each Doc, (n_docs,)

    def where(token: int) -> str:
        document = int(np.searchsorted(ends, token, side="right"))
        return f"{path}, document {document}, token {token - int(ends[document] - lengths[document])}"

    tokens = [word for record in records for word in record.words]
    tags = [tag for record in records for tag in record.tags]
    if not tokens:
        raise ValueError(Errors.TC116.format(where=path, lines=0))
    return TaggedFile(str(path), tokens, tags, lengths, where, docs)
