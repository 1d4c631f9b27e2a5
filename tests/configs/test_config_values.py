"""Unknown keys and values of a wrong type are refused, and the message names the key."""

from pathlib import Path
from typing import Any

import pytest
from config_runs import FOLDER, NAMES, short
from spacy.training.initialize import init_nlp
from spacy.util import load_config
from thinc.api import ConfigValidationError

NER = "components.ner"
TOK2VEC = "components.ner.model.tok2vec"
LOADER = "initialize.components.ner.encoder"
UNKNOWN = [
    f"{NER}.decoder",
    "components.ner.model.dropout",
    f"{TOK2VEC}.revision",
    "components.ner.scorer.mode",
    "corpora.train.columns",
    "training.batcher.max_pieces",
    "training.optimizer.learning_rate",
    "training.optimizer.learn_rate.warmup_share",
    "initialize.components.ner.label",
    f"{LOADER}.branch",
]
WRONG = [
    (f"{NER}.decode", 3),
    (f"{NER}.threshold", "high"),
    (f"{NER}.overwrite_ents", "maybe"),
    (f"{NER}.spans_key", ["entities"]),
    ("components.ner.model.nO", "many"),
    (f"{TOK2VEC}.window", "wide"),
    (f"{TOK2VEC}.overlap", 1.5),
    (f"{TOK2VEC}.pooling", 1),
    ("components.ner.scorer.score_prefix", 1),
    ("corpora.dev.limit", "few"),
    ("corpora.train.tag_column", 1.5),
    ("training.batcher.size", 2.5),
    ("training.optimizer.use_averages", "sometimes"),
    ("training.optimizer.max_grad_norm", "one"),
    ("training.optimizer.learn_rate.initial_rate", "high"),
    ("initialize.components.ner.labels", "person"),
    (f"{LOADER}.name", 3),
    (f"{LOADER}.head", "sometimes"),
]
SHARED = [
    ("components.transformer.width", 768),
    ("components.transformer.model.window", "wide"),
    ("components.ner.model.tok2vec.upstream", 1),
    ("components.ner.model.tok2vec.width", 768),
    ("initialize.components.transformer.labels", ["person"]),
]


def refused(name: str, key: str, value: Any, posts: Path, encoder: Path) -> str:
    """Give the message with which a config is refused that has one value set."""
    config = load_config(FOLDER / f"{name}.cfg", overrides=short(name, posts, encoder))
    *sections, last = key.split(".")
    block = config
    for section in sections:
        block = block[section]
    block[last] = value
    with pytest.raises(ConfigValidationError) as caught:
        init_nlp(config)
    return str(caught.value)


@pytest.mark.parametrize("key", UNKNOWN)
def test_unknown_key(key: str, posts: Path, encoder_dir: Path) -> None:
    assert key.rsplit(".", 1)[1] in refused("own_data", key, 1, posts, encoder_dir).split("{")[0]


@pytest.mark.parametrize(("key", "value"), WRONG)
def test_wrong_type(key: str, value: Any, posts: Path, encoder_dir: Path) -> None:
    assert key.rsplit(".", 1)[1] in refused("own_data", key, value, posts, encoder_dir).split("{")[0]


@pytest.mark.parametrize(("key", "value"), SHARED)
def test_shared(key: str, value: Any, posts: Path, encoder_dir: Path) -> None:
    assert key.rsplit(".", 1)[1] in refused("wnut17_shared", key, value, posts, encoder_dir).split("{")[0]


@pytest.mark.parametrize("name", NAMES)
def test_no_encoder(name: str, posts: Path) -> None:
    overrides = short(name, posts, "") | {"paths.encoder": None}
    with pytest.raises(ConfigValidationError, match="name"):
        init_nlp(load_config(FOLDER / f"{name}.cfg", overrides=overrides))
