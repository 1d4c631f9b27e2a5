"""Examples that training reads: from Docs with gold, and through an augmenter, as those of `spacy.Corpus.v1`."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab

from .docs import bare_copy

AugmenterT = Callable[[Language, Example], Iterator[Example]]
CorpusT = Callable[[Language], Iterable[Example]]


def examples_from_docs(docs: Iterable[Doc], vocab: Vocab) -> Iterator[Example]:
    """Make Examples with the gold tokens on both sides.

    docs (Iterable[Doc]): The Docs with gold.
    vocab (Vocab): Vocabulary of the predicted side.
    YIELDS (Example): One Example a Doc.
    """
    for doc in docs:
        yield Example(bare_copy(doc, vocab), doc)


def augmented(corpus: CorpusT, augmenter: AugmenterT | None) -> CorpusT:
    """Let a corpus give what an augmenter makes of its examples.

    corpus (Callable[[Language], Iterable[Example]]): The corpus.
    augmenter (Callable[[Language, Example], Iterator[Example]] | None): The augmenter; None for none.
    RETURNS (Callable[[Language], Iterable[Example]]): The corpus, or one around it.
    """
    return corpus if augmenter is None else partial(_augment, corpus, augmenter)


def _augment(corpus: CorpusT, augmenter: AugmenterT, nlp: Language) -> Iterator[Example]:
    """Read a corpus through an augmenter."""
    for example in corpus(nlp):
        yield from augmenter(nlp, example)
