"""A trained pipeline knows what it learned, and still does after being stored and opened elsewhere."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import spacy
import srsly
from pipeline_posts import LABELS, annotate, found, read_posts, same, scores_of
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.util import fix_random_seed

LoadT = Callable[..., Language]


@pytest.mark.parametrize("shared", [False, True])
def test_overfits_in_sixty_steps(load_trained: LoadT, shared: bool) -> None:
    nlp = load_trained(shared=shared)
    scores = nlp.evaluate(read_posts(nlp))
    assert scores["ents_f"] == scores["seqeval_f1"] == 1.0
    assert nlp.get_pipe("ner").labels == tuple(LABELS)


@pytest.mark.parametrize("shared", [False, True])
def test_disk_into_another_process_state(load_trained: LoadT, tmp_path: Path, shared: bool) -> None:
    nlp = load_trained(shared=shared)
    nlp.to_disk(tmp_path / "model")
    fix_random_seed(99)
    again = spacy.load(tmp_path / "model")
    same(annotate(again), annotate(nlp))
    owner = tmp_path / "model" / ("transformer" if shared else "ner")
    files = sorted(str(path.relative_to(owner)) for path in owner.rglob("*") if path.is_file())
    encoder = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
    assert files == sorted(["cfg", "manifest.json", "model", *(f"encoder/{name}" for name in encoder)])


def test_bytes_into_a_pipeline_with_other_weights_and_labels(make_nlp: LoadT, load_trained: LoadT) -> None:
    nlp = load_trained()
    other = make_nlp(seed=7)
    other.get_pipe("ner").add_label("zeppelin")
    before = annotate(other)
    other.from_bytes(nlp.to_bytes())
    same(annotate(other), annotate(nlp))
    assert [found(doc) for doc in before] != [found(doc) for doc in annotate(other)]
    assert other.get_pipe("ner").label_data == nlp.get_pipe("ner").label_data


def test_two_saves_are_the_same_bytes(load_trained: LoadT, tmp_path: Path) -> None:
    nlp = load_trained()
    nlp.to_disk(tmp_path / "one")
    nlp.to_disk(tmp_path / "two")
    names = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert names
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


def test_saved_and_bytes_before_initialization(make_nlp: LoadT, tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("token_classifier", name="ner").add_label("person")
    nlp.to_disk(tmp_path / "fresh")
    other = spacy.blank("en")
    other.add_pipe("token_classifier", name="ner").add_label("airship")
    for again in (spacy.load(tmp_path / "fresh"), other.from_bytes(nlp.to_bytes())):
        assert again.get_pipe("ner").labels == ("person",)
        with pytest.raises(ValueError, match="TC012"):
            again("some text")


def test_a_later_format_is_refused(load_trained: LoadT, tmp_path: Path) -> None:
    nlp = load_trained()
    nlp.to_disk(tmp_path / "model")
    cfg_path = tmp_path / "model" / "ner" / "cfg"
    cfg = json.loads(cfg_path.read_text())
    cfg_path.write_text(json.dumps({**cfg, "format": cfg["format"] + 1}))
    (tmp_path / "model" / "ner" / "manifest.json").unlink()
    with pytest.raises(ValueError, match="TC030"):
        spacy.load(tmp_path / "model")


def test_scores_travel_with_the_text(load_trained: LoadT) -> None:
    nlp = load_trained()
    docs = annotate(nlp)
    expected = [scores_of(doc) for doc in docs]
    assert sum(map(len, expected)) >= 12
    for doc, scores in zip(docs, expected, strict=True):
        assert len(scores) == len(doc.ents)
        assert all(isinstance(score, float) and 0.0 < score <= 1.0 for score in scores)
        assert not doc.user_data and not doc.tensor.size
    binned = DocBin(store_user_data=False, docs=docs).to_bytes()
    again = list(DocBin().from_bytes(binned).get_docs(nlp.vocab))
    assert [scores_of(doc) for doc in again] == expected
    assert [scores_of(Doc(nlp.vocab).from_bytes(doc.to_bytes())) for doc in docs] == expected


def test_results_are_plain_values(load_trained: LoadT) -> None:
    nlp = load_trained()
    assert json.loads(json.dumps(nlp.evaluate(read_posts(nlp))))["ents_f"] == 1.0
    assert json.dumps(nlp.get_pipe("ner").cfg)


def test_settings_given_at_loading_win_and_changed_ones_are_kept(load_trained: LoadT, tmp_path: Path) -> None:
    nlp = load_trained()
    nlp.get_pipe("ner").cfg["threshold"] = 1 / 3
    nlp.to_disk(tmp_path / "model")
    assert spacy.load(tmp_path / "model").get_pipe("ner").cfg["threshold"] == 1 / 3
    assert load_trained().from_bytes(nlp.to_bytes()).get_pipe("ner").cfg["threshold"] == 1 / 3
    given = spacy.load(tmp_path / "model", config={"components": {"ner": {"threshold": 0.5}}})
    assert given.get_pipe("ner").cfg["threshold"] == 0.5


def test_layers_of_another_architecture_are_refused(load_trained: LoadT) -> None:
    inline = load_trained()
    own = inline.get_pipe("ner").to_bytes()
    spoiled = srsly.msgpack_loads(own)
    layers = srsly.msgpack_loads(spoiled["model"])
    layers["nodes"] = layers["nodes"][:-1]
    spoiled["model"] = srsly.msgpack_dumps(layers)
    with pytest.raises(ValueError, match="TC032"):
        inline.get_pipe("ner").from_bytes(srsly.msgpack_dumps(spoiled))
