"""Rows: medians, ratios, and the file."""

import json

import pytest

from bench.rows import make_rows, print_rows, set_ratios, significant, write_rows
from bench.system import System

SYSTEMS = [
    System("one by one", "x:y", reference=True),
    System("batched", "x:y", reference=True),
    System("spacy-tokclf", "x:y", precision="bf16"),
]
ABOUT = {"versions": {"python": "3.11"}, "threads": 2}
ANSWERS = {
    "one by one [fp32]": [ABOUT, {"value": 90.0, "f1": 0.4}, {"value": 120.0}, {"value": 100.0}],
    "batched [fp32]": [ABOUT, {"value": 100.0}, {"value": 110.0}, {"value": 150.0}],
    "spacy-tokclf [bf16]": [ABOUT, {"value": 330.0, "f1": 0.5}, {"value": 333.0}, {"value": 10.0}],
}


def test_the_ratio_is_to_the_better_reference():
    rows = make_rows("annotate", "words/s", SYSTEMS, ANSWERS, data="sample")
    assert [row["value"] for row in rows] == [100.0, 110.0, 330.0]
    assert [row["ratio"] for row in rows] == [round(100 / 110, 3), 1.0, 3.0]
    assert [row["reference"] for row in rows] == [False, True, False]
    assert [row["f1"] for row in rows] == [0.4, None, 0.5]
    assert rows[2]["values"] == [330.0, 333.0, 10.0]
    wanted = {"work": "annotate", "system": "spacy-tokclf", "precision": "bf16", "unit": "words/s", "data": "sample"}
    assert wanted.items() <= rows[2].items()
    assert ABOUT.items() <= rows[2].items()


def test_where_less_is_better_the_better_reference_is_the_smaller_one():
    rows = make_rows("latency", "ms", SYSTEMS, ANSWERS)
    assert [row["reference"] for row in rows] == [True, False, False]
    assert rows[2]["ratio"] == 3.3


def test_without_a_reference_there_is_no_ratio():
    rows = [{"value": 1.0, "ratio": None, "reference": False}]
    set_ratios(rows)
    assert rows[0]["ratio"] is None


@pytest.mark.parametrize(("value", "expected"), [(1234567.0, 1234600.0), (0.000123456, 0.00012346), (12.0, 12.0)])
def test_significant(value, expected):
    assert significant(value) == expected


def test_the_file_is_a_list_of_rows(tmp_path, capsys):
    rows = make_rows("annotate", "words/s", SYSTEMS, ANSWERS)
    write_rows(tmp_path / "new" / "annotate.json", rows)
    assert json.loads((tmp_path / "new" / "annotate.json").read_text(encoding="utf8")) == rows
    print_rows(rows)
    shown = capsys.readouterr().out
    assert "1.00 (reference)" in shown
    assert "50.00" in shown
    assert "newest: python 3.11" in shown
