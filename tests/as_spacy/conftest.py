"""A small trained pipeline with our component in the place of spaCy's `ner`, inline and with a shared encoder."""

from collections.abc import Callable
from pathlib import Path

import pytest
import spacy
from pipeline_posts import add_ner, initialize, overfit, read_posts
from spacy.language import Language
from spacy.util import fix_random_seed


def _train(folder: Path, *, shared: bool = False, crf: bool = False, steps: int = 40) -> Language:
    fix_random_seed(1)
    nlp = spacy.blank("en")
    if shared:
        nlp.add_pipe("transformer_encoder", name="transformer")
    add_ner(nlp, shared=shared, crf=crf)
    initialize(nlp, folder, read_posts(nlp), owners=("transformer" if shared else "ner",))
    overfit(nlp, steps=steps)
    return nlp


@pytest.fixture(scope="session")
def as_trained(encoder_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Give a function that gives the folder of a trained pipeline; each is trained once."""
    made: dict[tuple[bool, bool, int], Path] = {}

    def folder(*, shared: bool = False, crf: bool = False, steps: int = 40) -> Path:
        key = (shared, crf, steps)
        if key not in made:
            made[key] = tmp_path_factory.mktemp("as_spacy") / "model"
            _train(encoder_dir, shared=shared, crf=crf, steps=steps).to_disk(made[key])
        return made[key]

    return folder


@pytest.fixture
def model(as_trained: Callable[..., Path]) -> Path:
    """Folder of the trained pipeline."""
    return as_trained()


@pytest.fixture
def ner_nlp(model: Path) -> Language:
    """The trained pipeline, loaded anew."""
    return spacy.load(model)
