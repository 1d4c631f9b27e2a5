"""Fixtures of all rooms: tiny random encoders, a tiny pipeline, and what is used where it is at hand."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"  # before anything imports huggingface_hub

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import spacy
import torch
from spacy.language import Language
from tiny_encoders import write_encoder

from spacy_tokclf import compat

ROOT = Path(__file__).parents[1]
LABELS = ["corporation", "creative-work", "group", "location", "person", "product"]


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Keep tiny models on one thread: more would only wait for each other."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def auto_is_fp32() -> Iterator[None]:
    """Let `precision = "auto"` mean fp32 on the CPU: comparisons to five digits hold on any processor."""
    with pytest.MonkeyPatch.context() as patch:
        cpu_has = compat.cpu_has
        patch.setattr(compat, "cpu_has", lambda feature: feature == "avx512" and cpu_has(feature))
        yield


@pytest.fixture(autouse=True)
def fixed_seed() -> None:
    """Start every test from the same random state."""
    spacy.util.fix_random_seed(0)


@pytest.fixture(scope="session")
def make_encoder(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Give a function with the arguments of `tiny_encoders.write_encoder` (less the folder); each folder is written
    once a session, so nobody may change it."""
    made: dict[Any, Path] = {}

    def make(model_type: str = "distilbert", **settings: Any) -> Path:
        key = (model_type, *sorted(settings.items()))
        if key not in made:
            made[key] = write_encoder(tmp_path_factory.mktemp(model_type) / "encoder", model_type, **settings)
        return made[key]

    return make


@pytest.fixture(scope="session")
def encoder_dir(make_encoder: Callable[..., Path]) -> Path:
    """Folder of a tiny random DistilBERT without dropout: 2 layers, width 32, 64 positions."""
    return make_encoder()


@pytest.fixture(scope="session")
def encoder_dir_dropout(make_encoder: Callable[..., Path]) -> Path:
    """The same encoder, weights included, with the dropout of 0.1 that real ones have."""
    return make_encoder(dropout=0.1)


@pytest.fixture
def make_nlp(encoder_dir: Path) -> Callable[..., Language]:
    """Give a function that builds a pipeline with an initialized `token_classifier` named "ner"."""

    def make(
        encoder: Path = encoder_dir,
        *,
        labels: list[str] | dict[str, Any] = LABELS,
        config: dict[str, Any] | None = None,
        seed: int = 0,
        lang: str = "en",
    ) -> Language:
        nlp = spacy.blank(lang)
        nlp.add_pipe("token_classifier", name="ner", config=config or {})
        loader = {"@misc": "spacy-tokclf.PretrainedEncoder.v1", "name": str(encoder)}
        nlp.config["initialize"]["components"]["ner"] = {"encoder": loader, "labels": labels}
        spacy.util.fix_random_seed(seed)
        nlp.initialize()
        return nlp

    return make


@pytest.fixture
def nlp(make_nlp: Callable[..., Language]) -> Language:
    """A fresh pipeline with an initialized, untrained `token_classifier` named "ner" and the six types of WNUT-17."""
    return make_nlp()


@pytest.fixture
def blocked_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every attempt to reach the network fail the test, whatever would catch an error."""

    def refuse(*args: Any, **kwargs: Any) -> Any:
        pytest.fail("the network was used")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refuse)


@pytest.fixture(scope="session")
def wnut17_dir() -> Path:
    """Folder with WNUT-17 as published; the test is skipped where it is not at hand."""
    for folder in (os.environ.get("WNUT17_DIR"), ROOT / "assets" / "wnut17"):
        if folder and (Path(folder) / "emerging.test.annotated").is_file():
            return Path(folder)
    pytest.skip("WNUT-17 is not at hand: set WNUT17_DIR")


@pytest.fixture(scope="session")
def embedded_encoder() -> Path:
    """Folder of the embedded encoder; the test is skipped where it has not been made."""
    folder = ROOT / "assets" / "encoder"
    if not (folder / "model.safetensors").is_file():
        pytest.skip("the embedded encoder is not at hand: run `spacy project run encoder`")
    return folder
