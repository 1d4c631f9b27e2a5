"""The loop of `train`: the bits of `spacy train`, in one go and broken off."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from small_pipelines import save_pipeline
from spacy.language import Language
from spacy.ml.models.tagger import build_tagger_model
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import registry
from tagged_training import CONFIG, write_tagged
from thinc.api import Model, PyTorchWrapper, chain, with_array
from trainings import Broken, break_off, differences

from spacy_tokclf.training.config import read_training_config
from spacy_tokclf.training.run import _keep_log, train_pipeline

ADAM = {"@optimizers": "Adam.v1", "learn_rate": 0.002, "L2": 0.01}
RADAM = {"@optimizers": "RAdam.v1", "learn_rate": {"@schedules": "decaying.v1", "base_rate": 0.002, "decay": 0.1}}
WORDS = {"@batchers": "spacy.batch_by_words.v1", "size": {"@schedules": "compounding.v1"}, "discard_oversize": False}
WORDS["size"] |= {"start": 20, "stop": 60, "compound": 1.1}
#: Settings that change what the loop does.
SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "accumulated": {"training.accumulate_gradient": 3, "training.optimizer.use_averages": False},
    "patience": {"training.patience": 6, "training.max_steps": 0, "training.score_weights.ents_f": 0.0},
    "epochs": {"training.max_epochs": 2, "training.max_steps": 0},
    "stream": {"training.max_epochs": -1},
    "Adam": {"training.optimizer": ADAM, "training.dropout": 0.2},
    "RAdam": {"training.optimizer": RADAM},
    "words": {"training.batcher": WORDS},
    "callback": {"training.before_update": {"@callbacks": "test.draws.v1"}},
    "crf": {"components.ner.model.crf": True},
    "torch": {"components.tagger.model": {"@architectures": "test.TorchTagger.v1", "tok2vec": None}},
    "frozen": {"training.frozen_components": ["tagger"], "training.annotating_components": ["tagger", "ner"]},
}

QUICK = ("plain", "torch")

pytestmark = pytest.mark.filterwarnings("ignore:.*TW35")


@pytest.fixture(scope="module", autouse=True)
def registered() -> None:
    """Register what a user's own code would."""

    @registry.callbacks("test.draws.v1")
    def make_draws() -> Callable[[Language, dict[str, Any]], None]:
        def draw(nlp: Language, info: dict[str, Any]) -> None:
            """Change the state of the generator from which the batcher draws."""
            import random

            random.seed(f"{info['step']} {info['epoch']}")

        return draw

    @registry.architectures("test.TorchTagger.v1")
    def make_torch_tagger(tok2vec: Model) -> Model:
        module = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.Dropout(0.1))
        return build_tagger_model(chain(tok2vec, with_array(PyTorchWrapper(module))))


@pytest.fixture(scope="module")
def values(encoder_dir_dropout: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Overrides of the paths in CONFIG: the posts, with tags."""
    return write_tagged(tmp_path_factory.mktemp("tagged")) | {"paths.encoder": str(encoder_dir_dropout)}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The file of CONFIG."""
    path = tmp_path / "config.cfg"
    path.write_text(CONFIG)
    return path


def overrides(name: str, values: dict[str, Any], tmp_path: Path) -> dict[str, Any]:
    """Give the overrides for one of SETTINGS."""
    own = dict(SETTINGS[name])
    if name == "torch":
        listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 8, "upstream": "tok2vec"}
        own["components.tagger.model"] = own["components.tagger.model"] | {"tok2vec": listener}
    if name == "frozen":
        source = save_pipeline(tmp_path / "source", shared=False)
        own |= {"components.tagger": {"source": str(source)}, "nlp.pipeline": ["tagger", "ner"]}
    return values | own


def train_as_spacy_does(config: Path, out: Path, values: dict[str, Any]) -> None:
    """Train by spaCy's own loop."""
    nlp = init_nlp(read_training_config(config, values))
    _keep_log(nlp, out)
    out.mkdir()
    train(nlp, out)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in SETTINGS]
)
def test_the_bits_are_those_of_spacy_train_in_one_go_and_broken_off(
    name: str, values: dict[str, Any], config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = overrides(name, values, tmp_path)
    train_as_spacy_does(config, tmp_path / "spacy", own)
    given: dict[str, Any] = {"overrides": own, "checkpoint_steps": 3, "checkpoints": "kept", "silent": True}
    train_pipeline(config, tmp_path / "whole", **given)
    assert differences(tmp_path / "spacy", tmp_path / "whole") == []
    breaks = [("save", 4), ("take_step", 6), ("save", 12)]  # what is left after the last one is to save
    for part, step in breaks if name in QUICK else breaks[1:2]:
        with monkeypatch.context() as patch, pytest.raises(Broken):
            break_off(patch, part, step)
            train_pipeline(config, tmp_path / "broken", resume=True, **given)
    train_pipeline(config, tmp_path / "broken", resume=True, **given)
    assert differences(tmp_path / "whole", tmp_path / "broken") == []
