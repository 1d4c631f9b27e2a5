"""A small gold file, predictions for it, and a pipeline that finds some of its entities."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import spacy


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    """Give a function that writes a file and returns its path."""

    def write_file(name: str, text: str) -> str:
        path = tmp_path / name
        path.write_bytes(text.encode("utf8"))
        return str(path)

    return write_file


@pytest.fixture
def pipeline(tmp_path: Path) -> str:
    """Folder of a pipeline that makes the predictions above."""
    nlp = spacy.blank("en")
    ruler: Any = nlp.add_pipe("entity_ruler")
    found = {"Ada Lovelace": "person", "Bob": "group", "Rome": "location", "New": "location"}
    ruler.add_patterns([{"label": label, "pattern": text} for text, label in found.items()])
    nlp.to_disk(tmp_path / "pipeline")
    return str(tmp_path / "pipeline")
