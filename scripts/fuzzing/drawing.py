"""Random things that several kinds of input are made of, and what several judges ask."""

import random
from collections.abc import Callable, Sequence
from typing import Any

#: What means something to one of the readers, or has been trouble somewhere.
ODD = (
    *("", " ", "\t", "\n", "\r", "\x00", "\x1b[31m", "\ufeff", "\u2028", "\ud800", "\u202e", "\U0001f389", "ß"),
    *("-", "--", "_", "O", "o", "0", "B", "I", "B-", "-B", "I-", "E-", "|", "'", '"', "`", "\\", "</b>", "None"),
)
LETTERS = "abBIESLUOoMWxyzé中_-.:/ "
LABELS = ("PER", "LOC", "creative-work", "B-side", "O-x", "é", "x y", "-", "I", "O", "a_b", "per")


def must(condition: Any, message: Callable[[], object]) -> None:
    """Raise what is a finding, unless a condition holds.

    condition (Any): What is to hold.
    message (Callable[[], object]): Says what is wrong; called then only.
    """
    if not condition:
        raise AssertionError(message())


def coded(error: BaseException) -> str:
    """Give the code of an error of ours.

    error (BaseException): What was raised.
    RETURNS (str): For example "TC101".
    RAISES (BaseException): The error itself, if it has none.
    """
    text = str(error)
    if not isinstance(error, ValueError | ImportError | OSError) or not text.startswith("[TC"):
        raise error
    return text[1:6]


def any_text(rng: random.Random, most: int = 6) -> str:
    """Draw a short text of letters, of any characters, or one that means something."""
    kind = rng.random()
    if kind < 0.3:
        return rng.choice(ODD)
    if kind < 0.9:
        return "".join(rng.choices(LETTERS, k=rng.randint(0, most)))
    return "".join(chr(rng.choice((rng.randrange(0x250), rng.randrange(0x11000)))) for _ in range(rng.randint(0, most)))


def any_spans(
    rng: random.Random, length: int, labels: Sequence[str], *, chance: float = 0.6
) -> list[tuple[int, int, str]]:
    """Draw spans without overlap, many of which touch."""
    spans, at = [], 0
    while at < length and rng.random() < chance:
        start = at if rng.random() < 0.5 else rng.randrange(at, length)
        end = min(length, start + rng.choice((1, 1, 2, 3, 5)))
        spans.append((start, end, rng.choice(labels)))
        at = end
    return spans
