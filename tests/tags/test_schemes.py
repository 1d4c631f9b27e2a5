import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_tokclf.tags import SCHEMES, convert_tags, detect_scheme, spans_to_tags, split_tag, tags_to_spans

WITH_PREFIX = [name for name in SCHEMES if name != "IO"]
LABELS = ["person", "creative-work", "B-side", "O"]


@st.composite
def sentences(draw):
    """Spans that often touch, the length of their sentence, and some missing tokens outside them."""
    spans, missing, at = [], [], 0
    for _ in range(draw(st.integers(0, 6))):
        for i in range(at, at := at + draw(st.integers(0, 2))):
            if draw(st.booleans()):
                missing.append(i)
        end = at + draw(st.integers(1, 4))
        spans.append((at, end, draw(st.sampled_from(LABELS))))
        at = end
    return spans, at + draw(st.integers(0, 2)), missing


@pytest.mark.parametrize(
    "tag, parts",
    [
        ("B-creative-work", ("B", "creative-work")),
        ("I-A", ("I", "A")),
        ("O", ("O", "")),
        ("-", ("-", "")),
        ("B-", ("B", "")),
        ("B--x", ("B", "-x")),
    ],
)
def test_split_tag_on_first_hyphen(tag, parts):
    assert split_tag(tag) == parts


@pytest.mark.parametrize("scheme", WITH_PREFIX)
@settings(deadline=None)
@given(sentences())
def test_spans_survive_every_scheme(scheme, sentence):
    spans, length, missing = sentence
    tags = spans_to_tags(spans, length, scheme, missing=missing)
    assert len(tags) == length
    assert tags_to_spans(tags, scheme) == spans
    assert [i for i, tag in enumerate(tags) if tag == "-"] == missing


@settings(deadline=None)
@given(sentences(), st.sampled_from(WITH_PREFIX), st.sampled_from(WITH_PREFIX))
def test_conversion_there_and_back(sentence, one, other):
    spans, length, missing = sentence
    tags = spans_to_tags(spans, length, one, missing=missing)
    assert convert_tags(convert_tags(tags, one, other), other, one) == tags
    with_none = [None if tag == "-" else tag for tag in tags]
    assert convert_tags(with_none, one, other) == convert_tags(tags, one, other)


@settings(deadline=None)
@given(sentences())
def test_labels_without_prefix_merge_touching_spans_only(sentence):
    spans, length, _ = sentence
    merged = []
    for start, end, label in ((s, e, "x" + name) for s, e, name in spans):
        if merged and merged[-1][1:] == (start, label):
            start = merged.pop()[0]
        merged.append((start, end, label))
    tags = spans_to_tags([(s, e, "x" + name) for s, e, name in spans], length, "IO")
    assert tags_to_spans(tags, "IO") == merged


@pytest.mark.parametrize(
    "scheme, tags, spans",
    [
        ("IOB2", "O I-A I-A O", [(1, 3, "A")]),
        ("IOB2", "B-A I-B I-B", [(0, 1, "A"), (1, 3, "B")]),
        ("IOB2", "I-A I-B", [(0, 1, "A"), (1, 2, "B")]),
        ("IOB2", "B-A B-A I-A", [(0, 1, "A"), (1, 3, "A")]),
        ("IOB2", "B-A O I-A", [(0, 1, "A"), (2, 3, "A")]),
        ("IOB2", "B-A - I-A", [(0, 1, "A"), (2, 3, "A")]),
        ("IOB1", "I-A B-A I-A I-B", [(0, 1, "A"), (1, 3, "A"), (3, 4, "B")]),
        ("IOBES", "B-A E-A B-A E-A S-A", [(0, 2, "A"), (2, 4, "A"), (4, 5, "A")]),
        ("IOBES", "S-A I-A O B-A O E-B", [(0, 1, "A"), (1, 2, "A"), (3, 4, "A"), (5, 6, "B")]),
        ("BILOU", "U-A U-A B-A I-A L-A", [(0, 1, "A"), (1, 2, "A"), (2, 5, "A")]),
        ("BILOU", "B-A L-A L-A U-A B-A", [(0, 2, "A"), (2, 3, "A"), (3, 4, "A"), (4, 5, "A")]),
        ("IOE1", "I-A E-A I-A I-A", [(0, 2, "A"), (2, 4, "A")]),
        ("IOE2", "I-A E-A E-A", [(0, 2, "A"), (2, 3, "A")]),
        ("IO", "creative-work creative-work O A", [(0, 2, "creative-work"), (3, 4, "A")]),
    ],
)
def test_reading(scheme, tags, spans):
    assert tags_to_spans(tags.split(), scheme) == spans


@settings(deadline=None)
@given(st.lists(st.sampled_from(["O", "B-A", "I-A", "B-B", "I-B", "B-c-w", "I-c-w"]), min_size=1, max_size=12))
def test_iob2_equals_seqeval_default_mode(tags):
    seqeval = pytest.importorskip("seqeval.metrics.sequence_labeling")
    theirs = [(start, end + 1, label) for label, start, end in seqeval.get_entities(tags)]
    assert tags_to_spans(tags, "IOB2") == theirs


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(["O", "B-A", "I-A", "E-A", "S-A", "B-B", "I-B", "E-B", "S-B"]),
        min_size=1,
        max_size=12,
    )
)
def test_iobes_equals_seqeval_default_mode(tags):
    seqeval = pytest.importorskip("seqeval.metrics.sequence_labeling")
    theirs = [(start, end + 1, label) for label, start, end in seqeval.get_entities(tags)]
    assert tags_to_spans(tags, "IOBES") == theirs


@settings(deadline=None)
@given(st.sampled_from(WITH_PREFIX), st.data())
def test_every_token_with_a_label_is_in_one_span(scheme, data):
    forms = ["O", "-", *(f"{p}-{t}" for p in sorted(SCHEMES[scheme].prefixes) for t in "AB")]
    tags = data.draw(st.lists(st.sampled_from(forms), max_size=12))
    covered = {i: label for start, end, label in tags_to_spans(tags, scheme) for i in range(start, end)}
    assert covered == {i: split_tag(tag)[1] for i, tag in enumerate(tags) if tag not in "O-"}


def test_faulty_tags_and_spans_are_refused():
    with pytest.raises(ValueError, match=r"TC100.*IOB3.*IOB2"):
        tags_to_spans(["O"], "IOB3")
    with pytest.raises(ValueError, match=r"TC101.*'S-A'.*token 1.*IOB2: B-TYPE, I-TYPE"):
        tags_to_spans(["O", "S-A"], "IOB2")
    for tag in ("B", "B-", "", "person", "X-A", "b-A"):
        with pytest.raises(ValueError, match="TC101"):
            convert_tags([tag], "IOB2", "BILOU")
    for span in ((1, 1, "A"), (-1, 1, "A"), (0, 4, "A"), (0, 1, "")):
        with pytest.raises(ValueError, match="TC102"):
            spans_to_tags([span], 3)
    with pytest.raises(ValueError, match=r"TC103.*0, 2, 'band'.*1, 3, 'person'"):
        spans_to_tags([(1, 3, "person"), (0, 2, "band")], 3)


@pytest.mark.parametrize("scheme", WITH_PREFIX)
@settings(deadline=None)
@given(st.lists(sentences(), max_size=5))
def test_detection_of_what_we_write(scheme, many):
    # one sentence that only the scheme itself would write so
    telling = spans_to_tags([(0, 2, "A"), (2, 3, "A"), (4, 6, "B"), (7, 8, "A")], 9, scheme)
    tags = [telling, *(spans_to_tags(spans, length, scheme, missing=gaps) for spans, length, gaps in many)]
    assert detect_scheme(tags) == scheme


@pytest.mark.parametrize(
    "sentences, scheme",
    [
        (["O O", ""], "IOB2"),
        (["O B-A I-A", "I-B O"], "IOB2"),
        (["I-A O", "I-A B-A"], "IOB1"),
        (["S-A O"], "IOBES"),
        (["B-A I-A E-A"], "IOBES"),
        (["U-A", "B-A I-A"], "BILOU"),
        (["person O creative-work"], "IO"),
        (["PER - O"], "IO"),
        (["- - B-A"], "IOB2"),
    ],
)
def test_detection(sentences, scheme):
    assert detect_scheme([s.split() for s in sentences]) == scheme


def test_detection_refuses_what_fits_nothing():
    with pytest.raises(ValueError, match=r"TC104.*'S-A' \(sentence 1, token 0\).*'L-A' \(sentence 0, token 1\)"):
        detect_scheme([["B-A", "L-A"], ["S-A"]])
    with pytest.raises(ValueError, match=r"TC104.*'LOC'.*'B-A'"):
        detect_scheme([["B-A", "LOC"]])
    for tag in ("B", "X-A", "M-A", "B-", ""):
        with pytest.raises(ValueError, match=r"TC101.*sentence 1, token 0"):
            detect_scheme([["O"], [tag]])


@pytest.mark.parametrize("label", ["O", "-"])
def test_labels_that_mean_something_else_without_a_prefix_are_refused(label):
    with pytest.raises(ValueError, match=r"TC480.*IO\b"):
        spans_to_tags([(0, 1, label)], 2, "IO")
    with pytest.raises(ValueError, match="TC480"):
        convert_tags([f"B-{label}", "O"], "IOB2", "IO")
    assert spans_to_tags([(0, 1, label)], 2, "IOB2") == [f"B-{label}", "O"]
