from collections import Counter, defaultdict

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc, Span

from spacy_tokclf.start.split import FEWEST, SLACK, split_docs, text_key

VOCAB = spacy.blank("en").vocab


def make_doc(words, labels=()):
    """A Doc whose first words are entities of one word each."""
    doc = Doc(VOCAB, words=words)
    doc.set_ents([Span(doc, i, i + 1, label=label) for i, label in enumerate(labels)])
    return doc


@st.composite
def corpora(draw):
    """Texts of which some are equal up to case and white space, with up to six types, one more frequent than others."""
    made = []
    for number in range(draw(st.integers(2, 25))):
        labels = draw(st.lists(st.sampled_from("AAAAAAAABBBCCDEF"), max_size=3))
        words = [f"w{number}", "x", "y", "z"]
        for case in draw(st.lists(st.sampled_from([str, str.upper, "spaced"]), min_size=1, max_size=3)):
            shown = [*words, " "] if case == "spaced" else list(map(case, words))
            made.append(make_doc(shown, labels))
    return draw(st.permutations(made))


def types(docs, numbers):
    return {ent.label_ for i in numbers for ent in docs[i].ents}


@settings(max_examples=40, deadline=None)
@given(corpora(), st.sampled_from([0.1, 0.2, 0.3, 0.5]))
def test_any_corpus_is_split_by_text(docs, share):
    groups = defaultdict(list)
    for i, doc in enumerate(docs):
        groups[text_key(doc)].append(i)
    try:
        train, dev = split_docs(docs, share)
    except ValueError as error:
        assert "TC336" in str(error)
        found = Counter(label for group in groups.values() for label in types(docs, group[:1]))
        most = max(1.0, SLACK * share * len(docs))
        fitting = [g for g in groups.values() if len(g) <= most and any(found[t] > 1 for t in types(docs, g[:1]))]
        assert len(groups) < FEWEST or len(fitting) < 3
        return
    assert sorted([*train, *dev]) == list(range(len(docs)))
    assert all(len({i in set(dev) for i in group}) == 1 for group in groups.values())
    assert types(docs, dev) <= types(docs, train) and types(docs, dev)
    assert len(dev) <= max(1.0, SLACK * share * len(docs))
    assert (train, dev) == split_docs(docs, share)


@settings(max_examples=20, deadline=None)
@given(st.integers(40, 80), st.integers(2, 5), st.randoms())
def test_rare_types_are_on_both_sides(size, rare, random):
    """Each of some types is in two texts, among many others with a common type."""
    docs = [make_doc([f"w{i}", "x"], ["COMMON"] * (i % 2)) for i in range(size)]
    docs += [make_doc([f"r{i}", "x"], [f"RARE{i // 2}"]) for i in range(2 * rare)]
    random.shuffle(docs)
    train, dev = split_docs(docs, 0.2)
    every = {"COMMON", *(f"RARE{i}" for i in range(rare))}
    assert types(docs, train) == types(docs, dev) == every
    assert abs(len(dev) - 0.2 * len(docs)) <= 3


def test_the_order_of_the_data_does_not_decide():
    docs = [make_doc([f"w{i}", "x"], ["A"] if i % 3 else []) for i in range(60)]
    texts = {docs[i].text for i in split_docs(docs, 0.2).dev}
    assert texts == {docs[::-1][i].text for i in split_docs(docs[::-1], 0.2).dev}
    assert len(texts) == 12
    share = sum(bool(docs[i].ents) for i in split_docs(docs, 0.2).dev) / 12
    assert 0.5 <= share <= 0.8


@pytest.mark.parametrize(
    "docs",
    [
        [],
        [make_doc([f"w{i}"], ["A"]) for i in range(FEWEST - 1)],
        [make_doc(["same"], ["A"])] * 50,
        [make_doc([f"w{i}"]) for i in range(50)],
        [make_doc([f"w{i}"], ["A"] * (i == 7)) for i in range(50)],
        [make_doc([f"w{i}"], [f"T{i}"]) for i in range(50)],
    ],
    ids=["none", "nine", "one text", "no entity", "one entity", "each type once"],
)
def test_too_little(docs):
    with pytest.raises(ValueError, match="TC336"):
        split_docs(docs, 0.2)


@pytest.mark.parametrize("share", [0, 1, -0.5, 1.5, float("nan")])
def test_no_share(share):
    with pytest.raises(ValueError, match="TC337"):
        split_docs([make_doc([f"w{i}"], ["A"]) for i in range(50)], share)
