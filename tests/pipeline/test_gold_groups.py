"""Gold in span groups: the same as gold in `doc.ents`, and what cannot be learned from."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from pipeline_posts import add_ner, initialize, read_posts
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span, SpanGroup
from spacy.training import Example

from spacy_tokclf.metrics import compare_examples
from spacy_tokclf.metrics.gold_groups import gold_group, gold_types
from spacy_tokclf.pipeline.gold import INVISIBLE, UNKNOWN, gold_tags
from spacy_tokclf.pipeline.scorer import make_seqeval_scorer_v1
from spacy_tokclf.pipeline.tuning.tune import tune

VOCAB = spacy.blank("en").vocab
TAGS = {tag: i for i, tag in enumerate(["O", "B-a", "I-a", "B-b", "I-b"])}
SpansT = list[tuple[int, int, str]]


def make_doc(words: Sequence[str], spaces: Sequence[bool] | None = None) -> Doc:
    return Doc(VOCAB, words=list(words), spaces=None if spaces is None else list(spaces))


def in_ents(doc: Doc, spans: SpansT) -> Doc:
    """Annotate a text in `doc.ents`: spans without label are missing."""
    made = [Span(doc, *span) for span in spans]
    doc.set_ents([span for span in made if span.label], missing=[span for span in made if not span.label])
    return doc


def in_group(doc: Doc, spans: SpansT, **attrs: Any) -> Doc:
    """Annotate a text in a span group."""
    doc.spans["g"] = SpanGroup(doc, name="g", spans=[Span(doc, *span) for span in spans], attrs=attrs)
    return doc


def tags_of(reference: Doc, predicted: Doc | None = None, **settings: Any) -> list[int]:
    predicted = predicted or reference.copy()
    seen = [np.ones(len(predicted), dtype=bool)]
    settings = {"spans_key": "g", "annotate_ents": False} | settings
    return gold_tags([Example(predicted, reference)], seen, TAGS, "IOB2", **settings).tolist()


@st.composite
def annotated_texts(draw: st.DrawFn) -> tuple[list[str], list[bool], list[bool], SpansT]:
    """Words, spaces, which borders between words the predicted tokens keep, and spans without overlap."""
    words = draw(st.lists(st.sampled_from(["a", "bb", "c.", "\n", "dd d"]), min_size=1, max_size=8))
    spaces = draw(st.lists(st.booleans(), min_size=len(words), max_size=len(words)))
    borders = draw(st.lists(st.booleans(), min_size=len(words), max_size=len(words)))
    cuts = sorted(draw(st.sets(st.integers(0, len(words)), max_size=6)))
    spans = [(start, end, draw(st.sampled_from(["a", "b", ""]))) for start, end in pairwise(cuts)]
    return words, spaces, borders, [span for span in spans if draw(st.booleans())]


@given(annotated_texts(), st.booleans())
def test_a_group_teaches_what_the_same_entities_teach(
    text: tuple[list[str], list[bool], list[bool], SpansT], other_tokens: bool
) -> None:
    words, spaces, borders, spans = text
    predicted = make_doc(words, spaces)
    if other_tokens:  # words that nothing separates are sometimes one token
        with predicted.retokenize() as retokenizer:
            start = 0
            for i, (space, border) in enumerate(zip(spaces, borders, strict=True)):
                if space or border or i + 1 == len(words):
                    if i > start:
                        retokenizer.merge(predicted[start : i + 1])
                    start = i + 1
    from_ents = tags_of(in_ents(make_doc(words, spaces), spans), predicted)
    assert tags_of(in_group(make_doc(words, spaces), spans), predicted) == from_ents
    shuffled = in_group(make_doc(words, spaces), [*spans[::-1], *spans])  # spans twice, in another order
    assert tags_of(shuffled, predicted) == from_ents


def test_misaligned_spans_are_not_known() -> None:
    words, spaces = ["in", "New", "York", "now"], [True, True, False, False]
    reference = in_group(make_doc(words, spaces), [(2, 3, "a")])
    assert tags_of(reference) == [0, 0, 1, 0]
    assert tags_of(reference, make_doc(["in", "New", "Yorknow"], [True, True, False])) == [0, 0, -1]


def test_spans_without_label_are_not_known() -> None:
    words = ["in", "New", "York", "now"]
    assert tags_of(in_group(make_doc(words), [(0, 4, "")])) == [-1] * 4
    assert tags_of(in_group(make_doc(words), [(0, 1, ""), (1, 3, "a")])) == [-1, 1, 2, 0]
    merged = make_doc(["in", "NewYork", "now"], [True, True, False])
    reference = in_group(make_doc(["in", "New", "York", "now"], [True, False, True, False]), [(0, 1, ""), (1, 3, "a")])
    assert tags_of(reference, merged) == [-1, 1, 0]


def test_unknown_and_invisible_tokens_are_told_apart() -> None:
    """A conditional random field sums over the first and passes the second."""
    reference = in_group(make_doc(["in", "\n", "New", "York", "now"]), [(2, 4, "a"), (4, 5, "")])
    assert tags_of(reference) == [0, INVISIBLE, 1, 2, UNKNOWN]
    seen = [np.array([True, True, False, True, True])]
    example = Example(reference.copy(), reference)
    found = gold_tags([example], seen, TAGS, "IOB2", spans_key="g", annotate_ents=False)
    assert found.tolist() == [0, INVISIBLE, INVISIBLE, 1, UNKNOWN]


def test_an_empty_group_says_that_there_is_nothing() -> None:
    doc = in_ents(make_doc(["in", "Rome"]), [(1, 2, "foreign")])
    assert tags_of(in_group(doc, [])) == [0, 0]


def test_without_the_group_the_entities_count() -> None:
    doc = in_ents(make_doc(["in", "Rome"]), [(1, 2, "a")])
    assert tags_of(doc) == [0, 1]
    assert tags_of(make_doc(["in", "Rome"])) == [-1, -1]
    assert tags_of(in_group(doc, [(0, 1, "b")]), spans_key="another") == [0, 1]


@pytest.mark.parametrize("spans", [[(0, 2, "a"), (1, 3, "b")], [(0, 2, "a"), (0, 2, "b")], [(0, 3, ""), (1, 2, "a")]])
def test_overlapping_spans_are_an_error(spans: SpansT) -> None:
    reference = in_group(make_doc(["in", "New", "York"], [True, True, False]), spans)
    for predicted in (None, make_doc(["in", "New", "Yo", "rk"], [True, True, False, False])):
        with pytest.raises(ValueError, match=r"TC051.*'g'.*'in New York'"):
            tags_of(reference, predicted)


@pytest.mark.parametrize("spans", [[(0, 2, "a"), (1, 3, "b")], [(0, 2, "a"), (0, 2, "b")], [(0, 3, ""), (1, 2, "a")]])
def test_scoring_and_tuning_refuse_what_training_refuses(spans: SpansT, encoder_dir: Any) -> None:
    """One rule for gold: what cannot be learned from cannot be scored against either."""
    words = ["in", "New", "York"]
    reference = in_group(make_doc(words), spans)
    with pytest.raises(ValueError, match=r"TC051.*'g'.*'in New York"):
        compare_examples([Example(make_doc(words), reference)], spans_key="g")
    nlp = with_ner("g")
    initialize(nlp, encoder_dir, [Example(make_doc(words), in_group(make_doc(words), [(1, 3, "a")]))], owners=("ner",))
    with pytest.raises(ValueError, match=r"TC051.*'g'.*'in New York"):
        tune(nlp, [reference])


@pytest.mark.parametrize("twice", [False, True])
def test_scoring_and_tuning_count_an_entity_once(twice: bool, encoder_dir: Any) -> None:
    words = ["in", "New", "York"]
    spans = [(1, 3, "a")] * (2 if twice else 1)
    example = Example(make_doc(words), in_group(make_doc(words), spans))
    assert len(compare_examples([example], spans_key="g").gold) == 1
    nlp = with_ner("g")
    initialize(nlp, encoder_dir, [example], owners=("ner",))
    assert tune(nlp, [example.reference])["gold"] == 1


def test_a_prediction_is_no_gold_beside_corrected_entities() -> None:
    doc = in_group(in_ents(make_doc(["in", "Rome"]), [(1, 2, "a")]), [(0, 1, "b")], scores=[0.7])
    assert tags_of(doc, annotate_ents=True) == [0, 1]
    assert tags_of(doc, annotate_ents=False) == [3, 0]
    assert gold_group(doc, "g", annotate_ents=True) is None and gold_group(doc, "g") is not None
    example = Example(make_doc(["in", "Rome"]), doc)
    assert gold_types([example], "g", annotate_ents=True) == ["a"]
    assert gold_types([example], "g", annotate_ents=False) == ["b"]


def test_a_foreign_label_names_the_way_out() -> None:
    doc = in_ents(make_doc(["in", "Rome"]), [(1, 2, "foreign")])
    with pytest.raises(ValueError, match=r"TC020.*foreign.*doc\.spans\['g'\]"):
        tags_of(doc)


def test_groups_survive_a_docbin_the_empty_ones_too() -> None:
    docs = [in_group(make_doc(["in", "Rome"]), spans) for spans in ([], [(1, 2, "a")], [(0, 2, "")])]
    docs[0].spans["other"] = []
    again = list(DocBin().from_bytes(DocBin(docs=docs).to_bytes()).get_docs(spacy.blank("en").vocab))
    assert [tags_of(doc) for doc in again] == [[0, 0], [0, 1], [-1, -1]]
    assert "other" in again[0].spans and "other" not in again[1].spans


def mixed() -> list[Example]:
    """A text with the group, and one with entities of another component in its place."""
    texts = [in_group(make_doc(["in", "Rome"]), [(1, 2, "a")]), in_ents(make_doc(["by", "Ada"]), [(1, 2, "person")])]
    return [Example(make_doc([token.text for token in doc]), doc) for doc in texts]


def with_ner(key: str) -> Language:
    nlp = spacy.blank("en")
    add_ner(nlp, annotate_ents=False, spans_key=key)
    return nlp


def test_texts_without_the_group_beside_texts_with_it(encoder_dir: Any) -> None:
    nlp = with_ner("g")
    with pytest.raises(ValueError, match=r"TC050.*1 of 2 texts.*'g'.*person.*'by Ada"):
        initialize(nlp, encoder_dir, mixed(), owners=("ner",))
    scorer = make_seqeval_scorer_v1()
    with pytest.raises(ValueError, match="TC050"):
        scorer(mixed(), spans_key="g", annotate_ents=False, labels=("a",))
    assert scorer(mixed(), spans_key="g", annotate_ents=False, labels=("a", "person"))["ents_r"] == 0.0
    for spans in ([], [(0, 2, "")]):
        examples = mixed()
        in_group(examples[1].reference, spans)
        nlp = with_ner("g")
        initialize(nlp, encoder_dir, examples, owners=("ner",))
        assert nlp.get_pipe("ner").labels == ("a",)
        assert scorer(examples, spans_key="g", annotate_ents=False, labels=("a",))["ents_r"] == 0.0


def test_scores_leave_out_what_nobody_annotated() -> None:
    gold = in_group(make_doc(["Ada", "in", "Rome"]), [(0, 1, "a"), (1, 3, "")])
    pred = in_group(make_doc(["Ada", "in", "Rome"]), [(0, 1, "a"), (2, 3, "b")], scores=[0.9, 0.8])
    comparison = compare_examples([Example(pred, gold)], spans_key="g")
    assert (comparison.n_ignored, comparison.n_tokens, comparison.correct_tokens) == (1, 1, 1)
    scores = make_seqeval_scorer_v1("g")([Example(pred, gold)])
    assert (scores["ents_f"], scores["seqeval_f1"], scores["seqeval_accuracy"]) == (1.0, 1.0, 1.0)


def test_the_scorer_finds_where_the_component_writes() -> None:
    scorer = make_seqeval_scorer_v1(score_prefix="x_")
    gold = in_group(in_ents(make_doc(["Ada", "in", "Rome"]), [(0, 1, "person")]), [(2, 3, "a")])
    pred = in_group(in_ents(make_doc(["Ada", "in", "Rome"]), [(2, 3, "person")]), [(2, 3, "a")], scores=[0.9])
    cfg = {"spans_key": "g", "labels": ("a",)}
    for settings, expected in [
        (cfg | {"annotate_ents": False}, 1.0),
        (cfg | {"annotate_ents": True}, 1.0),  # the gold has the group
        ({}, 0.0),
        (cfg | {"spans_key": "entities", "annotate_ents": True}, 0.0),
    ]:
        assert scorer([Example(pred, gold)], **settings)["x_ents_f"] == expected
    gold.spans["g"].attrs["scores"] = [0.5]  # a text that was predicted, then corrected
    assert scorer([Example(pred, gold)], **cfg, annotate_ents=True)["x_ents_f"] == 0.0


def test_labels_come_from_the_groups(encoder_dir: Any) -> None:
    nlp = with_ner("g")
    examples = read_posts(nlp)
    for eg in examples:
        eg.reference.spans["g"] = [Span(eg.reference, 0, 1, "first")]
    initialize(nlp, encoder_dir, examples, owners=("ner",))
    assert nlp.get_pipe("ner").labels == ("first",)
    nlp.update(examples, sgd=False)


def test_components_that_would_replace_each_others_work(encoder_dir: Any) -> None:
    nlp = spacy.blank("en")
    add_ner(nlp, spans_key="entities")
    with pytest.warns(UserWarning, match=r"TW010.*'ner' and 'skills'"):
        add_ner(nlp, name="skills", annotate_ents=False, spans_key="entities")
    with pytest.raises(ValueError, match=r"TC052.*'skills'.*'ner'|TC052.*'ner'.*'skills'"):
        initialize(nlp, encoder_dir, read_posts(nlp), owners=("ner", "skills"))
    nlp.remove_pipe("skills")
    add_ner(nlp, name="skills", annotate_ents=False, spans_key="skills")
    with pytest.raises(ValueError, match=r"TC053.*score_prefix"):
        initialize(nlp, encoder_dir, read_posts(nlp), owners=("ner", "skills"))
