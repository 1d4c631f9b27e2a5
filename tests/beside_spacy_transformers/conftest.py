"""Tests with spacy-transformers, which need an environment of their own: `make test-spacy-transformers`."""

from pathlib import Path

import pytest
from config_runs import HAS_SPACY_TRANSFORMERS, write_posts

collect_ignore_glob = [] if HAS_SPACY_TRANSFORMERS else ["test_*.py"]


@pytest.fixture(scope="session")
def posts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the posts as CoNLL and as DocBin."""
    return write_posts(tmp_path_factory.mktemp("posts"))
