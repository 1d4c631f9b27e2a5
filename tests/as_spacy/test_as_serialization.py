"""Saved and opened as spaCy's own components are: folders, bytes, pickles, parts left out."""

import copy
import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import spacy
from pipeline_posts import LABELS, add_ner, annotate, found, same
from spacy.language import Language
from spacy.tokens import Doc, DocBin

POST = "just met Zorblax in Quorn Falls lol"
EXPECTED = [("Zorblax", "person"), ("Quorn Falls", "location")]


def entities(nlp: Language, text: str = POST) -> list[tuple[str, str]]:
    return [(ent.text, ent.label_) for ent in nlp(text).ents]


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("crf", [False, True])
def test_a_folder_gives_the_same_entities_and_scores(
    as_trained: Callable[..., Path], tmp_path: Path, shared: bool, crf: bool
) -> None:
    nlp = spacy.load(as_trained(shared=shared, crf=crf))
    nlp.to_disk(tmp_path / "again")
    same(annotate(spacy.load(tmp_path / "again")), annotate(nlp))
    assert entities(nlp) == EXPECTED


@pytest.mark.parametrize("shared", [False, True])
def test_bytes_with_the_config_of_the_pipeline(as_trained: Callable[..., Path], shared: bool) -> None:
    nlp = spacy.load(as_trained(shared=shared))
    again = type(nlp).from_config(nlp.config).from_bytes(nlp.to_bytes())
    same(annotate(again), annotate(nlp))


def test_bytes_into_a_pipeline_made_by_hand(ner_nlp: Language) -> None:
    again = spacy.blank("en")
    again.add_pipe("token_classifier", name="ner")
    again.from_bytes(ner_nlp.to_bytes())
    same(annotate(again), annotate(ner_nlp))


def test_the_component_alone_as_bytes(ner_nlp: Language) -> None:
    again = spacy.blank("en")
    pipe = again.add_pipe("token_classifier", name="ner")
    pipe.from_bytes(ner_nlp.get_pipe("ner").to_bytes())
    assert pipe.labels == tuple(LABELS)
    same(annotate(again), annotate(ner_nlp))


@pytest.mark.parametrize("exclude", [(), ("vocab",)])
def test_the_component_alone_from_its_folder_in_a_pipeline(model: Path, ner_nlp: Language, exclude: tuple) -> None:
    again = spacy.blank("en")
    again.add_pipe("token_classifier", name="ner").from_disk(model / "ner", exclude=exclude)
    same(annotate(again), annotate(ner_nlp))


def test_the_component_alone_in_a_folder_of_its_own(ner_nlp: Language, tmp_path: Path) -> None:
    ner_nlp.get_pipe("ner").to_disk(tmp_path / "alone")
    again = spacy.blank("en")
    again.add_pipe("token_classifier", name="ner").from_disk(tmp_path / "alone")
    same(annotate(again), annotate(ner_nlp))


@pytest.mark.parametrize("left_out", ["cfg", "model", "vocab"])
def test_parts_left_out_of_bytes_are_not_there(ner_nlp: Language, left_out: str) -> None:
    from srsly import msgpack_loads

    parts = msgpack_loads(ner_nlp.get_pipe("ner").to_bytes(exclude=[left_out]))
    assert left_out not in parts and len(parts) == 2


def test_left_out_when_read(ner_nlp: Language) -> None:
    pipe = spacy.blank("en").add_pipe("token_classifier", name="ner")
    pipe.from_bytes(ner_nlp.get_pipe("ner").to_bytes(), exclude=["model"])
    assert pipe.labels == tuple(LABELS)
    assert pipe.model.get_ref("output_layer").has_param("W") is not True


def test_a_component_left_out_of_the_pipeline(model: Path) -> None:
    nlp = spacy.load(model, exclude=["ner"])
    assert nlp.pipe_names == [] and not nlp(POST).ents


def test_a_pickled_component_says_the_same(ner_nlp: Language) -> None:
    pipe = pickle.loads(pickle.dumps(ner_nlp.get_pipe("ner")))
    doc = pipe(Doc(pipe.vocab, words=POST.split()))
    assert [(ent.text, ent.label_) for ent in doc.ents] == EXPECTED
    assert pipe.cfg == ner_nlp.get_pipe("ner").cfg and pipe.threshold == 0.0


def test_a_pickled_pipeline_is_checked_and_saved_like_any(ner_nlp: Language, tmp_path: Path) -> None:
    again = pickle.loads(pickle.dumps(ner_nlp))
    with pytest.raises(ValueError, match="TC022"):
        again.get_pipe("ner").threshold = -1
    again.to_disk(tmp_path / "pickled")
    assert entities(spacy.load(tmp_path / "pickled")) == EXPECTED


def test_a_deep_copy_is_another_pipeline(ner_nlp: Language) -> None:
    again = copy.deepcopy(ner_nlp)
    layer = again.get_pipe("ner").model.get_ref("output_layer")
    layer.set_param("W", layer.get_param("W") * 0)
    again.get_pipe("ner").threshold = 0.5
    assert entities(ner_nlp) == EXPECTED != entities(again)
    assert ner_nlp.get_pipe("ner").threshold == 0.0 == ner_nlp.config["components"]["ner"]["threshold"]


def test_saving_twice_gives_the_same_files(model: Path, tmp_path: Path) -> None:
    spacy.load(model).to_disk(tmp_path / "one")
    for name in ("ner/cfg", "ner/model", "ner/encoder/model.safetensors", "config.cfg"):
        assert (tmp_path / "one" / name).read_bytes() == (model / name).read_bytes(), name


def test_a_pipeline_that_nothing_was_trained_in(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    add_ner(nlp)
    nlp.to_disk(tmp_path / "empty")
    again = spacy.load(tmp_path / "empty")
    assert again.get_pipe("ner").labels == ()


def test_strings_of_labels_travel(model: Path) -> None:
    nlp = spacy.load(model, vocab=True)
    doc = nlp(POST)
    (again,) = DocBin(docs=[doc]).get_docs(spacy.blank("xx").vocab)
    assert found(again) == found(doc) and again.ents[0].label_ == "person"


def test_numbers_keep_their_digits(ner_nlp: Language, tmp_path: Path) -> None:
    ner_nlp.get_pipe("ner").threshold = np.float32(1 / 3)
    ner_nlp.to_disk(tmp_path / "digits")
    assert spacy.load(tmp_path / "digits").get_pipe("ner").threshold == float(np.float32(1 / 3))


def test_a_setting_in_the_file_is_checked_too(model: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(model, tmp_path / "edited")
    cfg = json.loads((folder / "ner" / "cfg").read_text())
    (folder / "ner" / "cfg").write_text(json.dumps(cfg | {"threshold": 7}))
    with pytest.raises(ValueError, match="TC403"):
        spacy.load(folder)
    (folder / "ner" / "manifest.json").unlink()
    with pytest.raises(ValueError, match="TC022"):
        spacy.load(folder)


def test_meta_names_the_labels(ner_nlp: Language) -> None:
    assert ner_nlp.meta["labels"]["ner"] == LABELS == list(ner_nlp.pipe_labels["ner"])
    assert ner_nlp.pipe_factories == {"ner": "token_classifier"}
