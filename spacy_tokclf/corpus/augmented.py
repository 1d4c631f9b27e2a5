"""Corpora whose examples pass through an augmenter as they are read, as those of `spacy.Corpus.v1` do."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from spacy.language import Language
from spacy.training import Example

AugmenterT = Callable[[Language, Example], Iterator[Example]]
CorpusT = Callable[[Language], Iterable[Example]]


def augmented(corpus: CorpusT, augmenter: AugmenterT | None) -> CorpusT:
    """Let a corpus give what an augmenter makes of its examples.

    corpus (Callable[[Language], Iterable[Example]]): The corpus.
    augmenter (Callable[[Language, Example], Iterator[Example]] | None): The augmenter; None for none.
    RETURNS (Callable[[Language], Iterable[Example]]): The corpus, or one around it.
    """
    return corpus if augmenter is None else partial(_read, corpus, augmenter)


def _read(corpus: CorpusT, augmenter: AugmenterT, nlp: Language) -> Iterator[Example]:
    for example in corpus(nlp):
        yield from augmenter(nlp, example)
