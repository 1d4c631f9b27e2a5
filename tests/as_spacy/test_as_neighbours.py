"""Beside other components: entities that are there before, blocked and missing tokens, groups of one's own, sources."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from pipeline_posts import LISTENER, add_ner, found, read_posts, same, scores_of
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.vocab import Vocab

from spacy_tokclf import entity_score
from spacy_tokclf.pipeline.annotate import set_entities

POST = "just met Zorblax in Quorn Falls lol"
ENTS = [(2, 3, "person"), (4, 6, "location")]
VOCAB = Vocab()
OTHER_SCORER = {"@scorers": "spacy-tokclf.seqeval_scorer.v1", "score_prefix": "two_"}


def words(nlp: Language) -> Doc:
    return Doc(nlp.vocab, words=POST.split())


# Blocked and missing tokens.


@pytest.mark.parametrize("overwrite", [False, True])
def test_blocked_tokens_stay_blocked(ner_nlp: Language, overwrite: bool) -> None:
    ner_nlp.get_pipe("ner").overwrite_ents = overwrite
    doc = words(ner_nlp)
    doc.set_ents([], blocked=[doc[5:6]], default="missing")
    doc = ner_nlp(doc)
    assert found(doc) == ENTS[:1]
    assert (doc[5].ent_iob, doc[5].ent_type) == (3, 0) and doc[4].ent_iob_ == "O"
    assert [span.text for span in doc.spans["entities"]] == ["Zorblax", "Quorn Falls"]  # what the model says
    assert found(ner_nlp(doc)) == ENTS[:1] and doc[5].ent_iob == 3


def test_a_whole_text_that_is_blocked(ner_nlp: Language) -> None:
    doc = words(ner_nlp)
    doc.set_ents([], default="blocked")
    assert not ner_nlp(doc).ents and {token.ent_iob for token in doc} == {3}


def test_missing_tokens_are_annotated(ner_nlp: Language) -> None:
    doc = words(ner_nlp)
    doc.set_ents([Span(doc, 4, 6, "PLACE")], default="missing")
    doc = ner_nlp(doc)
    assert found(doc) == [(2, 3, "person"), (4, 6, "PLACE")]
    assert {token.ent_iob_ for token in doc if not token.ent_type} == {"O"}


def test_outside_is_no_entity_and_no_hindrance(ner_nlp: Language) -> None:
    doc = words(ner_nlp)
    doc.set_ents([], default="outside")
    assert found(ner_nlp(doc)) == ENTS


SPANS = st.lists(st.tuples(st.integers(0, 8), st.integers(1, 3), st.sampled_from("ab")), max_size=5)


def _apart(spans: list[tuple[int, int, str]], taken: set[int]) -> list[tuple[int, int, str]]:
    kept = []
    for start, length, label in spans:
        tokens = set(range(start, min(start + length, 9)))
        if tokens and not tokens & taken:
            taken |= tokens
            kept.append((start, max(tokens) + 1, label))
    return sorted(kept)


@settings(max_examples=80, deadline=None)
@given(before=SPANS, blocked=st.sets(st.integers(0, 8), max_size=3), ours=SPANS, overwrite=st.booleans())
def test_who_has_a_token(before: Any, blocked: set[int], ours: Any, overwrite: bool) -> None:
    """Blocked tokens have nothing; then come earlier entities, unless they are to go; then ours, each whole or not."""
    doc = Doc(VOCAB, words=list("abcdefghi"))
    before, ours = _apart(before, set(blocked)), _apart(ours, set())
    spans = [Span(doc, start, end, label, kb_id="Q1", span_id="id") for start, end, label in before]
    doc.set_ents(spans, blocked=[doc[i : i + 1] for i in sorted(blocked)], default="missing")
    scored = [(*span, 0.5) for span in ours]
    set_entities(doc, scored, spans_key="entities", annotate_ents=True, overwrite_ents=overwrite)
    stay = [] if overwrite else before
    taken = blocked | {i for start, end, _ in stay for i in range(start, end)}
    expected = sorted(stay + [(s, e, label) for s, e, label in ours if not taken & set(range(s, e))])
    assert found(doc) == expected
    assert {i for i in range(9) if (doc[i].ent_iob, doc[i].ent_type) == (3, 0)} == blocked
    assert [ent.id_ for ent in doc.ents if found_in(ent, stay)] == ["id"] * len(stay)
    assert all(not ent.id_ for ent in doc.ents if not found_in(ent, stay))
    # and a second time changes nothing
    set_entities(doc, scored, spans_key="entities", annotate_ents=True, overwrite_ents=overwrite)
    if not set(before) & set(ours):
        assert found(doc) == expected


def found_in(ent: Span, spans: list[tuple[int, int, str]]) -> bool:
    return (ent.start, ent.end, ent.label_) in spans


# Entities of other components.


def ruled(nlp: Language, *, before: bool, overwrite: bool = False) -> Language:
    place = {"before": "ner"} if before else {"after": "ner"}
    ruler: Any = nlp.add_pipe("entity_ruler", config={"overwrite_ents": overwrite}, **place)
    ruler.add_patterns([{"label": "PARTY", "pattern": "met Zorblax", "id": "p1"}])
    return nlp


def test_a_ruler_before_keeps_its_entities(ner_nlp: Language) -> None:
    doc = ruled(ner_nlp, before=True)(POST)
    assert [(ent.text, ent.label_, ent.ent_id_) for ent in doc.ents] == [
        ("met Zorblax", "PARTY", "p1"),
        ("Quorn Falls", "location", ""),
    ]
    assert entity_score(doc.ents[0]) is None and entity_score(doc.ents[1]) == scores_of(doc)[1]


def test_a_ruler_before_loses_them_where_we_overwrite(ner_nlp: Language) -> None:
    ner_nlp.get_pipe("ner").overwrite_ents = True
    doc = ruled(ner_nlp, before=True)(POST)
    assert found(doc) == ENTS and [ent.ent_id_ for ent in doc.ents] == ["", ""]


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_ruler_after_decides_for_itself(ner_nlp: Language, overwrite: bool) -> None:
    doc = ruled(ner_nlp, before=False, overwrite=overwrite)(POST)
    first = ("met Zorblax", "PARTY") if overwrite else ("Zorblax", "person")
    assert [(ent.text, ent.label_) for ent in doc.ents] == [first, ("Quorn Falls", "location")]
    assert (entity_score(doc.ents[0]) is None) == overwrite and entity_score(doc.ents[1])


def test_a_second_run_is_not_held_up_by_the_first(ner_nlp: Language) -> None:
    doc = ner_nlp(POST)
    assert found(doc) == ENTS
    ner_nlp.get_pipe("ner").threshold = 1.0
    assert not ner_nlp(doc).ents and not doc.spans["entities"]
    ner_nlp.get_pipe("ner").threshold = 0.0
    assert found(ner_nlp(doc)) == ENTS


def test_the_default_is_that_of_spacys_own() -> None:
    nlp = spacy.blank("en")
    assert nlp.add_pipe("token_classifier").cfg["overwrite_ents"] is False
    assert nlp.config["components"]["token_classifier"]["overwrite_ents"] is False


def test_saved_pipelines_keep_what_they_had() -> None:
    saved = sorted((Path(__file__).parents[1] / "compat" / "data" / "pipelines").glob("*/*/ner"))
    assert saved
    for folder in saved:
        nlp = spacy.load(folder.parent)
        assert nlp.get_pipe("ner").cfg["overwrite_ents"] is True and nlp.get_pipe("ner").spans_key == "entities"
        shared = "transformer" in nlp.pipe_names
        again = spacy.blank("en")
        model = {"model": {"tok2vec": {"@architectures": LISTENER}}} if shared else {}
        pipe = again.add_pipe("token_classifier", name="ner", config=model).from_disk(folder)
        assert pipe.cfg["overwrite_ents"] is True is again.config["components"]["ner"]["overwrite_ents"]
        assert pipe.spans_key == "entities" == again.config["components"]["ner"]["spans_key"]


# Span groups.


def test_keys_of_two_components(encoder_dir: Path) -> None:
    nlp = spacy.blank("en")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one, two = (nlp.add_pipe("token_classifier", name=name) for name in ("ner", "skills"))
    assert (one.spans_key, two.spans_key) == ("entities", "skills")
    assert nlp.config["components"]["skills"]["spans_key"] == "auto"
    early = nlp.add_pipe("token_classifier", name="early", first=True)
    assert (early.spans_key, one.spans_key) == ("early", "entities")  # who has it keeps it
    nlp.rename_pipe("skills", "hobbies")
    assert nlp.get_pipe("hobbies").spans_key == "skills"  # as saved Docs have it


def test_keys_stay_when_saved_and_opened(model: Path, tmp_path: Path) -> None:
    nlp = spacy.load(model)
    two = nlp.add_pipe("ner", name="two", source=spacy.load(model), first=True)
    nlp.get_pipe("ner").spans_key, two.spans_key = "b", "a"
    nlp.to_disk(tmp_path / "two")
    again = spacy.load(tmp_path / "two")
    assert [(name, pipe.spans_key) for name, pipe in again.pipeline] == [("two", "a"), ("ner", "b")]


def test_a_sourced_component_makes_room(model: Path, tmp_path: Path) -> None:
    nlp = spacy.load(model)
    nlp.add_pipe("ner", name="two", source=spacy.load(model))
    doc = nlp(POST)
    assert sorted(doc.spans) == ["entities", "two"] and scores_of(doc) == scores_of(doc, "two")
    assert entity_score(doc.ents[0], "two") == entity_score(doc.ents[0])
    nlp.to_disk(tmp_path / "two")
    assert sorted(spacy.load(tmp_path / "two")(POST).spans) == ["entities", "two"]


@pytest.mark.parametrize("sourced", [False, True])
def test_a_key_of_two_is_warned_about(model: Path, tmp_path: Path, sourced: bool) -> None:
    nlp = spacy.load(model, config={"components.ner.spans_key": "entities"})
    nlp.to_disk(tmp_path / "explicit")
    with pytest.warns(UserWarning, match=r"TW010.*'ner' and 'two'.*entities"):
        if sourced:
            nlp.add_pipe("ner", name="two", source=spacy.load(tmp_path / "explicit"))
        else:
            nlp.add_pipe("token_classifier", name="two", config={"spans_key": "entities", "scorer": OTHER_SCORER})
    nlp.to_disk(tmp_path / "both")
    with pytest.warns(UserWarning, match="TW010"):
        spacy.load(tmp_path / "both")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nlp.add_pipe("sentencizer", first=True)  # once is enough


def test_no_group_no_scores(ner_nlp: Language, tmp_path: Path) -> None:
    ner_nlp.get_pipe("ner").spans_key = None
    ner_nlp.to_disk(tmp_path / "none")
    nlp = spacy.load(tmp_path / "none")
    doc = nlp(POST)
    assert found(doc) == ENTS and not doc.spans
    assert entity_score(doc.ents[0]) is None and entity_score(doc.ents[0], None) is None
    assert nlp.evaluate(read_posts(nlp))["ents_f"] == 1.0
    assert nlp.config["components"]["ner"]["spans_key"] is None


def test_spans_of_somebody_else_are_not_replaced_in_silence(ner_nlp: Language) -> None:
    ruler: Any = ner_nlp.add_pipe("span_ruler", first=True, config={"spans_key": "entities"})
    ruler.add_patterns([{"label": "X", "pattern": "lol"}])
    with pytest.warns(UserWarning, match=r"TW012.*'ner'.*entities"):
        ner_nlp(POST)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ner_nlp(POST)  # once
    ner_nlp.get_pipe("ner").spans_key = "ours"
    assert sorted(ner_nlp(POST).spans) == ["entities", "ours"]


# Sources and listeners.


def test_a_source(model: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("ner", source=spacy.load(model))
    same([nlp(POST)], [spacy.load(model)(POST)])
    assert nlp.get_pipe_meta("ner").factory == "token_classifier"


def test_a_source_under_another_name(model: Path) -> None:
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("ner", name="names", source=spacy.load(model))
    assert pipe.name == "names" and nlp.get_pipe("names").spans_key == "entities"
    assert "names" in nlp.update(read_posts(nlp), sgd=False)


@pytest.mark.parametrize("with_encoder", [False, True])
def test_listeners_that_are_replaced(as_trained: Callable[..., Path], tmp_path: Path, with_encoder: bool) -> None:
    """As spaCy: the component gets a copy of the encoder, and does without the shared one."""
    shared = spacy.load(as_trained(shared=True))
    expected = shared(POST)
    shared.replace_listeners("transformer", "ner", ["model.tok2vec"])
    nlp = shared
    if not with_encoder:
        nlp = spacy.blank("en")
        nlp.add_pipe("ner", source=shared)
    same([nlp(POST)], [expected])
    nlp.to_disk(tmp_path / "alone")
    same([spacy.load(tmp_path / "alone")(POST)], [expected])


def test_replacing_listeners_of_neighbours(as_trained: Callable[..., Path]) -> None:
    nlp = spacy.load(as_trained())
    nlp.add_pipe("tok2vec", first=True)
    with pytest.raises(ValueError, match="E88"):
        nlp.replace_listeners("tok2vec", "ner", ["model.tok2vec"])
    with pytest.raises(ValueError, match="E88"):
        nlp.replace_listeners("ner", "tok2vec", ["model"])
    nlp.remove_pipe("tok2vec")
    assert found(nlp(POST)) == ENTS


def test_scores_of_texts_that_had_their_gold(ner_nlp: Language) -> None:
    """Gold that stays is found, whatever the component does."""
    layer = ner_nlp.get_pipe("ner").model.get_ref("output_layer")
    layer.set_param("W", layer.get_param("W") * 0)
    bare = ner_nlp.evaluate(read_posts(ner_nlp))
    with pytest.warns(UserWarning, match="TW013"):
        leaked = ner_nlp.evaluate([Example(eg.reference, eg.reference) for eg in read_posts(ner_nlp)])
    assert bare["ents_f"] == 0.0 and leaked["ents_r"] == 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ner_nlp.evaluate([Example.from_dict(ner_nlp.make_doc(POST), {"entities": [(9, 16, "person")]})])


@pytest.mark.parametrize("how", ["json", "from_docs"])
def test_a_group_that_lost_its_scores_is_no_silent_gold(ner_nlp: Language, how: str) -> None:
    """Somebody corrects doc.ents of a text that was predicted; the group is still what was predicted."""
    doc = ner_nlp(POST)
    doc.ents = [Span(doc, 0, 1, "person")]
    gold = Doc(ner_nlp.vocab).from_json(doc.to_json()) if how == "json" else Doc.from_docs([doc, doc])
    examples = [Example(ner_nlp.make_doc(gold.text), gold)]
    with pytest.warns(UserWarning, match="TW015"):
        assert ner_nlp.evaluate(examples)["ents_f"] > 0.5
    del gold.spans["entities"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ner_nlp.evaluate(examples)["ents_f"] == 0.0


def test_two_components_in_doc_ents(model: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("ner", source=spacy.load(model))
    other = spacy.load(model)
    layer = other.get_pipe("ner").model.get_ref("output_layer")
    layer.set_param("b", layer.get_param("b") + np.float32([0, *[2] * (layer.get_dim("nO") - 1)]))
    nlp.add_pipe("ner", name="eager", source=other)
    doc = nlp(POST)
    assert found(doc)[:1] == ENTS[:1] and all(entity_score(ent) or entity_score(ent, "eager") for ent in doc.ents)


def test_a_component_of_ours_beside_spacys_own(ner_nlp: Language) -> None:
    own: Any = ner_nlp.add_pipe("ner", name="transition", first=True)
    own.add_label("person")
    with ner_nlp.select_pipes(disable=["ner"]):
        ner_nlp.initialize(lambda: read_posts(ner_nlp))
    doc = ner_nlp(POST)
    assert set(found(doc)) >= set() and len(doc.spans["entities"]) == 2
    add_ner(ner_nlp, name="third")
    assert ner_nlp.get_pipe("third").spans_key == "third"
