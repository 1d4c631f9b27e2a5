"""Pipelines with tiny encoders, fresh and trained."""

from collections.abc import Callable
from pathlib import Path

import pytest
import spacy
from pipeline_posts import add_ner, initialize, overfit, read_posts
from spacy.language import Language
from spacy.util import fix_random_seed
from tiny_encoders import write_encoder


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a tiny encoder with dropout."""
    return write_encoder(tmp_path_factory.mktemp("encoder") / "tiny", dropout=0.1)


@pytest.fixture(scope="session")
def plain_encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a tiny encoder without dropout."""
    return write_encoder(tmp_path_factory.mktemp("encoder") / "plain", dropout=0.0)


@pytest.fixture
def make_nlp(plain_encoder_folder: Path) -> Callable[..., Language]:
    """Give a function that makes an initialized pipeline."""

    def make(*, shared: bool = False, seed: int = 0, **settings: object) -> Language:
        fix_random_seed(seed)
        nlp = spacy.blank("en")
        if shared:
            nlp.add_pipe("transformer_encoder", name="transformer")
        add_ner(nlp, shared=shared, **settings)
        owner = "transformer" if shared else "ner"
        initialize(nlp, plain_encoder_folder, read_posts(nlp), owners=(owner,))
        return nlp

    return make


@pytest.fixture(scope="session")
def trained_bytes(plain_encoder_folder: Path) -> dict[bool, bytes]:
    """Give a trained pipeline, inline and shared, as bytes."""
    trained = {}
    for shared in (False, True):
        fix_random_seed(1)
        nlp = spacy.blank("en")
        if shared:
            nlp.add_pipe("transformer_encoder", name="transformer")
        add_ner(nlp, shared=shared)
        owner = "transformer" if shared else "ner"
        initialize(nlp, plain_encoder_folder, read_posts(nlp), owners=(owner,))
        overfit(nlp)
        trained[shared] = nlp.to_bytes()
    return trained


@pytest.fixture
def load_trained(trained_bytes: dict[bool, bytes]) -> Callable[..., Language]:
    """Give a function that opens the trained pipeline anew."""

    def load(*, shared: bool = False, **settings: object) -> Language:
        nlp = spacy.blank("en")
        if shared:
            nlp.add_pipe("transformer_encoder", name="transformer")
        add_ner(nlp, shared=shared, **settings)
        return nlp.from_bytes(trained_bytes[shared])

    return load
