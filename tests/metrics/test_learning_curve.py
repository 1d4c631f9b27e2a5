"""What trainings on parts of the data say."""

import json
from pathlib import Path

import pytest

from spacy_tokclf.metrics.learning_curve import PartRun, curve_points, last_gain, read_curve, read_found_curve


def runs(**f1: list[float]) -> list[PartRun]:
    """Give trainings by their share in percent ("p50"), one for each seed."""
    return [
        PartRun(int(name[1:]) / 100, seed, int(name[1:]), seed + 2, score / 100, 9)
        for name, scores in f1.items()
        for seed, score in enumerate(scores)
    ]


def test_points_are_means_with_their_range() -> None:
    low, high = curve_points(runs(p100=[70.0, 50.0], p25=[20.0, 22.0]))
    assert (low.share, low.texts, low.number) == (0.25, 25, 2) and (high.share, high.entities) == (1.0, 2.5)
    assert (high.f1, high.low, high.high) == pytest.approx((0.6, 0.5, 0.7))
    assert curve_points([]) == []


@pytest.mark.parametrize(
    ("f1", "said"),
    [
        (
            {"p25": [1, 1], "p50": [10, 20], "p75": [90, 90], "p100": [11, 23]},
            ["From 50 to 100 %", "+2.00", "+1.00 to +3.00", "may well help"],
        ),
        ({"p50": [10, 20], "p100": [9, 20]}, ["-0.50", "alone may well not help"]),
        ({"p50": [10, 20], "p100": [9, 25]}, ["+2.00", "do not agree", "chance"]),
        ({"p50": [10], "p100": [15]}, ["+5.00", "with one seed", "--seeds"]),
        ({"p75": [10, 10], "p100": [15, 15]}, ["From 75 to 100 %"]),
        ({"p30": [1, 1], "p50": [10, 10], "p90": [15, 15]}, ["From 30 to 90 %"]),
    ],
)
def test_what_the_last_doubling_gave(f1: dict[str, list[float]], said: list[str]) -> None:
    sentence = last_gain(runs(**f1))
    assert all(part in sentence for part in said), sentence


def test_without_two_shares_nothing_is_said() -> None:
    assert last_gain([]) == last_gain(runs(p100=[50, 60])) == ""
    one, other = runs(p50=[1])[0], runs(p100=[1, 2])[1]
    assert last_gain([one, other]) == "", "of different seeds"


BAD = ["", "{}", "[]", '{"made_of": {}, "runs": [{"share": 1}]}']


@pytest.mark.parametrize("text", BAD)
def test_a_file_that_is_something_else(tmp_path: Path, text: str) -> None:
    (tmp_path / "curve.json").write_text(text)
    with pytest.raises(ValueError, match="TC384"):
        read_curve(tmp_path / "curve.json")
    with pytest.warns(UserWarning, match="TW380"):
        assert read_found_curve(str(tmp_path)) == []


def test_a_value_that_is_no_number(tmp_path: Path) -> None:
    row = {**runs(p50=[1])[0]._asdict(), "f1": "high"}
    (tmp_path / "curve.json").write_text(json.dumps({"made_of": {}, "runs": [row]}))
    with pytest.raises(ValueError, match="TC384"):
        read_curve(tmp_path / "curve.json")


def test_it_is_found_in_a_pipeline_or_beside_it(tmp_path: Path) -> None:
    (tmp_path / "model-best").mkdir()
    assert read_found_curve(str(tmp_path / "model-best")) == read_found_curve("en_package") == []
    (one, other) = runs(p50=[1, 2])
    for folder, run in ((tmp_path, one), (tmp_path / "model-best", other)):
        (folder / "curve.json").write_text(json.dumps({"made_of": {}, "runs": [run._asdict()]}))
        assert read_found_curve(str(tmp_path / "model-best")) == [run]
