"""The configs: what their entries stand for, when they are the same, and that spaCy takes those of the repository."""

import json
from pathlib import Path
from typing import Any

import pytest
from spacy.schemas import ConfigSchemaTraining
from spacy.util import load_model_from_config, registry

from bench.accuracy.configs import Config, read_configs
from bench.accuracy.study import Study
from bench.accuracy.systems import WNUT17_POSTS, spacy_config

HERE = Study()
ELSEWHERE = {"spacy_transformers", "hf_trainer"}


def training(config: Config) -> dict[str, Any]:
    return config.settings["training"]


def add(study: Study, entry: str) -> None:
    study.configs.write_text(study.configs.read_text().replace("ablations:", f"  {entry}\nablations:"))


def data_of(folder: Path, posts: int) -> Path:
    (folder / "data.json").write_text(json.dumps({"train": posts}))
    return folder


def test_an_entry_that_is_like_another(study: Study) -> None:
    add(study, "more: {like: default+dev, tune: [--no-bias], data: sample, set: {training.dropout: 0.25}}")
    add(study, "most: {like: more, tune: null}")
    configs = read_configs(study)
    more, most = configs["more"], configs["most"]
    assert training(more)["dropout"] == training(most)["dropout"] == 0.25
    assert training(most)["optimizer"]["use_averages"] is True and most.with_dev and most.data == "sample"
    assert (more.tune, most.tune) == (["--no-bias"], None) and more.title == most.title == ""
    assert training(configs["default"])["dropout"] == 0.1, "the other is left alone"
    few = configs["trainer:few"]
    assert few.settings == {"epochs": 1, "learn_rate": 0.0001} and few.system == "hf_trainer"
    assert few.grid_of == "trainer" and configs["trainer"].grid_of == ""


def test_whole_blocks_are_values(study: Study, tmp_path: Path) -> None:
    block = {"@augmenters": "spacy-tokclf.lower_copies.v1", "level": 0.5}
    add(study, f"copies: {{like: plain+averages, set: {{corpora.train.augmenter: {json.dumps(block)}}}}}")
    copies = read_configs(study)["copies"]
    assert training(copies)["optimizer"]["use_averages"] is True
    config = spacy_config(study, copies, data_of(tmp_path, 100), seed=0)
    (augmenter,) = registry.resolve({"it": config["corpora"]["train"]["augmenter"]}).values()
    assert augmenter.keywords == {"level": 0.5}


def test_short_settings(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    add(study, "short: {like: plain, set: {epochs: 8, learn_rate: 1}}")
    short = training(read_configs(study)["short"])
    assert (short["max_steps"], short["eval_frequency"]) == (8 * 213, 213)
    rate = short["optimizer"]["learn_rate"]
    assert (rate["initial_rate"], rate["warmup_steps"]) == (1, 170)
    add(study, "wrong: {like: plain, set: {training.optimiser.eps: 1}}")
    with pytest.raises(SystemExit):
        read_configs(study)
    assert "no section 'optimiser'" in capsys.readouterr().out


def test_equal_settings_have_equal_hashes(study: Study) -> None:
    hashes = {name: config.hash for name, config in read_configs(study).items()}
    assert hashes["default"] == hashes["plain+averages"] and hashes["plain"] == hashes["default-averages"]
    assert hashes["trainer"] == hashes["trainer:many"] != hashes["trainer:few"]
    assert len(set(hashes.values())) == len(hashes) - 3
    # A comment changes nothing, a value does.
    config = study.root / "configs" / "tiny.cfg"
    config.write_text("# So.\n" + config.read_text())
    assert read_configs(study)["plain"].hash == hashes["plain"]
    config.write_text(config.read_text().replace("dropout = 0.1", "dropout = 0.2"))
    assert read_configs(study)["plain"].hash != hashes["plain"]


def test_what_is_fitted_afterwards_is_another_run(study: Study) -> None:
    add(study, "tuned: {like: plain, tune: []}")
    add(study, "biased: {like: plain, tune: [--no-calibration]}")
    configs = read_configs(study)
    assert len({configs[name].hash for name in ("plain", "tuned", "biased")}) == 3


def test_neutral_settings_are_as_if_they_were_not_there(study: Study) -> None:
    hashes = [read_configs(study)["plain"].hash]
    config = study.root / "configs" / "tiny.cfg"
    text = config.read_text()
    assert "label_smoothing = 0.0\n" in text and "[initialize.before_init]" in text
    block = '[initialize.before_init]\n@callbacks = "spacy-tokclf.tune_malloc.v1"\n'
    without = text.replace(block, "").replace("[initialize]\n", "[initialize]\nbefore_init = null\n")
    assert without.count("before_init") == 1
    for changed in (
        text.replace("label_smoothing = 0.0\n", ""),
        without,
        text.replace("smoothing = 0.0", "smoothing = 0.1"),
    ):
        config.write_text(changed)
        hashes.append(read_configs(study)["plain"].hash)
    assert hashes[0] == hashes[1] == hashes[2] != hashes[3]


@pytest.mark.parametrize(
    ("posts", "name", "steps"),
    [
        (WNUT17_POSTS, "plain", (852, 213, 85)),
        (WNUT17_POSTS + 1009, "plain+dev", (4 * 276, 4 * 276, 110)),
        (411, "plain", (104, 26, 10)),
    ],
)
def test_epochs_are_kept_whatever_the_data(
    study: Study, tmp_path: Path, posts: int, name: str, steps: tuple[int, ...]
) -> None:
    plain = read_configs(study)[name]
    config = spacy_config(study, plain, data_of(tmp_path, posts), seed=3)
    found = config["training"]
    assert (found["max_steps"], found["eval_frequency"], found["optimizer"]["learn_rate"]["warmup_steps"]) == steps
    assert found["max_steps"] == 4 * -(-posts // 16)
    assert config["system"]["seed"] == 3 and config["paths"]["train"] == str(tmp_path / "train.spacy")
    assert config["components"]["ner"]["model"]["tok2vec"]["precision"] == "auto"
    assert plain.settings["training"]["max_steps"] == 852, "the config is left alone"


@pytest.mark.parametrize("name", [name for name in read_configs(HERE) if ":" not in name])
def test_the_configs_of_the_study_are_valid(name: str, tmp_path: Path) -> None:
    ours = read_configs(HERE)[name]
    if ours.system in ELSEWHERE:
        return
    config = spacy_config(HERE, ours, data_of(tmp_path, WNUT17_POSTS), seed=0)
    load_model_from_config(config, auto_fill=True, validate=True)
    registry.resolve(config.interpolate()["training"], schema=ConfigSchemaTraining)
    assert config["training"]["max_steps"] % 213 == 0


def test_the_three_main_recipes_are_there() -> None:
    entries = {name: config.title for name, config in read_configs(HERE).items()}
    assert {"default", "portable", "plain"} <= set(entries) and all(entries[name] for name in ("default", "portable"))
    text = HERE.configs.read_text()
    assert "config: configs/wnut17.cfg" in text and "config: configs/wnut17_portable.cfg" in text
