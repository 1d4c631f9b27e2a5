"""The data sets: no gold where it does not belong, and a new split that no post is in twice."""

import json
from pathlib import Path

import pytest

from bench.accuracy.data import get_data, gold_file, resplit
from bench.accuracy.study import Study
from spacy_tokclf.corpus import Record, read_conll, read_docbin


def posts(path: Path) -> list[list[str]]:
    return [record.words for record in (read_docbin if path.suffix == ".spacy" else read_conll)(path)]


def test_test_has_no_gold(study: Study) -> None:
    data = get_data(study, "wnut17")
    gold = list(read_conll(gold_file(study, "wnut17", "test")))
    assert json.loads((data / "data.json").read_text()) == {"train": 16, "dev": 8, "test": 8}
    assert any(record.spans for record in gold)
    for form in ("spacy", "conll"):
        path = data / f"test.{form}"
        assert posts(path) == [record.words for record in gold]
        for record in (read_docbin if form == "spacy" else read_conll)(path):
            assert set(record.tags) == {"-"}
        assert posts(data / f"train.{form}") == posts(study.root / "assets" / "data" / "train.conll")


def test_train_and_dev(study: Study) -> None:
    alone, both = get_data(study, "wnut17"), get_data(study, "wnut17", with_dev=True)
    assert posts(both / "train.spacy") == posts(alone / "train.spacy") + posts(alone / "dev.spacy")
    assert posts(both / "test.spacy") == posts(alone / "test.spacy")
    assert both != alone


def test_the_sample_needs_no_wnut17(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    (study.root / "assets" / "data.json").write_text('{"source": "sample"}')
    assert len(posts(get_data(study, "sample") / "dev.conll")) == 4
    for name in ("wnut17", "resplit"):
        with pytest.raises(SystemExit):
            get_data(study, name)
    assert "WNUT17_DIR" in capsys.readouterr().out


def test_the_new_split() -> None:
    records = [Record([f"Word{i % 500}"], ["O"]) for i in range(1000)]
    records += [Record([f"WORD{i}"], ["B-person"]) for i in range(500)]
    parts = resplit(records)
    words = {split: {record.words[0].lower() for record in each} for split, each in parts.items()}
    assert {split: len(each) for split, each in words.items()} == {"train": 400, "dev": 50, "test": 50}
    assert sum(map(len, parts.values())) == 500 == len(set().union(*words.values()))
    assert not any(record.spans for each in parts.values() for record in each), "the first of equal posts is kept"
    assert resplit(records) == parts != resplit(records, seed=1)
    assert [record.words for record in parts["train"][:3]] != [record.words for record in records[:3]]


def test_the_new_split_of_the_training_posts(study: Study) -> None:
    data = get_data(study, "resplit")
    splits = [posts(data / f"{split}.spacy") for split in ("train", "dev", "test")]
    assert sorted(words for split in splits for words in split) == sorted(
        posts(study.root / "assets" / "data" / "train.conll")
    )
    assert list(map(len, splits)) == [14, 1, 1]
    assert gold_file(study, "resplit", "test").parent != data
