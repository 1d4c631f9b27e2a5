"""Facts of a data file: its md5 sum, and what it holds, for run records and messages."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TypedDict

from ..errors import Errors
from ..tags import is_missing
from .forms.conll import read_conll
from .records import Record

# WNUT-17 as published by leondz/emerging_entities_17: split, file name, md5 sum.
WNUT17_FILES: dict[str, tuple[str, str]] = {
    "train": ("wnut17train.conll", "c213127d9438fb2c64fe0fabe8644489"),
    "dev": ("emerging.dev.conll", "29ad3845ac26a060fa3eecce3eb6c0fb"),
    "test": ("emerging.test.annotated", "811aac4001facfa08a1b56ee0a9c094a"),
}


class SplitFacts(TypedDict):
    """What a split holds; plain Python values, ready for JSON."""

    posts: int
    tokens: int
    missing: int
    entities: int
    entities_per_type: dict[str, int]


class FileFacts(SplitFacts):
    """What a file holds, with its md5 sum."""

    md5: str


def count_records(records: Iterable[Record]) -> SplitFacts:
    """Count what records hold.

    records (Iterable[Record]): The posts.
    RETURNS (SplitFacts): Posts, tokens, tokens with a missing tag, entities, and entities per type in order
        of name.
    """
    posts, tokens, missing = 0, 0, 0
    types: Counter[str] = Counter()
    for record in records:
        posts += 1
        tokens += len(record.words)
        missing += sum(map(is_missing, record.tags))
        types.update(label for _, _, label in record.spans)
    return {
        "posts": posts,
        "tokens": tokens,
        "missing": missing,
        "entities": types.total(),
        "entities_per_type": dict(sorted(types.items())),
    }


def conll_facts(path: str | Path, *, scheme: str = "auto", token_column: int = 0, tag_column: int = -1) -> FileFacts:
    """Count what a CoNLL file holds.

    path (str | Path): The file.
    scheme (str): Scheme of the tags, or "auto".
    token_column (int): Column of the tokens.
    tag_column (int): Column of the tags.
    RETURNS (FileFacts): The counts and the md5 sum.
    RAISES (ValueError): As read_conll does.
    """
    records = read_conll(path, scheme=scheme, token_column=token_column, tag_column=tag_column)
    return {**count_records(records), "md5": file_md5(path)}


def file_md5(path: str | Path) -> str:
    """Compute the md5 sum of a file, the sum that project assets use.

    path (str | Path): The file.
    RETURNS (str): 32 hexadecimal digits.
    """
    digest = hashlib.md5(usedforsecurity=False)
    with Path(path).open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def check_md5(path: str | Path, expected: str) -> None:
    """Make sure that a file is the one that is meant.

    path (str | Path): The file.
    expected (str): Its md5 sum.
    RAISES (ValueError): TC120 if the sum is another.
    """
    found = file_md5(path)
    if found != expected:
        raise ValueError(Errors.TC120.format(path=path, found=found, expected=expected))
