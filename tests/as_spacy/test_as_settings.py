"""Settings do what they say, wherever they are given; what is shown, what runs and what is saved is the same."""

import copy
import gc
import pickle
import shutil
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from pipeline_posts import add_ner, annotate, initialize, read_posts, same
from spacy.language import Language
from spacy.util import load_config

from spacy_tokclf import compat
from spacy_tokclf.models.base_shim import encoder_nodes
from spacy_tokclf.models.encoder import SETTINGS, build_transformer_encoder_v1
from spacy_tokclf.pipeline.settings import DEFAULTS, Settings

TOK2VEC = "components.ner.model.tok2vec"
CHANGEABLE = [
    ("precision", "fp32"),
    ("window", 80),
    ("overlap", 5),
    ("casing_dropout", 0.5),
    ("freeze_embeddings", True),
]
FIXED = [("pooling", "mean"), ("normalize", True), ("casing", True)]


def encoder_says(nlp: Language, key: str, *, owner: str = "ner") -> tuple[Any, Any]:
    """Give what an encoder runs with, and what the config says."""
    (node,) = encoder_nodes(nlp.get_pipe(owner).model)
    config = nlp.config["components"][owner]["model"]
    return node.attrs[key], config.get("tok2vec", config)[key]


@pytest.mark.parametrize("how", ["given", "edited"])
@pytest.mark.parametrize(("key", "value"), CHANGEABLE)
def test_a_setting_of_the_encoder_is_honoured(model: Path, tmp_path: Path, how: str, key: str, value: Any) -> None:
    if how == "given":
        nlp = spacy.load(model, config={f"{TOK2VEC}.{key}": value})
    else:
        folder = shutil.copytree(model, tmp_path / "edited")
        config = load_config(folder / "config.cfg")
        config["components"]["ner"]["model"]["tok2vec"][key] = value
        config.to_disk(folder / "config.cfg")
        nlp = spacy.load(folder)
    assert encoder_says(nlp, key) == (value, value)
    nlp.to_disk(tmp_path / "copy")
    assert encoder_says(spacy.load(tmp_path / "copy"), key) == (value, value)
    # and back to the default, by name
    back = spacy.load(tmp_path / "copy", config={f"{TOK2VEC}.{key}": SETTINGS[key]})
    assert encoder_says(back, key) == (SETTINGS[key], SETTINGS[key])


@pytest.mark.parametrize(("key", "value"), FIXED)
def test_what_the_weights_were_trained_with_is_refused(model: Path, key: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"TC033.*{key}"):
        spacy.load(model, config={f"{TOK2VEC}.{key}": value})


@pytest.mark.parametrize(("key", "value"), CHANGEABLE[:2])
def test_a_shared_encoder_is_no_other_case(
    as_trained: Callable[..., Path], tmp_path: Path, key: str, value: Any
) -> None:
    nlp = spacy.load(as_trained(shared=True), config={f"components.transformer.model.{key}": value})
    assert encoder_says(nlp, key, owner="transformer") == (value, value)
    nlp.to_disk(tmp_path / "copy")
    assert encoder_says(spacy.load(tmp_path / "copy"), key, owner="transformer") == (value, value)
    with pytest.raises(ValueError, match="TC033"):
        spacy.load(as_trained(shared=True), config={"components.transformer.model.pooling": "max"})


def test_a_window_changes_what_is_read(as_trained: Callable[..., Path]) -> None:
    text = "rain in Quorn Falls with Zorblax " * 12
    whole = spacy.load(as_trained(), config={f"{TOK2VEC}.window": 60, f"{TOK2VEC}.overlap": 8})
    short = spacy.load(as_trained(), config={f"{TOK2VEC}.window": 8, f"{TOK2VEC}.overlap": 2})
    one, other = (nlp.get_pipe("ner").logits([nlp.make_doc(text)])[0] for nlp in (whole, short))
    assert not np.allclose(one, other, atol=1e-3)


def test_settings_that_were_trained_with_stay_without_a_config(encoder_dir: Path, tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    tok2vec = {"window": 24, "overlap": 4, "normalize": True, "casing": True}
    config = {"threshold": 0.25, "overwrite_ents": True, "model": {"tok2vec": tok2vec}}
    nlp.add_pipe("token_classifier", name="ner", config=config)
    initialize(nlp, encoder_dir, read_posts(nlp), owners=("ner",))
    nlp.to_disk(tmp_path / "model")
    for how in ("component", "pipeline", "bytes"):
        again = spacy.blank("en")
        pipe = again.add_pipe("token_classifier", name="ner", config={"model": {"tok2vec": {"casing": True}}})
        if how == "component":
            pipe.from_disk(tmp_path / "model" / "ner")
        elif how == "pipeline":
            again.from_disk(tmp_path / "model")
        else:
            again.from_bytes(nlp.to_bytes())
        for key, value in tok2vec.items():
            assert encoder_says(again, key) == (value, value), how
        assert (pipe.threshold, again.config["components"]["ner"]["threshold"]) == (0.25, 0.25), how
        assert pipe.overwrite_ents is again.config["components"]["ner"]["overwrite_ents"] is True, how
        same(annotate(again), annotate(nlp))


def test_without_the_private_api_saved_settings_win_over_defaults(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spacy.load(model, config={"components.ner.threshold": 0.5}).to_disk(tmp_path / "half")
    assert spacy.load(tmp_path / "half", config={"components.ner.threshold": 0.0}).get_pipe("ner").threshold == 0.0
    monkeypatch.setattr(compat, "SWITCHED_OFF", {"loaded_config"})
    nlp = spacy.load(tmp_path / "half", config={"components.ner.threshold": 0.0})
    assert nlp.get_pipe("ner").threshold == nlp.config["components"]["ner"]["threshold"] == 0.5


@pytest.mark.parametrize(
    ("key", "value", "how"),
    [
        ("threshold", 0.5, "given"),
        ("threshold", 0.5, "cfg"),
        ("decode", "greedy", "attribute"),
        ("overwrite_ents", True, "given"),
        ("tuned", False, "attribute"),
        ("spans_key", "mine", "cfg"),
    ],
)
def test_a_setting_of_the_component(model: Path, tmp_path: Path, key: str, value: Any, how: str) -> None:
    nlp = spacy.load(model, config={f"components.ner.{key}": value} if how == "given" else {})
    if how == "attribute":
        setattr(nlp.get_pipe("ner"), key, value)
    elif how == "cfg":
        nlp.get_pipe("ner").cfg[key] = value
    nlp.to_disk(tmp_path / "copy")
    for each in (nlp, spacy.load(tmp_path / "copy"), type(nlp).from_config(nlp.config).from_bytes(nlp.to_bytes())):
        assert getattr(each.get_pipe("ner"), key) == each.config["components"]["ner"][key] == value


def test_back_to_the_default_by_attribute(model: Path, tmp_path: Path) -> None:
    nlp = spacy.load(model, config={"components.ner.threshold": 0.5})
    nlp.get_pipe("ner").threshold = 0
    nlp.to_disk(tmp_path / "copy")
    again = spacy.load(tmp_path / "copy")
    assert again.get_pipe("ner").threshold == again.config["components"]["ner"]["threshold"] == 0.0


SET_AND_GIVEN = [
    ("threshold", 0.5),
    ("decode", "greedy"),
    ("overwrite_ents", True),
    ("annotate_ents", False),
    ("tuned", False),
    ("label_smoothing", 0.1),
    ("spans_key", "found"),
]


@pytest.mark.parametrize(("key", "value"), SET_AND_GIVEN)
def test_given_at_load_after_it_was_set_by_attribute(model: Path, tmp_path: Path, key: str, value: Any) -> None:
    nlp = spacy.load(model)
    setattr(nlp.get_pipe("ner"), key, value)
    nlp.to_disk(tmp_path / "set")
    at = f"components.ner.{key}"
    for wanted in (DEFAULTS[key], value):
        nlp = spacy.load(tmp_path / "set", config={at: wanted})
        used = "entities" if wanted == "auto" else wanted
        assert (getattr(nlp.get_pipe("ner"), key), nlp.config["components"]["ner"][key]) == (used, wanted)
    # and away from what was given once, by attribute
    nlp = spacy.load(model, config={at: value})
    setattr(nlp.get_pipe("ner"), key, used := "entities" if key == "spans_key" else DEFAULTS[key])
    nlp.to_disk(tmp_path / "back")
    assert getattr(spacy.load(tmp_path / "back").get_pipe("ner"), key) == used
    nlp = spacy.load(tmp_path / "back", config={at: value})
    assert getattr(nlp.get_pipe("ner"), key) == nlp.config["components"]["ner"][key] == value


@pytest.mark.parametrize("how", ["sourced", "deep copy", "pickled"])
def test_set_where_the_pipeline_is_not_known(model: Path, tmp_path: Path, how: str) -> None:
    nlp = spacy.load(model)
    if how == "sourced":
        nlp = spacy.blank("en")
        nlp.add_pipe("ner", source=spacy.load(model))
    else:
        nlp = copy.deepcopy(nlp) if how == "deep copy" else pickle.loads(pickle.dumps(nlp))
    nlp.get_pipe("ner").threshold = 0.5
    nlp.to_disk(tmp_path / "copy")
    again = spacy.load(tmp_path / "copy")
    assert again.get_pipe("ner").threshold == again.config["components"]["ner"]["threshold"] == 0.5
    again = spacy.load(tmp_path / "copy", config={"components.ner.threshold": 0.25})
    assert again.get_pipe("ner").threshold == 0.25


def test_a_component_is_freed_with_its_pipeline(model: Path) -> None:
    gc.collect()
    gc.disable()
    try:
        pipe = weakref.ref(spacy.load(model).get_pipe("ner"))
        assert pipe() is None
    finally:
        gc.enable()


WRONG = [
    ("threshold", 7, "TC022"),
    ("threshold", -0.1, "TC022"),
    ("threshold", float("nan"), "TC022"),
    ("threshold", "0.5", "TC022"),
    ("threshold", True, "TC022"),
    ("threshold", None, "TC022"),
    ("decode", "beam", "TC021"),
    ("decode", ["greedy"], "TC021"),
    ("tuned", "yes", "TC031"),
    ("overwrite_ents", 1, "TC031"),
    ("annotate_ents", None, "TC031"),
    ("spans_key", "", "TC031"),
    ("spans_key", 3, "TC031"),
    ("spans_key", "auto", "TC031"),
    ("label_smoothing", 1.0, "TC031"),
]


@pytest.mark.parametrize(("key", "value", "code"), WRONG)
def test_a_value_out_of_range_is_refused_and_nothing_changes(
    ner_nlp: Language, key: str, value: Any, code: str
) -> None:
    pipe = ner_nlp.get_pipe("ner")
    before = dict(pipe.cfg)
    with pytest.raises(ValueError, match=code):
        pipe.cfg[key] = value
    with pytest.raises(ValueError, match=code):
        setattr(pipe, key, value)
    with pytest.raises(ValueError, match=code):
        pipe.cfg.update({"tuned": False, key: value})
    with pytest.raises(ValueError, match=code):
        pipe.cfg |= {key: value}
    assert dict(pipe.cfg) == before


def test_a_misspelt_setting_is_refused(ner_nlp: Language) -> None:
    pipe = ner_nlp.get_pipe("ner")
    with pytest.raises(ValueError, match=r"TC035.*threshold"):
        pipe.cfg["treshold"] = 0.5
    with pytest.raises(ValueError, match="TC035"):
        pipe.cfg.setdefault("treshold", 0.5)
    with pytest.raises(ValueError, match="TC100"):
        pipe.cfg["scheme"] = "IOB3"
    with pytest.raises(Exception, match="treshold"):
        spacy.blank("en").add_pipe("token_classifier", config={"treshold": 0.5})
    with pytest.raises(Exception, match="labels"):
        spacy.blank("en").add_pipe("token_classifier", config={"labels": ["person"]})


def test_entities_that_would_go_nowhere(ner_nlp: Language) -> None:
    with pytest.raises(ValueError, match="TC036"):
        spacy.blank("en").add_pipe("token_classifier", config={"annotate_ents": False, "spans_key": None})
    pipe = ner_nlp.get_pipe("ner")
    pipe.spans_key = None
    with pytest.raises(ValueError, match="TC036"):
        pipe.annotate_ents = False


def test_smoothing_that_a_crf_would_ignore(as_trained: Callable[..., Path]) -> None:
    nlp = spacy.load(as_trained(crf=True))
    nlp.get_pipe("ner").label_smoothing = 0.1
    with pytest.raises(ValueError, match="TC081"):
        nlp.update(read_posts(nlp), sgd=False)


@pytest.mark.parametrize("key", ["crf", "nO"])
def test_another_head_than_the_saved_one(model: Path, key: str) -> None:
    value, code = {"crf": (True, "TC032"), "nO": (5, "TC034")}[key]
    with pytest.raises(ValueError, match=code):
        spacy.load(model, config={f"components.ner.model.{key}": value})


def test_a_number_of_tags_that_the_labels_do_not_have(encoder_dir: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("token_classifier", name="ner", config={"model": {"nO": 3}})
    with pytest.raises(ValueError, match=r"TC034.*9 tags"):
        initialize(nlp, encoder_dir, read_posts(nlp), owners=("ner",))


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(DEFAULTS)), st.one_of(st.floats(), st.booleans(), st.text(), st.none())))
def test_whatever_is_set_is_in_range_or_refused(entries: dict[str, Any]) -> None:
    cfg = Settings(DEFAULTS)
    try:
        cfg.update(entries)
    except ValueError as error:
        assert str(error).startswith("[TC")
    assert 0.0 <= cfg["threshold"] <= 1.0 and cfg["decode"] in ("constrained", "greedy")
    assert all(isinstance(cfg[key], bool) for key in ("tuned", "overwrite_ents", "annotate_ents"))
    assert cfg["spans_key"] is None or cfg["spans_key"]


def test_the_table_of_defaults_is_that_of_the_signature() -> None:
    assert dict(build_transformer_encoder_v1().attrs) == SETTINGS


def test_the_backend_is_of_the_process_and_not_saved(model: Path, tmp_path: Path) -> None:
    nlp = spacy.load(model, config={f"{TOK2VEC}.backend": "transformers"})
    (node,) = encoder_nodes(nlp.get_pipe("ner").model)
    assert node.shims[0].backend.name == "transformers"
    same(annotate(nlp), annotate(spacy.load(model)))


def test_a_setting_of_one_of_two_encoders(encoder_dir: Path, tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    for name in ("ner", "two"):
        add_ner(nlp, name=name, scorer={"@scorers": "spacy-tokclf.seqeval_scorer.v1", "score_prefix": f"{name}_"})
    initialize(nlp, encoder_dir, read_posts(nlp), owners=("ner", "two"))
    nlp.to_disk(tmp_path / "two")
    again = spacy.load(tmp_path / "two", config={"components.two.model.tok2vec.window": 80, f"{TOK2VEC}.overlap": 7})
    assert encoder_says(again, "window", owner="two") == (80, 80) and encoder_says(again, "window") == (0, 0)
    assert encoder_says(again, "overlap") == (7, 7)
