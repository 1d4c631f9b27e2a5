"""Checkpoints of Hugging Face, tiny and random, to import from and to compare with."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
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


@pytest.fixture(scope="session")
def embedded_checkpoint(embedded_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded encoder with a random classifier of the tags of WNUT-17."""
    from transformers import AutoModelForTokenClassification, AutoTokenizer

    types = ["corporation", "creative-work", "group", "location", "person", "product"]
    tags = ["O", *(f"{prefix}-{type_}" for type_ in types for prefix in "BI")]
    folder = tmp_path_factory.mktemp("embedded") / "checkpoint"
    module = AutoModelForTokenClassification.from_pretrained(
        embedded_encoder, id2label=dict(enumerate(tags)), label2id={tag: i for i, tag in enumerate(tags)}
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        torch.nn.init.normal_(module.classifier.weight, std=0.3)
    module.save_pretrained(folder)
    AutoTokenizer.from_pretrained(embedded_encoder).save_pretrained(folder)
    return folder
