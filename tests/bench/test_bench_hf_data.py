"""The posts of Hugging Face's Trainer, with `datasets` and without."""

from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer

from bench.peers import hf_data, hf_trainer

POSTS = [
    {"words": ["Zoe", "sings", "in", "London"], "tags": ["B-person", "O", "O", "B-location"]},
    {"words": ["praat", "over", "links"], "tags": ["O", "O", "-"]},
] * 3


def test_the_trainer_learns_the_same_without_datasets(encoder_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = hf_trainer.Recipe(epochs=1, batch_size=2, group_by_length=True)
    tokenizer, tags = AutoTokenizer.from_pretrained(encoder_dir), hf_data.tags_of(POSTS)
    weights = []
    for is_there in (True, False):
        if not is_there:
            monkeypatch.setattr(hf_data, "find_spec", lambda name: None)
        rows = hf_data.tokenize_and_align(POSTS, tokenizer, tags)
        assert isinstance(rows, hf_data.Rows) is not is_there
        trainer = hf_trainer.make_trainer(str(encoder_dir), tokenizer, rows, tags, recipe)
        trainer.train()
        weights.append(trainer.model.state_dict())
    assert all(torch.equal(one, weights[1][name]) for name, one in weights[0].items())
