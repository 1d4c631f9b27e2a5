"""Words before they are tokenized: the distinct ones of a batch, their normal form, and their casing class.

The casing is for encoders whose tokenizer lower-cases: the letters it drops say where names are."""

import re
from collections.abc import Sequence

import numpy as np
from spacy.attrs import ORTH
from spacy.tokens import Doc

from ..types import Ints

LINK, USER = re.compile(r"(?:https?:|www\.)\S+", re.IGNORECASE), re.compile(r"@\w+")
#: What links and user names are read as: words that most vocabularies have.
STAND_INS = ((LINK, "url"), (USER, "@user"))
#: Classes of casing. Row 0 is for special pieces and padding.
CASINGS = ("special", "no letters", "lower", "upper", "one capital", "title", "mixed")
SPECIAL = 0


def distinct_words(docs: Sequence[Doc]) -> tuple[list[str], Ints]:
    """List the distinct words of some texts, in numpy: to read texts token by token takes several times as long.

    docs (Sequence[Doc]): The texts.
    RETURNS (tuple[list[str], Ints]): The words, and for each token which of them it is. Shape: (n_tokens,).
    """
    if not any(map(len, docs)):
        return [], np.zeros(0, dtype="int64")
    # (n_tokens,): spaCy's hash of each token's text.
    hashes = np.concatenate([doc.to_array([ORTH]).reshape(len(doc)) for doc in docs])
    vocab = docs[0].vocab
    if all(doc.vocab is vocab for doc in docs):
        found, tokens = np.unique(hashes, return_inverse=True)
        strings = vocab.strings
        return [strings[orth] for orth in found.tolist()], tokens.reshape(-1)
    found, first, tokens = np.unique(hashes, return_index=True, return_inverse=True)
    # (n_words,): the text in which each word stands first, whose vocabulary surely has its string.
    ends = np.cumsum([len(doc) for doc in docs])
    texts = np.searchsorted(ends, first, side="right")
    words = [docs[i].vocab.strings[orth] for i, orth in zip(texts.tolist(), found.tolist(), strict=True)]
    return words, tokens.reshape(-1)


def normal_form(word: str) -> str:
    """Replace a link or a user name by one stand-in word, as BERTweet does (Nguyen et al., 2020): what they consist of
    says little, and takes a quarter of the word pieces of posts.

    word (str): The word.
    RETURNS (str): What the encoder reads in its place.
    """
    return next((stand_in for pattern, stand_in in STAND_INS if pattern.fullmatch(word)), word)


def casings_of(words: Sequence[str]) -> Ints:
    """Give the casing of each word.

    words (Sequence[str]): The words.
    RETURNS (Ints): An index into `CASINGS` for each. Shape: (n_words,).
    """
    return np.fromiter(map(casing_of, words), dtype="int64", count=len(words))


def casing_of(word: str) -> int:
    """Give the casing of a word.

    word (str): The word.
    RETURNS (int): An index into `CASINGS`.
    """
    if word.islower():
        return CASINGS.index("lower")
    if word.isupper():
        return CASINGS.index("upper" if len(word) > 1 else "one capital")
    if not any(letter.isalpha() for letter in word):
        return CASINGS.index("no letters")
    return CASINGS.index("title" if word[0].isupper() and word[1:].islower() else "mixed")


def token_casings(words: Sequence[str], tokens: Ints, lengths: Sequence[int], *, dropout: float) -> Ints:
    """Give the casing of each token of some texts; for some texts, drawn at random, that of their words in lower case.
    The random numbers are numpy's, like those of thinc's dropout; spaCy seeds them.

    words (Sequence[str]): The distinct words.
    tokens (Ints): Which of them each token is. Shape: (n_tokens,).
    lengths (Sequence[int]): Tokens of each text.
    dropout (float): Share of the texts that are lower-cased.
    RETURNS (Ints): An index into `CASINGS` for each token. Shape: (n_tokens,).
    """
    kinds = casings_of(words)[tokens]
    if not dropout:
        return kinds
    low = np.repeat(np.random.uniform(size=len(lengths)) < dropout, lengths)
    return np.where(low, casings_of([word.lower() for word in words])[tokens], kinds)
