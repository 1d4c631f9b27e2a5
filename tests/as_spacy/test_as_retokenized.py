"""Scores after tokens were merged or split: those of the same entity, or none."""

import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pipeline_posts import found
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span
from spacy.vocab import Vocab

from spacy_tokclf import entity_score
from spacy_tokclf.metrics.examples import scored_entities
from spacy_tokclf.pipeline import entity_group
from spacy_tokclf.pipeline.annotate import set_entities
from spacy_tokclf.pipeline.entity_group import EntityGroup

VOCAB = Vocab()
POST = "just met Zorblax in Quorn Falls with Mira Okafor lol"
SCORED = [(2, 3, "person", 0.5), (4, 6, "location", 0.25), (7, 9, "person", 0.75)]


@pytest.fixture
def doc() -> Doc:
    made = Doc(VOCAB, words=POST.split())
    set_entities(made, SCORED, spans_key="entities", annotate_ents=True, overwrite_ents=False)
    return made


def scores(doc: Doc) -> dict[str, float | None]:
    return {ent.text: entity_score(ent) for ent in doc.ents}


ALL = {"Zorblax": 0.5, "Quorn Falls": 0.25, "Mira Okafor": 0.75}


def merge(doc: Doc, *spans: tuple[int, int]) -> Doc:
    with doc.retokenize() as retokenizer:
        for start, end in spans:
            retokenizer.merge(doc[start:end])
    return doc


def test_merge_entities_in_the_pipeline(ner_nlp: Language) -> None:
    texts = [POST, "Quorn Falls " * 8 + "and Mira Okafor met Zorblax", "rain"]
    before = [scores(doc) for doc in ner_nlp.pipe(texts)]
    ner_nlp.add_pipe("merge_entities")
    after = list(ner_nlp.pipe(texts))
    assert [scores(doc) for doc in after] == before and len(before[0]) == 3
    assert [len(doc.spans["entities"]) for doc in after] == [len(doc.ents) for doc in after]
    assert all(len(ent) == 1 for doc in after for ent in doc.ents)
    for each in after:
        each.to_bytes()


def test_merge_entities_in_other_processes(ner_nlp: Language) -> None:
    ner_nlp.add_pipe("merge_entities")
    (one,), (other,) = list(ner_nlp.pipe([POST])), list(ner_nlp.pipe([POST], n_process=2))
    assert scores(one) == scores(other) and None not in scores(other).values()


def test_entities_merged(doc: Doc) -> None:
    assert scores(merge(doc, (4, 6), (7, 9))) == ALL
    assert [(span.start, span.end) for span in doc.spans["entities"]] == [(2, 3), (4, 5), (6, 7)]
    assert doc.spans["entities"].attrs["scores"] == [0.5, 0.25, 0.75] and len(doc.spans["entities"]) == 3


def test_words_before_merged(doc: Doc) -> None:
    assert scores(merge(doc, (0, 2))) == ALL


def test_an_entity_merged_with_its_neighbour_has_no_score(doc: Doc) -> None:
    merge(doc, (2, 4))
    assert scores(doc) == {"Zorblax in": None, "Quorn Falls": 0.25, "Mira Okafor": 0.75}
    assert [span.text for span in doc.spans["entities"]] == ["Quorn Falls", "Mira Okafor"]
    assert doc.spans["entities"].attrs["scores"] == [0.25, 0.75]


def test_two_entities_merged_have_no_score(doc: Doc) -> None:
    assert {score for text, score in scores(merge(doc, (2, 6))).items() if text != "Mira Okafor"} == {None}


def test_a_word_split(doc: Doc) -> None:
    with doc.retokenize() as retokenizer:
        retokenizer.split(doc[2], ["Zor", "blax"], heads=[(doc[2], 1), doc[1]])
        retokenizer.split(doc[5], ["Fa", "lls"], heads=[(doc[5], 1), doc[4]])
    group = doc.spans["entities"]
    assert [(span.start, span.end, span.text) for span in group] == [
        (2, 4, "Zorblax"),
        (5, 8, "Quorn Falls"),
        (9, 11, "Mira Okafor"),
    ]
    assert scores(doc)["Mira Okafor"] == 0.75


WAYS = {
    "bytes": lambda doc: Doc(doc.vocab).from_bytes(doc.to_bytes()),
    "copy": lambda doc: doc.copy(),
    "pickle": lambda doc: pickle.loads(pickle.dumps(doc)),
    "DocBin": lambda doc: next(iter(DocBin(docs=[doc]).get_docs(doc.vocab))),
    "json": lambda doc: Doc(doc.vocab).from_json(doc.to_json()),
    "from_docs": lambda doc: Doc.from_docs([doc, doc]),
    "as_doc": lambda doc: doc[1:8].as_doc(),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("merged", [[], [(4, 6), (7, 9)], [(3, 5)], [(0, 2), (6, 10)]])
def test_copies_have_the_same_scores_or_none(doc: Doc, way: str, merged: list[tuple[int, int]]) -> None:
    merge(doc, *merged)
    before = scores(doc)
    after = scores(WAYS[way](doc))
    assert {text: score for text, score in after.items() if score is not None}.items() <= before.items()
    if way in ("bytes", "copy", "pickle", "DocBin"):
        assert after == before


def test_a_copy_follows_its_own_text(doc: Doc) -> None:
    copied = doc.copy()
    merge(copied, (0, 2))
    merge(doc, (1, 3))
    assert scores(copied) == ALL and scores(doc)["Quorn Falls"] == 0.25
    assert isinstance(copied.spans["entities"], EntityGroup)


CUTS = st.lists(st.tuples(st.integers(0, 9), st.integers(2, 4)), max_size=3)


@settings(max_examples=60, deadline=None)
@given(rounds=st.lists(CUTS, min_size=1, max_size=3))
def test_never_the_score_of_another(rounds: list[list[tuple[int, int]]]) -> None:
    doc = Doc(VOCAB, words=POST.split())
    set_entities(doc, SCORED, spans_key="entities", annotate_ents=True, overwrite_ents=False)
    for cuts in rounds:
        taken: set[int] = set()
        spans = []
        for start, length in cuts:
            tokens = set(range(start, min(start + length, len(doc))))
            if len(tokens) > 1 and not tokens & taken:
                taken |= tokens
                spans.append((min(tokens), max(tokens) + 1))
        merge(doc, *spans)
        assert all(score in (None, ALL.get(text)) for text, score in scores(doc).items())
        group = doc.spans["entities"]
        pairs = list(zip([span.text for span in group], group.attrs["scores"], strict=True))
        assert set(pairs) <= set(ALL.items())
        assert scores(Doc(doc.vocab).from_bytes(doc.to_bytes())) == scores(doc)


def test_what_is_added_or_taken_out_by_hand(doc: Doc) -> None:
    group: Any = doc.spans["entities"]
    del group[0]
    assert scores(doc) == ALL | {"Zorblax": None} and group.attrs["scores"] == [0.25, 0.75]
    group.append(Span(doc, 2, 3, "person"))
    assert scores(doc) == ALL | {"Zorblax": None}
    group[0] = Span(doc, 0, 1, "person")
    assert scores(doc) == ALL | {"Zorblax": None, "Quorn Falls": None}
    with pytest.raises(IndexError):
        del group[9]
    assert [span.text for span in group] == ["just", "Mira Okafor", "Zorblax"] and group[1].text == "Mira Okafor"
    assert not group.has_overlap and len(group + group) == 6


def test_a_plain_group_that_lost_spans_has_no_scores(doc: Doc) -> None:
    plain = Doc(doc.vocab).from_bytes(doc.to_bytes())
    attrs = plain.spans["entities"].attrs
    plain.spans["entities"] = list(plain.spans["entities"])[1:]
    plain.spans["entities"].attrs.update(attrs)
    assert set(scores(plain).values()) == {None}


def test_calibration_looks_at_the_same_scores(doc: Doc) -> None:
    from spacy.training import Example

    gold = Doc(doc.vocab, words=POST.split())
    gold.set_ents([Span(gold, 4, 6, "location")])
    merge(doc, (0, 2))
    scored = scored_entities([Example(doc, gold)])
    assert list(zip(scored.scores, scored.correct, strict=True)) == [(0.5, False), (0.25, True), (0.75, False)]


def test_a_group_whose_text_is_gone_still_has_its_scores(ner_nlp: Language) -> None:
    assert ner_nlp(POST).spans["entities"].attrs["scores"]
    assert found(ner_nlp(POST))


def test_a_score_is_looked_up_without_reading_bytes(doc: Doc, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which takes a hundred times longer."""
    plain = Doc(VOCAB).from_bytes(doc.to_bytes())
    monkeypatch.setattr(entity_group, "unpack_group", None)
    assert scores(doc) == scores(plain) == {"Zorblax": 0.5, "Quorn Falls": 0.25, "Mira Okafor": 0.75}


def test_a_plain_group_of_more_tokens_than_there_are(doc: Doc) -> None:
    plain = Doc(VOCAB).from_bytes(doc.to_bytes())
    with plain.retokenize() as retokenizer:
        retokenizer.merge(plain[0:2])
        retokenizer.merge(plain[7:10])
    assert scores(plain) == {"Zorblax": 0.5, "Quorn Falls": 0.25, "Mira Okafor lol": None}
