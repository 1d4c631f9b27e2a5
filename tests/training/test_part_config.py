"""The config of a training on a part of the data."""

from typing import Any

import pytest
from thinc.api import Config

from spacy_tokclf.training.part_config import has_epochs, part_config, without_augmenter

AUGMENTER = {"@augmenters": "spacy-tokclf.lower_copies.v1", "level": 0.5}
EPOCHS = {"@callbacks": "spacy-tokclf.epochs.v1", "epochs": 5}


def config_of(after_init: Any = None, **training: Any) -> Config:
    rate = {"warmup_steps": 40, "total_steps": "${training.max_steps}", "initial_rate": 0.1}
    steps = {"max_steps": 400, "eval_frequency": 100, "patience": 200}
    return Config(
        {
            "system": {"seed": 7},
            "corpora": {"train": {"@readers": "spacy.Corpus.v1", "path": "x", "augmenter": AUGMENTER}},
            "training": {**steps, "seed": "${system.seed}", "optimizer": {"learn_rate": rate}, **training},
            "initialize": {"after_init": after_init},
        }
    )


def test_steps_are_scaled() -> None:
    config = config_of()
    made = part_config(config, share=0.25, seed=3).interpolate()["training"]
    assert (made["max_steps"], made["eval_frequency"], made["patience"], made["seed"]) == (100, 25, 50, 3)
    assert made["optimizer"]["learn_rate"] == {"warmup_steps": 10, "total_steps": 100, "initial_rate": 0.1}
    few = part_config(config, share=0.001, seed=3)["training"]
    assert (few["max_steps"], few["eval_frequency"], few["optimizer"]["learn_rate"]["warmup_steps"]) == (1, 1, 1)
    odd = part_config(config_of(max_steps=333), share=0.5, seed=3)["training"]
    assert odd["max_steps"] % odd["eval_frequency"] == 0, "the last step is evaluated"
    assert config.to_str(interpolate=False) == config_of().to_str(interpolate=False), "the config stays"


def test_epochs_of_spacy_need_no_steps() -> None:
    made = part_config(config_of(max_steps=0, max_epochs=3), share=0.25, seed=3)["training"]
    assert (made["max_steps"], made["max_epochs"], made["eval_frequency"], made["patience"]) == (0, 3, 25, 50)


@pytest.mark.parametrize("after", [EPOCHS, {"@callbacks": "spacy-tokclf.chain.v1", "*": {"then": EPOCHS}}])
def test_where_epochs_are_given_nothing_is_scaled(after: dict[str, Any]) -> None:
    config = config_of(after)
    assert has_epochs(config) and not has_epochs(config_of()) and not has_epochs(Config({}))
    made = part_config(config, share=0.25, seed=3)["training"]
    given = config["training"]
    assert {**made, "seed": 0} == {**given, "seed": 0}


def test_the_reader_is_put_into_ours() -> None:
    made = part_config(config_of(), share=0.25, seed=3)["corpora"]["train"]
    reader = made.pop("corpus")
    assert (reader["@readers"], reader["path"]) == ("spacy.Corpus.v1", "x")
    assert reader.get("augmenter") is None
    assert made == {
        "@readers": "spacy-tokclf.PartOfCorpus.v1",
        "share": 0.25,
        "seed": 3,
        "augmenter": AUGMENTER,
    }


def test_a_stream_has_no_parts() -> None:
    with pytest.raises(ValueError, match="TC385"):
        part_config(config_of(max_epochs=-1), share=0.5, seed=0)


def test_the_readers_may_be_left_to_spacy() -> None:
    config = Config({"paths": {"train": "a.spacy"}, "training": {}, "initialize": {"after_init": EPOCHS}})
    made = part_config(config, share=0.5, seed=3)
    part = made.interpolate()["corpora"]["train"]
    assert (part["share"], part["corpus"]["@readers"], part["corpus"]["path"]) == (0.5, "spacy.Corpus.v1", "a.spacy")
    assert without_augmenter(config)["corpora"]["dev"]["path"] == "${paths.dev}"
    assert "nlp" not in made and "corpora" not in config


def test_one_of_several_corpora_of_a_function_has_no_reader() -> None:
    config = Config({"corpora": {"both": {"@readers": "both.v1", "path": "x"}}, "training": {}})
    for name in ("corpora.both.train", "corpora.none", "corpora.both.path"):
        config["training"]["train_corpus"] = name
        with pytest.raises(ValueError, match="TC394"):
            part_config(config, share=0.5, seed=0)
        with pytest.raises(ValueError, match="TC394"):
            without_augmenter(config)
