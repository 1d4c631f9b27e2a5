"""Ways to damage bytes."""

import random
from collections.abc import Callable

Ways = tuple[Callable[[random.Random, bytes], bytes], ...]

BLANKS = ("\t", "\n", "\n\n", "\r", "\r\n", " ", "  ", "\ufeff", "\u2028", "\x85", "\x00", "\ud800")
_MARKS = """
    " ' | , ; # - _ { } [ ] : {} [] O o B I B- I-PER B-PER b-per B_PER PER-B E-PER L-PER S-PER U-PER null true -1 1e999
    NaN 99999999999999999999 "text" "label" "labels" "entities" "spans" "tokens" "ner_tags" "start" "end" "data"
    -DOCSTART- "annotations" "result" "value" "answer":"reject" "missing" <html> \\ud83d \\u0000 PK\x03\x04
"""
LINES = ("# ", "# global.columns = ID FORM NER\n", "-DOCSTART- O\n", "R1\tx Arg1:T1 Arg2:T1\n", "\x1f\x8b")
#: What means something in one of the forms.
TOKENS = (*BLANKS, *_MARKS.split(), *LINES, "T1\tPER 0 3\tabc\n", "T1\tPER 0 3;5 6\tabc d\n")
#: Encodings that a file may be in.
ENCODINGS = ("utf-16", "utf-8-sig", "utf-16-le", "cp1252", "utf-32")


def cut(rng: random.Random, data: bytes) -> bytes:
    """Leave out a piece."""
    start, end = sorted(rng.randint(0, len(data)) for _ in range(2))
    return data[:start] + data[min(end, start + rng.choice((1, 4, 40))) :]


def truncate(rng: random.Random, data: bytes) -> bytes:
    """Leave out the end."""
    return data[: rng.randint(0, len(data))]


def flip(rng: random.Random, data: bytes) -> bytes:
    """Change one bit."""
    if not data:
        return data
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]


def put(rng: random.Random, data: bytes) -> bytes:
    """Put in something that means something."""
    at = rng.randint(0, len(data))
    return data[:at] + rng.choice(TOKENS).encode("utf-8", "surrogatepass") + data[at:]


def replace(rng: random.Random, data: bytes) -> bytes:
    """Put something in the place of something else of the file, everywhere or once."""
    pieces = data.replace(b"\n", b" ").replace(b"\t", b" ").replace(b'"', b" ").split(b" ")
    old = rng.choice(pieces)
    new = rng.choice((rng.choice(TOKENS).encode("utf-8", "surrogatepass"), rng.choice(pieces)))
    return data.replace(old, new, rng.choice((-1, 1))) if old else data


def repeat(rng: random.Random, data: bytes) -> bytes:
    """Say something twice."""
    start, end = sorted(rng.randint(0, len(data)) for _ in range(2))
    return data[:end] + data[start:end] + data[end:]


def swap_lines(rng: random.Random, data: bytes) -> bytes:
    """Put the lines in another order."""
    rows = data.split(b"\n")
    rng.shuffle(rows)
    return b"\n".join(rows)


def encode(rng: random.Random, data: bytes) -> bytes:
    """Write it in another encoding."""
    return data.decode("utf-8", "replace").encode(rng.choice(ENCODINGS), "replace")


def line_ends(rng: random.Random, data: bytes) -> bytes:
    """Write other line ends."""
    return data.replace(b"\n", rng.choice((b"\r", b"\r\n", b"\n\n", b"")))


MUTATIONS: Ways = (
    *(cut, truncate, flip, put, put, put, replace, replace, replace, repeat, swap_lines, encode, line_ends),
)
#: Of what is no text.
BINARY: Ways = (cut, truncate, flip, flip, flip, put, repeat)


def damage(rng: random.Random, data: bytes, times: int, ways: Ways) -> bytes:
    """Damage some bytes several times."""
    for _ in range(times):
        data = rng.choice(ways)(rng, data)
    return data
