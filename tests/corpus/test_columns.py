"""The reader of columns: what it tolerates, and what it refuses with file and line."""

from pathlib import Path

import pytest

from spacy_tokclf.corpus import read_conll
from spacy_tokclf.corpus.forms import lines
from spacy_tokclf.corpus.forms.columns import read_columns, stream_columns


def write(folder: Path, data: str | bytes) -> Path:
    path = folder / "file.conll"
    path.write_bytes(data if isinstance(data, bytes) else data.encode("utf8"))
    return path


TWO_POSTS = ([["a", "b", "c"], ["B-x", "I-x", "O"]], [1, 2, 4], [2, 1])


TOLERATED = [
    "a\tB-x\nb\tI-x\n\nc\tO\n",
    "a B-x\nb I-x\n\nc O",
    "a   B-x\nb \t I-x\n \t\nc O\n\n\n",
    "a\tB-x\r\nb\tI-x\r\n\r\nc\tO\r\n",
    "\ufeffa\tB-x\nb\tI-x\n\t\nc\tO",
    "a\tB-x\t\nb\tI-x \n\nc\tO\t\n",
    "  a B-x\nb I-x\n\n c O\n",
    "a\t\tB-x\nb\t\tI-x\n\nc\t\tO\n",
    "a\tB-x\nb\t\tI-x\n\nc\tO\n",
]


@pytest.mark.parametrize("data", TOLERATED)
def test_tolerated(tmp_path: Path, data: str) -> None:
    table = read_columns(write(tmp_path, data))
    assert (table.columns, table.lines.tolist(), table.lengths.tolist()) == TWO_POSTS
    assert table.where(2).endswith("file.conll:4")


@pytest.mark.parametrize("data", TOLERATED)
def test_training_reads_what_scoring_reads(tmp_path: Path, data: str) -> None:
    """One reader of columns: what `score` takes, `convert` and training take too."""
    records = list(read_conll(write(tmp_path, data)))
    assert [(record.words, record.tags, record.line) for record in records] == [
        (["a", "b"], ["B-x", "I-x"], 1),
        (["c"], ["O"], 4),
    ]


@pytest.mark.parametrize("size", [1, 5, 9])
@pytest.mark.parametrize("data", [*TOLERATED, "-DOCSTART- O\n\na O\nb O\n-DOCSTART-\nc O\n\n\nd O\ne O"])
def test_blocks_make_no_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: str, size: int) -> None:
    path = write(tmp_path, data + "\n\n" + data.removeprefix("\ufeff"))
    whole, records = read_columns(path), list(read_conll(path))
    monkeypatch.setattr(lines, "BLOCK", size)
    parts = read_columns(path)
    assert len(list(stream_columns(path))) > 1
    assert parts.columns == whole.columns
    assert parts.lines.tolist() == whole.lines.tolist()
    assert parts.lengths.tolist() == whole.lengths.tolist()
    assert [(record, record.line) for record in read_conll(path)] == [(record, record.line) for record in records]


@pytest.mark.parametrize("size", [4, 1 << 22])
@pytest.mark.parametrize("bad, code", [(b"b\n", "TC113"), (b"\xff\tO\n", "TC111")])
def test_sentences_before_a_fault_are_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: bytes, code: str, size: int
) -> None:
    monkeypatch.setattr(lines, "BLOCK", size)
    path = write(tmp_path, b"a\tO\n\nb\tO\nc\tO\n\nd\tO\n" + bad)
    words = []
    with pytest.raises(ValueError, match=rf"{code}.*file\.conll:7"):
        for record in read_conll(path, scheme="IOB2"):
            words.append(record.words)
    assert words == [["a"], ["b", "c"]]


def test_empty_cells_at_the_end_of_rows(tmp_path: Path) -> None:
    """They are columns where a row has something there, or the columns asked for need them; else they are none."""
    path = write(tmp_path, "a\tB-x\t\nb\tO\tnote\n\nc\tO\t\n")
    assert read_columns(path, (0, 1)).columns == [["a", "b", "c"], ["B-x", "O", "O"]]
    assert read_columns(path, (0, 2)).columns[1] == ["", "note", ""]
    path = write(tmp_path, "a\tB-x\t\nb\tO\t\n")
    assert read_columns(path, (0, -1)).columns[1] == read_columns(path, (0, -2)).columns[1] == ["B-x", "O"]


def test_chosen_columns_and_separators(tmp_path: Path) -> None:
    path = write(tmp_path, "1\ta\tB-x\tO\n2\tb\tO\tO\n")
    assert read_columns(path, (1, 2)).columns == [["a", "b"], ["B-x", "O"]]
    assert read_columns(path, (-3, -1)).columns == [["a", "b"], ["O", "O"]]
    path = write(tmp_path, "a,B-x\n,,O\nb,I-x\n")
    assert read_columns(path, separator=",").columns == [["a", ",", "b"], ["B-x", "O", "I-x"]]


def test_tokens_may_be_odd(tmp_path: Path) -> None:
    """Spaces in tokens of a tabbed file, lost tokens, and characters that Python takes for line ends."""
    path = write(tmp_path, "do n't\tO\n\tO\n\u2028\tO\nx\x85y\tB-x\n\ufe0f\tO\n")
    assert read_columns(path).columns == [["do n't", "", "\u2028", "x\x85y", "\ufe0f"], ["O", "O", "O", "B-x", "O"]]
    assert read_columns(write(tmp_path, "a B-x\n O\nb I-x\n")).columns == [["a", "", "b"], ["B-x", "O", "I-x"]]


def test_docstart_divides(tmp_path: Path) -> None:
    data = "-DOCSTART- -X- O\n\na x B-x\n-DOCSTART- -X- O\nb x O\n"
    table = read_columns(write(tmp_path, data))
    assert table.columns == [["a", "b"], ["B-x", "O"]]
    assert table.lengths.tolist() == [1, 1]
    words = read_columns(write(tmp_path, "a O\n-DOCSTART- O\n-DOCSTART-x O\n")).columns[0]
    assert words == ["a", "-DOCSTART-x"]
    assert read_columns(write(tmp_path, "-DOCSTART-;O\na;O\n"), separator=";").columns[0] == ["a"]


@pytest.mark.parametrize(
    ("data", "code", "place"),
    [
        ("", "TC116", "file.conll:"),
        ("\n \n\t\n", "TC116", "file.conll:"),
        ("a\tO\nb\n", "TC113", "file.conll:2"),
        ("a\tO\n\nb\tx\tO\n", "TC113", "file.conll:3"),
        ("a O\nb\n", "TC113", "file.conll:2"),
        ("a O\nb c d\n", "TC113", "file.conll:2"),
        ("New York B-x\nis  O\n", "TC113", "file.conll:2"),
        ("\na\nb\n", "TC112", "file.conll:2"),
        (b"a\tO\nb\xff\tO\n", "TC111", "file.conll:2"),
    ],
)
def test_refused(tmp_path: Path, data: str | bytes, code: str, place: str) -> None:
    with pytest.raises(ValueError, match=code) as caught:
        read_columns(write(tmp_path, data))
    assert place in str(caught.value)


def test_refused_columns_and_files(tmp_path: Path) -> None:
    path = write(tmp_path, "a\tO\n")
    for columns in ((0, 2), (-3, 1), (1, -1)):
        with pytest.raises(ValueError, match="TC112"):
            read_columns(path, columns)
    with pytest.raises(ValueError, match="TC118"):
        read_columns(tmp_path / "none.conll")


@pytest.mark.parametrize("name", ["wnut17train.conll", "emerging.dev.conll", "emerging.test.annotated"])
def test_agrees_with_the_reader_of_training_data(wnut17_dir: Path, name: str) -> None:
    table, records = read_columns(wnut17_dir / name), list(read_conll(wnut17_dir / name))
    assert table.columns[0] == [word for record in records for word in record.words]
    assert table.columns[1] == [tag for record in records for tag in record.tags]
    assert table.lengths.tolist() == [len(record.words) for record in records]
