"""How a word is cased, for encoders whose tokenizer lower-cases: the letters it drops say where names are."""

from collections.abc import Sequence

import numpy as np

from ..types import Ints

#: Row 0 is for special pieces and padding.
CASINGS = ("special", "no letters", "lower", "upper", "one capital", "title", "mixed")
SPECIAL = 0


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

    words (Sequence[str]): The different words.
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
