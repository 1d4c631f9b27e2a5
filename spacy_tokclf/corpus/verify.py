"""md5 sums of data files, and those of WNUT-17."""

import hashlib
from pathlib import Path

from ..errors import Errors

# WNUT-17 as published by leondz/emerging_entities_17: split, file name, md5 sum.
WNUT17_FILES: dict[str, tuple[str, str]] = {
    "train": ("wnut17train.conll", "c213127d9438fb2c64fe0fabe8644489"),
    "dev": ("emerging.dev.conll", "29ad3845ac26a060fa3eecce3eb6c0fb"),
    "test": ("emerging.test.annotated", "811aac4001facfa08a1b56ee0a9c094a"),
}


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
