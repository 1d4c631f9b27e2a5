"""Parquet in and out: columns are kept as they are, and JSON has its place in it."""

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from spacy_tokclf.annotation.shards.run import annotate_corpus
from spacy_tokclf.corpus.options import ReadOptions

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

NOW = dt.datetime(2020, 1, 2, 3, 4, 5, 678901)
SCHEMA = pa.schema(
    [
        ("id", pa.int16()),
        ("text", pa.large_string()),
        ("when", pa.timestamp("ns")),
        ("tags", pa.list_(pa.string())),
    ]
)


def rows(first: int, count: int) -> list[dict[str, Any]]:
    texts = [None if i == 3 else "bad Day" if i == 4 else f"Ada {i}" for i in range(first, first + count)]
    return [{"id": first + i, "text": text, "when": NOW, "tags": ["x", "y"]} for i, text in enumerate(texts)]


@pytest.fixture
def parquet(tmp_path: Path) -> Path:
    """Folder of two files with small row groups."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name, first, count in (("a", 0, 25), ("b", 25, 11)):
        table = pa.Table.from_pylist(rows(first, count), schema=SCHEMA)
        pq.write_table(table, folder / f"{name}.parquet", row_group_size=4)
    return folder


def read(folder: Path) -> Any:
    return pa.concat_tables([pq.read_table(path) for path in sorted(folder.glob("shard-*.parquet"))])


@pytest.mark.parametrize("size", [1000, 7])
def test_columns_are_kept_as_they_are(
    here: Any, model: str, parquet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr("spacy_tokclf.annotation.shards.rows.BATCH", 3)
    monkeypatch.setattr("spacy_tokclf.annotation.shards.writers.GROUP_ROWS", 5)
    found = annotate_corpus(model, str(parquet), tmp_path / "out", shard_rows=size)
    table = read(tmp_path / "out")
    assert (found.rows, found.failed, table.num_rows) == (36, 2, 36)
    assert table.select(SCHEMA.names) == pa.Table.from_pylist(rows(0, 36), schema=SCHEMA)
    entities, errors = table["entities"].to_pylist(), table["error"].to_pylist()
    assert [number for number, each in enumerate(entities) if each is None] == [3, 4]
    assert "TC368" in errors[3] and "a.parquet, row 4" in errors[3] and "TC510" in errors[4] and errors[5] is None
    assert [each[0]["end"] for each in entities if each is not None] == [3] * 34
    assert entities[0][0]["label"] == "creative-work" and 0 < entities[0][0]["score"] < 1


def test_what_json_has_no_place_for_is_refused(here: Any, model: str, parquet: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"TC512.*when \(timestamp\[ns\]\)"):
        annotate_corpus(model, str(parquet), tmp_path / "out", options=ReadOptions(format="jsonl"))


def test_parquet_to_json(here: Any, model: str, tmp_path: Path) -> None:
    table = pa.table({"body": ["Ada", "Bob"], "n": [float("nan"), 0.5], "tags": [["x"], None]})
    pq.write_table(table, tmp_path / "x.parquet")
    options = ReadOptions(format="jsonl")
    annotate_corpus(model, str(tmp_path / "x.parquet"), tmp_path / "out", options=options)
    lines = (tmp_path / "out" / "shard-000000.jsonl").read_text().splitlines()
    assert [json.loads(line)["n"] for line in lines] == [None, 0.5]
    assert json.loads(lines[0])["tags"] == ["x"] and json.loads(lines[0])["entities"][0]["end"] == 3


def test_json_to_parquet_keeps_the_rest_as_json(
    here: Any, model: str, corpus: str, write: Callable[..., Path], tmp_path: Path
) -> None:
    write("in/c.jsonl", '{"text": "Ada \\ud800", "é": [1, {"x": 2}]}\n{"text": 5, "id": 1}')
    annotate_corpus(model, corpus, tmp_path / "out", shard_rows=20, options=ReadOptions(format="parquet"))
    found = read(tmp_path / "out")
    assert found.schema.names == ["text", "row", "entities", "error"]
    values = found.to_pylist()
    assert len(values) == 48 and values[0]["text"] == "Ada a Bob0" and values[0]["row"] == '{"id": "a0"}'
    assert values[5]["text"] == '{"id"' and values[5]["entities"] is None and "TC160" in values[5]["error"]
    assert values[46]["text"] == "Ada \ufffd" and json.loads(values[46]["row"]) == {"é": [1, {"x": 2}]}
    assert values[47]["text"] == "" and json.loads(values[47]["row"]) == {"text": 5, "id": 1}


@pytest.mark.parametrize(
    "made, asked, code",
    [
        ({"number": [1]}, {}, "TC508.*none"),
        ({"number": ["a"]}, {}, "TC508.*number"),
        ({"text": ["a"]}, {"text_column": "body"}, "TC508.*'body'"),
        ({"text": ["a"], "more": [1]}, {}, "TC511.*b.parquet"),
    ],
)
def test_other_columns_are_refused(
    here: Any, model: str, tmp_path: Path, made: dict[str, Any], asked: dict[str, Any], code: str
) -> None:
    (tmp_path / "in").mkdir()
    pq.write_table(pa.table(made), tmp_path / "in" / "a.parquet")
    pq.write_table(pa.table({"text": ["a"]}), tmp_path / "in" / "b.parquet")
    with pytest.raises(ValueError, match=code):
        annotate_corpus(model, str(tmp_path / "in"), tmp_path / "out", **asked)


@pytest.mark.parametrize("what", ["none", "damaged", "no UTF-8"])
def test_what_is_no_parquet_is_refused(here: Any, model: str, tmp_path: Path, what: str) -> None:
    path = tmp_path / "a.parquet"
    offsets, data = pa.py_buffer(bytes([0, 0, 0, 0, 2, 0, 0, 0])), pa.py_buffer(b"\xff\xfe")
    text = pa.Array.from_buffers(pa.string(), 1, [None, offsets, data]) if what == "no UTF-8" else ["Ada"] * 99
    pq.write_table(pa.table({"text": text}), path)
    if what == "damaged":
        path.write_bytes(path.read_bytes()[:10] + b"\xff" * 30 + path.read_bytes()[40:])
    if what == "none":
        path.write_bytes(b"PAR1 and no more")
    with pytest.raises(ValueError, match="TC515"):
        annotate_corpus(model, str(path), tmp_path / "out")


def test_columns_of_one_name_are_refused(here: Any, model: str, tmp_path: Path) -> None:
    pq.write_table(pa.table([["a"], [1], [2]], names=["text", "x", "x"]), tmp_path / "a.parquet")
    with pytest.raises(ValueError, match=r"TC527.*\(x\)"):
        annotate_corpus(model, str(tmp_path / "a.parquet"), tmp_path / "out")


def test_without_pyarrow(model: str, parquet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    with pytest.raises(ValueError, match="TC502"):
        annotate_corpus(model, str(parquet), tmp_path / "out")
