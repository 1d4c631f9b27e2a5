"""A setting of its own for each test: the sample corpus, and tiny models."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))

from bench.system import Setting  # noqa: E402


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    """Give a setting in a temporary folder, over the sample corpus and without models."""
    folder = tmp_path / "nothing"
    return Setting(
        model=folder,
        transition=folder,
        encoder=folder,
        data=ROOT / "sample",
        source="sample",
        work=tmp_path / "work",
        rounds=3,
        posts=32,
        texts=8,
        older=folder,
    )
