import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spacy_tokclf.corpus import (
    Record,
    dataset_dict_from_docbins,
    dataset_from_records,
    docbins_from_dataset_dict,
    load_split,
    read_conll,
    read_docbin,
    records_from_dataset,
    write_docbin,
)
from spacy_tokclf.corpus.hf.records import detect_dataset_form
from spacy_tokclf.tags import SCHEMES, convert_tags

datasets = pytest.importorskip("datasets")

WORDS = st.one_of(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=4).filter(lambda w: not w.isspace()),
    st.sampled_from(["\ufe0f", "a\u2028b", "2020-01-01", "null", "-"]),
)
POST = st.lists(st.tuples(WORDS, st.sampled_from(["O", "-", "B-a", "I-a", "B-b-c", "I-b-c"])), max_size=6)
IN_PLACE = settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
RECORDS = [
    Record(["Ada", "met", "Bo", "Li", "?"], ["B-person", "O", "B-person", "I-person", "-"]),
    Record(["lol"], ["O"]),
    Record([], []),
    Record(["Rome", "Rome"], ["B-location", "B-location"]),
]


def records_of(posts):
    return [
        Record([word for word, _ in post], convert_tags([tag for _, tag in post], "IOB2", "IOB2")) for post in posts
    ]


def table(gold, names=None, **columns):
    """A data set with the column ner_tags, of strings or of ClassLabel."""
    rows = {"tokens": [[f"w{i}" for i in range(len(row or ""))] for row in gold], "ner_tags": gold, **columns}
    dataset = datasets.Dataset.from_dict(rows)
    if names is None:
        return dataset
    return dataset.cast_column("ner_tags", datasets.Sequence(datasets.ClassLabel(names=names)))


@IN_PLACE
@given(st.lists(POST, max_size=5))
def test_there_and_back(posts):
    records = records_of(posts)
    dataset = dataset_from_records(records)
    assert list(records_from_dataset(dataset)) == records
    again = dataset_from_records(records_from_dataset(dataset))
    assert again.features == dataset.features
    assert again[:] == dataset[:]


@IN_PLACE
@given(posts=st.lists(POST.filter(bool), min_size=1, max_size=4))
def test_parquet_there_and_back(tmp_path, posts):
    records = records_of(posts)
    dataset_from_records(records).to_parquet(str(tmp_path / "x.parquet"))
    again = datasets.Dataset.from_parquet(str(tmp_path / "x.parquet"), keep_in_memory=True, cache_dir=str(tmp_path))
    assert list(records_from_dataset(again)) == records


def test_names_are_those_of_the_published_wnut17(wnut17):
    dataset = dataset_from_records(read_conll(wnut17["dev"]))
    types = ["corporation", "creative-work", "group", "location", "person", "product"]
    label = dataset.features["ner_tags"].feature
    assert label.names == ["O", *(f"{prefix}-{name}" for name in types for prefix in "BI")]
    assert (dataset.num_rows, sum(map(len, dataset["tokens"]))) == (1009, 15733)
    assert list(records_from_dataset(dataset)) == list(read_conll(wnut17["dev"]))


def test_missing_values_are_written_as_minus_one_and_read_in_every_form():
    dataset = dataset_from_records(RECORDS)
    assert dataset["ner_tags"][0] == [3, 0, 3, 4, -1]
    for missing in (-1, -100, None):
        read = list(records_from_dataset(table([[0, missing, 1]], ["O", "B-x", "I-x"])))
        assert read == [Record(["w0", "w1", "w2"], ["O", "-", "B-x"])]
    assert list(records_from_dataset(table([["O", None, "B-x"]]))) == read
    assert list(records_from_dataset(table([["O", "-", "B-x"]]))) == read


def test_names_can_be_given_and_a_tag_without_one_is_refused():
    names = ["B-person", "I-person", "O", "B-location", "I-location", "B-unused"]
    dataset = dataset_from_records(RECORDS, names=names)
    assert dataset.features["ner_tags"].feature.names == names
    assert list(records_from_dataset(dataset)) == RECORDS
    with pytest.raises(ValueError, match=r"TC152.*Ada met Bo.*token 0.*'B-person'.*2 tag names.*O, B-location"):
        dataset_from_records(RECORDS, names=["O", "B-location"])


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_scheme_is_detected_and_read(scheme):
    tags = ["B-a", "I-a", "B-a", "O", "B-b-c", "-", "B-b-c", "I-b-c", "I-b-c"]
    if scheme == "IO":
        tags[2] = "I-a"
    written = convert_tags(tags, "IOB2", scheme)
    names = sorted({tag for tag in written if tag != "-"})
    ids = [names.index(tag) if tag != "-" else -100 for tag in written]
    for dataset in (table([written]), table([ids], names)):
        assert detect_dataset_form(dataset).scheme == scheme
        for name in ("auto", scheme):
            assert [record.tags for record in records_from_dataset(dataset, scheme=name)] == [tags]


def test_faulty_order_is_repaired_and_said_once():
    dataset = table([["O", "I-x"], ["B-x"], ["I-x"]])
    with pytest.warns(UserWarning, match=r"TW100.*news: 2 of 3 post.*IOB2.*first: news:1") as caught:
        records = list(records_from_dataset(dataset, scheme="IOB2", name="news"))
    assert len(caught) == 1
    assert [record.tags for record in records] == [["O", "B-x"], ["B-x"], ["B-x"]]
    assert [record.where for record in records] == ["news:1", "news:2", "news:3"]


def test_columns_by_name_and_by_themselves():
    dataset = datasets.Dataset.from_dict({"text": [["a"]], "labels": [["B-x"]], "id": [["O"]]})
    assert list(records_from_dataset(dataset, tokens="text", tags=None)) == [Record(["a"], ["B-x"])]
    assert list(records_from_dataset(dataset, tokens="text", tags="id")) == [Record(["a"], ["O"])]
    both = table([["B-x"]], tags=[["O"]])
    assert list(records_from_dataset(both, tags=None)) == [Record(["w0"], ["B-x"])]


def test_any_format_and_streams():
    dataset = dataset_from_records(RECORDS)
    assert list(records_from_dataset(dataset.with_format("numpy"))) == RECORDS
    stream = dataset.to_iterable_dataset()
    assert list(records_from_dataset(stream)) == RECORDS
    assert list(records_from_dataset(stream.shuffle(seed=0), scheme="IOB2")) != []


@pytest.mark.parametrize(
    "dataset, options, says",
    [
        (table([["O"]]), {"tags": "tags"}, r"TC151.*no column 'tags'.*tokens, ner_tags"),
        (table([["O"]]), {"tokens": "words"}, r"TC151.*no column 'words'"),
        (datasets.Dataset.from_dict({"tokens": [["a"]]}), {"tags": None}, "TC151.*'ner_tags'"),
        (table([[0, 1]]), {}, r"TC153.*:1: the column 'ner_tags' holds 0"),
        (table([[0], [2.5]]), {}, r"TC153.*:1"),
        (table([[["O"]]]), {}, r"TC153.*:1.*ClassLabel"),
        (table(["O"]), {}, r"TC153.*:1.*'O'"),
        (table([None], tokens=[["a"]]), {}, r"TC153.*:1.*None"),
        (table([["O"], ["O"]], tokens=[["a"], ["a", None]]), {}, r"TC153.*:2.*'tokens'.*None.*strings"),
        (table([["O"]], tokens=["a b"]), {}, r"TC153.*:1.*'tokens'.*'a b'"),
        (table([["O", "O"]], tokens=[["a", ""]]), {}, r"TC153.*:1, token 1.*'tokens'.*''.*at least one character"),
        (table([["O"], ["O", "O"]], tokens=[["a"], ["a"]]), {}, r"TC110.*:2.*1 words.*2 tags"),
        (table([["O"], ["O", "Q-x"]]), {}, r"TC101.*'Q-x'.*:2, token 1"),
        (table([["S-x"]]), {"scheme": "IOB2"}, r"TC101.*'S-x'.*:1, token 0"),
        (table([["B-x", "LOC"]]), {}, r"TC104.*'LOC'"),
        (table([[-7]], ["O"]), {}, r"TC152.*:1: token 0.*-7.*1 tag names"),
        (datasets.DatasetDict({"train": table([["O"]])}), {}, r"TC154.*None.*train"),
    ],
)
def test_faults_are_placed(dataset, options, says):
    with pytest.raises(ValueError, match=says):
        list(records_from_dataset(dataset, **options))


@pytest.mark.parametrize("row", [(["a", "\ud800"], ["O", "O"]), (["a", "b"], ["O", "B-\udc0e"])])
def test_halves_of_characters_in_a_stream_are_refused(row):
    def rows():
        yield {"tokens": ["a"], "ner_tags": ["O"]}
        yield dict(zip(("tokens", "ner_tags"), row, strict=True))

    with pytest.raises(ValueError, match=r"TC153.*:2, token 1.*surrogate"):
        list(records_from_dataset(datasets.IterableDataset.from_generator(rows), scheme="IOB2"))


def test_folder_of_docbins_and_back(tmp_path):
    parts = {"train": RECORDS[:2], "dev": RECORDS[2:], "emerging-test": RECORDS[1:2]}
    for split, records in parts.items():
        write_docbin(records, tmp_path / "a" / f"{split}.spacy")
    splits = dataset_dict_from_docbins(tmp_path / "a")
    assert sorted(splits) == sorted(parts)
    names = {tuple(split.features["ner_tags"].feature.names) for split in splits.values()}
    assert names == {("O", "B-location", "I-location", "B-person", "I-person")}
    splits.save_to_disk(str(tmp_path / "saved"))
    again = datasets.load_from_disk(str(tmp_path / "saved"))
    assert docbins_from_dataset_dict(again, tmp_path / "b") == {split: len(posts) for split, posts in parts.items()}
    for split, records in parts.items():
        assert list(read_docbin(tmp_path / "b" / f"{split}.spacy")) == records
        one, other = (tmp_path / folder / f"{split}.spacy" for folder in "ab")
        assert one.read_bytes() == other.read_bytes()
        assert list(records_from_dataset(load_split(tmp_path / "saved", split))) == records
    with pytest.raises(ValueError, match=r"TC158.*new"):
        dataset_dict_from_docbins(tmp_path / "new")


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "datasets", None)
    with pytest.raises(ImportError, match=r"TC150.*pip install spacy-tokclf\[datasets\]"):
        dataset_from_records(RECORDS)
