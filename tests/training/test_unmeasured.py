"""Scores of frozen components in meta.json that nothing was measured for."""

import spacy

from spacy_tokclf.training.unmeasured import measured


def test_what_is_measured_stays() -> None:
    nlp = spacy.blank("en")
    for name in ("tagger", "morphologizer", "textcat", "ner", "spancat"):
        nlp.add_pipe(name)
    nlp.config["training"]["frozen_components"] = ["tagger", "morphologizer", "textcat", "ner"]
    nothing = {"morph_acc": 0.0, "morph_per_feat": None, "cats_score": 0.0, "cats_score_desc": "macro F"}
    nothing["cats_f_per_type"] = {"A": {"p": 0.0, "r": 0.0, "f": 0.0}}
    kept = {"tag_acc": 0.5, "ents_f": 0.0, "ents_per_type": {"X": {"f": 0.1}}, "spans_sc_f": 0.0, "other": 0.0}
    assert measured(nlp, nothing | kept) == kept
    nlp.config["training"]["frozen_components"] = []
    assert measured(nlp, nothing | kept) == nothing | kept
