"""Checkpoints that somebody prepared: nothing is fetched, run, or built beyond the size of the weights."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from spacy_tokclf import PretrainedEncoder


@pytest.fixture
def folder(encoder_dir: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(encoder_dir, tmp_path / "encoder"))


def change(path: Path, **changed: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))


def more_pieces(folder: Path) -> None:
    file = folder / "tokenizer.json"
    state = json.loads(file.read_text())
    state["model"]["vocab"]["zorblax"] = 5000
    file.write_text(json.dumps(state))


def whole_numbers(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    name = next(name for name in weights if name.endswith("q_lin.weight"))
    save_file({**weights, name: weights[name].to(torch.int8)}, folder / "model.safetensors", metadata={"format": "pt"})


HOSTILE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "width": (lambda folder: change(folder / "config.json", dim=10**9), "far more numbers"),
    "type": (lambda folder: change(folder / "config.json", model_type="no"), "model_type is 'no'"),
    "pieces": (more_pieces, "word piece 5000"),
    "an adapter": (lambda folder: (folder / "adapter_config.json").write_text("{}"), "adapter"),
    "an index": (
        lambda folder: (folder / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../x"}}'),
        "index.json names it",
    ),
    "a pipe": (lambda folder: os.mkfifo(folder / "vocab.txt"), "a device or a pipe"),
    "a device": (lambda folder: (folder / "added_tokens.json").symlink_to("/dev/zero"), "a device or a pipe"),
    "whole numbers": (whole_numbers, r"TC424.*of the type I8"),
    "no words": (lambda folder: change(folder / "config.json", vocab_size=0), "vocab_size is 0"),
    "a key twice": (lambda folder: (folder / "config.json").write_text('{"dim": 1, "dim": 2}'), "stands twice"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_refused(kind: str, folder: Path) -> None:
    spoil, says = HOSTILE[kind]
    spoil(folder)
    with pytest.raises(OSError, match=rf"TC010.*{says}"):
        PretrainedEncoder(str(folder))()


def test_what_would_be_fetched_or_run_is_left_out(folder: Path, blocked_network: None) -> None:
    bad = {"_attn_implementation": "someone/kernels", "auto_map": {"AutoModel": "someone/code--model.Model"}}
    change(folder / "config.json", **bad, quantization_config={"quant_method": "awq"})
    pretrained = PretrainedEncoder(str(folder))()
    assert not {*bad, "quantization_config"} & set(pretrained.config)
    assert pretrained.module.config._attn_implementation in ("sdpa", "eager")


def test_a_great_number_of_labels_takes_no_memory(folder: Path) -> None:
    change(folder / "config.json", num_labels=10**12)
    assert "num_labels" not in PretrainedEncoder(str(folder))().config


def test_links_are_right_if_they_end_at_files(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes((folder / "config.json").read_bytes())
    (folder / "config.json").unlink()
    (folder / "config.json").symlink_to(tmp_path / "blob")
    assert PretrainedEncoder(str(folder))().config["model_type"] == "distilbert"
