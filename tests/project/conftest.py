"""The project's scripts are no package: tests find them as `python scripts/NAME.py` does."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "scripts"))


@pytest.fixture
def root() -> Path:
    """The root of the repository."""
    return ROOT
