"""Fixtures of the way between our pipelines and Hugging Face."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_checkpoints import has_family, write_checkpoint


@pytest.fixture(scope="session")
def make_checkpoint_dir(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Give a function with the arguments of `tiny_checkpoints.write_checkpoint` (less the folder). A folder is written
    once a session, so nobody may change it. A family that the installed transformers lacks is skipped."""
    made: dict[str, Path] = {}

    def make(model_type: str = "bert", **settings: Any) -> Path:
        if not has_family(model_type):
            pytest.skip(f"the installed transformers has no {model_type}")
        key = repr((model_type, sorted(settings.items())))
        if key not in made:
            folder = tmp_path_factory.mktemp(model_type) / "checkpoint"
            made[key] = write_checkpoint(folder, model_type, **settings)
        return made[key]

    return make
