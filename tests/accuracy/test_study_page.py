"""The page, from fabricated runs: what is shown, what is left out, and that nothing is made up."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.accuracy.configs import resolve
from bench.accuracy.curves import Found, written
from bench.accuracy.ledger import write_counts
from bench.accuracy.page import write_page
from bench.accuracy.results import differences, read_results, significance, spread
from bench.accuracy.study import Study
from bench.accuracy.tables import percent, systems, table_of_levers, table_of_systems, verdicts
from spacy_tokclf.metrics.bootstrap import paired_bootstrap_counts

#: What a fabricated line has beside its scores.
REST = {"test_precision": 0.5, "test_recall": 0.25, "cpu_seconds": 90.0, "uncommitted": []}


@pytest.fixture
def put(study: Study, write_line: Callable[..., dict[str, Any]]) -> Callable[..., None]:
    """Give a function that writes runs of a config: a pair of F1 on dev and test for each seed."""

    def runs(config: str, *pairs: tuple[float | None, float | None], **more: Any) -> None:
        definition = resolve(study, config)
        with study.runs.open("a") as file:
            for seed, (dev, test) in enumerate(pairs):
                facts = {"config_hash": definition.hash, "data": definition.data, **REST, **more}
                file.write(json.dumps(write_line(config, seed, dev, test, **facts)) + "\n")

    return runs


def put_posts(study: Study, config: str, seed: int, counts: list[list[int]]) -> None:
    line = {"config_hash": resolve(study, config).hash, "seed": seed, **write_counts(np.array(counts))}
    with study.posts.open("a") as file:
        file.write(json.dumps(line) + "\n")


def test_mean_and_deviation() -> None:
    assert spread([0.5, None, 0.6]) == pytest.approx((0.55, 0.0707107, 2), abs=1e-6)
    assert spread([None]) is None and percent(None) == ""
    assert percent(spread([0.5])) == "50.00" and percent(spread([0.5, 0.6]), sign=True) == "+55.00 ± 7.07"
    assert percent(spread([-0.01, -0.01])) == "-1.00 ± 0.00"


def test_the_best_point_is_chosen_on_dev_over_the_seeds_that_all_have(study: Study, put: Callable[..., None]) -> None:
    many, few = (f"trainer:learn_rate={rate},epochs=2" for rate in ("0.0001", "0.003"))
    put(many, (0.5, 0.9), (0.9, 0.9))
    put(few, (0.6, 0.1))
    results = read_results(study)
    assert results.points("trainer") == [few, many] and results.points("plain") == []
    assert [(row.title, row.name) for row in systems(results, "")] == [("the Trainer: best on dev of 2 points", few)]
    put("trainer", (0.5, 0.9))
    assert [row.name for row in systems(read_results(study), "")] == ["trainer", few]
    put("trainer:learn_rate=0.0001,epochs=1@resplit", (0.1, None))
    assert [row.name for row in systems(read_results(study), "@resplit")] == [
        "trainer:learn_rate=0.0001,epochs=1@resplit"
    ]


def test_the_best_point_and_the_same_config_are_one_row(study: Study, put: Callable[..., None]) -> None:
    put("trainer:learn_rate=0.003,epochs=2", (0.5, None))
    put("trainer:learn_rate=0.0001,epochs=2", (0.6, None))
    put("trainer", (0.6, 0.1), (0.7, 0.2))
    assert [(row.title, row.name) for row in systems(read_results(study), "")] == [
        ("the Trainer: best on dev of 2 points", "trainer")
    ], "that of the config, which has all seeds"


def test_the_table_of_systems(study: Study, put: Callable[..., None]) -> None:
    put("default", (0.5, 0.4), (0.6, None))
    put("default+dev", (None, 0.42))
    put("default@sample", (0.3, 0.2))
    results = read_results(study)
    table = table_of_systems(results, systems(results, ""))
    _, _, best, refit = table.splitlines()
    assert best == "| the best | `default` | 2 (1 on test) | 55.00 ± 7.07 | 40.00 | 50.00 ± 0.00 | 25.00 ± 0.00 | 1.5 |"
    assert "| the best | `default@sample` | 1 | 30.00 | 20.00 |" in write_page(study).read_text()
    assert refit == "| the best, fitted on train and dev | `default+dev` | 1 |  | 42.00 | 50.00 | 25.00 | 1.5 |"


def test_runs_of_other_settings_count_for_nothing(study: Study, put: Callable[..., None]) -> None:
    put("plain", (0.5, None))
    put("default", (0.6, None))
    put("plain+averages", (0.7, None))
    text = study.configs.read_text().replace("title: the plain one", "set: {training.dropout: 0.3}\n    title: x")
    study.configs.write_text(text.partition("levers:")[0])
    results = read_results(study)
    assert list(results.runs) == ["default"] and results.outdated == ["plain, seed 0", "plain+averages, seed 0"]
    page = write_page(study).read_text()
    assert "left out: `plain, seed 0`, `plain+averages, seed 0`." in page and "70.00" not in page


def test_significance_is_that_of_the_counts_of_all_shared_seeds(study: Study, put: Callable[..., None]) -> None:
    gold = [3, 1, 2] * 20
    better, worse = ([[right, right + 1, n] for right, n in zip(each * 20, gold, strict=True)] for each in
                     ([3, 1, 1], [1, 0, 1]))  # fmt: skip
    for config, counts in (("default", better), ("trainer", worse)):
        put(config, (0.5, 0.5), (0.5, 0.5))
        for seed in (0, 1):
            put_posts(study, config, seed, counts)
    put_posts(study, "default", 2, worse)
    put("plain", (0.5, None))
    results = read_results(study)
    found = significance(results, "default", "trainer")
    assert found is not None and found.pop("seeds") == 2
    expected = paired_bootstrap_counts(2 * np.array(better), 2 * np.array(worse), n_resamples=10_000)
    assert found == expected and found["low"] > 0 and found["p_value"] < 0.01
    assert significance(results, "default", "plain") is significance(results, "default", "nothing") is None
    page = write_page(study).read_text()
    assert f"| the Trainer | `trainer` | 2 | {100 * expected['difference']:+.2f} |" in page


def test_levers_are_compared_seed_by_seed(study: Study, put: Callable[..., None]) -> None:
    extra = (
        "  dropout:\n    title: more dropout\n    with: {training.dropout: 0.2}\n    without: {training.dropout: 0.1}\n"
    )
    study.configs.write_text(study.configs.read_text() + extra)
    put("plain", (0.50, 0.30), (0.52, 0.32), (0.54, None))
    put("plain+averages", (0.51, 0.31), (0.53, 0.36), (0.55, None), (0.99, 0.99))
    put("plain+dropout", (0.51, 0.29), (0.51, None))
    put("default", (0.60, 0.40))
    put("default-averages", (0.58, 0.41))
    put("default-dropout", (0.60, 0.40))
    results = read_results(study)
    table = table_of_levers(results, "")
    assert table is not None
    averages, dropout = table.splitlines()[2:]
    assert averages == "| averaged weights | `averages` | 3 | +1.00 ± 0.00 | +2.50 ± 2.12 | +2.00 | -1.00 |"
    assert dropout == "| more dropout | `dropout` | 2 | +0.00 ± 1.41 | -1.00 |  |  |", "it is not in the best recipe"
    put("default+dropout", (0.63, 0.38))
    changed = table_of_levers(read_results(study), "")
    assert changed is not None and changed.splitlines()[3].endswith("| +3.00 | -2.00 |"), "it was put into it"
    assert table_of_levers(results, "@resplit") is None
    put("default@resplit", (0.70, 0.60))
    put("default+dropout@resplit", (0.71, 0.58))
    (elsewhere,) = table_of_levers(read_results(study), "@resplit").splitlines()[2:]
    assert elsewhere == "| more dropout | `dropout` | 1 |  |  | +1.00 | -2.00 |"
    assert verdicts(results) == [
        "- Helped: `averages` +1.00 ± 0.00.",
        "- Cannot be told from nothing: `dropout` +0.00 ± 1.41.",
    ]
    one, other = results.seeds("plain+averages"), results.seeds("plain")
    assert differences(one, other, "dev_f1") == pytest.approx((0.01, 0.0, 3)) and differences(one, {}, "dev_f1") is None


def test_a_lever_that_harms(study: Study, put: Callable[..., None]) -> None:
    put("plain", *[(0.5 + i / 100, None) for i in range(3)])
    put("plain+averages", *[(0.4 + i / 90, None) for i in range(3)])
    (line,) = verdicts(read_results(study))
    assert line.startswith("- Harmed: `averages` -9.89")


def test_the_whole_page(study: Study, put: Callable[..., None]) -> None:
    for i, config in enumerate(("default", "plain", "trainer", "plain@resplit")):
        put(config, *[(0.5 + seed / 100, 0.4) for seed in range(5 - i)])
    put("plain+averages", (0.5, None), uncommitted=["?? a"])
    definition = resolve(study, "default")
    rng = np.random.default_rng(0)
    lines = []
    for seed in (0, 1):
        found = Found(rng.random(50), rng.random(50) < 0.5, 60)
        lines.append({"config_hash": definition.hash, "seed": seed, "split": "test", **written(found)})
    study.curves.write_text("".join(json.dumps(line) + "\n" for line in lines))
    reading = {"config": "default", "config_hash": definition.hash, "commit": "0123456789abcdef"}
    readings = [{**reading, "seed": seed, "time": f"2026-01-0{3 - seed}T10:20:30+00:00"} for seed in (1, 0)]
    study.ledger.write_text("".join(json.dumps(line) + "\n" for line in readings))
    page = write_page(study).read_text()
    assert "| `default` | 2026-01-02 10:20 | 0123456789 | 0, 1 |" in page and "2 times" in page
    assert "| `default` | test | 100 | 120 |" in page and "| `default` | dev |" not in page
    assert "`default, seed 2`" in page.partition("Scored on test, but not in the ledger")[2].splitlines()[0]
    assert "Trained with code that is in no commit: `plain+averages, seed 0`." in page
    assert "- Fewer than 5 seeds: `plain (4)`, `trainer (3)`, `plain+averages (1)`." in page
    assert "- Not run: `default-averages`." in page and "Points of grids not run: `trainer:" in page
    pictures = {path.name: path.read_bytes() for path in (study.here / "plots").iterdir()}
    assert sorted(pictures) == ["f1_resplit.png", "f1_wnut17.png", "scores.png"]
    assert all(f"](plots/{name})" in page for name in pictures)
    assert write_page(study).read_text() == page
    assert {path.name: path.read_bytes() for path in (study.here / "plots").iterdir()} == pictures


def test_a_page_of_nothing(study: Study) -> None:
    page = write_page(study)
    assert page == study.here / "RESULTS.md"
    text = page.read_text()
    assert "- Not run: `default`, `plain`, `trainer`" in text and "|" not in text
    assert not Path(study.here / "plots").exists()
