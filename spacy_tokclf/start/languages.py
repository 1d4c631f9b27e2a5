"""Whether tokenizer and encoder are for the language of the texts, as far as its letters tell."""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from itertools import islice

from spacy.tokens import Doc

from .embedded_encoder import LANG, embedded_of
from .findings import Findings

#: Scripts whose texts have no blanks between words, by how the names of their letters begin, and the languages whose
#: tokenizers do without.
SCRIPTS = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")
LANGUAGES = ("zh", "ja", "th", "lo", "km", "my", "bo")
LATIN = "LATIN"
#: Share of the letters from which on a text counts as written in a script, and texts that are looked at.
MUCH, TEXTS = 0.3, 1000
#: What to take instead of the embedded encoder.
MULTILINGUAL = "distilbert/distilbert-base-multilingual-cased"


def check_language(docs: Sequence[Doc], lang: str, encoder: str, findings: Findings) -> None:
    """Compare the letters of texts with the language of the tokenizer, and with that of the encoder.

    docs (Sequence[Doc]): The texts.
    lang (str): The language of the tokenizer.
    encoder (str): The encoder's folder, or its name on the Hub.
    findings (Findings): Gets what is found.
    """
    letters = count_letters(docs)
    if not letters:
        return
    unspaced = sum(letters[script] for script in SCRIPTS) / letters.total()
    if unspaced > MUCH and lang not in LANGUAGES:
        findings.warn(
            f"These texts have no blanks between words, where the tokenizer of {lang!r} looks for them: name their "
            "language (--lang zh, --lang ja, --lang th, ...), or new texts will be read wrong"
        )
    if embedded_of(encoder) and (lang != LANG or 1 - letters[LATIN] / letters.total() > MUCH):
        findings.warn(
            f"The embedded encoders have seen English only. For other languages, name another: --encoder {MULTILINGUAL}"
        )


def count_letters(docs: Sequence[Doc]) -> Counter[str]:
    """Count letters by script.

    docs (Sequence[Doc]): The texts.
    RETURNS (Counter[str]): Letters by the first word of their names: LATIN, CJK, ARABIC and so on.
    """
    found = Counter(char for doc in islice(docs, TEXTS) for token in doc for char in token.text if char.isalpha())
    letters: Counter[str] = Counter()
    for char, count in found.items():
        letters[unicodedata.name(char, "").split(" ")[0]] += count
    return letters
