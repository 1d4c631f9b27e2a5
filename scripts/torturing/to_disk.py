"""Kill `nlp.to_disk` over an older pipeline, at random moments: what is there then is the old pipeline or the new one,
or is refused; a mixture never loads.

spaCy writes in place, part after part, and what it finds of its own files that are cut off has no code: "refused by
spaCy" in the counts.

    python scripts/torture.py to_disk --times 200
"""

import argparse
from collections import Counter

from . import _folders
from ._folders import NEW, NOT_LOADED, OLD, REFUSED


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command line."""
    _folders.add_options(parser)


def run(options: argparse.Namespace) -> Counter[str]:
    """RETURNS (Counter[str]): How often there was what."""
    ways = {"to_disk": lambda nlp, place: nlp.to_disk(place)}
    return _folders.torture(options, ways, allowed=frozenset({OLD, NEW, REFUSED, NOT_LOADED}))
