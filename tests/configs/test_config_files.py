"""The configs as files: complete, readable, and with an evaluation at the last step."""

from pathlib import Path

import pytest
from config_runs import ELSEWHERE, FOLDER, NAMES
from spacy.cli.init_config import fill_config
from spacy.util import load_config, load_config_from_str, load_model_from_config, walk_dict
from thinc.api import Config


def leaves(config: Config) -> dict[str, object]:
    """Give the values of a config by dotted key, and its empty sections."""
    found: dict[str, object] = {".".join(keys): value for keys, value in walk_dict(config)}
    return found | {f"[{name}]": None for name in config}


@pytest.mark.parametrize("name", NAMES)
def test_nothing_to_fill_but_the_tokenizer_of_the_language(name: str, tmp_path: Path) -> None:
    path = FOLDER / f"{name}.cfg"
    before, filled = fill_config(tmp_path / "filled.cfg", path, silent=True)
    assert leaves(before) == leaves(load_config(path))
    assert leaves(filled) == leaves(before) | {"nlp.tokenizer.@tokenizers": "spacy.Tokenizer.v1"}
    before = filled
    assert leaves(load_config(tmp_path / "filled.cfg")) == leaves(before)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("interpolate", [False, True])
def test_text_round_trip(name: str, interpolate: bool) -> None:
    config = load_config(FOLDER / f"{name}.cfg", interpolate=interpolate)
    assert load_config_from_str(config.to_str()) == config
    assert Config().from_bytes(config.to_bytes(), interpolate=False) == config


@pytest.mark.parametrize("name", NAMES)
def test_the_last_step_is_evaluated(name: str) -> None:
    training = load_config(FOLDER / f"{name}.cfg", interpolate=True)["training"]
    rate = training["optimizer"]["learn_rate"]
    assert rate["total_steps"] == training["max_steps"]
    if name == "own_data":  # where both follow from the epochs
        assert rate["warmup"] == 0.1
        return
    assert training["max_steps"] % training["eval_frequency"] == 0
    assert rate["warmup_steps"] == round(training["max_steps"] / 10)


@pytest.mark.parametrize("name", NAMES)
def test_what_stands_in_for_ner_is_named_ner(name: str) -> None:
    # spaCy's tools know an entity recognizer by the name of the component.
    config = load_config(FOLDER / f"{name}.cfg")
    config["nlp"]["tokenizer"] = {"@tokenizers": "spacy.Tokenizer.v1"}  # what spaCy fills in
    nlp = load_model_from_config(config)
    assert "ner" in nlp.pipe_names
    assert nlp.get_pipe_meta("ner").factory == ("ner" if name == "baseline_transition" else "token_classifier")
    assert not nlp.analyze_pipes()["problems"]["ner"]


@pytest.mark.parametrize("name", NAMES)
def test_no_path_of_a_machine(name: str) -> None:
    values = [value for value in leaves(load_config(FOLDER / f"{name}.cfg")).values() if isinstance(value, str)]
    assert values and not [value for value in values if value.startswith(("/", ".", "~"))]


@pytest.mark.parametrize("name", NAMES)
def test_the_allocator_is_set_where_a_pipeline_is_trained_not_where_it_is_loaded(name: str) -> None:
    config = load_config(FOLDER / f"{name}.cfg")
    assert config["initialize"]["before_init"] == {"@callbacks": "spacy-tokclf.tune_malloc.v1"}
    assert "tune_malloc" not in str(config["nlp"])


@pytest.mark.parametrize("name", NAMES)
def test_encoders_compute_in_what_the_hardware_is_fastest_in(name: str) -> None:
    values = {key: value for key, value in leaves(load_config(FOLDER / f"{name}.cfg")).items() if "precision" in key}
    assert set(values.values()) == ({False} if name == ELSEWHERE else {"auto"}), values
