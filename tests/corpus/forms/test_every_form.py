"""Every form that other tools write is read right, whatever the texts; and nothing is made of it but that."""

import tempfile
import warnings
from pathlib import Path

import pytest
from data_forms import FORMS, DataForm, Text
from hypothesis import given, settings
from hypothesis import strategies as st
from slips import EXAMPLE, NLP, expected, seen

from spacy_tokclf.corpus.convert import read_any
from spacy_tokclf.corpus.options import ReadOptions

words = st.lists(st.sampled_from(["zo", "ru", "ke", "é", "7", "ba"]), min_size=1, max_size=4).map("".join)


@st.composite
def texts(draw):
    """Two to five texts, of which one has a span of two words and one has a word outside."""
    made = [draw(text()) for _ in range(draw(st.integers(1, 4)))]
    return (*made, EXAMPLE[0])


@st.composite
def text(draw):
    found = tuple(draw(st.lists(words, min_size=1, max_size=8)))
    spans, at = [], 0
    while at < len(found):
        start = draw(st.integers(at, len(found)))
        end = draw(st.integers(start + 1, start + 3))
        if end > len(found):
            break
        spans.append((start, end, draw(st.sampled_from(["PER", "LOC", "creative-work"]))))
        at = end + 1  # schemes without B cannot tell neighbours apart
    return Text(found, tuple(spans))


def read(path, form):
    """What is read: text, spans of characters, and whether all is known."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return seen(read_any(path, NLP, ReadOptions(**form.options or {})))


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_reads_an_example(form, tmp_path):
    assert read(form.save(EXAMPLE, tmp_path), form) == expected(EXAMPLE)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@settings(max_examples=15)
@given(made=texts())
def test_reads_any_texts(form: DataForm, made):
    with tempfile.TemporaryDirectory() as folder:
        assert read(form.save(made, Path(folder)), form) == expected(made)
