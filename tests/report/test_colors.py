"""Colours of entity types: the same in every set, all different, and good to read on."""

from hypothesis import given, settings
from hypothesis import strategies as st
from spacy import blank, displacy
from spacy.tokens import Doc, Span

import spacy_tokclf
from spacy_tokclf.report.colors import WHEEL, colors

ONTONOTES = [
    *("CARDINAL", "DATE", "EVENT", "FAC", "GPE", "LANGUAGE", "LAW", "LOC", "MONEY", "NORP", "ORDINAL", "ORG"),
    *("PERCENT", "PERSON", "PRODUCT", "QUANTITY", "TIME", "WORK_OF_ART"),
]
WNUT = ["corporation", "creative-work", "group", "location", "person", "product"]


def luminance(color: str) -> float:
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def distance(one: str, other: str) -> float:
    """Between two colours, in steps of the channels."""
    return sum(abs(int(one[i : i + 2], 16) - int(other[i : i + 2], 16)) for i in (1, 3, 5))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(), max_size=20), st.lists(st.text(), max_size=20))
def test_all_differ_and_every_set_has_all_its_labels(one: list[str], other: list[str]) -> None:
    found = colors([*one, *other])
    assert list(found) == list(dict.fromkeys([*one, *other]))
    assert len(set(found.values())) == len(found)
    assert colors(reversed([*one, *other])) == found


@settings(max_examples=40, deadline=None)
@given(st.lists(st.from_regex(r"[a-z]{1,8}", fullmatch=True), unique=True, max_size=15), st.data())
def test_a_label_has_the_same_colour_in_every_set(labels: list[str], data: st.DataObject) -> None:
    """Names of one concept apart, which would have one colour: they are a set's own business."""
    concepts = {name: names for names in WHEEL for name in names}
    labels = [one for one in labels if one == concepts.get(one, (one,))[0]]
    alone = {label: colors([label])[label] for label in labels}
    if len(set(alone.values())) == len(labels):
        assert colors(labels) == alone


def test_case_and_common_names() -> None:
    assert colors(["person"])["person"] == colors(["PERSON"])["PERSON"] == colors(["PER", "LOC"])["PER"]
    assert len(set(colors(["PER", "person", "Person"]).values())) == 3


def test_black_is_readable_and_the_usual_sets_are_distinct() -> None:
    many = colors([*ONTONOTES, *WNUT, *(f"type {i}" for i in range(500))])
    assert min((luminance(color) + 0.05) / 0.05 for color in many.values()) > 7  # WCAG's AAA
    for labels, least in ((WNUT, 60), (["PER", "ORG", "LOC", "MISC"], 60), (ONTONOTES, 25)):
        found = list(colors(labels).values())
        assert min(distance(one, other) for i, one in enumerate(found) for other in found[:i]) > least


def test_displacy_takes_them() -> None:
    doc = Doc(blank("en").vocab, words=["Ada", "knits"])
    doc.ents = [Span(doc, 0, 1, "creative-work")]
    found = spacy_tokclf.colors(["creative-work"])
    html = displacy.render(doc, style="ent", jupyter=False, options={"colors": found})
    assert found["creative-work"] in html
