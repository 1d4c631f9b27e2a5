"""One checkpoint and the pipelines saved of it predict the same under every supported version of what we build on."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import spacy
import torch
from make_data import CHECKPOINT, EXPECTED, PIPELINES, make_tokenizer, open_checkpoint, predictions, read_rows
from safetensors.torch import load_file, save_file
from spacy.language import Language

from spacy_tokclf.models.base_shim import encoder_nodes
from spacy_tokclf.pipeline.token_classifier import FORMAT
from spacy_tokclf.pipeline.transformer_encoder import FORMAT as ENCODER_FORMAT

SAVED = sorted(path.parent for path in PIPELINES.glob("*/*/meta.json"))
TOLERANCE = 1e-4


def check(nlp: Language) -> None:
    """Compare labels and offsets exactly, scores up to TOLERANCE."""
    expected = read_rows(EXPECTED)
    found = predictions(nlp)
    for one, other in zip(found, expected, strict=True):
        assert one["text"] == other["text"]
        assert [entity[:3] for entity in one["entities"]] == [entity[:3] for entity in other["entities"]]
        assert [e[3] for e in one["entities"]] == pytest.approx([e[3] for e in other["entities"]], abs=TOLERANCE)
        scores = [[piece.pop("score") for piece in row["pieces"]] for row in (one, other)]
        assert scores[0] == pytest.approx(scores[1], abs=TOLERANCE)
        assert one["pieces"] == other["pieces"]


def dtypes(nlp: Language) -> set[torch.dtype]:
    """Give the types of all weights of a pipeline's encoders."""
    nodes = [node for _, pipe in nlp.pipeline for node in encoder_nodes(pipe.model)]
    return {value.dtype for node in nodes for value in node.shims[0].module.state_dict().values()}


def test_the_data_say_something() -> None:
    rows = read_rows(EXPECTED)
    labels = {entity[0] for row in rows for entity in row["entities"]}
    assert labels == {"person", "location", "product"}
    assert sum(len(row["pieces"]) for row in rows) > 50 and not rows[-1]["entities"]
    size = sum(path.stat().st_size for path in CHECKPOINT.rglob("*"))
    assert size < 200_000
    # The seed makes the same tokenizer wherever the test runs; its weights come from torch's own generator.
    made = json.loads(make_tokenizer().to_str())["model"]["vocab"]
    assert made == json.loads((CHECKPOINT / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]


def test_the_checkpoint() -> None:
    check(open_checkpoint())


def test_the_checkpoint_saved_and_opened(tmp_path: Path, blocked_network: None) -> None:
    open_checkpoint().to_disk(tmp_path / "saved")
    check(spacy.load(tmp_path / "saved"))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("key", ["dtype", "torch_dtype"])
def test_half_precision_is_opened_as_float32(dtype: torch.dtype, key: str, tmp_path: Path) -> None:
    """transformers 5 opens a checkpoint in the precision that it is stored in, under either name of the setting."""
    folder = shutil.copytree(CHECKPOINT, tmp_path / "half")
    state = {name: value.to(dtype) for name, value in load_file(folder / "model.safetensors").items()}
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config = {name: value for name, value in config.items() if name not in ("dtype", "torch_dtype")}
    (folder / "config.json").write_text(json.dumps({**config, key: str(dtype).removeprefix("torch.")}))
    nlp = open_checkpoint(folder)
    assert dtypes(nlp) == {torch.float32}
    module = encoder_nodes(nlp.get_pipe("ner").model)[0].shims[0].module
    for name, value in module.state_dict().items():
        assert torch.equal(value, state[f"distilbert.{name}"].float())
    nlp.to_disk(tmp_path / "saved")
    again = spacy.load(tmp_path / "saved")
    assert dtypes(again) == {torch.float32} and predictions(again) == predictions(nlp)


@pytest.mark.parametrize("folder", SAVED, ids=lambda folder: "/".join(folder.parts[-2:]))
def test_a_saved_pipeline(folder: Path, blocked_network: None) -> None:
    nlp = spacy.load(folder)
    check(nlp)
    assert dtypes(nlp) == {torch.float32}


@pytest.mark.parametrize("folder", SAVED, ids=lambda folder: "/".join(folder.parts[-2:]))
def test_a_saved_pipeline_is_saved_again_and_trained_on(folder: Path, tmp_path: Path) -> None:
    from spacy.training import Example

    from spacy_tokclf import train_step
    from spacy_tokclf.training.optimizer import make_adamw_v1

    nlp = spacy.load(folder)
    nlp.to_disk(tmp_path / "again")
    check(spacy.load(tmp_path / "again"))
    gold = nlp.make_doc("rain in York")
    gold.set_ents([gold.char_span(8, 12, label="location")])
    examples = [Example(nlp.make_doc(gold.text), gold)]
    optimizer = make_adamw_v1(3e-3)
    losses = [train_step(nlp, examples, optimizer, drop=0.0)["ner"] for _ in range(20)]
    assert losses[-1] < losses[0]


def test_every_format_has_its_data() -> None:
    """Who changes what is saved adds pipelines of the new format, and keeps those of the old."""
    assert FORMAT == ENCODER_FORMAT
    for number in range(1, FORMAT + 1):
        versions = {folder.parent.name.rsplit("-", 1)[1] for folder in SAVED if f"format-{number}-" in str(folder)}
        assert any(version.startswith("4.45.") for version in versions), number
        assert any(version.startswith("5.") for version in versions), number
        for version in versions:
            names = {folder.name for folder in SAVED if folder.parent.name == f"format-{number}-transformers-{version}"}
            assert names == {"inline", "shared"}


@pytest.mark.parametrize("change", [lambda e: e.update(format=FORMAT + 1), lambda e: e.update(format=FORMAT + 7)])
def test_a_later_format_is_refused(change: Callable[[dict], None], tmp_path: Path) -> None:
    folder = shutil.copytree(SAVED[0], tmp_path / "later")
    cfg = json.loads((folder / "ner" / "cfg").read_text(encoding="utf-8"))
    change(cfg)
    (folder / "ner" / "cfg").write_text(json.dumps(cfg), encoding="utf-8")
    with pytest.raises(ValueError, match="TC030"):
        spacy.load(folder)
