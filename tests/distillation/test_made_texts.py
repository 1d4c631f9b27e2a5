"""Texts that are made from annotated ones: entities stay where they are in the words, and of their types."""

import random
from collections import Counter
from collections.abc import Callable

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from pipeline_posts import read_posts

from spacy_tokclf.distillation.made_texts import (
    CASINGS,
    Words,
    change,
    change_casing,
    collect_names,
    drop_words,
    exchange_names,
    make_texts,
)

WORD = st.text(st.characters(codec="utf-8", exclude_categories=("Z", "C")), min_size=1, max_size=4)


@st.composite
def texts(draw: st.DrawFn) -> Words:
    """A text with entities, some of which touch each other."""
    words, spaces, spans = [], [], []
    for _ in range(draw(st.integers(1, 6))):
        label = draw(st.sampled_from([None, "a", "b"]))
        part = draw(st.lists(WORD, min_size=1, max_size=3))
        if label:
            spans.append((len(words), len(words) + len(part), label))
        words += part
        spaces += draw(st.lists(st.booleans(), min_size=len(part), max_size=len(part)))
    return Words(tuple(words), tuple(spaces), tuple(spans))


def surfaces(text: Words) -> list[tuple[tuple[str, ...], str]]:
    return [(text.words[start:end], label) for start, end, label in text.spans]


def check_form(text: Words) -> None:
    assert len(text.words) == len(text.spaces) > 0
    bounds = [bound for start, end, _ in text.spans for bound in (start, end)]
    assert bounds == sorted(bounds) and all(start < end for start, end, _ in text.spans)
    assert not bounds or 0 <= bounds[0] < bounds[-1] <= len(text.words)


@settings(max_examples=30)
@given(st.lists(texts(), min_size=1, max_size=4), st.integers(0, 99))
def test_names_are_those_of_the_same_type(all_texts: list[Words], seed: int) -> None:
    names = collect_names(all_texts)
    known = {surface for text in all_texts for surface in surfaces(text)}
    assert {(name.words, label) for label, found in names.items() for name in found} == known
    for text in all_texts:
        made = exchange_names(text, names, random.Random(seed))
        check_form(made)
        assert [label for *_, label in made.spans] == [label for *_, label in text.spans]
        assert set(surfaces(made)) <= known
        assert outside(made) == outside(text)


def outside(text: Words) -> list[str]:
    inside = {at for start, end, _ in text.spans for at in range(start, end)}
    return [word for at, word in enumerate(text.words) if at not in inside]


@given(texts(), st.sampled_from(CASINGS))
def test_casing_changes_nothing_else(text: Words, casing: Callable[[str], str]) -> None:
    made = change_casing(text, casing)
    check_form(made)
    assert (made.spans, made.spaces) == (text.spans, text.spaces)
    assert made.words == tuple(casing(word) for word in text.words)


@given(texts(), st.integers(0, 99))
def test_words_are_dropped_outside_of_entities(text: Words, seed: int) -> None:
    made = drop_words(text, random.Random(seed))
    check_form(made)
    assert surfaces(made) == surfaces(text)
    rest = iter(outside(text))
    assert all(word in rest for word in outside(made))  # in their order


@given(texts(), st.integers(0, 99))
def test_every_change_keeps_the_types(text: Words, seed: int) -> None:
    made = change(text, collect_names([text]), random.Random(seed))
    check_form(made)
    assert [label for *_, label in made.spans] == [label for *_, label in text.spans]


def made(*, number: int = 3, backwards: bool = False, seed: int = 0) -> list[tuple[str, str, list[tuple[str, str]]]]:
    docs = [eg.reference for eg in read_posts(spacy.blank("xx"))][:: -1 if backwards else 1]
    found = make_texts(docs, [doc.ents for doc in docs], number, seed=seed)
    return [(docs[index].text, doc.text, [(ent.text, ent.label_) for ent in doc.ents]) for index, doc in found]


def test_texts_are_new_and_no_two_are_the_same() -> None:
    found = made()
    new, old = Counter(text for _, text, _ in found), {text for text, *_ in found}
    assert len(found) > 40 and max(new.values()) == 1 and not new.keys() & old
    assert {len(ents) for *_, ents in found} == {0, 1, 2}


def test_of_each_text_there_are_as_many_as_were_asked_for() -> None:
    assert set(Counter(text for text, *_ in made(number=2)).values()) <= {1, 2}
    assert made(number=0) == []


@pytest.mark.parametrize("backwards", [False, True])
def test_the_same_texts_come_out_again(backwards: bool) -> None:
    one, other = made(number=1), made(number=1, backwards=backwards)
    assert sorted(one) == sorted(other) and one != made(number=1, seed=1)
