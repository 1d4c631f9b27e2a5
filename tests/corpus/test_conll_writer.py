"""What is written in CoNLL form and not refused is read back equal, whatever its words and labels are."""

import warnings

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spacy_tokclf.corpus import Record, read_conll, write_conll
from spacy_tokclf.corpus.tagged import read_tagged
from spacy_tokclf.tags import SCHEMES, convert_tags

ODD = ["#", "# x", "# a = b", "# global.columns = NER FORM", "-DOCSTART-", "word", "token", "tag", "O", "-", "_", "B-x"]
ODD += [
    "a|O",
    "x/O",
    "B-a|O",
    '"',
    '"a"',
    '"a","b',
    "\ufeff",
    "\r",
    "a\rb",
    "\x85",
    "\u2028",
    "1",
    "2-3",
    " ",
    "a b",
    "\x00",
]
ODD += [
    "%PDF-1",
    "PK\x03\x04",
    "x\x00" * 40,
    "{",
    "<a>",
    "T1",
    "\t",
    "\n",
    "",
    "PER|LOC",
    "a,B-x",
    "a O",
    "PER ",
    " PER",
]
TEXT = st.one_of(st.sampled_from(ODD), st.text(min_size=1, max_size=4), st.sampled_from(["PER", "LOC", "Mira"]))


@st.composite
def posts(draw):
    """Records with tags in IOB2 in an order that it allows."""
    made = []
    for _ in range(draw(st.integers(1, 4))):
        words, tags = [], []
        for _ in range(draw(st.integers(1, 4))):
            label = draw(TEXT)
            length = draw(st.integers(1, 2))
            chosen = draw(st.sampled_from([["O"], ["-"], [f"B-{label}", f"I-{label}"][:length]]))
            tags += chosen if label else ["O"] * len(chosen)
            words += [draw(TEXT) for _ in chosen]
        made.append(Record(words, tags))
    return made


@settings(deadline=None, max_examples=600, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=posts(), scheme=st.sampled_from(list(SCHEMES)))
def test_what_is_written_is_read_back(tmp_path, records, scheme):
    path = tmp_path / "x.conll"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            write_conll(records, path, scheme=scheme)
        except ValueError as error:
            assert str(error).startswith(("[TC117]", "[TC132]", "[TC480]")), error
            assert not path.exists()
            return
        expected = records
        if scheme == "IO":  # which joins entities of one type that touch
            expected = [
                Record(r.words, convert_tags(convert_tags(r.tags, "IOB2", "IO"), "IO", "IOB2")) for r in records
            ]
        assert list(read_conll(path)) == expected
        tags = [tag for record in records for tag in record.tags]
        if set(tags) == {"-"}:  # nothing to score
            with pytest.raises(ValueError, match="TC174"):
                read_tagged(path)
        elif scheme == "IOB2":
            assert read_tagged(path).tags == tags
    path.unlink()


@pytest.mark.parametrize("label", ["PER\tX", "a\nb", "a\rb", "PER ", "PER\x1f", "x,B-y", "x|O"])
def test_labels_that_would_not_come_back(tmp_path, label):
    records = [Record(["a"], ["O"]), Record(["Mira"], [f"B-{label}"], "x.jsonl", 7)]
    with pytest.raises(ValueError, match=r"TC117.*label.*x\.jsonl:7"):
        write_conll(records, tmp_path / "out.conll")
    assert not (tmp_path / "out.conll").exists()


@pytest.mark.parametrize("label", ["_", "O", "-", "B-PER", "PER|LOC", "very odd", "1", '"', "DT", "NONE"])
def test_odd_labels_come_back_with_prefixes(tmp_path, label):
    records = [Record(["Mira", "Oduya"], [f"B-{label}", f"I-{label}"])]
    for scheme in ("IOB1", "IOB2", "IOE2", "IOBES", "BILOU"):
        write_conll(records, tmp_path / "out.conll", scheme=scheme)
        assert list(read_conll(tmp_path / "out.conll")) == records


def test_labels_without_prefixes_have_to_be_told_for_labels(tmp_path):
    write_conll([Record(["a", "b"], ["B-PER", "O"])], tmp_path / "out.conll", scheme="IO")
    assert [record.tags for record in read_conll(tmp_path / "out.conll")] == [["B-PER", "O"]]
    with pytest.raises(ValueError, match=r"TC132.*no O.*IOB2"):
        write_conll([Record(["a", "b"], ["B-PER", "I-PER"])], tmp_path / "none.conll", scheme="IO")
    for word, label in (("# a = b", "PER"), ("word", "ner")):
        with pytest.raises(ValueError, match=r"TC117|TC132"):
            write_conll([Record([word, "b"], [f"B-{label}", "O"])], tmp_path / "none.conll", scheme="IO")
    assert not (tmp_path / "none.conll").exists()


def test_no_character(tmp_path):
    with pytest.raises(ValueError, match="TC117"):
        write_conll([Record(["\ud800"], ["O"])], tmp_path / "none.conll")
