import re
import warnings

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.training import biluo_tags_to_spans, offsets_to_biluo_tags
from spacy.util import filter_spans

from spacy_tokclf.corpus import TextRecord, text_record_to_doc, text_records_to_docs
from spacy_tokclf.corpus.align import find_overlap, keep_spans
from spacy_tokclf.corpus.offset_report import OffsetReport

TEXT = "He left New York's  Soho."
#       0  3    8   12  16 20  24   tokens: He left New York 's ' ' Soho .
TOKENS = ["He", "left", "New", "York", "'s", " ", "Soho", "."]
NLP = spacy.blank("en")
QUICK = settings(deadline=None, max_examples=150)


@pytest.fixture
def nlp():
    return NLP


def tags(doc):
    """One letter a token: entity tags, O, and - for a missing value."""
    return [f"{token.ent_iob_}-{token.ent_type_}" if token.ent_type_ else token.ent_iob_ or "-" for token in doc]


def aligned(nlp, *spans, text=TEXT, **options):
    report = OffsetReport()
    doc = text_record_to_doc(TextRecord(text, list(spans)), nlp, report=report, **options)
    return tags(doc), dict(report.counts)


def test_spans_that_fit(nlp):
    assert [token.text for token in nlp.make_doc(TEXT)] == TOKENS
    found, counts = aligned(nlp, (8, 16, "LOC"), (20, 24, "LOC"))
    assert found == ["O", "O", "B-LOC", "I-LOC", "O", "O", "B-LOC", "O"]
    assert counts == {}
    assert aligned(nlp)[0] == ["O"] * 8


@pytest.mark.parametrize(
    "span, mask, expand, contract",
    [
        # "York'" ends inside 's
        ((12, 17, "X"), "O O O - - O O O", "O O O B-X I-X O O O", "O O O B-X - O O O"),
        # "w Yor" touches two tokens and holds none
        ((10, 15, "X"), "O O - - O O O O", "O O B-X I-X O O O O", "O O - - O O O O"),
        # "'s  Soh" has only white space inside: nothing begins or ends there
        ((17, 23, "X"), "O O O O - - - O", "O O O O B-X I-X I-X O", "O O O O - - - O"),
        # "w York's  Soho": the white space inside stays
        ((10, 24, "X"), "O O - - - - - O", "O O B-X I-X I-X I-X I-X O", "O O - B-X I-X I-X I-X O"),
        # "York's  S" loses the white space at its end
        ((12, 21, "X"), "O O O - - - - O", "O O O B-X I-X I-X I-X O", "O O O B-X I-X - - O"),
    ],
)
def test_spans_that_do_not_fit(nlp, span, mask, expand, contract):
    for rule, expected in (("mask", mask), ("expand", expand), ("contract", contract)):
        found, counts = aligned(nlp, span, on_misaligned=rule)
        assert found == expected.split(), rule
        assert counts == {"mask" if rule == "contract" and "X" not in contract else rule: 1}
    with pytest.raises(ValueError, match=r"TC166.*He left.*\(\d+, \d+, 'X'\).*tokens \["):
        aligned(nlp, span, on_misaligned="error")


def test_white_space_at_the_ends(nlp):
    found, counts = aligned(nlp, (7, 17 - 1, "LOC"), (18, 25 - 1, "LOC"), (18, 20, "X"))
    assert found == ["O", "O", "B-LOC", "I-LOC", "O", "O", "B-LOC", "O"]
    assert counts == {"trim": 2, "blank": 1}


@pytest.mark.parametrize("spaces", range(1, 7))
def test_any_number_of_blanks_before_a_name(nlp, spaces):
    text = "4:30" + " " * spaces + "Jerry Smith"
    doc = text_record_to_doc(TextRecord(text, [(4, len(text), "PER")]), nlp)
    assert [(ent.text, ent.label_) for ent in doc.ents] == [("Jerry Smith", "PER")]


def test_overlap_is_refused_by_name(nlp):
    one, other = (8, 16, "LOC"), (12, 24, "ORG")
    with pytest.raises(ValueError, match=r"TC165.*\(8, 16, 'LOC'\) 'New York'.*\(12, 24, 'ORG'\) \"York's  Soho\""):
        aligned(nlp, other, one)
    with pytest.raises(ValueError, match=r"TC165.*'A'.*'B'"):
        aligned(nlp, (8, 16, "A"), (8, 16, "B"))
    # the same span twice is one span
    assert aligned(nlp, one, one)[0] == aligned(nlp, one, (7, 16, "LOC"))[0] == aligned(nlp, one)[0]


def test_overlap_resolved_and_what_is_lost_is_masked(nlp):
    one, other = (8, 16, "LOC"), (12, 24, "ORG")
    found, counts = aligned(nlp, other, one, overlap="first")
    assert found == ["O", "O", "B-LOC", "I-LOC", "-", "-", "-", "O"]
    assert counts == {"overlap": 1}
    found, _ = aligned(nlp, one, other, overlap="longest")
    assert found == ["O", "O", "-", "B-ORG", "I-ORG", "I-ORG", "I-ORG", "O"]
    for rule in ("first", "longest"):
        assert aligned(nlp, (8, 16, "A"), (8, 16, "B"), (12, 16, "C"), overlap=rule)[0][2:4] == ["B-A", "I-A"]


def test_overlap_that_expanding_makes(nlp):
    spans = [(8, 13, "A"), (14, 16, "B")]  # "New Y" and "rk" share a token, not a character
    assert aligned(nlp, *spans)[0] == ["O", "O", "-", "-", "O", "O", "O", "O"]
    with pytest.raises(ValueError, match=r"TC165.*\(8, 13, 'A'\) 'New Y'.*\(14, 16, 'B'\) 'rk'"):
        aligned(nlp, *spans, on_misaligned="expand")
    found, counts = aligned(nlp, *spans, on_misaligned="expand", overlap="longest")
    assert found[2:5] == ["B-A", "I-A", "O"]
    assert counts == {"expand": 2, "overlap": 1}


def test_missing_parts_give_way_to_spans(nlp):
    record = TextRecord(TEXT, [(8, 16, "LOC")], missing=[(0, 10), (17, 18)])
    assert tags(text_record_to_doc(record, nlp)) == ["-", "-", "B-LOC", "I-LOC", "-", "O", "O", "O"]


def test_unknown_choices(nlp):
    for options, says in (
        ({"on_misaligned": "drop"}, "on_misaligned 'drop'.*mask, expand"),
        ({"overlap": ""}, "overlap ''"),
    ):
        with pytest.raises(ValueError, match=f"TC167.*{says}"):
            aligned(nlp, **options)


def test_one_warning_with_five_examples(nlp):
    records = [TextRecord(TEXT, [(8, 16, "LOC"), (21, 24, f"L{i}"), (2, 7, "V")], path="x", line=i) for i in range(9)]
    with pytest.warns(UserWarning, match="TW110") as caught:
        docs = list(text_records_to_docs(records, nlp))
    (message,) = [str(warning.message) for warning in caught]
    assert len(docs) == 9
    assert "x: 9 of 27 spans do not fit" in message and "9 of 27 spans began or ended with white space" in message
    assert re.findall(r"x:(\d) \(21, 24, 'L\d'\) 'oho'", message) == list("01234")
    assert "'V'" not in message


def test_a_corpus_without_faults_says_nothing(nlp, recwarn):
    assert len(list(text_records_to_docs([TextRecord(TEXT, [(8, 16, "LOC")])], nlp))) == 1
    assert not recwarn.list


def test_a_tokenizer_that_changes_the_text_is_refused(nlp):
    class Lower:
        def tokenizer(self, text):
            return nlp.make_doc(text.lower())

    with pytest.raises(ValueError, match=r"TC171.*He left.*he left"):
        text_record_to_doc(TextRecord(TEXT, []), Lower())


def test_given_tokens(nlp):
    tokens = [(0, 2), (3, 7), (8, 16), (16, 18), (20, 24), (24, 25)]
    record = TextRecord(TEXT, [(8, 16, "LOC")], tokens=tokens)
    doc = text_record_to_doc(record, nlp, keep_tokens=True)
    assert doc.text == TEXT and not doc.has_unknown_spaces
    assert [token.text for token in doc] == ["He", "left", "New York", "'s", " ", "Soho", "."]
    assert tags(doc) == ["O", "O", "B-LOC", "O", "O", "O", "O"]
    assert [token.text for token in text_record_to_doc(record, nlp)] == TOKENS
    text = "\n a  "
    doc = text_record_to_doc(TextRecord(text, [], tokens=[(2, 3)]), nlp, keep_tokens=True)
    assert doc.text == text and [token.text for token in doc] == ["\n ", "a", " "]


@pytest.mark.parametrize(
    "tokens, says",
    [
        ([(0, 2), (8, 11)], r"'left'|' left '"),
        ([(0, 4), (3, 7)], "begins at 3"),
        ([(3, 7), (0, 2)], "'He '|begins at 0"),
    ],
)
def test_given_tokens_that_do_not_spell_the_text(nlp, tokens, says):
    with pytest.raises(ValueError, match=f"TC170.*(?:{says})"):
        text_record_to_doc(TextRecord(TEXT, [], tokens=tokens), nlp, keep_tokens=True)


PIECES = st.sampled_from(["New", " ", "  ", "York", "'s", "don't", "\n", "10km", "🎉", ".", "\u2028", "\x85", "é", "-"])


@st.composite
def annotated(draw, most=4):
    text = "".join(draw(st.lists(PIECES, min_size=1, max_size=8)))
    place = st.integers(0, len(text))
    pairs = draw(st.lists(st.tuples(place, place, st.sampled_from("AB")), max_size=most))
    return TextRecord(text, [(min(i, j), max(i, j), label) for i, j, label in pairs if i != j])


@QUICK
@given(annotated(), st.sampled_from(["mask", "expand", "contract"]), st.sampled_from(["first", "longest"]))
def test_nothing_that_was_marked_is_taught_as_outside(record, on_misaligned, overlap):
    doc = text_record_to_doc(record, NLP, on_misaligned=on_misaligned, overlap=overlap)
    assert doc.text == record.text
    marked = {i for start, end, _ in record.spans for i in range(start, end)}
    for token in doc:
        touched = any(i in marked for i in range(token.idx, token.idx + len(token)) if not record.text[i].isspace())
        if touched:
            assert token.ent_iob_ != "O"
        elif not token.is_space:
            assert token.ent_iob_ == "O"
    for ent in doc.ents:
        assert not ent[0].is_space and not ent[-1].is_space
        assert any(label == ent.label_ for _, _, label in record.spans)
    offered = {(start, end) for start, end, _ in record.spans}
    if on_misaligned == "mask":
        stripped = {(s + len(t) - len(t.lstrip()), s + len(t.rstrip())) for s, e in offered if (t := doc.text[s:e])}
        assert {(ent.start_char, ent.end_char) for ent in doc.ents} <= stripped


@QUICK
@given(annotated(most=1))
def test_one_span_is_masked_as_spacy_would(record):
    doc = text_record_to_doc(record, NLP)
    kept = [span for span in record.spans if record.text[slice(*span[:2])].strip()]
    trimmed = [
        (s + len(t) - len(t.lstrip()), s + len(t.rstrip()), label) for s, e, label in kept for t in [record.text[s:e]]
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # spaCy's own, of what does not fit
        expected = offsets_to_biluo_tags(NLP.make_doc(record.text), trimmed)
    assert [(ent.start, ent.end) for ent in doc.ents] == [
        (span.start, span.end) for span in biluo_tags_to_spans(NLP.make_doc(record.text), expected) if span.label_
    ]
    assert [tag == "-" for tag in expected] == [not token.ent_iob for token in doc]


PAIRS = st.lists(st.tuples(st.integers(0, 12), st.integers(1, 5)).map(lambda p: (p[0], p[0] + p[1])), max_size=7)


@QUICK
@given(PAIRS)
def test_longest_is_what_spacy_keeps(pairs):
    doc = NLP.make_doc("a " * 20)
    expected = filter_spans([doc[start:end] for start, end in pairs])
    assert [pairs[i] for i in keep_spans(pairs, "longest")] == [(span.start, span.end) for span in expected]


@QUICK
@given(PAIRS)
def test_first_is_greedy_from_the_left(pairs):
    kept, at = [], 0
    for start, end in sorted(pairs, key=lambda pair: (pair[0], -pair[1])):
        if start >= at:
            kept.append((start, end))
            at = end
    assert [pairs[i] for i in keep_spans(pairs, "first")] == kept


@QUICK
@given(PAIRS)
def test_overlap_is_found_if_there_is_one(pairs):
    overlapping = [
        (i, j)
        for i, (start, end) in enumerate(pairs)
        for j, (other_start, other_end) in enumerate(pairs)
        if i != j and start < other_end and other_start < end
    ]
    found = find_overlap(pairs)
    assert (found is None) == (not overlapping)
    assert found is None or found in overlapping
