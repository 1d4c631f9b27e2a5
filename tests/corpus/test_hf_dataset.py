import json
import logging
from itertools import islice

import pytest
import spacy
from confection import ConfigValidationError
from spacy.training.initialize import init_nlp
from spacy.training.loop import create_train_batches, train
from spacy.util import load_config_from_str, load_model_from_config, registry

from spacy_tokclf.corpus import (
    Record,
    dataset_from_records,
    load_split,
    load_wnut17,
    read_conll,
    records_from_dataset,
    write_conll,
)
from spacy_tokclf.corpus.batcher import make_length_batcher_v1
from spacy_tokclf.corpus.convert import read_any
from spacy_tokclf.corpus.forms import wnut17
from spacy_tokclf.corpus.hf.load import ScriptError
from spacy_tokclf.corpus.hf_reader import make_hf_dataset_v1
from spacy_tokclf.corpus.verify import file_md5

datasets = pytest.importorskip("datasets")

RECORDS = [
    Record([name, "saw", "the", thing, thing, "!"], ["B-person", "O", "O", "B-work", "I-work", "-"])
    for name, thing in [("Ada", "Kite"), ("Bo", "Rust"), ("Cy", "Moth"), ("Di", "Salt")]
]
CONFIG = """
[nlp]
lang = "en"
pipeline = ["ner"]

[components]

[components.ner]
factory = "token_classifier"

[corpora]

[corpora.train]
@readers = "spacy-tokclf.HFDataset.v1"
path = null
split = "train"

[corpora.dev]
@readers = "spacy-tokclf.HFDataset.v1"
path = null
split = "train[:2]"

[training]
dev_corpus = "corpora.dev"
train_corpus = "corpora.train"
max_epochs = -1
max_steps = 2
eval_frequency = 2

[initialize]

[initialize.components]

[initialize.components.ner]

[initialize.components.ner.encoder]
@misc = "spacy-tokclf.PretrainedEncoder.v1"
name = null
"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """Keep what `datasets` writes out of the user's cache."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(wnut17, "_said", set())
    monkeypatch.delenv("WNUT17_DIR", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def nlp_blank():
    return spacy.blank("en")


def write_rows(path, form="lines"):
    rows = [{"tokens": record.words, "tags": record.tags} for record in RECORDS]
    text = json.dumps(rows) if form == "list" else "".join(json.dumps(row) + "\n" for row in rows)
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def saved(form, folder):
    """Write the records in one of the forms that a path can have."""
    dataset = dataset_from_records(RECORDS)
    if form == "dataset":
        dataset.save_to_disk(str(folder / "saved"))
        return folder / "saved"
    if form == "splits":
        datasets.DatasetDict({"train": dataset, "dev": dataset.select([0])}).save_to_disk(str(folder / "saved"))
        return folder / "saved"
    if form == "parquet":
        dataset.to_parquet(str(folder / "x.parquet"))
        return folder / "x.parquet"
    if form == "parquet folder":
        (folder / "data").mkdir()
        dataset.to_parquet(str(folder / "data" / "train-00000-of-00001.parquet"))
        dataset.select([0]).to_parquet(str(folder / "data" / "test-00000-of-00001.parquet"))
        return folder
    if form == "json folder":
        return write_rows(folder / "data" / "train.jsonl").parent
    return write_rows(folder / f"x.{form.split()[0]}", form.split()[-1])


FORMS = ["dataset", "splits", "parquet", "parquet folder", "jsonl lines", "json list", "json lines", "json folder"]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_path(form, tmp_path, nlp_blank):
    corpus = make_hf_dataset_v1(saved(form, tmp_path / "data" if "folder" not in form else tmp_path / "f"), "train")
    examples = list(corpus(nlp_blank))
    assert [[token.text for token in eg.predicted] for eg in examples] == [record.words for record in RECORDS]
    for eg in examples:
        assert eg.get_aligned_ner() == ["U-person", "O", "O", "B-work", "L-work", None]
        assert eg.predicted.has_unknown_spaces and eg.reference.has_unknown_spaces
        assert not eg.predicted.has_annotation("ENT_IOB")
    assert corpus.scheme == "IOB2"


@pytest.fixture(autouse=True)
def folders(tmp_path):
    for name in ("data", "f"):
        (tmp_path / name).mkdir()


@pytest.mark.parametrize("limit, count", [(0, 4), (1, 1), (4, 4), (9, 4)])
def test_limit(limit, count, tmp_path, nlp_blank):
    path = saved("jsonl", tmp_path)
    assert len(list(make_hf_dataset_v1(path, "train", limit=limit)(nlp_blank))) == count
    corpus = make_hf_dataset_v1(path, "train", limit=limit, augmenter=lambda nlp, example: iter((example, example)))
    assert len(list(corpus(nlp_blank))) == 2 * count


def test_slices_and_splits(tmp_path, nlp_blank):
    path = saved("parquet", tmp_path)
    assert len(list(make_hf_dataset_v1(path, "train[1:3]")(nlp_blank))) == 2
    assert len(list(make_hf_dataset_v1(path, "validation")(nlp_blank))) == 4
    path = saved("splits", tmp_path)
    assert len(list(make_hf_dataset_v1(path, "dev")(nlp_blank))) == 1
    with pytest.raises(ValueError, match=r"TC154.*'test'.*saved.*train, dev"):
        list(make_hf_dataset_v1(path, "test")(nlp_blank))
    path = saved("parquet folder", tmp_path / "f")
    with pytest.raises(ValueError, match=r"TC156.*split dev.*\['train', 'test'\]"):
        list(make_hf_dataset_v1(path, "dev")(nlp_blank))


def test_loaded_once_and_read_again(tmp_path, nlp_blank, monkeypatch):
    corpus = make_hf_dataset_v1(saved("jsonl", tmp_path), "train")
    batches = create_train_batches(nlp_blank, corpus, make_length_batcher_v1(2, 2), -1)
    monkeypatch.setattr(datasets, "load_dataset", forbid_second_call(datasets.load_dataset))
    seen = list(islice(batches, 6))
    assert [epoch for epoch, _ in seen] == [0, 0, 1, 1, 2, 2]
    for epoch in range(3):
        texts = sorted(eg.text for e, batch in seen for eg in batch if e == epoch)
        assert texts == sorted(eg.text for eg in corpus(nlp_blank))


def forbid_second_call(function):
    calls = []

    def once(*args, **kwargs):
        calls.append(args)
        assert len(calls) == 1
        return function(*args, **kwargs)

    return once


def test_registered_and_validated(tmp_path, nlp_blank):
    path = str(saved("jsonl", tmp_path))
    config = {"@readers": "spacy-tokclf.HFDataset.v1", "path": path, "split": "train", "limit": 2}
    assert len(list(registry.resolve({"corpus": config})["corpus"](nlp_blank))) == 2
    for faulty in ({"limit": "two"}, {"split": None}, {"shuffle": True}):
        with pytest.raises(ConfigValidationError):
            registry.resolve({"corpus": {**config, **faulty}})
    with pytest.raises(ValueError, match=r"TC156.*No path"):
        make_hf_dataset_v1(None, "train")
    with pytest.raises(ValueError, match="TC119"):
        make_hf_dataset_v1(path, "train", limit=-1)


def test_training_straight_from_a_data_set(tmp_path, encoder_dir):
    config = load_config_from_str(CONFIG)
    path = str(saved("parquet", tmp_path))
    for corpus in ("train", "dev"):
        config["corpora"][corpus]["path"] = path
    config["initialize"]["components"]["ner"]["encoder"]["name"] = str(encoder_dir)
    nlp = init_nlp(load_model_from_config(config, auto_fill=True).config)
    before = nlp.get_pipe("ner").model.get_dim("nO")
    trained, _ = train(nlp, None, use_gpu=-1)
    assert before == 5
    assert sorted(trained.get_pipe("ner").labels) == ["person", "work"]
    assert isinstance(trained.evaluate(list(make_hf_dataset_v1(path, "train")(trained)))["ents_f"], float)


def refuse(error):
    def load_dataset(path, **options):
        raise error

    return load_dataset


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("Dataset scripts are no longer supported, but found conll.py"),
        ValueError("The repository for conll contains custom code. Please pass the argument `trust_remote_code=True`."),
    ],
)
def test_script_data_sets_are_refused_with_the_fix(monkeypatch, error, nlp_blank):
    monkeypatch.setattr(datasets, "load_dataset", refuse(error))
    with pytest.raises(ScriptError, match=r"TC155.*'someone/conll'.*revision = \"refs/convert/parquet\""):
        list(make_hf_dataset_v1("someone/conll", "train")(nlp_blank))


@pytest.mark.parametrize(
    "error",
    [
        ConnectionError("Couldn't reach 'x' on the Hub"),
        datasets.exceptions.DatasetNotFoundError("Dataset 'x' doesn't exist"),
        datasets.exceptions.DatasetGenerationError("broken"),
        ValueError("Config name is missing"),
    ],
)
def test_other_failures_keep_their_reason(monkeypatch, error):
    monkeypatch.setattr(datasets, "load_dataset", refuse(error))
    with pytest.raises(ValueError, match=rf"TC156.*'x'.*split dev.*revision v1.*{error}\. Expected") as caught:
        load_split("x", "dev", revision="v1")
    assert not isinstance(caught.value, ScriptError)


def test_options_reach_the_loader(monkeypatch):
    asked = []

    def load_dataset(path, name=None, split=None, revision=None, trust_remote_code=None):
        asked.append((path, name, split, revision, trust_remote_code))
        return dataset_from_records(RECORDS)

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    load_split("a/b", "train[:9]", name="en", revision="main")
    # versions before 4 would ask on the terminal whether to run the script
    assert asked == [("a/b", "en", "train[:9]", "main", False)]


def test_a_file_that_is_no_data_set(tmp_path, nlp_blank):
    path = tmp_path / "x.parquet"
    path.write_bytes(b"not parquet")
    with pytest.raises(ValueError, match=r"TC156.*x\.parquet"):
        list(make_hf_dataset_v1(path, "train")(nlp_blank))


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A Hub that has the parquet conversion of wnut_17 and refuses all else; what was asked for."""
    asked = []
    load = datasets.load_dataset
    local = saved("parquet", tmp_path)

    def load_dataset(path, name=None, split=None, revision=None, **options):
        asked.append((path, split, revision))
        if revision != "refs/convert/parquet":
            raise RuntimeError("Dataset scripts are no longer supported, but found wnut_17.py")
        return load("parquet", data_files={split: [str(local)]}, split=split)

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    return asked


@pytest.fixture
def no_hub(monkeypatch):
    """A Hub that cannot be reached; what was asked for."""
    asked = []

    def load_dataset(path, name=None, split=None, revision=None, **options):
        asked.append((path, split, revision))
        raise ConnectionError("Couldn't reach the Hub")

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    return asked


@pytest.fixture
def conll_folder(monkeypatch, tmp_path):
    """CoNLL files that pass for the published ones."""
    folder = tmp_path / "conll"
    files = {}
    for i, split in enumerate(("train", "dev", "test")):
        write_conll(RECORDS[i:], folder / f"{split}.conll")
        files[split] = (f"{split}.conll", file_md5(folder / f"{split}.conll"))
    monkeypatch.setattr(wnut17, "WNUT17_FILES", files)
    return folder


@pytest.mark.parametrize("name", ["wnut_17", "leondz/wnut_17"])
def test_wnut17_is_its_parquet_conversion(hub, name, nlp_blank, caplog):
    splits = ("train", "validation", "dev", "test")
    with caplog.at_level(logging.WARNING, "spacy"):
        for split in splits:
            assert len(list(make_hf_dataset_v1(name, split)(nlp_blank))) == 4
    expected = [("leondz/wnut_17", split, "refs/convert/parquet") for split in ("train", *["validation"] * 2, "test")]
    assert hub == expected
    (message,) = [record.getMessage() for record in caplog.records]
    assert "TW111" in message and "refs/convert/parquet" in message
    assert load_wnut17() == {"train": RECORDS, "dev": RECORDS, "test": RECORDS}


@pytest.mark.parametrize("place", ["argument", "variable", "assets"])
def test_wnut17_from_conll_without_a_network(no_hub, conll_folder, place, tmp_path, monkeypatch, caplog, nlp_blank):
    if place == "variable":
        monkeypatch.setenv("WNUT17_DIR", str(conll_folder))
    if place == "assets":
        (tmp_path / "assets").mkdir()
        conll_folder.rename(tmp_path / "assets" / "wnut17")
    with caplog.at_level(logging.WARNING, "spacy"):
        loaded = load_wnut17(folder=conll_folder if place == "argument" else None)
        assert loaded == {"train": RECORDS, "dev": RECORDS[1:], "test": RECORDS[2:]}
        if place != "argument":
            assert len(list(make_hf_dataset_v1("wnut_17", "validation")(nlp_blank))) == 3
    # the Hub is not waited for again
    assert no_hub == [("leondz/wnut_17", "train", "refs/convert/parquet")]
    (message,) = [record.getMessage() for record in caplog.records]
    assert "TW111" in message and "the CoNLL files in" in message


def test_wnut17_nowhere_or_another_file(no_hub, conll_folder, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"TC157.*Couldn't reach the Hub.*train\.conll.*assets.*WNUT17_DIR"):
        load_wnut17()
    write_conll(RECORDS[:1], conll_folder / "train.conll")
    with pytest.raises(ValueError, match=r"TC120.*train\.conll"):
        load_wnut17(folder=conll_folder)
    with pytest.raises(ValueError, match=r"TC154.*'eval'.*train, dev, validation, test"):
        list(make_hf_dataset_v1("wnut_17", "eval")(spacy.blank("en")))


def test_wnut17_by_another_revision_is_what_was_asked_for(hub, nlp_blank):
    with pytest.raises(ScriptError, match="TC155"):
        list(make_hf_dataset_v1("wnut_17", "train", revision="main")(nlp_blank))


def test_the_published_conll_files(no_hub, wnut17, caplog):
    with caplog.at_level(logging.WARNING, "spacy"):
        loaded = load_wnut17(folder=wnut17["train"].parent)
    assert {split: len(records) for split, records in loaded.items()} == {"train": 3394, "dev": 1009, "test": 1287}
    assert loaded["test"] == list(read_conll(wnut17["test"]))


@pytest.mark.parametrize("described", [{"_type": "Value"}, {"_type": "None"}, {"dtype": 1, "_type": "Value"}])
def test_a_damaged_description_of_columns(tmp_path, described):
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    table = pa.table({"tokens": [["a"]], "ner_tags": [["O"]]})
    facts = json.dumps({"info": {"features": {"tokens": described, "ner_tags": described}}})
    pq.write_table(table.replace_schema_metadata({"huggingface": facts}), tmp_path / "x.parquet")
    with pytest.raises(ValueError, match=r"TC15[1-6]"):
        list(records_from_dataset(load_split(tmp_path / "x.parquet", "train")))


def test_strings_of_a_parquet_file_that_are_no_text(tmp_path):
    pq = pytest.importorskip("pyarrow.parquet")
    pa = pytest.importorskip("pyarrow")
    pq.write_table(pa.table({"tokens": [["héllo"]], "ner_tags": [["O"]]}), tmp_path / "x.parquet", compression="none")
    data = (tmp_path / "x.parquet").read_bytes()
    (tmp_path / "x.parquet").write_bytes(data.replace("é".encode(), b"\x9f\x9f"))
    with pytest.raises(ValueError, match=r"TC153.*UTF-8"):
        list(read_any(tmp_path / "x.parquet", spacy.blank("en")))
