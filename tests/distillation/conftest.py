"""Teachers and the config of a student."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import spacy
from distilling import POSTS, save_teacher, student_settings, write_gold
from spacy.language import Language


@pytest.fixture(scope="session")
def teacher(encoder_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Give a function that saves a teacher and returns its folder; each is saved once, so nobody may change it."""
    made: dict[str, str] = {}

    def save(**settings: Any) -> str:
        key = repr(sorted(settings.items()))
        if key not in made:
            made[key] = save_teacher(tmp_path_factory.mktemp("teacher") / "saved", encoder_dir, **settings)
        return made[key]

    return save


@pytest.fixture
def student(encoder_dir: Path, tmp_path: Path) -> dict[str, Any]:
    """Overrides of the config of a student with gold."""
    return student_settings(write_gold(tmp_path), encoder_dir)


@pytest.fixture
def lines(tmp_path: Path) -> str:
    """Texts without gold, a line each: those that the posts have, with other beginnings."""
    path = tmp_path / "lines.txt"
    path.write_text("".join(f"hey {text}\n" for text in POSTS), encoding="utf-8")
    return str(path)


@pytest.fixture
def blank() -> Language:
    return spacy.blank("xx")
