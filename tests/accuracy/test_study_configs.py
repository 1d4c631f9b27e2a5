"""Names of configs: what they stand for, and that spaCy takes those of the repository."""

import json
from collections.abc import Callable

import pytest
from spacy.schemas import ConfigSchemaTraining
from spacy.util import load_model_from_config, registry

from bench.accuracy.configs import Definition, all_names, match_names, resolve
from bench.accuracy.data import WNUT17_POSTS, Data
from bench.accuracy.study import Study
from bench.accuracy.systems import spacy_config

HERE = Study()
ELSEWHERE = {"spacy_transformers", "hf_trainer"}


def training(definition: Definition) -> dict:
    return definition.settings["training"]


def test_names(study: Study) -> None:
    grid = [f"trainer:learn_rate={rate},epochs={epochs}" for rate in (0.0001, 0.003) for epochs in (1, 2)]
    assert all_names(study) == ["default", "plain", "trainer", *grid, "default-averages", "plain+averages"]
    assert match_names(study, ["plain", "trainer:*", "plain"]) == ["plain", *grid]
    assert match_names(study, ["default+dev@sample"]) == ["default+dev@sample"]


@pytest.mark.parametrize("name", ["other", "plain-averages", "plain@other", "trainer:learn_rate=5,epochs=1", "+dev"])
def test_no_such_name(study: Study, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        resolve(study, name)
    assert f"There is no config '{name}'" in capsys.readouterr().out


def test_levers(study: Study) -> None:
    averages = {name: training(resolve(study, name))["optimizer"]["use_averages"] for name in
                ("default", "plain", "default-averages", "plain+averages", "plain+averages+dev@sample")}  # fmt: skip
    assert list(averages.values()) == [True, False, False, True, True]
    text = study.configs.read_text() + "  dropout:\n    with: {training.dropout: 0.25}\n"
    study.configs.write_text(text)
    best = training(resolve(study, "default+dropout+dev"))
    assert best["dropout"] == 0.25 and best["optimizer"]["use_averages"] is True


def test_several_levers_and_whole_blocks(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    block = {"@augmenters": "spacy-tokclf.lower_copies.v1", "level": 0.5}
    copies = f"\n  copies:\n    with: {{corpora.train.augmenter: {json.dumps(block)}}}\n"
    study.configs.write_text(study.configs.read_text() + copies)
    both = resolve(study, "plain+copies+averages+dev")
    assert both.with_dev and training(both)["optimizer"]["use_averages"] is True
    assert both.settings["corpora"]["train"]["augmenter"] == block
    data = Data(study.work, study.work, {"train": 100})
    config, _ = spacy_config(study, both, data, seed=0, log=study.work / "log.jsonl")
    (augmenter,) = registry.resolve({"it": config["corpora"]["train"]["augmenter"]}).values()
    assert augmenter.keywords == {"level": 0.5}
    for name in ("default-averages-copies", "plain+copies+other", "plain+"):
        with pytest.raises(SystemExit):
            resolve(study, name)
        assert f"There is no config '{name}'" in capsys.readouterr().out


def test_settings_that_are_off_are_as_if_they_were_not_there(study: Study) -> None:
    hashes = [resolve(study, "plain").hash]
    config = study.root / "tiny.cfg"
    text = config.read_text()
    for value in ("0.0", "0.1"):
        config.write_text(text.replace("label_smoothing = 0.0\n", f"label_smoothing = {value}\n" * (value != "0.0")))
        hashes.append(resolve(study, "plain").hash)
    assert "label_smoothing = 0.0" in text and hashes[0] == hashes[1] != hashes[2]


def test_equal_definitions_have_equal_hashes(study: Study, commit: Callable[[Study], None]) -> None:
    hashes = {name: resolve(study, name).hash for name in
              ("default", "plain", "default-averages", "plain+averages", "default+dev", "default@sample")}  # fmt: skip
    assert hashes["default"] == hashes["plain+averages"] and hashes["plain"] == hashes["default-averages"]
    assert len(set(hashes.values())) == 4
    # A comment changes nothing, a value does.
    config = study.root / "tiny.cfg"
    config.write_text("# So.\n" + config.read_text())
    assert resolve(study, "plain").hash == hashes["plain"]
    config.write_text(config.read_text().replace("dropout = 0.1", "dropout = 0.2"))
    assert resolve(study, "plain").hash != hashes["plain"]


def test_what_is_fitted_afterwards_is_another_run_of_the_same_training(study: Study) -> None:
    study.configs.write_text(study.configs.read_text().replace("title: the plain one", "tune: [--bias]"))
    study.configs.write_text(study.configs.read_text() + "  tune:\n    without: {tune: null}\n    with: {tune: []}\n")
    plain, default = resolve(study, "plain"), resolve(study, "plain+tune")
    assert plain.tune == ["--bias"] and default.tune == []
    assert plain.training_hash == default.training_hash and plain.hash != default.hash


def test_short_settings(study: Study) -> None:
    study.configs.write_text(
        study.configs.read_text().replace("title: the plain one", "set: {epochs: 8, learn_rate: 1}")
    )
    short = training(resolve(study, "plain"))
    assert (short["max_steps"], short["eval_frequency"]) == (8 * 213, 213)
    rate = short["optimizer"]["learn_rate"]
    assert (rate["initial_rate"], rate["warmup_steps"]) == (1, 170)
    study.configs.write_text(study.configs.read_text().replace("epochs: 8", "training.optimiser.eps: 1"))
    with pytest.raises(SystemExit):
        resolve(study, "plain")


@pytest.mark.parametrize(
    ("posts", "with_dev", "steps"),
    [
        (WNUT17_POSTS, False, (852, 213, 85)),
        (WNUT17_POSTS + 1009, True, (4 * 276, 4 * 276, 110)),
        (411, False, (104, 26, 10)),
    ],
)
def test_epochs_are_kept_whatever_the_data(study: Study, posts: int, with_dev: bool, steps: tuple[int, ...]) -> None:
    definition = resolve(study, "plain+dev" if with_dev else "plain")
    data = Data(study.work, study.work, {"train": posts})
    config, epoch = spacy_config(study, definition, data, seed=3, log=study.work / "log.jsonl")
    found = config["training"]
    assert (found["max_steps"], found["eval_frequency"], found["optimizer"]["learn_rate"]["warmup_steps"]) == steps
    assert epoch == -(-posts // 16) and found["max_steps"] == 4 * epoch
    assert config["system"]["seed"] == 3 and config["paths"]["train"].endswith("train.spacy")
    assert config["components"]["ner"]["model"]["tok2vec"]["precision"] == "auto"
    assert definition.settings["training"]["max_steps"] == 852, "the definition is left alone"


@pytest.mark.parametrize("name", [name for name in all_names(HERE) if ":" not in name])
def test_the_configs_of_the_study_are_valid(name: str) -> None:
    definition = resolve(HERE, name)
    if definition.system in ELSEWHERE:
        return
    data = Data(HERE.work, HERE.work, {"train": WNUT17_POSTS})
    config, epoch = spacy_config(HERE, definition, data, seed=0, log=HERE.work / "log.jsonl")
    load_model_from_config(config, auto_fill=False, validate=True)
    registry.resolve(config.interpolate()["training"], schema=ConfigSchemaTraining)
    assert config["training"]["max_steps"] % epoch == 0


def test_the_three_main_recipes_are_there() -> None:
    assert {"default", "portable", "plain"} <= set(all_names(HERE))
    assert resolve(HERE, "default").files[1] == HERE.root / "configs" / "wnut17.cfg"
    assert resolve(HERE, "portable").files[1] == HERE.root / "configs" / "wnut17_portable.cfg"
