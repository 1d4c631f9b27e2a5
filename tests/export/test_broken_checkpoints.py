"""Damaged checkpoints: each is imported as transformers reads it, or refused with one code."""

import json
import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hf_reference import Reference
from safetensors.torch import load_file, save_file
from spacy.language import Language
from spacy.tokens import Doc
from tiny_encoders import write_encoder

from spacy_tokclf import PretrainedEncoder
from spacy_tokclf.export import export_hf, import_hf

WORDS = ["Groenlinks", "praat", "over", "Schiphol", "in", "London", "."]
VALUES: list[Any] = [None, -1, 0, 3, 1.5, True, 10**9, "x", "bert", [], {}, ["a"], {"a": 1}]


def logits_of(nlp: Language) -> Any:
    pipe: Any = nlp.get_pipe("ner")
    return np.asarray(pipe.logits([Doc(nlp.vocab, words=WORDS)])[0])


@pytest.fixture(scope="module")
def checkpoint(make_checkpoint_dir: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint that was exported from here, so that its config.json has settings of ours."""
    nlp = import_hf(make_checkpoint_dir(), decode="constrained")
    return export_hf(nlp, tmp_path_factory.mktemp("exported") / "checkpoint")


def mutated(value: Any, rng: random.Random) -> Any:
    """Change one thing in JSON: leave something out, or put something else in its place."""
    if isinstance(value, dict) and value:
        key = rng.choice([key for key in value if key != "model_max_length"])  # shorter windows are no damage
        if rng.random() < 0.2:
            return {other: value[other] for other in value if other != key}
        deeper = isinstance(value[key], dict | list) and rng.random() < 0.8
        return {**value, key: mutated(value[key], rng) if deeper else rng.choice(VALUES)}
    if isinstance(value, list) and value:
        place = rng.randrange(len(value))
        return [*value[:place], mutated(value[place], rng), *value[place + 1 :]]
    return rng.choice(VALUES)


def damage_weights(path: Path, rng: random.Random) -> None:
    weights = load_file(path)
    name = rng.choice(sorted(weights))
    kind = rng.choice(["gone", "shape", "nan", "integers"])
    tensor = weights.pop(name)
    if kind != "gone":
        others = {"shape": tensor.flatten()[:5], "nan": tensor * float("nan"), "integers": tensor.to(torch.int64)}
        weights[name] = others[kind].clone()
    save_file(weights, path)


def damage(folder: Path, rng: random.Random) -> None:
    """Damage one file."""
    files = ("config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors")
    path = folder / rng.choice([*files, "config.json"])
    data = path.read_bytes()
    kind = rng.random()
    if kind < 0.05:
        path.unlink()
    elif kind < 0.2:
        path.write_bytes(data[: rng.randrange(len(data))])
    elif kind < 0.35:  # weights have no check sum: of them, the header
        size = len(data) if path.suffix == ".json" else 8 + int.from_bytes(data[:8], "little")
        place = rng.randrange(size)
        path.write_bytes(data[:place] + bytes([data[place] ^ (1 << rng.randrange(8))]) + data[place + 1 :])
    elif path.suffix == ".json":
        path.write_text(json.dumps(mutated(json.loads(data), rng)))
    else:
        damage_weights(path, rng)


def outcomes(checkpoint: Path, place: Path, *, number: int, seed: int) -> Counter[str]:
    rng = random.Random(seed)
    expected = logits_of(import_hf(checkpoint))
    found: Counter[str] = Counter()
    for _ in range(number):
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(checkpoint, place)
        damage(place, rng)
        try:
            nlp = import_hf(place)
        except (OSError, ValueError) as error:
            assert str(error).startswith("[TC"), repr(error)
            found[str(error)[:7]] += 1
            continue
        rows = logits_of(nlp)
        if rows.shape != expected.shape or not np.allclose(rows, expected, rtol=0, atol=1e-5):
            np.testing.assert_allclose(
                rows, Reference(place, n_tags=len(expected[0])).logits(WORDS).detach(), atol=1e-5
            )
        found["read"] += 1
    return found


@pytest.mark.filterwarnings("ignore")
def test_damage(checkpoint: Path, tmp_path: Path) -> None:
    found = outcomes(checkpoint, tmp_path / "damaged", number=45, seed=0)
    assert found["read"] > 5 and found["[TC010]"] > 20 and len(found) > 1, found


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(1, 3))
def test_more_damage(seed: int, checkpoint: Path, tmp_path: Path) -> None:
    assert outcomes(checkpoint, tmp_path / "damaged", number=150, seed=seed)["read"] > 15


@pytest.mark.parametrize(
    "found", [3, [], "x", {"scheme": 3}, {"window": "8"}, {"window": True}, {"tuning": 1}, {"tuning": {"slope": "1"}}]
)
def test_settings_of_ours(found: Any, checkpoint: Path, tmp_path: Path) -> None:
    shutil.copytree(checkpoint, tmp_path / "copy")
    config = json.loads((checkpoint / "config.json").read_text())
    (tmp_path / "copy" / "config.json").write_text(json.dumps({**config, "spacy_tokclf": found}))
    with pytest.raises(ValueError, match=r"TC088.*spacy_tokclf"):
        import_hf(tmp_path / "copy")


@pytest.mark.filterwarnings("ignore")
def test_a_panic_in_the_tokenizers_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    shutil.copytree(checkpoint, tmp_path / "copy")
    tokenizer = json.loads((checkpoint / "tokenizer.json").read_text())
    del tokenizer["post_processor"]["special_tokens"]["[CLS]"]
    (tmp_path / "copy" / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(ValueError, match=r"TC096.*'a'"):
        import_hf(tmp_path / "copy")


@pytest.mark.parametrize("size", ["num_hidden_layers", "num_attention_heads", "hidden_size"])
def test_sizes_below_one(size: str, checkpoint: Path, tmp_path: Path) -> None:
    for value in (0, -1):
        folder = tmp_path / str(value)
        shutil.copytree(checkpoint, folder)
        config = json.loads((checkpoint / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, size: value}))
        with pytest.raises(OSError, match="TC010"):
            import_hf(folder)


def changed_weights(folder: Path, to: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> Path:
    """Copy a checkpoint, with other weights."""
    shutil.copytree(folder, to)
    weights = load_file(to / "model.safetensors")
    change(weights)
    save_file(weights, to / "model.safetensors", metadata={"format": "pt"})
    return to


class TestWeights:
    """Of checkpoints to be imported, and of encoders that training starts from."""

    def test_no_numbers(self, checkpoint: Path, encoder_dir: Path, tmp_path: Path) -> None:
        def spoil(weights: dict[str, torch.Tensor]) -> None:
            next(tensor for tensor in weights.values() if tensor.ndim == 2)[0, 0] = float("inf")

        with pytest.raises(ValueError, match=r"TC083.*nan or infinite.*weight"):
            import_hf(changed_weights(checkpoint, tmp_path / "one", spoil))
        with pytest.raises(ValueError, match="TC083"):
            PretrainedEncoder(str(changed_weights(encoder_dir, tmp_path / "two", spoil)))()

    @pytest.mark.parametrize("model_type", ["distilbert", "bert", "roberta"])
    def test_an_encoder_that_is_not_whole(self, model_type: str, tmp_path: Path) -> None:
        folder = write_encoder(tmp_path / "encoder", model_type)
        PretrainedEncoder(str(folder))()

        def lose(weights: dict[str, torch.Tensor]) -> None:
            del weights[sorted(name for name in weights if "attention" in name)[0]]

        with pytest.raises(ValueError, match=r"TC084.*attention"):
            PretrainedEncoder(str(changed_weights(folder, tmp_path / "lost", lose)))()

        def rename(weights: dict[str, torch.Tensor]) -> None:
            for name in list(weights):
                weights[f"my.{name}"] = weights.pop(name)

        with pytest.raises(ValueError, match=r"TC084.*more"):
            PretrainedEncoder(str(changed_weights(folder, tmp_path / "renamed", rename)))()

    def test_another_shape(self, checkpoint: Path, tmp_path: Path) -> None:
        def cut(weights: dict[str, torch.Tensor]) -> None:
            weights["classifier.weight"] = weights["classifier.weight"][:3].clone()

        with pytest.raises(OSError, match=r"TC010.*classifier\.weight.*\[3, 32\].*\[5, 32\].*id2label"):
            import_hf(changed_weights(checkpoint, tmp_path / "cut", cut))
