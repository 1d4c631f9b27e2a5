"""Where entities start and end, as data: one table for each mode of reading tags.

A rule is three characters: letter of the previous tag, letter of the current tag, and what their types must
be: "=" equal, "!" different, "*" any. "?" stands for any letter, "~" for any but "O" and ".".
The tables say what seqeval 1.2.2 does, its gaps included: its IOB1 takes B only between two adjacent entities
of one type ("B-A" alone is nothing), and its IOE1 has no pattern that closes "I-A E-A".
"""

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

import numpy as np

from ...errors import Errors
from ...types import Bytes, Ints32
from .prefixes import DOT, LETTERS, N_CLASSES
from .tag_codes import TagVocab

START, INSIDE, END = 1, 2, 4


class Rules(NamedTuple):
    """The rules of one mode; `allowed` are the letters that a strict scheme knows."""

    start: str
    inside: str
    end: str
    allowed: str = ""


#: Default mode: conlleval, the scorer of CoNLL-2000, with the E and S that seqeval added.
DEFAULT = Rules(
    start="?B* ?S* EE* EI* SE* SI* OE* OI* ?~!",
    inside="",
    end="E?* S?* BB* BS* BO* IB* IS* IO* ~?!",
)
STRICT: dict[str, Rules] = {
    "IOB1": Rules("OI* II! BI* IB= BB=", "BI= II=", "II! IO* IB* BO* BI! BB=", "IOB"),
    "IOB2": Rules("?B*", "BI= II=", "IO* II! IB* BO* BI! BB*", "IOB"),
    "IOE1": Rules("OI* II! EI* EE=", "II= IE=", "II! IO* IE! EI= EE=", "IOE"),
    "IOE2": Rules("OI* OE* EI* EE* II! IE!", "IE= II=", "E?*", "IOE"),
    "IOBES": Rules("?B* ?S*", "BI= BE= II= IE=", "S?* E?*", "IOBES"),
    "BILOU": Rules("?B* ?U*", "BI= BL= II= IL=", "U?* L?*", "BILOU"),
}


@cache
def rule_table(rules: Rules) -> Bytes:
    """Compile rules to a look-up table.

    rules (Rules): The rules.
    RETURNS (Bytes): Bits START, INSIDE, END at (previous * N_CLASSES + current) * 2 + equal types.
    """
    table = np.zeros((N_CLASSES, N_CLASSES, 2), dtype=np.uint8)
    for bit, patterns in ((START, rules.start), (INSIDE, rules.inside), (END, rules.end)):
        for pattern in patterns.split():
            equal = {"=": [1], "!": [0], "*": [0, 1]}[pattern[2]]
            table[np.ix_(_classes(pattern[0]), _classes(pattern[1]), equal)] |= bit
    return table.ravel()


def _classes(letter: str) -> list[int]:
    """The letter classes that one character of a rule stands for."""
    if letter in "?~":
        return [i for i in range(N_CLASSES) if letter == "?" or i not in (LETTERS.index("O"), DOT)]
    return [LETTERS.index(letter)]


def scheme_name(scheme: object) -> str:
    """Check the name of a strict scheme.

    scheme (str | type): A name, or a class of seqeval.scheme.
    RETURNS (str): The name.
    RAISES (ValueError): TC207.
    """
    name = getattr(scheme, "__name__", scheme)
    if not isinstance(name, str) or name not in STRICT:
        raise ValueError(Errors.TC207.format(known=", ".join(STRICT), scheme=name))
    return name


def detect_scheme(letters: Iterable[str]) -> str:
    """Choose a scheme from the prefix letters of the gold tags, as seqeval's auto_detect does.

    Tags that are all "O", or "I" and "O" only, fit no scheme. IOB1 and IOE1 are never chosen.

    letters (Iterable[str]): Prefix letters.
    RETURNS (str): Name of the scheme.
    RAISES (ValueError): TC206.
    """
    found = set(letters)
    core = "".join(sorted(found - {"I", "O"}))
    by_core = {"B": "IOB2", "E": "IOE2", "BE": "IOBES", "BES": "IOBES", "BL": "BILOU", "BLU": "BILOU"}
    alone = {"S": "IOBES", "U": "BILOU"}
    name = by_core.get(core) or (alone.get(core) if len(found) == 1 else None)
    if name is None:
        raise ValueError(Errors.TC206.format(letters=", ".join(sorted(found)) or "none"))
    return name


def resolve_scheme(mode: str | None, scheme: object, vocab: TagVocab, gold: Ints32, *, suffix: bool) -> str | None:
    """Say which algorithm runs, by the rules of seqeval's classification_report.

    mode (str | None): "strict"; anything else is the default mode, which ignores the scheme silently.
    scheme (str | type | None): Name of the scheme; None in strict mode: detected from the gold tags.
    vocab (TagVocab): The distinct tags.
    gold (Ints32): Numbered gold tags.
    suffix (bool): Whether the letter stands last.
    RETURNS (str | None): Name of the strict scheme, or None for the default mode.
    RAISES (ValueError): TC206, TC207.
    """
    if scheme is not None:
        scheme = scheme_name(scheme)
    if mode != "strict":
        return None
    if isinstance(scheme, str):
        return scheme
    tags = list(vocab)
    return detect_scheme(tags[code][-1 if suffix else 0] for code in np.unique(gold))
