"""Posts that configs are trained on."""

from pathlib import Path

import pytest
from config_runs import write_posts


@pytest.fixture(scope="session")
def posts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the posts as CoNLL and as DocBin."""
    return write_posts(tmp_path_factory.mktemp("posts"))
