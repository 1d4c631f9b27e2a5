"""What plain `spacy train` does without a word is told: once, in training alone, and only where it is so."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import spacy
from config_runs import FAST, FOLDER, run, short
from pipeline_posts import read_posts
from spacy.language import Language
from spacy.training.initialize import init_nlp
from spacy.util import load_config, registry
from thinc.api import Adam

from spacy_tokclf import train_step
from spacy_tokclf.training.callbacks import make_chain_v1
from spacy_tokclf.training.config import overridden
from spacy_tokclf.training.optimizer import make_adamw_v1

CNN = {"@architectures": "spacy.HashEmbedCNN.v2", "width": 32, "depth": 1, "embed_size": 100}
CNN |= {"window_size": 1, "maxout_pieces": 2, "subword_features": False, "pretrained_vectors": None}
PLAIN_ADAM = {"@optimizers": "Adam.v1", "learn_rate": 0.001}


def told(action: Callable[[], Any]) -> list[str]:
    """Run something, and give the codes of the warnings about trainings that came."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        action()
    texts = [str(one.message) for one in caught]
    return [text[1:6] for text in texts if text.startswith("[TW35")]


@pytest.fixture
def train(posts: Path, encoder_dir: Path, tmp_path: Path) -> Callable[..., list[str]]:
    """Give a function that trains by spaCy's loop with some steps, in [training], and gives the codes of warnings."""

    def make(config: str = "own_data", *, blocks: dict[str, Any] | None = None, **training: Any) -> list[str]:
        overrides = short(config, posts, encoder_dir) | {f"training.{key}": value for key, value in training.items()}
        replaced = tuple(blocks or {})
        overrides = {key: value for key, value in overrides.items() if not key.startswith(replaced)}
        return told(lambda: run(config, tmp_path / "out", overrides, blocks=blocks))

    return make


@pytest.mark.parametrize(
    ("training", "code"),
    [
        ({"max_steps": 4, "eval_frequency": 200}, ["TW350"]),
        ({"max_steps": 8, "eval_frequency": 4, "patience": 2}, ["TW350"]),
        ({"max_steps": 0, "max_epochs": 3, "eval_frequency": 200}, ["TW350"]),  # one batch an epoch
        ({"max_steps": 5, "eval_frequency": 4}, ["TW351"]),
        ({"max_steps": 200, "max_epochs": 4, "eval_frequency": 2}, ["TW351"]),
        ({"max_steps": 4, "eval_frequency": 2}, []),
        ({"max_steps": 4, "eval_frequency": 4}, []),
        ({"max_steps": 4, "eval_frequency": 2, "patience": 2}, []),
        ({"max_steps": 0, "max_epochs": 5, "eval_frequency": 2}, []),
        ({"max_steps": 4, "max_epochs": -1, "eval_frequency": 2}, []),
    ],
)
def test_a_length_that_does_not_fit(training: dict[str, Any], code: list[str], train: Callable[..., list[str]]) -> None:
    blocks = {"initialize.components.ner.labels": ["creative-work", "location", "person", "product"]}
    assert train(blocks=blocks if training.get("max_epochs") == -1 else None, **training) == code


def test_a_training_without_an_end(posts: Path, encoder_dir: Path) -> None:
    overrides = short("own_data", posts, encoder_dir) | {"training.max_steps": 0}
    nlp = init_nlp(overridden(load_config(FOLDER / "own_data.cfg", interpolate=False), overrides))
    assert told(lambda: train_step(nlp, read_posts(nlp), make_adamw_v1(1e-4))) == ["TW356"]


def test_a_shared_encoder_is_told_once(train: Callable[..., list[str]]) -> None:
    assert train("wnut17_shared", max_steps=5, eval_frequency=4) == ["TW351"]
    rate = {"optimizer.learn_rate.initial_rate": 0.001}
    assert train("wnut17_shared", max_steps=4, eval_frequency=4, **rate) == ["TW354"]


def test_the_callback_fits(train: Callable[..., list[str]]) -> None:
    block = {"@callbacks": "spacy-tokclf.epochs.v1", "epochs": 3}
    assert train(blocks={"initialize.after_init": block}, max_steps=0, eval_frequency=200) == []


def test_loops_of_other_people_evaluate_when_they_like(
    make_nlp: Callable[..., Language], posts: Path, encoder_dir: Path
) -> None:
    overrides = short("own_data", posts, encoder_dir) | {"training.max_steps": 5, "training.eval_frequency": 4}
    nlp = init_nlp(overridden(load_config(FOLDER / "own_data.cfg", interpolate=False), overrides))
    assert told(lambda: train_step(nlp, read_posts(nlp), nlp._optimizer)) == []  # type: ignore[arg-type]
    saved = spacy.util.load_model_from_config(nlp.config)
    saved.from_bytes(nlp.to_bytes())
    assert told(lambda: train_step(saved, read_posts(saved), make_adamw_v1(1e-4))) == []
    assert told(lambda: train_step(saved, read_posts(saved), saved.resume_training())) == []
    plain = make_nlp()
    assert told(lambda: train_step(plain, read_posts(plain), make_adamw_v1(1e-4))) == []


@pytest.mark.parametrize(
    ("optimizer", "code"),
    [
        (PLAIN_ADAM, ["TW354"]),
        (PLAIN_ADAM | {"learn_rate": 5e-5}, ["TW355"]),
        ({"@optimizers": "spacy-tokclf.AdamW.v1", "learn_rate": 0.001}, ["TW354"]),
        ({"@optimizers": "spacy-tokclf.AdamW.v1", "learn_rate": 3e-4}, []),
    ],
)
def test_an_optimizer_that_does_not_suit_a_pretrained_encoder(
    optimizer: dict[str, Any], code: list[str], train: Callable[..., list[str]]
) -> None:
    assert train(blocks={"training.optimizer": optimizer}, max_steps=4, eval_frequency=4) == code


def test_a_rate_that_rises_is_told_where_it_is_too_high(train: Callable[..., list[str]]) -> None:
    rate = "optimizer.learn_rate.initial_rate"
    assert train(max_steps=4, eval_frequency=4, **{rate: FAST[f"training.{rate}"]}) == ["TW354"]
    assert train(max_steps=4, eval_frequency=4, **{rate: 3e-4}) == []


def test_what_is_not_pretrained_learns_as_fast_as_it_likes(train: Callable[..., list[str]]) -> None:
    blocks = {
        "components.ner.model.tok2vec": CNN,
        "initialize.components.ner": {},
        "training.optimizer": PLAIN_ADAM | {"learn_rate": 0.01},
    }
    assert train(blocks=blocks, max_steps=4, eval_frequency=4) == []


def test_annotation_tells_nothing(make_nlp: Callable[..., Language]) -> None:
    nlp = make_nlp()
    nlp._optimizer = Adam(0.1)
    assert told(lambda: [nlp("a b"), nlp.to_bytes(), nlp.evaluate(read_posts(nlp))]) == []


def test_callbacks_in_turn(posts: Path, encoder_dir: Path, tmp_path: Path) -> None:
    """More entity types for a sourced component, and epochs: where a config has room for one callback."""
    run("own_data", tmp_path / "first", short("own_data", posts, encoder_dir, steps=2))
    chain = {
        "@callbacks": "spacy-tokclf.chain.v1",
        "*": {
            "labels": {"@callbacks": "spacy-tokclf.add_labels.v1", "labels": ["river"]},
            "epochs": {"@callbacks": "spacy-tokclf.epochs.v1", "epochs": 3},
        },
    }
    blocks = {
        "components.ner": {"source": str(tmp_path / "first" / "model-last")},
        "initialize.components": {},
        "initialize.after_init": chain,
    }
    overrides = short("own_data", posts, encoder_dir)
    del overrides["initialize.after_init"]
    steps = {"training.max_steps": 0, "training.eval_frequency": 0}
    finished = run("own_data", tmp_path / "second", overrides | steps, blocks=blocks)
    assert "river" in finished.best.get_pipe("ner").labels
    assert [row["#"] for row in finished.rows] == ["0", "1", "2", "3"]


def test_a_chain_passes_on_what_each_callback_gives() -> None:
    one, two = spacy.blank("en"), spacy.blank("de")
    met: list[str] = []

    def change(nlp: Language) -> Language:
        met.append(nlp.lang)
        return two

    def note(nlp: Language) -> None:
        met.append(nlp.lang)

    assert make_chain_v1(note, change, note)(one) is two
    assert met == ["en", "en", "de"]
    assert registry.callbacks.get("spacy-tokclf.chain.v1")()(one) is one
