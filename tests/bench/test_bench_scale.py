"""`bench scale`: what is listed runs, and the arithmetic is that of docs/scale.md."""

import dataclasses
import json

import pytest
import spacy
from tagged_training import CONFIG, write_tagged

from bench import scale as targets
from bench import together
from bench.commands import scale
from spacy_tokclf.annotation.items import Item
from spacy_tokclf.annotation.shards.rows import Row
from spacy_tokclf.annotation.shards.writers import open_writer, output_schema
from spacy_tokclf.corpus.records import TextRecord


@pytest.fixture
def given(tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "person", "pattern": "Ada"}])
    nlp.to_disk(tmp_path / "model")
    texts = [f"Ada met {i}" for i in range(60)]
    targets.write_corpus(tmp_path / "in.jsonl", texts)
    return {"model": str(tmp_path / "model"), "corpus": str(tmp_path / "in.jsonl"), "words": 180}


def test_systems_are_told_apart(setting, given):
    found = scale.systems(setting, given, 60)
    assert len({system.key for system in found}) == len(found) == 7
    for system in found:
        assert callable(getattr(targets, system.target.split(":")[1]))
        json.dumps(system.options)


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_words_of_shards_of_each_form_are_counted(form, given, tmp_path):
    if form == "parquet":
        pytest.importorskip("pyarrow")
    schema = output_schema("lines", None, None) if form == "parquet" else None
    with open_writer(form, tmp_path / f"x.{form}", schema) as add:
        add(Row(Item(TextRecord("Ada met Bob", []), ""), {"text": "Ada met Bob"}), [], "")
    assert targets.count_words(tmp_path / f"x.{form}") == 3


def test_one_pipe(given):
    result = targets.pipe(given)(0)
    assert result["value"] == pytest.approx(180 / result["seconds"])


@pytest.mark.slow
def test_the_whole_in_a_tiny_form(setting, given):
    only = ("one nlp", "one process [", "small [")
    tiny = dataclasses.replace(setting, model=given["model"], words=3000, rounds=1, only=only)
    rows = {(row["work"], row["system"]): row["value"] for row in scale.measure(tiny)}
    assert rows["shards", f"{scale.LOCAL}, one process"] > 0 and rows["shards", scale.ONE] > 0
    assert rows["shards, bytes", "JSON lines out"] > rows["shards, bytes", "JSON lines in"] > 10
    assert rows["shards, memory", f"{scale.LOCAL}, small"] > 50


def test_the_arithmetic():
    rows = [scale._row("shards", f"{scale.LOCAL}, two processes", 20_000.0, "words/s")]
    assert "left out" in scale.plan(rows, texts_words=18.0)
    rows.append(scale._row("shards, bytes", "Parquet out", 100.0, "bytes a row"))
    said = scale.plan(rows, texts_words=18.0)
    assert "500 core-hours" in said and "| 16 | 31 | 1.3 |" in said and "100 GB" in said


def test_trainings_are_told_apart(setting, given):
    found = scale.trainings(setting, {"train": "train.spacy", "dev": "dev.spacy"})
    assert [system.options["together"] for system in found] == [False, True] * 2
    sizes = [system.options["overrides"]["training.batcher.size"] for system in found]
    assert sizes == [16, 32, 32, 64]
    json.dumps([system.options for system in found])


@pytest.mark.slow
@pytest.mark.parametrize("are_together", [False, True])
def test_two_trainings_at_once(are_together, make_encoder, tmp_path):
    (tmp_path / "config.cfg").write_text(CONFIG)
    overrides = write_tagged(tmp_path) | {"paths.encoder": str(make_encoder())}
    options = {"config": str(tmp_path / "config.cfg"), "overrides": overrides, "workers": 2}
    result = together.trainings({**options, "together": are_together})(0)
    assert result["value"] > 0 and result["seconds"] > 0
