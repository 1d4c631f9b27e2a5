"""Every form of JSON with every slip is read right, masked, or refused by the code in the table."""

import warnings

import pytest
import spacy
from json_outcomes import TABLE
from json_slips import FILE_SLIPS, OFFSET_FORMS, SPAN_SLIPS, TAG_FORMS, TAG_SLIPS, TOKEN_SPAN_FORMS, made

from spacy_tokclf.corpus.convert import read_any

TYPES = ["PER", "PER", "", "", "LOC", ""]


@pytest.fixture(scope="module")
def nlp():
    return spacy.blank("en")


def test_the_table_has_every_form_and_slip():
    pairs = {(form, slip) for form, slip, _ in TABLE}
    assert len(pairs) == len(TABLE)
    for forms, slips in ((OFFSET_FORMS, SPAN_SLIPS), (TAG_FORMS, TAG_SLIPS)):
        assert {(form, slip) for form in forms for slip in {**slips, **FILE_SLIPS}} <= pairs
    assert {form for form, _, _ in TABLE} == {*OFFSET_FORMS, *TAG_FORMS, *TOKEN_SPAN_FORMS}
    assert min(sum(form == each for each, _, _ in TABLE) for form, _ in pairs) >= 20


@pytest.mark.parametrize("form, slip, outcome", TABLE, ids=lambda value: str(value))
def test_slip(form, slip, outcome, nlp, tmp_path):
    data = made(form, slip)
    if slip in FILE_SLIPS and data == made(form, "none"):
        pytest.skip("this form has nothing to slip on")
    path = tmp_path / ("x.jsonl.gz" if slip == "packed" else "x.jsonl")
    path.write_bytes(data)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if outcome.startswith("TC"):
            with pytest.raises(ValueError, match=rf"\[{outcome}\].*x\.jsonl"):
                list(read_any(path, nlp))
            return
        first, second = read_any(path, nlp)
    assert [token.ent_type_ for token in first] == TYPES and all(token.ent_iob for token in first)
    types = [(token.ent_type_, token.ent_iob_) for token in second]
    if outcome == "read":
        assert [name for name, _ in types] == TYPES and all(iob for _, iob in types)
        return
    assert outcome == "masked"
    for (name, iob), right in zip(types, TYPES, strict=True):
        assert name in ("", right)  # nothing that was not marked
        assert not (right and iob == "O")  # what was marked is never outside
    assert any(not iob for _, iob in types)
    assert slip == "a tag null" or any("TW110" in str(warning.message) for warning in caught)
