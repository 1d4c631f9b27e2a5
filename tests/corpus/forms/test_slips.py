"""Ten typical slips in files of every form: read right, masked, or refused by a code. docs/data.md shows the table."""

import os
from pathlib import Path

import pytest
from data_forms import FORMS
from slips import EXAMPLE, SLIPS, expected, outcome, table

PAGE = Path(__file__).resolve().parents[3] / "docs" / "data.md"
BEGIN, END = "<!-- slips: made by tests/corpus/forms/test_slips.py -->\n", "<!-- slips: end -->\n"
WHOLE = expected(EXAMPLE)


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: slip.name)
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_a_slip_is_read_right_masked_or_refused(form, slip):
    found = outcome(form, slip)
    if isinstance(found, str):
        return
    if slip.mends:
        assert found == WHOLE
        return
    assert [text for text, *_ in found] == [text for text, *_ in WHOLE]
    for (_, spans, known), (_, own, _) in zip(found, WHOLE, strict=True):
        places = [span[:2] for span in spans]
        assert not known or places == [span[:2] for span in own], "what was marked is taught as O"


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_nothing_happens_without_a_slip(form):
    assert outcome(form, None) == WHOLE


def test_the_page_shows_the_table():
    """With UPDATE_DOCS=1 it is written."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    made = before + BEGIN + table() + END + after
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(made, encoding="utf-8")
    assert page == made
