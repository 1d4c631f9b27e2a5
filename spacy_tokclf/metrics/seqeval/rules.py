"""Rules of seqeval 1.2.2 for where entities start and end, as data: one table for the default mode, which is that of
conlleval, and one for each scheme of the strict mode.

A rule is three characters: prefix of the previous tag, prefix of the current tag, and what their types must
be: "=" equal, "!" different, "*" any. "?" stands for any prefix, "~" for any but "O" and ".".
The tables say what seqeval 1.2.2 does, its gaps included: its IOB1 takes B only between two adjacent entities
of one type ("B-A" alone is nothing), and its IOE1 has no pattern that closes "I-A E-A".
"""

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

import numpy as np

from ...errors import Errors
from ...types import Bytes, Ints32
from .prefixes import DOT, N_PREFIX_CODES, PREFIXES_BY_CODE
from .tag_codes import TagVocab

#: Bits of a look-up table: what may happen between the previous tag and the current one.
START, INSIDE, END = 1, 2, 4


class Rules(NamedTuple):
    """The rules of one mode.

    start (str): Patterns after which an entity starts at the current tag.
    inside (str): Patterns that carry an open entity on to the current tag; strict mode alone.
    end (str): Patterns that end an entity before the current tag.
    allowed (str): Prefixes that a strict scheme knows; empty for the default mode.
    """

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
    RETURNS (Bytes): Bits START, INSIDE, END at (previous * N_PREFIX_CODES + current) * 2 + equal types, for the codes
        of two prefixes and 1 or 0 for the types. Shape: (n_codes * n_codes * 2,).
    """
    # Axes: code of the previous prefix, code of the current one, whether the types are equal.
    table = np.zeros((N_PREFIX_CODES, N_PREFIX_CODES, 2), dtype=np.uint8)
    for bit, patterns in ((START, rules.start), (INSIDE, rules.inside), (END, rules.end)):
        for pattern in patterns.split():
            equal = {"=": [1], "!": [0], "*": [0, 1]}[pattern[2]]
            # np.ix_ spans the block of all combinations that the pattern stands for.
            table[np.ix_(_codes(pattern[0]), _codes(pattern[1]), equal)] |= bit
    return table.ravel()


def _codes(character: str) -> list[int]:
    """Give the prefix codes that one character of a rule stands for."""
    if character in "?~":
        left_out = () if character == "?" else (PREFIXES_BY_CODE.index("O"), DOT)
        return [code for code in range(N_PREFIX_CODES) if code not in left_out]
    return [PREFIXES_BY_CODE.index(character)]


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


def detect_strict_scheme(prefixes: Iterable[str]) -> str:
    """Detect the scheme for the strict mode from the prefixes of the gold tags, as seqeval's auto_detect does.

    Tags that are all "O", or "I" and "O" only, fit no scheme. IOB1 and IOE1 are never chosen.

    prefixes (Iterable[str]): The prefixes, in any order.
    RETURNS (str): Name of the scheme.
    RAISES (ValueError): TC206.
    """
    found = set(prefixes)
    core = "".join(sorted(found - {"I", "O"}))
    by_core = {"B": "IOB2", "E": "IOE2", "BE": "IOBES", "BES": "IOBES", "BL": "BILOU", "BLU": "BILOU"}
    alone = {"S": "IOBES", "U": "BILOU"}
    name = by_core.get(core) or (alone.get(core) if len(found) == 1 else None)
    if name is None:
        raise ValueError(Errors.TC206.format(prefixes=", ".join(sorted(found)) or "none"))
    return name


def resolve_scheme(mode: str | None, scheme: object, vocab: TagVocab, gold: Ints32, *, suffix: bool) -> str | None:
    """Resolve mode and scheme to the rules that are applied, as seqeval's classification_report does.

    mode (str | None): "strict"; anything else is the default mode, which ignores the scheme silently.
    scheme (str | type | None): Name of the scheme; None in strict mode: detected from the gold tags.
    vocab (TagVocab): The distinct tags.
    gold (Ints32): Codes of the gold tags. Shape: (n_tokens,).
    suffix (bool): Whether the prefix stands last ("PER-B").
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
    return detect_strict_scheme(tags[code][-1 if suffix else 0] for code in np.unique(gold))
