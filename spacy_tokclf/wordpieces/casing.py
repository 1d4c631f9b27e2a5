"""How a word is cased, for encoders whose tokenizer lower-cases: the letters it drops say where names are."""

from collections.abc import Sequence

import numpy

from .windows import Ints

#: Row 0 is for special pieces and padding.
CASINGS = ("special", "no letters", "lower", "upper", "one capital", "title", "mixed")
SPECIAL = 0


def casings_of(words: Sequence[str]) -> Ints:
    """Give the casing of each word.

    words (Sequence[str]): The words.
    RETURNS (Ints): An index into `CASINGS` for each. Shape: (n_words,).
    """
    kinds = {word: casing_of(word) for word in set(words)}
    return numpy.fromiter((kinds[word] for word in words), dtype="int64", count=len(words))


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


def lower_some(texts: Sequence[Sequence[str]], *, rate: float) -> list[str]:
    """Lower-case all words of some texts, drawn at random. The random numbers are numpy's, like those of thinc's
    dropout; spaCy seeds them.

    texts (Sequence[Sequence[str]]): The words of each text.
    rate (float): Share of the texts.
    RETURNS (List[str]): The words of all texts.
    """
    drawn = numpy.random.uniform(size=len(texts)) < rate
    return [word.lower() if low else word for low, words in zip(drawn, texts, strict=True) for word in words]
