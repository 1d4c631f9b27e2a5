"""A token classifier in the place of the `ner` of an existing pipeline."""

import numpy as np
import pytest
import spacy
from small_pipelines import WORDS, save_pipeline
from spacy.tokens import Doc
from spacy.training.initialize import init_nlp
from spacy.util import load_config

from spacy_tokclf.start.project import start_project
from spacy_tokclf.start.source import open_source
from spacy_tokclf.training.run import train_pipeline


def seen(nlp):
    """What the components beside ours make of a text."""
    doc = nlp("Anna met Ben in Oslo and Lima . Shegonna met Ben .")
    return [(token.text, token.tag_, token.is_sent_start) for token in doc]


def put_into(source, doccano, folder, encoder):
    """Train a token classifier in a pipeline; give the pipeline before and after, and the config."""
    config = start_project(doccano, folder / "project", encoder=str(encoder), source=str(source), epochs=1)
    best = train_pipeline(config, folder / "training", silent=True)
    return spacy.load(source), spacy.load(best), load_config(config, interpolate=True)


def personal(nlp):
    """Give a pipeline a tokenizer and vectors of its own."""
    nlp.tokenizer.add_special_case("Shegonna", [{"ORTH": "She"}, {"ORTH": "gon"}, {"ORTH": "na"}])
    nlp.vocab.set_vector("Oslo", np.ones(8, dtype="f"))


SLOW = pytest.mark.slow


@pytest.mark.parametrize("layout", ["shared", pytest.param("own", marks=SLOW), pytest.param("replaced", marks=SLOW)])
def test_the_others_stay_as_they_are(layout, doccano, encoder_dir, tmp_path):
    def change(nlp):
        personal(nlp)
        if layout == "replaced":
            nlp.replace_listeners("tok2vec", "tagger", ["model.tok2vec"])

    source = save_pipeline(tmp_path / "source", shared=layout != "own", change=change)
    before, after, config = put_into(source, doccano, tmp_path, encoder_dir)
    assert config["training"]["frozen_components"] == ["tok2vec", "tagger", "sentencizer"]
    assert after.pipe_names == before.pipe_names == ["tok2vec", "tagger", "ner", "sentencizer"]
    assert after.get_pipe_meta("ner").factory == "token_classifier"
    assert [tag for _, tag, _ in seen(before)][:8] == ["N", "V", "N", "P", "N", "C", "N", "."]
    assert seen(after) == seen(before)
    assert after.vocab.vectors.shape == before.vocab.vectors.shape == (100, 8)
    assert "a-string-of-its-own" in after.vocab.strings
    listeners = {name: getattr(pipe, "listening_components", []) for name, pipe in after.pipeline}
    assert listeners["tok2vec"] == (["tagger"] if layout == "shared" else [])
    assert str(tmp_path) not in after.config.to_str()
    scores = after.meta["performance"]
    assert {"tag_acc", "sents_f"}.isdisjoint(scores), "there was no gold for them, and no tag is wrong"
    assert {"ents_f", "ents_p", "ner_loss"} <= scores.keys()
    again = after.from_disk(tmp_path / "training" / "model-last")
    assert seen(again) == seen(before)


def test_scores_of_the_others_do_not_count(doccano, encoder_dir, tmp_path):
    source = save_pipeline(tmp_path / "source")
    config = start_project(doccano, tmp_path / "p", encoder=str(encoder_dir), source=str(source))
    nlp = init_nlp(load_config(config, interpolate=False))
    weights = nlp.config["training"]["score_weights"]
    assert {key: value for key, value in weights.items() if value} == {"ents_f": 1.0}
    assert "tag_acc" in weights


def test_at_the_end_of_a_pipeline_without_one(doccano, encoder_dir, tmp_path):
    source = save_pipeline(tmp_path / "source", ner=None)
    before, after, _ = put_into(source, doccano, tmp_path, encoder_dir)
    assert after.pipe_names == ["tok2vec", "tagger", "sentencizer", "ner"]
    assert seen(after) == seen(before)


def test_under_its_name_and_with_what_is_disabled(doccano, encoder_dir, tmp_path):
    def change(nlp):
        nlp.add_pipe("entity_ruler", before="names").add_patterns([{"label": "LOC", "pattern": "Ben"}])
        nlp.disable_pipe("sentencizer")

    source = save_pipeline(tmp_path / "source", ner="names", change=change)
    before, after, _ = put_into(source, doccano, tmp_path, encoder_dir)
    assert after.pipe_names == before.pipe_names == ["tok2vec", "tagger", "entity_ruler", "names"]
    assert after.disabled == before.disabled == ["sentencizer"]
    doc = after(Doc(after.vocab, words=WORDS))
    assert ("Ben", "LOC") in {(ent.text, ent.label_) for ent in doc.ents}


def test_its_language_and_tokenizer(encoder_dir, tmp_path):
    import json

    nlp = spacy.blank("zh")
    nlp.add_pipe("sentencizer")
    nlp.to_disk(tmp_path / "source")
    rows = [{"text": f"王小明去了北京{i}。", "label": [[5, 7, "LOC"]]} for i in range(12)]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    _, after, config = put_into(tmp_path / "source", str(tmp_path / "a.jsonl"), tmp_path, encoder_dir)
    assert config["nlp"]["lang"] == after.lang == "zh"
    assert [token.text for token in after("北京")] == ["北", "京"]


def test_failures(doccano, encoder_dir, tmp_path):
    def two(nlp):
        nlp.add_pipe("ner", name="other").add_label("X")
        nlp.initialize()

    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer", name="ner")
    nlp.to_disk(tmp_path / "odd")
    with pytest.raises(ValueError, match="TC341"):
        open_source(str(tmp_path / "odd"))
    nlp = spacy.blank("en")
    for name in ("one", "two"):
        nlp.add_pipe("ner", name=name).add_label("X")
    nlp.initialize()
    nlp.to_disk(tmp_path / "two")
    with pytest.raises(ValueError, match=r"TC341.*one, two"):
        open_source(str(tmp_path / "two"))
    with pytest.raises(ValueError, match="TC292"):
        open_source(str(tmp_path / "none"))
    spacy.blank("en").to_disk(tmp_path / "bare")
    with pytest.raises(ValueError, match="TC342"):
        start_project(doccano, tmp_path / "p", encoder=str(encoder_dir), source=str(tmp_path / "bare"), lang="de")


def test_one_that_was_disabled_learns(doccano, encoder_dir, tmp_path):
    source = save_pipeline(tmp_path / "source", change=lambda nlp: nlp.select_pipes(disable=["ner", "sentencizer"]))
    assert spacy.load(source).disabled == ["ner", "sentencizer"]
    _, after, _ = put_into(source, doccano, tmp_path, encoder_dir)
    assert (after.pipe_names, after.disabled) == (["tok2vec", "tagger", "ner"], ["sentencizer"])
    assert set(after.get_pipe("ner").labels) == {"PER", "LOC"}
