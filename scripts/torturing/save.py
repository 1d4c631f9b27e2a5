"""Kill a command while it saves a pipeline over an older one, at random moments: what is there then is the old one or
the new one, never anything else. It saves a whole one, as `import-hf` and `train` do, or changes one, as `tune` does.

    python scripts/torture.py save --times 200
"""

import argparse
from collections import Counter
from pathlib import Path
from typing import Any

from spacy.language import Language

from spacy_tokclf.cli.tune import update_pipeline
from spacy_tokclf.runtime.saving import save_pipeline

from . import _folders
from ._folders import NEW, OLD


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command line."""
    _folders.add_options(parser)


def run(options: argparse.Namespace) -> Counter[str]:
    """RETURNS (Counter[str]): How often there was what."""
    return _folders.torture(options, WAYS, allowed=frozenset({OLD, NEW}))


def tune(nlp: Language, place: Path) -> None:
    """Change the settings of a component in a saved pipeline, as `tune` does."""
    import spacy

    saved = spacy.load(place)
    pipe: Any = saved.get_pipe("ner")
    pipe.cfg["tuning"] = {"bias": dict.fromkeys(pipe.labels, 0.5), "slope": 2.0, "shift": 0.1, "temperature": 1.5}
    update_pipeline(saved, pipe, place)


WAYS = {"save": save_pipeline, "tune": tune}
