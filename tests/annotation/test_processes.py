"""Annotation in several processes ends: with an error where there is one, and never in waiting for each other."""

import subprocess
import sys

import pytest

#: Texts whose results are more than fits between two processes at once, so that who is not read from waits.
CODE = """
import contextlib, sys
import spacy
from spacy.language import Language
from spacy_tokclf.annotation.items import Item, TextRecord
from spacy_tokclf.annotation.predict import annotate_items

@Language.component("finder")
def finder(doc):
    if "bad" in doc.text:
        raise ValueError(f"a bad text: {doc.text[:9]}")
    doc.ents = []
    return doc

nlp = spacy.blank("en")
nlp.add_pipe("finder")
texts = ["good " * 200] * 300
if sys.argv[1] == "texts":
    texts = [f"bad {i}" + " word" * 200 for i in range(300)]
items = (Item(TextRecord(text, []), str(i)) for i, text in enumerate(texts))
with contextlib.closing(annotate_items(nlp, items, batch_size=16, n_process=2)) as found:
    for i, each in enumerate(found):
        if i == 20 and sys.argv[1] == "disk":
            raise OSError("the disk is full")
"""


@pytest.mark.slow
@pytest.mark.parametrize(("at_fault", "said"), [("disk", "OSError: the disk is full"), ("texts", "TC363")])
def test_an_error_ends_all_processes(at_fault: str, said: str) -> None:
    """In spaCy, processes that are left while they work never end."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, at_fault], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1
    assert said in done.stderr.splitlines()[-1]
    if at_fault == "texts":
        assert "a bad text: bad 0" in done.stderr
