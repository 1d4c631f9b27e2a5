"""The reader "spacy-tokclf.PartOfCorpus.v1": a part of a corpus, to see what more data would give."""

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from ..errors import Errors
from .examples import AugmenterT, CorpusT, augmented


def make_part_of_corpus_v1(
    corpus: Callable[[Language], Iterable[Example]],
    share: float = 1.0,
    seed: int = 0,
    augmenter: Callable[[Language, Example], Iterator[Example]] | None = None,
) -> CorpusT:
    """Make a reader that gives a part of the texts of another, in their order. Equal texts are in it together or not
    at all; a smaller part of the same seed lies within a larger one.

    corpus (Callable[[Language], Iterable[Example]]): The reader, without an augmenter: copies of a text that is left
        out would be in the part.
    share (float): The share of the different texts, above 0 and up to 1.
    seed (int): Which of them: another seed draws others.
    augmenter (Callable[[Language, Example], Iterator[Example]] | None): The augmenter.
    RETURNS (Callable[[Language], Iterable[Example]]): The reader.
    RAISES (ValueError): TC381, for another share.
    """
    if not 0 < share <= 1:
        raise ValueError(Errors.TC381.format(share=share))

    def read_part(nlp: Language) -> Iterator[Example]:
        examples = list(corpus(nlp))
        chosen = choose_texts((eg.reference for eg in examples), share, seed)
        return (eg for eg in examples if text_key(eg.reference) in chosen)

    parted: CorpusT = read_part
    given: AugmenterT | None = augmenter
    return augmented(parted, given)


def choose_texts(docs: Iterable[Doc], share: float, seed: int) -> set[str]:
    """Choose a share of different texts.

    docs (Iterable[Doc]): The texts.
    share (float): The share, above 0 and up to 1.
    seed (int): Which texts.
    RETURNS (set[str]): Their keys, at least one if there is any text.
    """
    keys = {text_key(doc) for doc in docs}
    order = sorted(keys, key=lambda key: hashlib.sha256(f"{seed} {key}".encode()).digest())
    return set(order[: math.ceil(round(share * len(order), 6))])


def text_key(doc: Doc) -> str:
    """Tell texts apart by their tokens.

    doc (Doc): The text.
    RETURNS (str): The same for the same tokens.
    """
    return " ".join(token.text for token in doc)
