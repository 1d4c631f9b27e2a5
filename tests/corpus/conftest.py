import os
from pathlib import Path

import pytest

from spacy_tokclf.corpus import WNUT17_FILES


@pytest.fixture(scope="session")
def wnut17():
    """Paths of the three WNUT-17 files by split; the test is skipped where they are not at hand."""
    here = Path(__file__).parents[2] / "assets" / "wnut17"
    for folder in (Path(os.environ.get("WNUT17_DIR", here)), here):
        paths = {split: folder / name for split, (name, _) in WNUT17_FILES.items()}
        if all(path.is_file() for path in paths.values()):
            return paths
    pytest.skip("WNUT-17 is not at hand: set WNUT17_DIR")


@pytest.fixture
def conll(tmp_path):
    """Write a text or bytes to a file and return its path."""

    def write(content, name="posts.conll"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path

    return write
