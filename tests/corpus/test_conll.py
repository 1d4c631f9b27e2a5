import re
import warnings

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spacy_tokclf.corpus import Record, detect_conll_scheme, read_conll, write_conll
from spacy_tokclf.tags import SCHEMES, convert_tags

WORDS = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\t\n"), min_size=1, max_size=5),
    st.sampled_from(["\ufe0f", "\x85", "a\u2028b", "\u2028", " ", "\ufeff", "\r", "-", "O", "#", "New York", "\xa0"]),
)
TAGS = st.sampled_from(["O", "-", "B-person", "B-creative-work"])


def pairs(path, **kwargs):
    return [(record.words, record.tags) for record in read_conll(path, **kwargs)]


@pytest.mark.parametrize("split, posts, tokens", [("train", 3394, 62730), ("dev", 1009, 15733), ("test", 1287, 23394)])
def test_wnut17_as_published(wnut17, tmp_path, split, posts, tokens):
    assert detect_conll_scheme([wnut17[split]]) == "IOB2"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        records = list(read_conll(wnut17[split]))
    assert (len(records), sum(len(record.words) for record in records)) == (posts, tokens)
    assert write_conll(records, tmp_path / "again.conll") == posts
    published = wnut17[split].read_bytes()
    # the train file ends 2394 posts with a line that holds a tab
    assert (tmp_path / "again.conll").read_bytes() == re.sub(rb"(?m)^\t$", b"", published)
    lines = published.decode("utf-8").split("\n")
    assert all(lines[record.line - 1].startswith(f"{record.words[0]}\t") for record in records)


def test_blank_lines_docstart_bom_and_crlf(conll):
    rows = "-DOCSTART-\tO\n\n \na\tB-x\n\t\nb\tO\n\x85\u2028 \n-DOCSTART-\nc\tO\n-DOCSTART- -X-\td\nd\tI-x\n\n\n"
    expected = [(["a"], ["B-x"]), (["b"], ["O"]), (["c"], ["O"]), (["d"], ["B-x"])]
    for newline in ("\n", "\r\n"):
        for bom in ("", "\ufeff"):
            path = conll(bom + rows.replace("\n", newline))
            with pytest.warns(UserWarning, match=r"TW100.*1 of 4 post.*IOB2.*posts\.conll:11"):
                records = list(read_conll(path))
            assert [(record.words, record.tags) for record in records] == expected
            assert [record.line for record in records] == [4, 6, 9, 11]
    assert pairs(conll("x\tO")) == [(["x"], ["O"])]


def test_crlf_is_no_part_of_a_last_column_of_words(conll):
    assert pairs(conll("O\ta\r\nB-x\tb\r\r\n"), token_column=1, tag_column=0) == [(["a", "b\r"], ["O", "B-x"])]


def test_first_word_that_begins_with_a_byte_order_mark(tmp_path):
    records = [Record(["\ufeffa", "\ufeff"], ["O", "O"]), Record(["\ufeff"], ["O"])]
    write_conll(records, tmp_path / "posts.conll")
    assert list(read_conll(tmp_path / "posts.conll")) == records


def test_tab_or_spaces(conll):
    assert pairs(conll("New York\tB-l\n\xa0x\tO\n\x85\tO\n")) == [(["New York", "\xa0x", "\x85"], ["B-l", "O", "O"])]
    assert pairs(conll("York  B-l\n \xa0x\x85 O \n")) == [(["York", "\xa0x\x85"], ["B-l", "O"])]
    assert pairs(conll("a\tNN\tO \nb\tVB\tB-x\t\n".replace("\t\n", "\n"))) == [(["a", "b"], ["O", "B-x"])]


def test_columns(conll):
    path = conll("1\tAda\t_\tB-p\tx\n2\truns\t_\tO\tx\n")
    assert pairs(path, token_column=1, tag_column=3) == [(["Ada", "runs"], ["B-p", "O"])]
    assert pairs(path, token_column=-4, tag_column=-2) == [(["Ada", "runs"], ["B-p", "O"])]
    for token, tag in ((0, 5), (-6, 0), (1, 1), (1, -4)):
        with pytest.raises(
            ValueError, match=rf"TC112.*posts\.conll:1.*5 column.*token_column {token}.*tag_column {tag}"
        ):
            pairs(path, token_column=token, tag_column=tag)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_scheme_in_iob2_out(conll, scheme):
    tags = ["B-a", "I-a", "B-a", "O", "B-b-c", "-", "B-b-c", "I-b-c", "I-b-c"]
    if scheme == "IO":
        tags[2] = "I-a"
    given_tags = convert_tags(tags, "IOB2", scheme)
    path = conll("".join(f"w\t{tag}\n" for tag in given_tags))
    for name in (scheme, "auto"):
        assert pairs(path, scheme=name) == [(["w"] * 9, tags)]


@pytest.mark.parametrize(
    "content, code, says",
    [
        ("a\tO\n\nb\tO\tO\n", "TC113", r"posts\.conll:3.*3 column.*tabs.*have 2"),
        ("a\tO\nb\n", "TC113", r"posts\.conll:2.*1 column.*'b'"),
        ("a\tO\nb O\n", "TC113", r"posts\.conll:2"),
        ("New York B-l\nis O\n", "TC113", r"posts\.conll:2.*spaces.*tab"),
        ("a\nb\n", "TC112", r"posts\.conll:1.*1 column"),
        ("a\tO\n\tO\n", "TC114", r"posts\.conll:2"),
        (
            "a\tO\n\nb\tB-a,B-b\n",
            "TC115",
            r"posts\.conll:3.*B-a,B-b.*emerging\.test\.conll.*emerging\.test\.annotated",
        ),
        ("a\tO,B-b\n", "TC115", r"posts\.conll:1"),
        ("a\tO\nb\tX-a\n", "TC101", r"'X-a'.*posts\.conll:2"),
        ("a\tB-x\n\nb\tO\nb\tB\n", "TC101", r"'B'.*posts\.conll:4"),
        ("a\tO\nb\t\n", "TC101", r"''.*posts\.conll:2"),
        ("a\tS-a\n\na\tO\nb\tL-a\n", "TC104", r"'S-a'.*posts\.conll:1.*'L-a'.*posts\.conll:4"),
        ("a\tB-a\na\tLOC\n", "TC104", r"'LOC'.*posts\.conll:2.*'B-a'.*posts\.conll:1"),
        ("", "TC116", r"posts\.conll.*0 blank"),
        ("\ufeff\n \n-DOCSTART- O\n", "TC116", "3 blank"),
        (b"a\tO\n\xe9t\xe9\tO\n", "TC111", r"posts\.conll:2.*byte 1"),
        ("a\tO\nb\tO".encode("utf-16")[:-1], "TC111", r"posts\.conll:2.*UTF-16"),
    ],
)
def test_faults_are_placed(conll, content, code, says):
    with pytest.raises(ValueError, match=rf"(?s){code}.*{says}"):
        pairs(conll(content))


def test_named_scheme_refuses_other_tags(conll):
    with pytest.raises(ValueError, match=r"TC101.*'S-a'.*posts\.conll:3.*IOB2: B-TYPE"):
        pairs(conll("a\tB-a\n\nb\tS-a\n"), scheme="IOB2")
    with pytest.raises(ValueError, match="TC100"):
        pairs(conll("a\tO\n"), scheme="IOB")
    assert pairs(conll("a\tB,b\n"), scheme="IO") == [(["a"], ["B-B,b"])]


def test_missing_file(tmp_path):
    for path in (tmp_path / "no.conll", tmp_path):
        with pytest.raises(ValueError, match="TC118"):
            pairs(path)


def test_streams(conll):
    posts = read_conll(conll("a\tO\n\nb\tO\n\nbroken\n"), scheme="IOB2")
    assert next(posts).words == ["a"]
    assert next(posts).words == ["b"]
    with pytest.raises(ValueError, match=r"TC113.*:5"):
        next(posts)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(posts=st.lists(st.lists(st.tuples(WORDS, TAGS), min_size=1, max_size=5), min_size=1, max_size=4))
def test_what_we_write_we_read(tmp_path, posts):
    records = [Record([word for word, _ in post], [tag for _, tag in post]) for post in posts]
    if any(re.match(r"-DOCSTART-(\s|$)", record.words[0]) for record in records):
        return
    path = tmp_path / "posts.conll"
    assert write_conll(records, path) == len(records)
    assert list(read_conll(path)) == records
    write_conll(read_conll(path), tmp_path / "again.conll")
    assert (tmp_path / "again.conll").read_bytes() == path.read_bytes()


def test_write_other_schemes_and_new_folder(tmp_path):
    records = [Record(["a", "b", "c"], ["B-x", "I-x", "B-y"]), Record([], [])]
    path = tmp_path / "new" / "posts.conll"
    assert write_conll(records, path, scheme="BILOU") == 1
    assert path.read_bytes() == b"a\tB-x\nb\tL-x\nc\tU-y\n\n"
    assert list(read_conll(path)) == records[:1]


@pytest.mark.parametrize("word", ["", "a\tb", "a\nb", "-DOCSTART-"])
def test_words_that_would_not_come_back(tmp_path, word):
    with pytest.raises(ValueError, match=r"TC117.*posts\.conll:7"):
        write_conll([Record([word], ["O"], "posts.conll", 7)], tmp_path / "out.conll")


def test_record():
    record = Record(["Ada", "L", "!"], ["B-p", "I-p", "O"], "a.conll", 3)
    assert record.spans == [(0, 2, "p")]
    assert record.where == "a.conll:3"
    assert record == Record(["Ada", "L", "!"], ["B-p", "I-p", "O"])
    assert "Ada L" in Record(["Ada", "L"], ["O", "O"]).where
    with pytest.raises(ValueError, match=r"TC110.*2 words and 1 tags"):
        Record(["a", "b"], ["O"])
