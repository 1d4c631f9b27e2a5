"""The length of training in epochs: the numbers that spaCy's own loop is given, and what it makes of them."""

import random
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import registry
from thinc.api import Config

from spacy_tokclf.corpus.epochs import count_updates
from spacy_tokclf.training.epochs import make_epochs_v1, plan_steps

NAME = "spacy-tokclf.epochs.v1"
LENGTHS = "spacy-tokclf.LengthBatcher.v1"
BATCHERS = [
    {"@batchers": LENGTHS, "size": 3, "buffer": 2},
    {"@batchers": LENGTHS, "size": 4, "buffer": 64, "max_tokens": 20},
    {"@batchers": "spacy.batch_by_words.v1", "size": 12, "tolerance": 0.2, "discard_oversize": True},
    {"@batchers": "spacy.batch_by_padded.v1", "size": 20, "buffer": 8, "discard_oversize": False},
    {
        "@batchers": "spacy.batch_by_sequence.v1",
        "size": {"@schedules": "compounding.v1", "start": 1, "stop": 6, "compound": 1.1},
    },
]
COPIES = {"@augmenters": "spacy-tokclf.lower_copies.v1", "level": 0.5}


def write_texts(path: Path, lengths: list[int]) -> Path:
    """Write texts of some lengths, all with capitals."""
    vocab = spacy.blank("en").vocab
    docs = [Doc(vocab, words=["Rain"] * length, ents=["O"] * length) for length in lengths]
    DocBin(docs=docs).to_disk(path)
    return path


def config_of(path: Path, *, corpus: dict[str, Any] | None = None, **training: Any) -> Config:
    """Give the config of a training without components: whatever is counted is counted by spaCy's loop alone."""
    read = {"@readers": "spacy.Corpus.v1", "path": str(path)}
    return Config(
        {
            "nlp": {"lang": "en", "pipeline": []},
            "corpora": {"train": read | (corpus or {}), "dev": read | {"limit": 1}},
            "training": {
                "logger": {"@loggers": "test.Steps.v1"},
                "patience": 0,
                "seed": 0,
                "gpu_allocator": None,
                **training,
            },
            "initialize": {},
        }
    )


class Seen:
    """The steps of a training: the epoch of each, and which were evaluated."""

    def __init__(self) -> None:
        self.epochs: list[int] = []
        self.evaluated: list[int] = []


@pytest.fixture(autouse=True)
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    """Record the steps of trainings."""
    steps = Seen()

    def make_logger() -> Any:
        def setup(nlp: Language, stdout: Any = None, stderr: Any = None) -> Any:
            return (lambda info: steps.evaluated.append(info["step"]) if info is not None else None), lambda: None

        return setup

    def make_before_update() -> Any:
        return lambda nlp, args: steps.epochs.append(args["epoch"])

    registry.loggers.register("test.Steps.v1", func=make_logger)
    registry.callbacks.register("test.Count.v1", func=make_before_update)
    return steps


def run(config: Config, seen: Seen) -> Any:
    """Train as `spacy train` does. RETURNS (dict[str, Any]): The section [training] that the loop had."""
    seen.epochs, seen.evaluated = [], []
    config["training"]["before_update"] = {"@callbacks": "test.Count.v1"}
    nlp = init_nlp(config)
    train(nlp)
    return nlp.config["training"]


@given(updates=st.integers(1, 5000), evaluations=st.integers(1, 300))
def test_the_last_step_is_an_evaluation(updates: int, evaluations: int) -> None:
    last, frequency = plan_steps(updates, evaluations)
    assert last % frequency == 0 and frequency <= last
    assert abs(last - updates) <= frequency / 2
    if updates % evaluations == 0:
        assert (last, last // frequency) == (updates, evaluations)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=40),
    epochs=st.sampled_from([1, 2, 3, 0.5, 2.5]),
    batcher=st.sampled_from(BATCHERS),
    corpus=st.sampled_from([{}, {"augmenter": COPIES}, {"max_length": 7}, {"limit": 5}]),
    evaluations=st.sampled_from([1, 2, 0.5]),
)
def test_the_loop_makes_as_many_epochs(
    lengths: list[int],
    epochs: float,
    batcher: dict[str, Any],
    corpus: dict[str, Any],
    evaluations: float,
    tmp_path: Path,
    seen: Seen,
) -> None:
    path = write_texts(tmp_path / "texts.spacy", [1, *lengths])
    config = config_of(path, batcher=batcher, corpus=corpus)
    config["initialize"]["after_init"] = {"@callbacks": NAME, "epochs": epochs, "evaluations": evaluations}
    training = run(config, seen)
    last, frequency = training["max_steps"], training["eval_frequency"]
    assert seen.evaluated == list(range(0, last + 1, frequency)) and seen.evaluated[-1] == last > 0
    assert len(seen.epochs) == last + 1  # the loop counts from 0
    # What was counted beforehand is what came: the batches of the epochs that were whole.
    nlp = init_nlp(config_of(path, batcher=batcher, corpus=corpus))
    for whole in range(1, seen.epochs[-1] + 1):
        assert count_updates(nlp, whole) == sum(epoch < whole for epoch in seen.epochs)
    updates = count_updates(nlp, epochs)
    assert abs(last - updates) <= frequency / 2


@pytest.mark.parametrize(
    ("texts", "epochs", "expected"), [(1, 1, (1, 1)), (16, 3, (12, 4)), (17, 2, (10, 5)), (16, 0.5, (2, 2))]
)
def test_an_evaluation_ends_each_epoch(
    texts: int, epochs: float, expected: tuple[int, int], tmp_path: Path, seen: Seen
) -> None:
    path = write_texts(tmp_path / "texts.spacy", [5] * texts)
    config = config_of(path, batcher={"@batchers": LENGTHS, "size": 4}, max_steps=0)
    config["initialize"]["after_init"] = {"@callbacks": NAME, "epochs": epochs}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        training = run(config, seen)
    assert (training["max_steps"], training["eval_frequency"]) == expected
    assert len(seen.evaluated) == 1 + expected[0] // expected[1]


def test_gradients_that_are_added_up_change_nothing(tmp_path: Path, seen: Seen) -> None:
    path = write_texts(tmp_path / "texts.spacy", [5] * 16)
    config = config_of(path, batcher={"@batchers": LENGTHS, "size": 4}, accumulate_gradient=3)
    config["initialize"]["after_init"] = {"@callbacks": NAME, "epochs": 3}
    assert run(config, seen)["max_steps"] == 12


def test_the_rate_follows_the_steps_that_were_set(tmp_path: Path, seen: Seen) -> None:
    path = write_texts(tmp_path / "texts.spacy", [5] * 16)
    rate = {"@schedules": "spacy-tokclf.warmup_linear.v2", "initial_rate": 1.0, "warmup": 0.25}
    optimizer = {"@optimizers": "Adam.v1", "learn_rate": rate | {"total_steps": "${training.max_steps}"}}
    config = config_of(path, batcher={"@batchers": LENGTHS, "size": 4}, max_steps=0, optimizer=optimizer)
    config["initialize"]["after_init"] = {"@callbacks": NAME, "epochs": 2}
    nlp = init_nlp(config)
    made = registry.resolve({"optimizer": nlp.config.interpolate()["training"]["optimizer"]})["optimizer"]
    rates = []
    for _ in range(9):
        rates.append(made.learn_rate)
        made.step_schedules()
    assert rates == pytest.approx([0, 0.5, 1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6, 0])


def test_counting_draws_no_random_numbers(tmp_path: Path) -> None:
    path = write_texts(tmp_path / "texts.spacy", [5] * 16)
    nlp = init_nlp(config_of(path, batcher=BATCHERS[0], corpus={"augmenter": COPIES}))
    states = random.getstate(), np.random.get_state()[1].tolist()  # type: ignore[union-attr]
    assert count_updates(nlp, 2) > 0
    assert (random.getstate(), np.random.get_state()[1].tolist()) == states  # type: ignore[union-attr]


@pytest.mark.parametrize("limit", [-1, 3])
def test_streams_and_another_limit_are_refused(limit: int, tmp_path: Path) -> None:
    config = config_of(write_texts(tmp_path / "texts.spacy", [5] * 4), max_epochs=limit)
    config["initialize"]["after_init"] = {"@callbacks": NAME, "epochs": 2}
    with pytest.raises(ValueError, match=f"TC350.*max_epochs = {limit}"):
        init_nlp(config)


def test_a_batcher_without_batches_is_refused(tmp_path: Path) -> None:
    batcher = {"@batchers": "spacy.batch_by_words.v1", "size": 2, "tolerance": 0.0, "discard_oversize": True}
    config = config_of(write_texts(tmp_path / "texts.spacy", [5] * 4), batcher=batcher)
    config["initialize"]["after_init"] = {"@callbacks": NAME, "epochs": 2}
    with pytest.raises(ValueError, match=r"TC351.*batch_by_words"):
        init_nlp(config)


@pytest.mark.parametrize("given_steps", [0, 20000, 8])
def test_steps_of_the_config_that_are_not_used_are_told(given_steps: int, tmp_path: Path) -> None:
    batcher = {"@batchers": LENGTHS, "size": 4}
    config = config_of(write_texts(tmp_path / "texts.spacy", [5] * 16), batcher=batcher, max_steps=given_steps)
    config["initialize"]["after_init"] = {"@callbacks": NAME, "epochs": 2}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert init_nlp(config).config["training"]["max_steps"] == 8
    config["training"]["max_steps"] = 9
    with pytest.warns(UserWarning, match="TW352.*max_steps = 9.*to 8"):
        init_nlp(config)


@pytest.mark.parametrize("name", ["epochs", "evaluations"])
@pytest.mark.parametrize("value", [0, -1.0, float("inf"), float("nan")])
def test_numbers_out_of_range_are_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"TC031.*{name}"):
        make_epochs_v1(**({"epochs": 1.0} | {name: value}))


def test_a_pipeline_that_names_no_data_is_initialized(tmp_path: Path) -> None:
    config = config_of(write_texts(tmp_path / "texts.spacy", [2, 3]))
    config["initialize"]["after_init"] = {"@callbacks": NAME, "epochs": 3}
    nlp = init_nlp(config)
    steps = nlp.config["training"]["max_steps"]
    nlp.config["corpora"]["train"]["path"] = None  # as in a saved pipeline
    nlp.initialize(list)
    assert nlp.config["training"]["max_steps"] == steps
    nlp.config["corpora"]["train"] = {"@readers": "spacy-tokclf.Corpus.v1", "path": None}
    nlp.initialize(list)
