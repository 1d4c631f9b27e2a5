"""A tuned pipeline as a Hugging Face checkpoint: its logits are the tuned ones, entities and scores come back."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from any_reference import Reference
from hf_reference import TEXTS
from spacy.language import Language
from spacy.tokens import Doc
from tiny_checkpoints import FAMILIES

from spacy_tokclf.export import export_hf, import_hf, to_hf_entities
from spacy_tokclf.export.debug_pieces import debug_pieces
from spacy_tokclf.pipeline.tuning.tune import tune
from spacy_tokclf.tags.decode import softmax
from spacy_tokclf.tags.tuning import UNTUNED, Tuning, tune_logits

NUMBERS = Tuning({"person": 4.5, "location": -3.25}, temperature=1.7, slope=0.6, shift=-0.4)
SHORT = TEXTS[:-1]


def tuned(folder: Path, tuning: Tuning = NUMBERS) -> tuple[Language, Any]:
    """Open a checkpoint, and put numbers into it."""
    nlp = import_hf(folder, decode="constrained")
    pipe: Any = nlp.get_pipe("ner")
    pipe.cfg["tuning"] = tuning._asdict()
    return nlp, pipe


def annotated(nlp: Language) -> list[tuple[list[tuple[int, int, str]], list[float]]]:
    """Give entities and scores of all texts."""
    docs = list(nlp.pipe(Doc(nlp.vocab, words=words) for words in TEXTS))
    groups = [doc.spans["entities"] for doc in docs]
    return [([(s.start, s.end, s.label_) for s in group], group.attrs["scores"]) for group in groups]


def assert_same(one: Language, other: Language) -> None:
    pairs = zip(annotated(one), annotated(other), strict=True)
    n = 0
    for (ours, scores), (theirs, others) in pairs:
        assert ours == theirs and scores == pytest.approx(others, abs=1e-5)
        n += len(ours)
    assert n > 3


@pytest.mark.parametrize("model_type", list(FAMILIES))
def test_there_and_back(model_type: str, make_checkpoint_dir: Callable[..., Path], tmp_path: Path) -> None:
    nlp, pipe = tuned(make_checkpoint_dir(model_type))
    out = export_hf(nlp, tmp_path / "hf")
    reference = Reference(out)
    changed = 0.0
    for words in SHORT:
        raw = pipe.logits([Doc(nlp.vocab, words=words)])[0].reshape(-1, 5)
        seen = raw.any(axis=1)
        ours, theirs = tune_logits(raw, NUMBERS, pipe.tag_table)[seen], reference.logits(words).detach().numpy()[seen]
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5)
        np.testing.assert_allclose(softmax(ours), softmax(theirs), rtol=0, atol=1e-5)
        changed = max(changed, float(np.abs(softmax(raw[seen]) - softmax(theirs)).max(initial=0.0)))
    assert changed > 0.2
    again = import_hf(out)
    back: Any = again.get_pipe("ner")
    assert back.tuning == Tuning({}, 1.0, NUMBERS.slope, NUMBERS.shift)
    assert_same(nlp, again)
    # And once more, through a saved pipeline.
    again.to_disk(tmp_path / "saved")
    export_hf(tmp_path / "saved", tmp_path / "hf2")
    assert_same(nlp, import_hf(tmp_path / "hf2"))


def test_pieces_are_those_of_the_checkpoint(make_checkpoint_dir: Callable[..., Path], tmp_path: Path) -> None:
    from transformers import pipeline

    nlp, pipe = tuned(make_checkpoint_dir())
    out = export_hf(nlp, tmp_path / "hf")
    theirs = pipeline("ner", model=str(out), device="cpu")
    text = " ".join(SHORT[0] + SHORT[1])
    ours = to_hf_entities(text, nlp)
    expected = [{**each, "score": float(each["score"])} for each in theirs(text)]
    assert len(ours) == len(expected) > 3
    for one, other in zip(ours, expected, strict=True):
        assert one.pop("score") == pytest.approx(other.pop("score"), abs=1e-5) and one == other
    doc = Doc(nlp.vocab, words=SHORT[0])
    best = tune_logits(pipe.logits([doc])[0], NUMBERS, pipe.tag_table).argmax(axis=1)
    shown = [row.tag for row in debug_pieces(nlp, doc) if row.tag]
    assert shown == [pipe.tags[row] for row in best]


def test_what_is_switched_off_is_not_exported(make_checkpoint_dir: Callable[..., Path], tmp_path: Path) -> None:
    nlp, pipe = tuned(make_checkpoint_dir())
    pipe.cfg["tuned"] = False
    again = import_hf(export_hf(nlp, tmp_path / "hf"))
    assert again.get_pipe("ner").tuning == UNTUNED
    assert_same(nlp, again)
    pipe.cfg["tuned"] = True
    assert annotated(nlp) != annotated(again)


def test_what_folds_into_weights_leaves_no_trace(make_checkpoint_dir: Callable[..., Path], tmp_path: Path) -> None:
    nlp, _ = tuned(make_checkpoint_dir(), NUMBERS._replace(slope=1.0, shift=0.0))
    out = export_hf(nlp, tmp_path / "hf")
    assert "tuning" not in json.loads((out / "config.json").read_text())["spacy_tokclf"]
    again = import_hf(out)
    assert again.get_pipe("ner").cfg["tuning"] is None
    assert_same(nlp, again)


def test_what_was_fitted(make_checkpoint_dir: Callable[..., Path], tmp_path: Path) -> None:
    """Numbers as `tune` stores them, on labels that it has to find by itself."""
    nlp = import_hf(make_checkpoint_dir("roberta"), decode="constrained")
    gold = []
    for words in SHORT:
        doc = nlp(Doc(nlp.vocab, words=words))
        doc.ents = [ent for ent in doc.ents if ent.start % 2 == 0]
        gold.append(doc.copy())
        del gold[-1].spans["entities"]
    report = tune(nlp, gold, per_type=True, temperature=True)
    assert report["tuned"]["brier"] < report["untuned"]["brier"]
    assert_same(nlp, import_hf(export_hf(nlp, tmp_path / "hf")))
